-- What the management API keeps: the rest of a user, who agreed to what, and every
-- version of what was published.

-- +goose Up
ALTER TABLE users ADD COLUMN profile TEXT NOT NULL DEFAULT '{}'; -- canonical JSON: the attributes without a column
ALTER TABLE users ADD COLUMN mfa_enabled INTEGER NOT NULL DEFAULT 0;
-- By what users are looked for, in normal form. The program makes these; NULL says
-- that it has yet to, of a user that was made without them.
ALTER TABLE users ADD COLUMN given_key TEXT;
ALTER TABLE users ADD COLUMN family_key TEXT;
ALTER TABLE users ADD COLUMN mobile_key TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN external_key TEXT NOT NULL DEFAULT '';
UPDATE users SET given_key = lower(given), family_key = lower(family)
	WHERE length(given) < 500 AND length(family) < 500 AND given || family NOT GLOB '*[^ -~]*'; -- in ASCII the same
CREATE INDEX users_created ON users (env, created_at, id);
CREATE INDEX users_population ON users (env, population, created_at, id);
CREATE INDEX users_given ON users (env, given_key);
CREATE INDEX users_family ON users (env, family_key);
CREATE INDEX users_mobile ON users (env, mobile_key);
CREATE INDEX users_external ON users (env, external_key);
CREATE INDEX users_unkeyed ON users (env, id) WHERE given_key IS NULL;

ALTER TABLE resources ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0; -- 0: not known
ALTER TABLE resources ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;

-- The last word of a user about an agreement.
CREATE TABLE consents (
	env          TEXT NOT NULL,
	user_id      TEXT NOT NULL,
	agreement    TEXT NOT NULL,
	language     TEXT NOT NULL,
	revision     TEXT NOT NULL,
	status       TEXT NOT NULL, -- ACCEPTED or REVOKED
	consented_at INTEGER NOT NULL,
	expires_at   INTEGER NOT NULL, -- 0: never
	PRIMARY KEY (env, user_id, agreement),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX consents_agreement ON consents (env, agreement);

-- Rows are added and never changed.
CREATE TABLE versions (
	env    TEXT NOT NULL,
	kind   TEXT NOT NULL,
	id     TEXT NOT NULL,
	number INTEGER NOT NULL, -- from 1
	hash   BLOB NOT NULL,
	body   BLOB NOT NULL,
	author TEXT NOT NULL,
	note   TEXT NOT NULL,
	at     INTEGER NOT NULL,
	PRIMARY KEY (env, kind, id, number)
) STRICT;
CREATE INDEX versions_hash ON versions (env, kind, id, hash);

-- +goose Down
DROP TABLE versions;
DROP TABLE consents;
ALTER TABLE resources DROP COLUMN updated_at;
ALTER TABLE resources DROP COLUMN created_at;
DROP INDEX users_unkeyed;
DROP INDEX users_external;
DROP INDEX users_mobile;
DROP INDEX users_family;
DROP INDEX users_given;
DROP INDEX users_population;
DROP INDEX users_created;
ALTER TABLE users DROP COLUMN external_key;
ALTER TABLE users DROP COLUMN mobile_key;
ALTER TABLE users DROP COLUMN family_key;
ALTER TABLE users DROP COLUMN given_key;
ALTER TABLE users DROP COLUMN mfa_enabled;
ALTER TABLE users DROP COLUMN profile;
