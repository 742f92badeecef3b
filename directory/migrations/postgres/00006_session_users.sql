-- Whose a session is, for people who look at where they are signed on. What was put
-- before is nobody's here until it is put again.

-- +goose Up
ALTER TABLE sessions ADD COLUMN user_id TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX sessions_user ON sessions (env, user_id);

-- +goose Down
DROP INDEX sessions_user;
ALTER TABLE sessions DROP COLUMN user_id;
