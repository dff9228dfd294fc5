-- Every statement the store runs, by name. `-- fragment:` texts are put in where their {name} stands.

-- fragment: message_columns
m.id, m.message_id, m.sender, m.recipients, m.sent_at, m.received_at, m.origin, m.conversation_id,
m.contribution_id, m.in_reply_to, m.wants, m.expires_at, m.subject, m.kind, m.session_id, m.route, m.headers,
m.media, m.body, m.not_before

-- fragment: record_columns
d.id, d.recipient, d.state, d.created_at, d.expires_at, d.network, d.source, d.target, d.attempt, d.token,
d.not_before, d.lease_until, d.queue, d.seq, d.notice, d.sent_thread, d.received_thread, d.segments, d.confirmed,
d.error, d.detail, d.updated_at

-- fragment: records
SELECT {record_columns}, {message_columns} FROM delivery d JOIN message m ON m.n = d.message

-- fragment: shown
error <> 'cancelled' AND NOT (state = 'queued' AND queue = '' AND attempt = 0 AND not_before > 0)

-- fragment: session_columns
s.id, s.initiator, s.target, s.network, s.origin, s.state, s.opened_at, s.owner_threads, s.conversation_id,
s.contribution_id, s.answered_at, s.closed_at, s.reason

-- ------------------------------------------------------------------------------------------ a unit of work

-- name: insert_message
INSERT INTO message (n, id, message_id, sender, recipients, sent_at, received_at, origin, conversation_id,
  contribution_id, in_reply_to, wants, expires_at, subject, kind, session_id, route, headers, media, body, not_before)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING

-- name: message_number
SELECT n FROM message WHERE id = ?

-- name: highest_numbers
SELECT max((SELECT coalesce(max(n), 0) FROM message), (SELECT coalesce(max(subject), 0) FROM trail WHERE subject < '')),
  (SELECT coalesce(max(seq), 0) FROM delivery)

-- name: insert_delivery
INSERT INTO delivery (seq, id, message, recipient, state, created_at, expires_at, network, source, target, attempt,
  token, not_before, lease_until, queue, notice, sent_thread, received_thread, segments, confirmed, error, detail,
  updated_at, due, loose)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (message, id) DO NOTHING
ON CONFLICT (id) WHERE loose DO NOTHING

-- fragment: update
UPDATE delivery SET state = ?2, network = ?3, source = ?4, target = ?5, attempt = ?6, token = ?7, not_before = ?8,
  lease_until = ?9, queue = ?10, segments = ?11, confirmed = ?12, error = ?13, detail = ?14, updated_at = ?15,
  due = CASE ?2 WHEN 'queued' THEN ?8 WHEN 'sending' THEN ?9 WHEN 'accepted' THEN expires_at END
WHERE id = ?1 AND token <= ?7

-- name: update_delivery
{update} AND message = ?16

-- name: update_loose_delivery
{update} AND loose AND ?16 IS NOT NULL

-- name: rewrite_message
UPDATE message SET wants = ?2, expires_at = ?3, media = ?4, body = ?5, not_before = ?6 WHERE id = ?1

-- name: rewrite_deliveries
UPDATE delivery SET expires_at = ?2
WHERE message = (SELECT n FROM message WHERE id = ?1) AND notice IS NULL AND due IS NOT NULL

-- name: insert_reference
INSERT INTO reference (key, network, delivery_id, segment, segments, weak, check_value) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: insert_parked
INSERT INTO parked (network, key, at, report) VALUES (?, ?, ?, ?)

-- name: delete_parked
DELETE FROM parked WHERE network = ? AND key = ?

