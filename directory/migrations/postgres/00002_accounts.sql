-- What an account is beside its password, codes that are mailed, and the mail
-- itself. Codes are HMACs and what a mail says is sealed, both by the
-- deployment's key ring.

-- +goose Up
ALTER TABLE users
	ADD COLUMN email_key TEXT COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN registered BOOLEAN NOT NULL DEFAULT FALSE, -- by the person: no other such user of that address
	ADD COLUMN unverified BOOLEAN NOT NULL DEFAULT FALSE, -- lifecycle VERIFICATION_REQUIRED
	ADD COLUMN must_change BOOLEAN NOT NULL DEFAULT FALSE,
	ADD COLUMN password_changed_at BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN credentials_since BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN preferred_language TEXT NOT NULL DEFAULT '',
	ADD COLUMN authority TEXT NOT NULL DEFAULT '', -- identity provider; empty: this server
	ADD COLUMN locked_at BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN lock_until BIGINT NOT NULL DEFAULT 0; -- 0 of a locked account: until it is unlocked
-- The program makes these keys (NormalEmail); for addresses in ASCII this is the
-- same.
UPDATE users SET email_key = lower(trim(email)), password_changed_at = CASE WHEN password = '' THEN 0 ELSE created_at END;
CREATE INDEX users_email ON users (env, email_key);
CREATE UNIQUE INDEX users_registered ON users (env, email_key) WHERE registered;
CREATE INDEX grants_user ON grants (env, user_id);

CREATE TABLE password_history (
	env         TEXT COLLATE "C" NOT NULL,
	user_id     TEXT COLLATE "C" NOT NULL,
	id          TEXT COLLATE "C" NOT NULL,
	password    TEXT NOT NULL,
	replaced_at BIGINT NOT NULL,
	PRIMARY KEY (env, user_id, id)
);

-- The code that was mailed last. account: a user id, or the HMAC of a name that
-- is nobody's.
CREATE TABLE secret_codes (
	env        TEXT COLLATE "C" NOT NULL,
	purpose    TEXT COLLATE "C" NOT NULL,
	account    TEXT COLLATE "C" NOT NULL,
	id         TEXT NOT NULL,
	mac        BYTEA NOT NULL,
	tries      BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at    BIGINT NOT NULL, -- also of a code that was voided
	PRIMARY KEY (env, purpose, account)
);
CREATE INDEX secret_codes_expires ON secret_codes (expires_at);

-- How much an account has been mailed of late. account is as above, or the HMAC
-- of an address.
CREATE TABLE mail_counts (
	env     TEXT COLLATE "C" NOT NULL,
	kind    TEXT COLLATE "C" NOT NULL,
	account TEXT COLLATE "C" NOT NULL,
	sent    BIGINT NOT NULL,
	sent_at BIGINT NOT NULL, -- the last of them
	refused BIGINT NOT NULL, -- since then
	PRIMARY KEY (env, kind, account)
);
CREATE INDEX mail_counts_sent ON mail_counts (sent_at);

-- sealed: address and parameters; empty once they are not needed any more.
CREATE TABLE outbox (
	id         TEXT COLLATE "C" PRIMARY KEY,
	env        TEXT COLLATE "C" NOT NULL,
	template   TEXT NOT NULL,
	locales    TEXT NOT NULL,
	flow       TEXT NOT NULL,
	sealed     BYTEA NOT NULL,
	claims     BIGINT NOT NULL,
	due_at     BIGINT NOT NULL, -- not to be claimed before
	done_at    BIGINT NOT NULL, -- sent or dropped
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX outbox_waiting ON outbox (created_at, id) WHERE done_at = 0;
CREATE INDEX outbox_expires ON outbox (expires_at);

-- +goose Down
DROP TABLE outbox;
DROP TABLE mail_counts;
DROP TABLE secret_codes;
DROP TABLE password_history;
DROP INDEX grants_user;
DROP INDEX users_registered;
DROP INDEX users_email;
ALTER TABLE users
	DROP COLUMN lock_until,
	DROP COLUMN locked_at,
	DROP COLUMN authority,
	DROP COLUMN preferred_language,
	DROP COLUMN credentials_since,
	DROP COLUMN password_changed_at,
	DROP COLUMN must_change,
	DROP COLUMN unverified,
	DROP COLUMN registered,
	DROP COLUMN email_key;
