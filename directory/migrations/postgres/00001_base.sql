-- Times are milliseconds since 1970 UTC; 0 says "not yet". Secrets are sealed
-- by the deployment's key ring, passwords are argon2id PHC strings, codes and
-- cookies are SHA-256 digests: nothing in here can be used as it stands.
-- Keys compare byte by byte (COLLATE "C"), as in SQLite: their order depends on
-- no locale, and no upgrade of the C library damages an index.

-- +goose Up
CREATE TABLE resources (
	env  TEXT COLLATE "C" NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	id   TEXT COLLATE "C" NOT NULL,
	body BYTEA NOT NULL,
	PRIMARY KEY (env, kind, id)
);

CREATE TABLE secrets (
	env    TEXT COLLATE "C" NOT NULL,
	kind   TEXT COLLATE "C" NOT NULL,
	id     TEXT COLLATE "C" NOT NULL,
	name   TEXT COLLATE "C" NOT NULL,
	sealed BYTEA NOT NULL,
	PRIMARY KEY (env, kind, id, name)
);

CREATE TABLE plans (
	env    TEXT COLLATE "C" NOT NULL,
	hash   BYTEA NOT NULL,
	source BYTEA NOT NULL,
	PRIMARY KEY (env, hash)
);

-- one row: how often configuration was changed
CREATE TABLE revision (
	id     BIGINT PRIMARY KEY,
	number BIGINT NOT NULL
);

CREATE TABLE users (
	env             TEXT COLLATE "C" NOT NULL,
	id              TEXT COLLATE "C" NOT NULL,
	username        TEXT NOT NULL,
	name_key        TEXT COLLATE "C" NOT NULL,
	population      TEXT NOT NULL,
	enabled         BOOLEAN NOT NULL,
	password        TEXT NOT NULL,
	type            TEXT NOT NULL,
	email           TEXT NOT NULL,
	email_verified  BOOLEAN NOT NULL,
	given           TEXT NOT NULL,
	family          TEXT NOT NULL,
	locale          TEXT NOT NULL,
	created_at      BIGINT NOT NULL,
	updated_at      BIGINT NOT NULL,
	last_sign_on_at BIGINT NOT NULL,
	last_sign_on_ip TEXT NOT NULL,
	PRIMARY KEY (env, id),
	UNIQUE (env, name_key)
);

-- key: a user id, or the HMAC of a name that is nobody's.
CREATE TABLE failures (
	env          TEXT COLLATE "C" NOT NULL,
	key          TEXT COLLATE "C" NOT NULL,
	count        BIGINT NOT NULL,
	locked_until BIGINT NOT NULL,
	at           BIGINT NOT NULL,
	PRIMARY KEY (env, key)
);
CREATE INDEX failures_at ON failures (at);

CREATE TABLE effects (
	key    TEXT COLLATE "C" PRIMARY KEY,
	result TEXT NOT NULL,
	at     BIGINT NOT NULL
);
CREATE INDEX effects_at ON effects (at);

CREATE TABLE grants (
	env              TEXT COLLATE "C" NOT NULL,
	id               TEXT COLLATE "C" NOT NULL,
	code_hash        BYTEA NOT NULL,
	application      TEXT NOT NULL,
	redirect_uri     TEXT NOT NULL,
	challenge        TEXT NOT NULL,
	challenge_method TEXT NOT NULL,
	nonce            TEXT NOT NULL,
	scope            TEXT NOT NULL,
	user_id          TEXT NOT NULL,
	session_id       TEXT COLLATE "C" NOT NULL,
	acr              TEXT NOT NULL,
	amr              TEXT NOT NULL,
	auth_time        BIGINT NOT NULL,
	issued_at        BIGINT NOT NULL,
	code_expires_at  BIGINT NOT NULL,
	ends_at          BIGINT NOT NULL,
	redemptions      BIGINT NOT NULL,
	revoked_at       BIGINT NOT NULL,
	PRIMARY KEY (env, id),
	UNIQUE (env, code_hash)
);
CREATE INDEX grants_session ON grants (env, session_id);
CREATE INDEX grants_ends ON grants (ends_at);

CREATE TABLE signing_keys (
	env         TEXT COLLATE "C" NOT NULL,
	algorithm   TEXT COLLATE "C" NOT NULL,
	generation  BIGINT NOT NULL,
	id          TEXT COLLATE "C" NOT NULL,
	sealed      BYTEA NOT NULL,
	certificate BYTEA NOT NULL,
	created_at  BIGINT NOT NULL,
	active_at   BIGINT NOT NULL,
	retires_at  BIGINT NOT NULL,
	PRIMARY KEY (env, algorithm, generation),
	UNIQUE (env, id)
);

CREATE TABLE sessions (
	env        TEXT COLLATE "C" NOT NULL,
	hash       BYTEA NOT NULL,
	id         TEXT COLLATE "C" NOT NULL,
	body       BYTEA NOT NULL,
	put_at     BIGINT NOT NULL, -- nanoseconds
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (env, hash)
);
CREATE INDEX sessions_id ON sessions (env, id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE events (
	seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	env         TEXT COLLATE "C" NOT NULL,
	type        TEXT NOT NULL,
	flow        TEXT NOT NULL,
	application TEXT NOT NULL,
	user_id     TEXT NOT NULL,
	session_id  TEXT COLLATE "C" NOT NULL,
	remote_ip   TEXT NOT NULL,
	reason      TEXT NOT NULL,
	at          BIGINT NOT NULL
);
CREATE INDEX events_env ON events (env, seq);
CREATE INDEX events_at ON events (at);

-- one row, written by every health check: only a write shows that writes work
CREATE TABLE heartbeat (
	id BIGINT PRIMARY KEY,
	at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE heartbeat;
DROP TABLE events;
DROP TABLE sessions;
DROP TABLE signing_keys;
DROP TABLE grants;
DROP TABLE effects;
DROP TABLE failures;
DROP TABLE users;
DROP TABLE revision;
DROP TABLE plans;
DROP TABLE secrets;
DROP TABLE resources;
