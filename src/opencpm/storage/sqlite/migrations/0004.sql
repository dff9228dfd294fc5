-- Several accounts of one person on one network; what somebody asked stands until it is answered.

ALTER TABLE account RENAME TO account_1;
CREATE TABLE account (
  owner    TEXT NOT NULL,
  network  TEXT NOT NULL,
  address  TEXT NOT NULL,
  enabled  INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  place    INTEGER NOT NULL,            -- in the order of linking
  PRIMARY KEY (owner, network, address)
) WITHOUT ROWID;
INSERT INTO account (owner, network, address, enabled, revision, place)
SELECT owner, network, address, enabled, 0, 0 FROM account_1;
DROP TABLE account_1;
UPDATE secret SET key = key || '|' || (
  SELECT a.address FROM account a WHERE a.owner || '|' || a.network = secret.key
) WHERE kind = 'account' AND EXISTS (SELECT 1 FROM account a WHERE a.owner || '|' || a.network = secret.key);

CREATE TABLE contact_request (
  owner TEXT NOT NULL,
  id    TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (owner, id)
) WITHOUT ROWID;
