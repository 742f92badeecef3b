-- New addresses and numbers of people, until they have proven them. kind: email or
-- phone; session: in which it was asked for, and alone can be proven.

-- +goose Up
CREATE TABLE pending_addresses (
	env        TEXT COLLATE "C" NOT NULL,
	user_id    TEXT COLLATE "C" NOT NULL,
	kind       TEXT COLLATE "C" NOT NULL,
	address    TEXT COLLATE "C" NOT NULL,
	session    TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (env, user_id, kind),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
);
CREATE INDEX pending_addresses_expires ON pending_addresses (expires_at);

-- +goose Down
DROP TABLE pending_addresses;
