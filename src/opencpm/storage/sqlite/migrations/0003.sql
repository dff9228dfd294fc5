-- Deliveries whose ids begin with their message's are found by its number.

ALTER TABLE delivery RENAME TO delivery_1;
DROP INDEX delivery_message;
DROP INDEX delivery_due;
DROP INDEX delivery_queue;
DROP INDEX delivery_sent;
DROP INDEX delivery_received;
CREATE TABLE delivery (
  seq             INTEGER PRIMARY KEY,
  id              TEXT NOT NULL,
  message         INTEGER NOT NULL,     -- message.n
  recipient       TEXT NOT NULL,
  state           TEXT NOT NULL,
  created_at      REAL NOT NULL,
  expires_at      REAL NOT NULL,
  network         TEXT NOT NULL,
  source          TEXT NOT NULL,
  target          TEXT NOT NULL,
  attempt         INTEGER NOT NULL,
  token           INTEGER NOT NULL,
  not_before      REAL NOT NULL,
  lease_until     REAL NOT NULL,
  queue           TEXT NOT NULL,
  notice          TEXT,
  sent_thread     TEXT NOT NULL,
  received_thread TEXT NOT NULL,
  segments        INTEGER NOT NULL,
  confirmed       INTEGER NOT NULL,
  error           TEXT NOT NULL,
  detail          TEXT NOT NULL,
  updated_at      REAL NOT NULL,
  due             REAL,                 -- when somebody must look at it; NULL: finished
  loose           INTEGER NOT NULL      -- 1: the id does not begin with the message's id and a dot
);
INSERT INTO delivery (
  seq, id, message, recipient, state, created_at, expires_at, network, source, target, attempt, token,
  not_before, lease_until, queue, notice, sent_thread, received_thread, segments, confirmed, error, detail,
  updated_at, due, loose)
SELECT
  d.seq, d.id, d.message, d.recipient, d.state, d.created_at, d.expires_at, d.network, d.source, d.target,
  d.attempt, d.token, d.not_before, d.lease_until, d.queue, d.notice, d.sent_thread, d.received_thread,
  d.segments, d.confirmed, d.error, d.detail, d.updated_at, d.due,
  substr(d.id, 1, length(m.id) + 1) <> m.id || '.'
FROM delivery_1 d JOIN message m ON m.n = d.message;
DROP TABLE delivery_1;
-- Most ids begin with their message's: found by its number they need no index over random ids.
CREATE UNIQUE INDEX delivery_message ON delivery (message, id);
CREATE UNIQUE INDEX delivery_loose ON delivery (id) WHERE loose;
CREATE INDEX delivery_due ON delivery (state, due) WHERE due IS NOT NULL;
CREATE INDEX delivery_queue ON delivery (queue, seq) WHERE queue > '' AND due IS NOT NULL;
CREATE INDEX delivery_sent ON delivery (sent_thread, created_at) WHERE sent_thread > '';
CREATE INDEX delivery_received ON delivery (received_thread, created_at) WHERE received_thread > '';
