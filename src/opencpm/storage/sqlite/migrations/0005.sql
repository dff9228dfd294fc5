-- Messages that their senders want kept until a time.

ALTER TABLE message ADD COLUMN not_before REAL NOT NULL DEFAULT 0;
