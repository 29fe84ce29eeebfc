-- +goose Up
-- modify "heads" table
ALTER TABLE "heads" ADD COLUMN "readings" bigint NOT NULL DEFAULT 0;

-- +goose Down
-- reverse: modify "heads" table
ALTER TABLE "heads" DROP COLUMN "readings";
