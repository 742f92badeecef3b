-- How often people were offered a passkey after a sign-on without one, so that they are
-- asked more and more seldom.

-- +goose Up
CREATE TABLE passkey_offers (
	env     TEXT COLLATE "C" NOT NULL,
	user_id TEXT COLLATE "C" NOT NULL,
	times   INTEGER NOT NULL,
	last_at BIGINT NOT NULL,
	answer  TEXT NOT NULL, -- to the last one: '' none yet, LATER, NEVER
	PRIMARY KEY (env, user_id),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE passkey_offers;
