-- +goose Up
-- modify "messages" table
ALTER TABLE "messages" ADD COLUMN "via" character varying NOT NULL DEFAULT '';
-- modify "persons" table
ALTER TABLE "persons" ADD COLUMN "channels" jsonb NULL;
-- create "channel_healths" table
CREATE TABLE "channel_healths" ("id" character varying NOT NULL, "sent_at" timestamptz NULL, "failing_since" timestamptz NULL, "failures" bigint NOT NULL DEFAULT 0, "failure" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));

-- +goose Down
-- reverse: create "channel_healths" table
DROP TABLE "channel_healths";
-- reverse: modify "persons" table
ALTER TABLE "persons" DROP COLUMN "channels";
-- reverse: modify "messages" table
ALTER TABLE "messages" DROP COLUMN "via";
