-- Of users who share an address those who have verified it come first, so that they
-- are found without looking at the others.

-- +goose Up
DROP INDEX users_email;
CREATE INDEX users_email ON users (env, email_key, email_verified);

-- +goose Down
DROP INDEX users_email;
CREATE INDEX users_email ON users (env, email_key);