-- name: put_session
INSERT OR REPLACE INTO session (id, initiator, target, network, origin, state, opened_at, owner_threads,
  conversation_id, contribution_id, answered_at, closed_at, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: put_session_thread
INSERT OR IGNORE INTO session_thread (thread, opened_at, session) VALUES (?, ?, ?)

-- name: insert_trail
INSERT INTO trail (subject, at, step, what, delivery_id, data) VALUES (?, ?, ?, ?, ?, ?)

-- name: put_state
INSERT OR REPLACE INTO state (room, key, value) VALUES (?, ?, ?)

-- name: delete_state
DELETE FROM state WHERE room = ? AND key = ?

-- ------------------------------------------------------------------------------------------------- leases

-- name: due_records
{records} WHERE d.seq IN (
  SELECT seq FROM delivery WHERE due <= :now AND state IN ('queued', 'sending') ORDER BY seq LIMIT :limit)
ORDER BY d.seq

-- name: queued_records
{records} WHERE d.seq IN (
  SELECT seq FROM delivery WHERE queue = :queue AND queue > '' AND due IS NOT NULL
    AND (state = 'queued' OR state = 'sending' AND due <= :now) ORDER BY seq LIMIT :limit)
ORDER BY d.seq

-- name: lease
UPDATE delivery SET state = 'sending', token = token + 1, lease_until = ?2, due = ?2, updated_at = ?3 WHERE seq = ?1

-- name: release_leases
UPDATE delivery SET lease_until = 0, due = 0 WHERE state = 'sending' AND due IS NOT NULL

-- name: next_due
SELECT min(at) FROM (
  SELECT min(due) AS at FROM delivery WHERE state = 'queued' AND due IS NOT NULL
  UNION ALL SELECT min(due) FROM delivery WHERE state = 'sending' AND due IS NOT NULL)

-- name: waiting
SELECT count(*) FROM delivery WHERE queue = ? AND queue > '' AND due IS NOT NULL AND state = 'queued'

-- name: unreported
{records} WHERE d.state = 'accepted' AND d.due < ? ORDER BY d.due, d.seq LIMIT ?

-- -------------------------------------------------------------------------------------------------- reads

-- name: message
SELECT {message_columns} FROM message m WHERE m.id = ?

-- name: delivery
{records} WHERE d.id = ?1 AND d.message = (SELECT n FROM message WHERE id = substr(?1, 1, instr(?1, '.') - 1))

-- name: loose_delivery
{records} WHERE d.id = ? AND d.loose

-- name: deliveries_of
{records} WHERE d.message = (SELECT n FROM message WHERE id = ?) AND d.notice IS NULL ORDER BY d.seq

-- name: referenced
SELECT network, delivery_id, key, segment, segments, weak, check_value FROM reference
WHERE key = ?2 AND network = ?1 ORDER BY n DESC

-- name: parked
SELECT report FROM parked ORDER BY n LIMIT ?

-- name: threads
WITH RECURSIVE
  sent (t) AS (
    SELECT (SELECT min(sent_thread) FROM delivery WHERE sent_thread >= :low AND sent_thread < :high
            AND sent_thread > '')
    UNION ALL
    SELECT (SELECT min(sent_thread) FROM delivery WHERE sent_thread > sent.t AND sent_thread < :high
            AND sent_thread > '') FROM sent WHERE sent.t IS NOT NULL),
  received (t) AS (
    SELECT (SELECT min(received_thread) FROM delivery WHERE received_thread >= :low AND received_thread < :high
            AND received_thread > '')
    UNION ALL
    SELECT (SELECT min(received_thread) FROM delivery WHERE received_thread > received.t AND received_thread < :high
            AND received_thread > '') FROM received WHERE received.t IS NOT NULL)
SELECT t FROM sent WHERE t IS NOT NULL UNION SELECT t FROM received WHERE t IS NOT NULL

-- name: last_of_thread
SELECT created_at, seq FROM delivery WHERE sent_thread = :thread AND sent_thread > '' AND notice IS NULL
UNION ALL
SELECT created_at, seq FROM delivery WHERE received_thread = :thread AND received_thread > '' AND notice IS NULL
  AND {shown}
ORDER BY created_at DESC, seq DESC LIMIT 1

-- name: history
SELECT h.sent, {record_columns}, {message_columns} FROM (
  SELECT seq, created_at, 1 AS sent FROM delivery
  WHERE sent_thread = :thread AND sent_thread > '' AND created_at < :before AND notice IS NULL
  UNION ALL
  SELECT seq, created_at, 0 FROM delivery
  WHERE received_thread = :thread AND received_thread > '' AND sent_thread <> received_thread
    AND created_at < :before AND notice IS NULL AND {shown}
  ORDER BY created_at DESC, seq DESC LIMIT :limit) h
JOIN delivery d ON d.seq = h.seq JOIN message m ON m.n = d.message
ORDER BY d.created_at, d.seq

-- name: last_exchange
SELECT m.conversation_id, m.contribution_id FROM (
  SELECT seq, created_at, message FROM delivery
  WHERE sent_thread = :thread AND sent_thread > '' AND notice IS NULL
  UNION ALL
  SELECT seq, created_at, message FROM delivery
  WHERE received_thread = :thread AND received_thread > '' AND notice IS NULL
  ORDER BY created_at DESC, seq DESC LIMIT 1) h
JOIN message m ON m.n = h.message

-- name: sessions
SELECT {session_columns} FROM session_thread t JOIN session s ON s.id = t.session AND s.opened_at = t.opened_at
WHERE t.thread = ? ORDER BY t.opened_at DESC, t.session DESC LIMIT ?

-- name: open_sessions
SELECT {session_columns} FROM session s WHERE s.state <> 'closed' ORDER BY s.opened_at, s.id

-- name: trail
SELECT ?1, at, step, what, delivery_id, data FROM trail
WHERE subject IN (?1, (SELECT n FROM message WHERE id = ?1)) ORDER BY n

-- name: find_exact
SELECT id FROM message WHERE id = ?1
UNION SELECT id FROM session WHERE id = ?1
UNION SELECT id FROM message WHERE id = substr(?1, 1, instr(?1, '.') - 1)
UNION SELECT m.id FROM delivery d JOIN message m ON m.n = d.message WHERE d.id = ?1 AND d.loose
UNION SELECT subject FROM trail WHERE subject = ?1
LIMIT 2

-- name: find_beginning
SELECT id FROM message WHERE id >= ?1 AND id < ?2
UNION SELECT id FROM session WHERE id >= ?1 AND id < ?2
UNION SELECT m.id FROM delivery d JOIN message m ON m.n = d.message WHERE d.id >= ?1 AND d.id < ?2 AND d.loose
UNION SELECT subject FROM trail WHERE subject >= ?1 AND subject < ?2
LIMIT 2

-- name: find_message_id
SELECT DISTINCT id FROM (SELECT id, message_id FROM message ORDER BY n DESC LIMIT ?2) WHERE message_id = ?1 LIMIT 2

-- name: find_message_id_beginning
SELECT DISTINCT id FROM (SELECT id, message_id FROM message ORDER BY n DESC LIMIT ?3)
WHERE message_id >= ?1 AND message_id < ?2 LIMIT 2

-- name: count_states
SELECT state, count(*) FROM delivery GROUP BY state

-- name: count_messages
SELECT count(*) FROM message

-- name: count_trail
SELECT count(*) FROM trail

-- name: get_state
SELECT value FROM state WHERE room = ? AND key = ?

-- name: all_state
SELECT key, value FROM state WHERE room = ? ORDER BY key

-- ---------------------------------------------------------------------------------------- administration

-- name: subscribers
SELECT value FROM subscriber ORDER BY id

-- name: put_subscriber
INSERT OR REPLACE INTO subscriber (id, value) VALUES (?, ?)

-- name: remove_subscriber
DELETE FROM subscriber WHERE id = ?

-- name: accounts
SELECT owner, network, address, enabled, revision FROM account ORDER BY owner, place, network

-- name: put_account
INSERT INTO account (owner, network, address, enabled, revision, place)
VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM account))
ON CONFLICT (owner, network, address) DO UPDATE SET enabled = excluded.enabled, revision = excluded.revision

