-- What the management API keeps: the rest of a user, who agreed to what, and every
-- version of what was published.

-- +goose Up
-- The keys are by what users are looked for, in normal form. The program makes
-- them; NULL says that it has yet to, of a user that was made without them.
ALTER TABLE users
	ADD COLUMN profile TEXT NOT NULL DEFAULT '{}', -- canonical JSON: the attributes without a column
	ADD COLUMN mfa_enabled BOOLEAN NOT NULL DEFAULT FALSE,
	ADD COLUMN given_key TEXT COLLATE "C",
	ADD COLUMN family_key TEXT COLLATE "C",
	ADD COLUMN mobile_key TEXT COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN external_key TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE users SET given_key = lower(given COLLATE "C"), family_key = lower(family COLLATE "C")
	WHERE length(given) < 500 AND length(family) < 500 AND (given || family) COLLATE "C" !~ '[^ -~]'; -- in ASCII the same
CREATE INDEX users_created ON users (env, created_at, id);
CREATE INDEX users_population ON users (env, population, created_at, id);
CREATE INDEX users_given ON users (env, given_key);
CREATE INDEX users_family ON users (env, family_key);
CREATE INDEX users_mobile ON users (env, mobile_key);
CREATE INDEX users_external ON users (env, external_key);
CREATE INDEX users_unkeyed ON users (env, id) WHERE given_key IS NULL;

ALTER TABLE resources ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0; -- 0: not known
ALTER TABLE resources ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;

-- The last word of a user about an agreement.
CREATE TABLE consents (
	env          TEXT COLLATE "C" NOT NULL,
	user_id      TEXT COLLATE "C" NOT NULL,
	agreement    TEXT COLLATE "C" NOT NULL,
	language     TEXT NOT NULL,
	revision     TEXT NOT NULL,
	status       TEXT NOT NULL, -- ACCEPTED or REVOKED
	consented_at BIGINT NOT NULL,
	expires_at   BIGINT NOT NULL, -- 0: never
	PRIMARY KEY (env, user_id, agreement),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
);
CREATE INDEX consents_agreement ON consents (env, agreement);

-- Rows are added and never changed.
CREATE TABLE versions (
	env    TEXT COLLATE "C" NOT NULL,
	kind   TEXT COLLATE "C" NOT NULL,
	id     TEXT COLLATE "C" NOT NULL,
	number BIGINT NOT NULL, -- from 1
	hash   BYTEA NOT NULL,
	body   BYTEA NOT NULL,
	author TEXT NOT NULL,
	note   TEXT NOT NULL,
	at     BIGINT NOT NULL,
	PRIMARY KEY (env, kind, id, number)
);
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
ALTER TABLE users
	DROP COLUMN external_key,
	DROP COLUMN mobile_key,
	DROP COLUMN family_key,
	DROP COLUMN given_key,
	DROP COLUMN mfa_enabled,
	DROP COLUMN profile;
