-- Users whom configuration files have brought, also those who were removed since: each
-- is made once. One that is not done was begun, and a node may have died over it.

-- +goose Up
CREATE TABLE seeds (
	env  TEXT NOT NULL,
	id   TEXT NOT NULL,
	done BOOLEAN NOT NULL,
	PRIMARY KEY (env, id)
);

-- +goose Down
DROP TABLE seeds;
