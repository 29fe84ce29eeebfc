-- +goose Up
-- modify "persons" table
ALTER TABLE "persons" ADD COLUMN "email_verified" boolean NOT NULL DEFAULT false;

-- +goose Down
-- reverse: modify "persons" table
ALTER TABLE "persons" DROP COLUMN "email_verified";
