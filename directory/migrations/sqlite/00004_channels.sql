-- How a message reaches a person, and what became of it: '' while nobody has tried,
-- then SENT, or why the last try was none.

-- +goose Up
ALTER TABLE outbox ADD COLUMN channel TEXT NOT NULL DEFAULT 'EMAIL';
ALTER TABLE outbox ADD COLUMN outcome TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE outbox DROP COLUMN outcome;
ALTER TABLE outbox DROP COLUMN channel;
