-- What an account is beside its password, codes that are mailed, and the mail
-- itself. Codes are HMACs and what a mail says is sealed, both by the
-- deployment's key ring.

-- +goose Up
ALTER TABLE users ADD COLUMN email_key TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN registered INTEGER NOT NULL DEFAULT 0; -- by the person: no other such user of that address
ALTER TABLE users ADD COLUMN unverified INTEGER NOT NULL DEFAULT 0; -- lifecycle VERIFICATION_REQUIRED
ALTER TABLE users ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN password_changed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN credentials_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN preferred_language TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN authority TEXT NOT NULL DEFAULT ''; -- identity provider; empty: this server
ALTER TABLE users ADD COLUMN locked_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN lock_until INTEGER NOT NULL DEFAULT 0; -- 0 of a locked account: until it is unlocked
-- The program makes these keys (NormalEmail); for addresses in ASCII this is the
-- same.
UPDATE users SET email_key = lower(trim(email)), password_changed_at = CASE WHEN password = '' THEN 0 ELSE created_at END;
CREATE INDEX users_email ON users (env, email_key);
CREATE UNIQUE INDEX users_registered ON users (env, email_key) WHERE registered;
CREATE INDEX grants_user ON grants (env, user_id);

CREATE TABLE password_history (
	env         TEXT NOT NULL,
	user_id     TEXT NOT NULL,
	id          TEXT NOT NULL,
	password    TEXT NOT NULL,
	replaced_at INTEGER NOT NULL,
	PRIMARY KEY (env, user_id, id)
) STRICT;

-- The code that was mailed last. account: a user id, or the HMAC of a name that
-- is nobody's.
CREATE TABLE secret_codes (
	env        TEXT NOT NULL,
	purpose    TEXT NOT NULL,
	account    TEXT NOT NULL,
	id         TEXT NOT NULL,
	mac        BLOB NOT NULL,
	tries      INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	used_at    INTEGER NOT NULL, -- also of a code that was voided
	PRIMARY KEY (env, purpose, account)
) STRICT;
CREATE INDEX secret_codes_expires ON secret_codes (expires_at);

-- How much an account has been mailed of late. account is as above, or the HMAC
-- of an address.
CREATE TABLE mail_counts (
	env     TEXT NOT NULL,
	kind    TEXT NOT NULL,
	account TEXT NOT NULL,
	sent    INTEGER NOT NULL,
	sent_at INTEGER NOT NULL, -- the last of them
	refused INTEGER NOT NULL, -- since then
	PRIMARY KEY (env, kind, account)
) STRICT;
CREATE INDEX mail_counts_sent ON mail_counts (sent_at);

-- sealed: address and parameters; empty once they are not needed any more.
CREATE TABLE outbox (
	id         TEXT PRIMARY KEY NOT NULL,
	env        TEXT NOT NULL,
	template   TEXT NOT NULL,
	locales    TEXT NOT NULL,
	flow       TEXT NOT NULL,
	sealed     BLOB NOT NULL,
	claims     INTEGER NOT NULL,
	due_at     INTEGER NOT NULL, -- not to be claimed before
	done_at    INTEGER NOT NULL, -- sent or dropped
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT;
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
ALTER TABLE users DROP COLUMN lock_until;
ALTER TABLE users DROP COLUMN locked_at;
ALTER TABLE users DROP COLUMN authority;
ALTER TABLE users DROP COLUMN preferred_language;
ALTER TABLE users DROP COLUMN credentials_since;
ALTER TABLE users DROP COLUMN password_changed_at;
ALTER TABLE users DROP COLUMN must_change;
ALTER TABLE users DROP COLUMN unverified;
ALTER TABLE users DROP COLUMN registered;
ALTER TABLE users DROP COLUMN email_key;
