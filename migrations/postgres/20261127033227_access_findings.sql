-- +goose Up
-- create "access_findings" table
CREATE TABLE "access_findings" ("id" character varying NOT NULL, "system" character varying NOT NULL, "open" boolean NOT NULL DEFAULT true, "seen_at" timestamptz NOT NULL, "body" bytea NOT NULL, "revision" bigint NOT NULL DEFAULT 1, PRIMARY KEY ("id"));
-- create index "accessfinding_open_system" to table: "access_findings"
CREATE INDEX "accessfinding_open_system" ON "access_findings" ("open", "system");
-- create index "accessfinding_seen_at" to table: "access_findings"
CREATE INDEX "accessfinding_seen_at" ON "access_findings" ("seen_at");

-- +goose Down
-- reverse: create index "accessfinding_seen_at" to table: "access_findings"
DROP INDEX "accessfinding_seen_at";
-- reverse: create index "accessfinding_open_system" to table: "access_findings"
DROP INDEX "accessfinding_open_system";
-- reverse: create "access_findings" table
DROP TABLE "access_findings";
