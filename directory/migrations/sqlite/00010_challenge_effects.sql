-- What has used a challenge up: the repeat of that is no second use. They are few and
-- written often, so that they lie in one tree.

-- +goose Up
ALTER TABLE used_challenges RENAME TO answered;
CREATE TABLE used_challenges (
	env        TEXT NOT NULL,
	challenge  BLOB NOT NULL,
	expires_at INTEGER NOT NULL,
	effect     TEXT NOT NULL,
	PRIMARY KEY (env, challenge)
) STRICT, WITHOUT ROWID;
INSERT INTO used_challenges SELECT env, challenge, expires_at, '' FROM answered;
DROP TABLE answered;

-- +goose Down
ALTER TABLE used_challenges RENAME TO answered;
CREATE TABLE used_challenges (
	env        TEXT NOT NULL,
	challenge  BLOB NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (env, challenge)
) STRICT;
CREATE INDEX used_challenges_expires ON used_challenges (expires_at);
INSERT INTO used_challenges SELECT env, challenge, expires_at FROM answered;
DROP TABLE answered;
