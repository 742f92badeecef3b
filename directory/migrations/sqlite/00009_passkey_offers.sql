-- How often people were offered a passkey after a sign-on without one, so that they are
-- asked more and more seldom.

-- +goose Up
CREATE TABLE passkey_offers (
	env     TEXT NOT NULL,
	user_id TEXT NOT NULL,
	times   INTEGER NOT NULL,
	last_at INTEGER NOT NULL,
	answer  TEXT NOT NULL, -- to the last one: '' none yet, LATER, NEVER
	PRIMARY KEY (env, user_id),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
) STRICT;

-- +goose Down
DROP TABLE passkey_offers;
