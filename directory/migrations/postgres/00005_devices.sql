-- By what people prove themselves beside the password, and browsers that need not
-- be asked. Seeds are sealed by the deployment's key ring; recovery codes and pairing
-- keys are HMACs, cookies SHA-256 digests. Wrong answers are counted in failures,
-- under 'mfa/' and the user's id, and under 'device/' and the device's.

-- +goose Up
ALTER TABLE users ADD COLUMN handle BYTEA NOT NULL DEFAULT ''; -- by which passkeys know the user; made when first asked for
ALTER TABLE users ADD COLUMN device_order TEXT NOT NULL DEFAULT ''; -- ids, as the person has put them, with spaces between

CREATE TABLE devices (
	env               TEXT COLLATE "C" NOT NULL,
	id                TEXT COLLATE "C" NOT NULL,
	user_id           TEXT COLLATE "C" NOT NULL,
	type              TEXT NOT NULL,
	status            TEXT COLLATE "C" NOT NULL, -- ACTIVE or ACTIVATION_REQUIRED
	nickname          TEXT NOT NULL,
	name              TEXT NOT NULL,
	phone             TEXT NOT NULL,
	email             TEXT NOT NULL,
	single            TEXT COLLATE "C", -- of what a user has one only; NULL: there may be several
	application       TEXT NOT NULL,
	policy            TEXT NOT NULL,
	public_key        BYTEA NOT NULL,
	alert             TEXT NOT NULL, -- where a push service reaches it
	seed              BYTEA NOT NULL,
	step              BIGINT NOT NULL, -- the last one of which a code was accepted; -1: none
	credential_id     BYTEA,
	credential        TEXT NOT NULL, -- JSON of what else is known of it
	sign_count        BIGINT NOT NULL,
	blocked_at        BIGINT NOT NULL,
	push_locked_until BIGINT NOT NULL,
	created_at        BIGINT NOT NULL,
	updated_at        BIGINT NOT NULL,
	activated_at      BIGINT NOT NULL,
	last_used_at      BIGINT NOT NULL,
	PRIMARY KEY (env, id),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
);
CREATE INDEX devices_user ON devices (env, user_id);
CREATE UNIQUE INDEX devices_single ON devices (env, user_id, single);
CREATE UNIQUE INDEX devices_credential ON devices (env, credential_id);
CREATE UNIQUE INDEX devices_key ON devices (env, public_key) WHERE length(public_key) > 0;
CREATE INDEX devices_unactivated ON devices (created_at) WHERE status = 'ACTIVATION_REQUIRED';

-- Those that are left: one that is used is deleted.
CREATE TABLE recovery_codes (
	env    TEXT COLLATE "C" NOT NULL,
	device TEXT COLLATE "C" NOT NULL,
	mac    BYTEA NOT NULL,
	PRIMARY KEY (env, device, mac),
	FOREIGN KEY (env, device) REFERENCES devices (env, id) ON DELETE CASCADE
);

-- Challenges of WebAuthn that were answered.
CREATE TABLE used_challenges (
	env        TEXT COLLATE "C" NOT NULL,
	challenge  BYTEA NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (env, challenge)
);
CREATE INDEX used_challenges_expires ON used_challenges (expires_at);

-- id: that the device is going to have.
CREATE TABLE pairings (
	env         TEXT COLLATE "C" NOT NULL,
	id          TEXT COLLATE "C" NOT NULL,
	user_id     TEXT COLLATE "C" NOT NULL,
	application TEXT NOT NULL,
	policy      TEXT NOT NULL,
	nickname    TEXT NOT NULL,
	mac         BYTEA NOT NULL,
	used_at     BIGINT NOT NULL,
	created_at  BIGINT NOT NULL,
	expires_at  BIGINT NOT NULL,
	PRIMARY KEY (env, id),
	UNIQUE (env, mac),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
);
CREATE INDEX pairings_user ON pairings (env, user_id);
CREATE INDEX pairings_expires ON pairings (expires_at);

CREATE TABLE pushes (
	env         TEXT COLLATE "C" NOT NULL,
	id          TEXT COLLATE "C" NOT NULL,
	user_id     TEXT COLLATE "C" NOT NULL,
	device      TEXT COLLATE "C" NOT NULL,
	flow        TEXT NOT NULL,
	number      TEXT NOT NULL,
	client      TEXT NOT NULL,
	application TEXT NOT NULL,
	state       TEXT NOT NULL, -- PENDING, APPROVED, REJECTED, CANCELLED or USED
	created_at  BIGINT NOT NULL,
	expires_at  BIGINT NOT NULL,
	answered_at BIGINT NOT NULL,
	PRIMARY KEY (env, id),
	FOREIGN KEY (env, device) REFERENCES devices (env, id) ON DELETE CASCADE
);
CREATE INDEX pushes_device ON pushes (env, device, created_at);
CREATE INDEX pushes_expires ON pushes (expires_at);
CREATE INDEX pushes_waiting ON pushes (expires_at) WHERE state = 'PENDING';

CREATE TABLE trusted_browsers (
	env        TEXT COLLATE "C" NOT NULL,
	user_id    TEXT COLLATE "C" NOT NULL,
	hash       BYTEA NOT NULL,
	id         TEXT COLLATE "C" NOT NULL,
	name       TEXT NOT NULL,
	remote_ip  TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (env, user_id, hash),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
);
CREATE INDEX trusted_browsers_expires ON trusted_browsers (expires_at);

CREATE TABLE device_logs (
	env    TEXT COLLATE "C" NOT NULL,
	device TEXT COLLATE "C" NOT NULL,
	id     TEXT COLLATE "C" NOT NULL,
	body   TEXT NOT NULL,
	at     BIGINT NOT NULL,
	PRIMARY KEY (env, device, id),
	FOREIGN KEY (env, device) REFERENCES devices (env, id) ON DELETE CASCADE
);
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
