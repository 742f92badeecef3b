-- New addresses and numbers of people, until they have proven them. kind: email or
-- phone; session: in which it was asked for, and alone can be proven.

-- +goose Up
CREATE TABLE pending_addresses (
	env        TEXT NOT NULL,
	user_id    TEXT NOT NULL,
	kind       TEXT NOT NULL,
	address    TEXT NOT NULL,
	session    TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (env, user_id, kind),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX pending_addresses_expires ON pending_addresses (expires_at);

-- +goose Down
DROP TABLE pending_addresses;