-- name: remove_account
DELETE FROM account WHERE owner = ? AND network = ? AND address = ?

-- name: remove_accounts
DELETE FROM account WHERE owner = ?

-- name: contacts
SELECT value FROM contact ORDER BY owner, id

-- name: put_contact
INSERT OR REPLACE INTO contact (owner, id, value) VALUES (?, ?, ?)

-- name: remove_contact
DELETE FROM contact WHERE owner = ? AND id = ?

-- name: remove_contacts
DELETE FROM contact WHERE owner = ?

-- name: contact_requests
SELECT value FROM contact_request ORDER BY owner, id

-- name: put_contact_request
INSERT OR REPLACE INTO contact_request (owner, id, value) VALUES (?, ?, ?)

-- name: remove_contact_request
DELETE FROM contact_request WHERE owner = ? AND id = ?

-- name: remove_contact_requests
DELETE FROM contact_request WHERE owner = ?

-- name: secret
SELECT value FROM secret WHERE kind = ? AND key = ?

-- name: secrets
SELECT key, value FROM secret WHERE kind = ? ORDER BY key

-- name: put_secret
INSERT OR REPLACE INTO secret (kind, key, value) VALUES (?, ?, ?)

-- name: remove_secret
DELETE FROM secret WHERE kind = ? AND key = ?

