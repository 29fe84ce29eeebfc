-- +goose Up
-- create "change_requests" table
CREATE TABLE "change_requests" ("id" character varying NOT NULL, "code" character varying NOT NULL, "terms" bytea NOT NULL, "digest" character varying NOT NULL, "why" character varying NOT NULL, "source" character varying NOT NULL DEFAULT '', "undoes" bigint NOT NULL DEFAULT 0, "requester_id" character varying NOT NULL, "requester_name" character varying NOT NULL, "state" character varying NOT NULL, "round" bigint NOT NULL DEFAULT 1, "open" boolean NOT NULL DEFAULT true, "filed_at" timestamptz NOT NULL, "expires_at" timestamptz NOT NULL, "decided_at" timestamptz NULL, "applied" bigint NOT NULL DEFAULT 0, "revision" bigint NOT NULL DEFAULT 1, PRIMARY KEY ("id"));
-- create index "change_requests_code_key" to table: "change_requests"
CREATE UNIQUE INDEX "change_requests_code_key" ON "change_requests" ("code");
-- create index "changerequest_applied" to table: "change_requests"
CREATE INDEX "changerequest_applied" ON "change_requests" ("applied");
-- create index "changerequest_filed_at" to table: "change_requests"
CREATE INDEX "changerequest_filed_at" ON "change_requests" ("filed_at");
-- create index "changerequest_state" to table: "change_requests"
CREATE INDEX "changerequest_state" ON "change_requests" ("state");
-- create "drafts" table
CREATE TABLE "drafts" ("id" character varying NOT NULL, "terms" bytea NOT NULL, "undoes" bigint NOT NULL DEFAULT 0, "updated_at" timestamptz NOT NULL, "revision" bigint NOT NULL DEFAULT 1, PRIMARY KEY ("id"));

-- +goose Down
-- reverse: create "drafts" table
DROP TABLE "drafts";
-- reverse: create index "changerequest_state" to table: "change_requests"
DROP INDEX "changerequest_state";
-- reverse: create index "changerequest_filed_at" to table: "change_requests"
DROP INDEX "changerequest_filed_at";
-- reverse: create index "changerequest_applied" to table: "change_requests"
DROP INDEX "changerequest_applied";
-- reverse: create index "change_requests_code_key" to table: "change_requests"
DROP INDEX "change_requests_code_key";
-- reverse: create "change_requests" table
DROP TABLE "change_requests";
