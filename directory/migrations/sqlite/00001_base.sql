-- Times are milliseconds since 1970 UTC; 0 says "not yet". Secrets are sealed
-- by the deployment's key ring, passwords are argon2id PHC strings, codes and
-- cookies are SHA-256 digests: nothing in here can be used as it stands.

-- +goose Up
CREATE TABLE resources (
	env  TEXT NOT NULL,
	kind TEXT NOT NULL,
	id   TEXT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (env, kind, id)
) STRICT;

CREATE TABLE secrets (
	env    TEXT NOT NULL,
	kind   TEXT NOT NULL,
	id     TEXT NOT NULL,
	name   TEXT NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (env, kind, id, name)
) STRICT;

CREATE TABLE plans (
	env    TEXT NOT NULL,
	hash   BLOB NOT NULL,
	source BLOB NOT NULL,
	PRIMARY KEY (env, hash)
) STRICT;

-- one row: how often configuration was changed
CREATE TABLE revision (
	id     INTEGER PRIMARY KEY NOT NULL,
	number INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
	env             TEXT NOT NULL,
	id              TEXT NOT NULL,
	username        TEXT NOT NULL,
	name_key        TEXT NOT NULL,
	population      TEXT NOT NULL,
	enabled         INTEGER NOT NULL,
	password        TEXT NOT NULL,
	type            TEXT NOT NULL,
	email           TEXT NOT NULL,
	email_verified  INTEGER NOT NULL,
	given           TEXT NOT NULL,
	family          TEXT NOT NULL,
	locale          TEXT NOT NULL,
	created_at      INTEGER NOT NULL,
	updated_at      INTEGER NOT NULL,
	last_sign_on_at INTEGER NOT NULL,
	last_sign_on_ip TEXT NOT NULL,
	PRIMARY KEY (env, id),
	UNIQUE (env, name_key)
) STRICT;

-- key: a user id, or the HMAC of a name that is nobody's.
CREATE TABLE failures (
	env          TEXT NOT NULL,
	key          TEXT NOT NULL,
	count        INTEGER NOT NULL,
	locked_until INTEGER NOT NULL,
	at           INTEGER NOT NULL,
	PRIMARY KEY (env, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX failures_at ON failures (at);

CREATE TABLE effects (
	key    TEXT PRIMARY KEY NOT NULL,
	result TEXT NOT NULL,
	at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX effects_at ON effects (at);

CREATE TABLE grants (
	env              TEXT NOT NULL,
	id               TEXT NOT NULL,
	code_hash        BLOB NOT NULL,
	application      TEXT NOT NULL,
	redirect_uri     TEXT NOT NULL,
	challenge        TEXT NOT NULL,
	challenge_method TEXT NOT NULL,
	nonce            TEXT NOT NULL,
	scope            TEXT NOT NULL,
	user_id          TEXT NOT NULL,
	session_id       TEXT NOT NULL,
	acr              TEXT NOT NULL,
	amr              TEXT NOT NULL,
	auth_time        INTEGER NOT NULL,
	issued_at        INTEGER NOT NULL,
	code_expires_at  INTEGER NOT NULL,
	ends_at          INTEGER NOT NULL,
	redemptions      INTEGER NOT NULL,
	revoked_at       INTEGER NOT NULL,
	PRIMARY KEY (env, id),
	UNIQUE (env, code_hash)
) STRICT;
CREATE INDEX grants_session ON grants (env, session_id);
CREATE INDEX grants_ends ON grants (ends_at);

CREATE TABLE signing_keys (
	env         TEXT NOT NULL,
	algorithm   TEXT NOT NULL,
	generation  INTEGER NOT NULL,
	id          TEXT NOT NULL,
	sealed      BLOB NOT NULL,
	certificate BLOB NOT NULL,
	created_at  INTEGER NOT NULL,
	active_at   INTEGER NOT NULL,
	retires_at  INTEGER NOT NULL,
	PRIMARY KEY (env, algorithm, generation),
	UNIQUE (env, id)
) STRICT;

CREATE TABLE sessions (
	env        TEXT NOT NULL,
	hash       BLOB NOT NULL,
	id         TEXT NOT NULL,
	body       BLOB NOT NULL,
	put_at     INTEGER NOT NULL, -- nanoseconds
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (env, hash)
) STRICT;
CREATE INDEX sessions_id ON sessions (env, id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE events (
	seq         INTEGER PRIMARY KEY AUTOINCREMENT,
	env         TEXT NOT NULL,
	type        TEXT NOT NULL,
	flow        TEXT NOT NULL,
	application TEXT NOT NULL,
	user_id     TEXT NOT NULL,
	session_id  TEXT NOT NULL,
	remote_ip   TEXT NOT NULL,
	reason      TEXT NOT NULL,
	at          INTEGER NOT NULL
) STRICT;
CREATE INDEX events_env ON events (env, seq);
CREATE INDEX events_at ON events (at);

-- one row, written by every health check: only a write shows that writes work
CREATE TABLE heartbeat (
	id INTEGER PRIMARY KEY NOT NULL,
	at INTEGER NOT NULL
) STRICT;

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