-- name: version
SELECT version FROM administration

-- name: raise_version
UPDATE administration SET version = version + 1

-- --------------------------------------------------------------------------------------------- retention
-- Old rows are at the front of each table; a bounded stretch of it is looked at, so no call scans a table.

-- name: prune_deliveries
DELETE FROM delivery WHERE seq IN (
  SELECT seq FROM (SELECT seq, due, updated_at FROM delivery ORDER BY seq LIMIT :scan)
  WHERE due IS NULL AND updated_at < :before LIMIT :limit)

-- name: prune_messages
DELETE FROM message WHERE n IN (
  SELECT n FROM (SELECT n, received_at FROM message ORDER BY n LIMIT :scan) old
  WHERE received_at < :before AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = old.n) LIMIT :limit)

-- name: prune_references
DELETE FROM reference WHERE n IN (
  SELECT n FROM (SELECT n, delivery_id FROM reference ORDER BY n LIMIT :scan) old
  WHERE NOT EXISTS (
      SELECT 1 FROM delivery WHERE id = old.delivery_id AND message =
        (SELECT n FROM message WHERE id = substr(old.delivery_id, 1, instr(old.delivery_id, '.') - 1)))
    AND NOT EXISTS (SELECT 1 FROM delivery WHERE id = old.delivery_id AND loose) LIMIT :limit)

-- name: prune_session_threads
DELETE FROM session_thread WHERE session IN (
  SELECT id FROM session WHERE state = 'closed' AND closed_at < :before ORDER BY id LIMIT :limit)

-- name: prune_sessions
DELETE FROM session WHERE id IN (
  SELECT id FROM session WHERE state = 'closed' AND closed_at < :before ORDER BY id LIMIT :limit)

-- name: prune_trail
DELETE FROM trail WHERE n IN (
  SELECT n FROM (SELECT n, subject, at FROM trail ORDER BY n LIMIT :scan) old
  WHERE at < :before AND NOT EXISTS (SELECT 1 FROM message WHERE n = old.subject)
    AND NOT EXISTS (SELECT 1 FROM message WHERE id = old.subject)
    AND NOT EXISTS (SELECT 1 FROM session WHERE id = old.subject) LIMIT :limit)

-- name: prune_parked
DELETE FROM parked WHERE n IN (
  SELECT n FROM (SELECT n, at FROM parked ORDER BY n LIMIT :scan) WHERE at < :before LIMIT :limit)
