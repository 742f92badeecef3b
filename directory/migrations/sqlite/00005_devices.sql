-- By what people prove themselves beside the password, and browsers that need not
-- be asked. Seeds are sealed by the deployment's key ring; recovery codes and pairing
-- keys are HMACs, cookies SHA-256 digests. Wrong answers are counted in failures,
-- under 'mfa/' and the user's id, and under 'device/' and the device's.

-- +goose Up
ALTER TABLE users ADD COLUMN handle BLOB NOT NULL DEFAULT x''; -- by which passkeys know the user; made when first asked for
ALTER TABLE users ADD COLUMN device_order TEXT NOT NULL DEFAULT ''; -- ids, as the person has put them, with spaces between

CREATE TABLE devices (
	env               TEXT NOT NULL,
	id                TEXT NOT NULL,
	user_id           TEXT NOT NULL,
	type              TEXT NOT NULL,
	status            TEXT NOT NULL, -- ACTIVE or ACTIVATION_REQUIRED
	nickname          TEXT NOT NULL,
	name              TEXT NOT NULL,
	phone             TEXT NOT NULL,
	email             TEXT NOT NULL,
	single            TEXT, -- of what a user has one only; NULL: there may be several
	application       TEXT NOT NULL,
	policy            TEXT NOT NULL,
	public_key        BLOB NOT NULL,
	alert             TEXT NOT NULL, -- where a push service reaches it
	seed              BLOB NOT NULL,
	step              INTEGER NOT NULL, -- the last one of which a code was accepted; -1: none
	credential_id     BLOB,
	credential        TEXT NOT NULL, -- JSON of what else is known of it
	sign_count        INTEGER NOT NULL,
	blocked_at        INTEGER NOT NULL,
	push_locked_until INTEGER NOT NULL,
	created_at        INTEGER NOT NULL,
	updated_at        INTEGER NOT NULL,
	activated_at      INTEGER NOT NULL,
	last_used_at      INTEGER NOT NULL,
	PRIMARY KEY (env, id),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX devices_user ON devices (env, user_id);
CREATE UNIQUE INDEX devices_single ON devices (env, user_id, single);
CREATE UNIQUE INDEX devices_credential ON devices (env, credential_id);
CREATE UNIQUE INDEX devices_key ON devices (env, public_key) WHERE length(public_key) > 0;
CREATE INDEX devices_unactivated ON devices (created_at) WHERE status = 'ACTIVATION_REQUIRED';

-- Those that are left: one that is used is deleted.
CREATE TABLE recovery_codes (
	env    TEXT NOT NULL,
	device TEXT NOT NULL,
	mac    BLOB NOT NULL,
	PRIMARY KEY (env, device, mac),
	FOREIGN KEY (env, device) REFERENCES devices (env, id) ON DELETE CASCADE
) STRICT;

-- Challenges of WebAuthn that were answered.
CREATE TABLE used_challenges (
	env        TEXT NOT NULL,
	challenge  BLOB NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (env, challenge)
) STRICT;
CREATE INDEX used_challenges_expires ON used_challenges (expires_at);

-- id: that the device is going to have.
CREATE TABLE pairings (
	env         TEXT NOT NULL,
	id          TEXT NOT NULL,
	user_id     TEXT NOT NULL,
	application TEXT NOT NULL,
	policy      TEXT NOT NULL,
	nickname    TEXT NOT NULL,
	mac         BLOB NOT NULL,
	used_at     INTEGER NOT NULL,
	created_at  INTEGER NOT NULL,
	expires_at  INTEGER NOT NULL,
	PRIMARY KEY (env, id),
	UNIQUE (env, mac),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX pairings_user ON pairings (env, user_id);
CREATE INDEX pairings_expires ON pairings (expires_at);

CREATE TABLE pushes (
	env         TEXT NOT NULL,
	id          TEXT NOT NULL,
	user_id     TEXT NOT NULL,
	device      TEXT NOT NULL,
	flow        TEXT NOT NULL,
	number      TEXT NOT NULL,
	client      TEXT NOT NULL,
	application TEXT NOT NULL,
	state       TEXT NOT NULL, -- PENDING, APPROVED, REJECTED, CANCELLED or USED
	created_at  INTEGER NOT NULL,
	expires_at  INTEGER NOT NULL,
	answered_at INTEGER NOT NULL,
	PRIMARY KEY (env, id),
	FOREIGN KEY (env, device) REFERENCES devices (env, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX pushes_device ON pushes (env, device, created_at);
CREATE INDEX pushes_expires ON pushes (expires_at);
CREATE INDEX pushes_waiting ON pushes (expires_at) WHERE state = 'PENDING';

CREATE TABLE trusted_browsers (
	env        TEXT NOT NULL,
	user_id    TEXT NOT NULL,
	hash       BLOB NOT NULL,
	id         TEXT NOT NULL,
	name       TEXT NOT NULL,
	remote_ip  TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (env, user_id, hash),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX trusted_browsers_expires ON trusted_browsers (expires_at);

CREATE TABLE device_logs (
	env    TEXT NOT NULL,
	device TEXT NOT NULL,
	id     TEXT NOT NULL,
	body   TEXT NOT NULL,
	at     INTEGER NOT NULL,
	PRIMARY KEY (env, device, id),
	FOREIGN KEY (env, device) REFERENCES devices (env, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX device_logs_at ON device_logs (at);

-- +goose Down
DROP TABLE device_logs;
DROP TABLE trusted_browsers;
DROP TABLE pushes;
DROP TABLE pairings;
DROP TABLE used_challenges;
DROP TABLE recovery_codes;
DROP TABLE devices;
ALTER TABLE users DROP COLUMN device_order;
ALTER TABLE users DROP COLUMN handle;
