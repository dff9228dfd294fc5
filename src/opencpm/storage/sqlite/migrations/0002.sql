-- The trail of a stored message goes by its number; Message-IDs are looked for without an index.

DROP INDEX message_message_id;

ALTER TABLE trail RENAME TO trail_1;
DROP INDEX trail_subject;
CREATE TABLE trail (
  n           INTEGER PRIMARY KEY,
  subject     NOT NULL,                 -- message.n, or any other id as text
  at          REAL NOT NULL,
  step        TEXT NOT NULL,
  what        TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  data        TEXT NOT NULL
);
INSERT INTO trail (n, subject, at, step, what, delivery_id, data)
SELECT n, coalesce((SELECT m.n FROM message m WHERE m.id = t.subject), t.subject), at, step, what, delivery_id, data
FROM trail_1 t;
DROP TABLE trail_1;
CREATE INDEX trail_subject ON trail (subject);
