-- What has used a challenge up: the repeat of that is no second use. They are few and
-- written often, so that there is one index.

-- +goose Up
ALTER TABLE used_challenges ADD COLUMN effect TEXT NOT NULL DEFAULT '';
DROP INDEX used_challenges_expires;

-- +goose Down
CREATE INDEX used_challenges_expires ON used_challenges (expires_at);
ALTER TABLE used_challenges DROP COLUMN effect;
