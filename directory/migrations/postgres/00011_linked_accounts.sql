-- Accounts of people at external identity providers: each is one person's here.

-- +goose Up
CREATE TABLE linked_accounts (
	env         TEXT COLLATE "C" NOT NULL,
	id          TEXT COLLATE "C" NOT NULL,
	user_id     TEXT COLLATE "C" NOT NULL,
	provider    TEXT COLLATE "C" NOT NULL,
	external_id TEXT COLLATE "C" NOT NULL,
	created_at  BIGINT NOT NULL,
	PRIMARY KEY (env, id),
	FOREIGN KEY (env, user_id) REFERENCES users (env, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX linked_accounts_external ON linked_accounts (env, provider, external_id);
CREATE INDEX linked_accounts_user ON linked_accounts (env, user_id);

-- +goose Down
DROP TABLE linked_accounts;
