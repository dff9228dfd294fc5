-- The tables as they are now. A change here needs a numbered file in migrations/ that makes the same change.
-- Bodies (message) are apart from state (delivery): a change of state never rewrites a body.
-- An index over random ids costs a page written for each row, so there are few of them.
-- Addresses are written "scheme:value"; times are seconds since the epoch; small structures are JSON.

CREATE TABLE message (
  n               INTEGER PRIMARY KEY,  -- in the order of arrival
  id              TEXT NOT NULL UNIQUE,
  message_id      TEXT NOT NULL,
  sender          TEXT NOT NULL,
  recipients      TEXT NOT NULL,        -- one address, or a JSON list
  sent_at         REAL NOT NULL,
  received_at     REAL NOT NULL,
  origin          TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  contribution_id TEXT NOT NULL,
  in_reply_to     TEXT NOT NULL,
  wants           INTEGER NOT NULL,
  expires_at      REAL,
  subject         TEXT NOT NULL,
  kind            TEXT NOT NULL,
  session_id      TEXT NOT NULL,
  route           TEXT NOT NULL,
  headers         TEXT NOT NULL,        -- '' or a JSON list of pairs
  media           TEXT NOT NULL,        -- the content type of one plain part, or a JSON list of all parts
  body            BLOB NOT NULL,        -- the bodies of all parts, joined
  not_before      REAL NOT NULL DEFAULT 0  -- 0: at once
);

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
-- Most ids begin with their message's: found by its number they need no index over random ids.
CREATE UNIQUE INDEX delivery_message ON delivery (message, id);
CREATE UNIQUE INDEX delivery_loose ON delivery (id) WHERE loose;
CREATE INDEX delivery_due ON delivery (state, due) WHERE due IS NOT NULL;
CREATE INDEX delivery_queue ON delivery (queue, seq) WHERE queue > '' AND due IS NOT NULL;
CREATE INDEX delivery_sent ON delivery (sent_thread, created_at) WHERE sent_thread > '';
CREATE INDEX delivery_received ON delivery (received_thread, created_at) WHERE received_thread > '';

CREATE TABLE reference (
  n           INTEGER PRIMARY KEY,
  key         TEXT NOT NULL,
  network     TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  segment     INTEGER NOT NULL,
  segments    INTEGER NOT NULL,
  weak        INTEGER NOT NULL,
  check_value TEXT NOT NULL
);
CREATE INDEX reference_key ON reference (key, network);

CREATE TABLE parked (
  n       INTEGER PRIMARY KEY,
  network TEXT NOT NULL,
  key     TEXT NOT NULL,
  at      REAL NOT NULL,
  report  TEXT NOT NULL
);
CREATE INDEX parked_key ON parked (key, network);

CREATE TABLE session (
  id              TEXT PRIMARY KEY,
  initiator       TEXT NOT NULL,
  target          TEXT NOT NULL,
  network         TEXT NOT NULL,
  origin          TEXT NOT NULL,
  state           TEXT NOT NULL,
  opened_at       REAL NOT NULL,
  owner_threads   TEXT NOT NULL,        -- JSON list
  conversation_id TEXT NOT NULL,
  contribution_id TEXT NOT NULL,
  answered_at     REAL NOT NULL,
  closed_at       REAL NOT NULL,
  reason          TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_open ON session (opened_at) WHERE state <> 'closed';

CREATE TABLE session_thread (
  thread    TEXT NOT NULL,
  opened_at REAL NOT NULL,
  session   TEXT NOT NULL,
  PRIMARY KEY (thread, opened_at, session)
) WITHOUT ROWID;

-- A subject that is a stored message is its number: the index then grows at its end and not all over.
CREATE TABLE trail (
  n           INTEGER PRIMARY KEY,
  subject     NOT NULL,                 -- message.n, or any other id as text
  at          REAL NOT NULL,
  step        TEXT NOT NULL,
  what        TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  data        TEXT NOT NULL
);
CREATE INDEX trail_subject ON trail (subject);

CREATE TABLE state (
  room  TEXT NOT NULL,
  key   TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (room, key)
) WITHOUT ROWID;

CREATE TABLE subscriber (
  id    TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE account (
  owner    TEXT NOT NULL,
  network  TEXT NOT NULL,
  address  TEXT NOT NULL,
  enabled  INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  place    INTEGER NOT NULL,            -- in the order of linking
  PRIMARY KEY (owner, network, address)
) WITHOUT ROWID;

CREATE TABLE contact (
  owner TEXT NOT NULL,
  id    TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (owner, id)
) WITHOUT ROWID;

CREATE TABLE contact_request (
  owner TEXT NOT NULL,
  id    TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (owner, id)
) WITHOUT ROWID;

CREATE TABLE secret (
  kind  TEXT NOT NULL,
  key   TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;

-- One row: rises with every change to subscriber, account, contact, contact_request or secret.
CREATE TABLE administration (version INTEGER NOT NULL);
INSERT INTO administration VALUES (0);
