-- +goose Up
-- modify "heads" table
ALTER TABLE "heads" ADD COLUMN "access" bigint NOT NULL DEFAULT 0, ADD COLUMN "clock" bigint NOT NULL DEFAULT 0;
-- create "access_findings" table
CREATE TABLE "access_findings" ("id" character varying NOT NULL, "system" character varying NOT NULL, "open" boolean NOT NULL DEFAULT true, "seen_at" timestamptz NOT NULL, "body" bytea NOT NULL, "revision" bigint NOT NULL DEFAULT 1, PRIMARY KEY ("id"));
-- create index "accessfinding_open_system" to table: "access_findings"
CREATE INDEX "accessfinding_open_system" ON "access_findings" ("open", "system");
-- create index "accessfinding_seen_at" to table: "access_findings"
CREATE INDEX "accessfinding_seen_at" ON "access_findings" ("seen_at");
-- create "access_grants" table
CREATE TABLE "access_grants" ("id" character varying NOT NULL, "code" character varying NOT NULL, "system" character varying NOT NULL, "role" character varying NOT NULL, "holder_id" character varying NOT NULL, "holder_mail" character varying NOT NULL DEFAULT '', "run" character varying NOT NULL DEFAULT '', "ends_at" timestamptz NOT NULL, "open" boolean NOT NULL DEFAULT true, "reviewed" boolean NOT NULL DEFAULT false, "body" bytea NOT NULL, "revision" bigint NOT NULL DEFAULT 1, PRIMARY KEY ("id"));
-- create index "access_grants_code_key" to table: "access_grants"
CREATE UNIQUE INDEX "access_grants_code_key" ON "access_grants" ("code");
-- create index "accessgrant_holder_id_system" to table: "access_grants"
CREATE INDEX "accessgrant_holder_id_system" ON "access_grants" ("holder_id", "system");
-- create index "accessgrant_open_ends_at" to table: "access_grants"
CREATE INDEX "accessgrant_open_ends_at" ON "access_grants" ("open", "ends_at");
-- create index "accessgrant_reviewed_ends_at" to table: "access_grants"
CREATE INDEX "accessgrant_reviewed_ends_at" ON "access_grants" ("reviewed", "ends_at");
-- create index "accessgrant_run" to table: "access_grants"
CREATE INDEX "accessgrant_run" ON "access_grants" ("run");
-- create index "accessgrant_system_ends_at" to table: "access_grants"
CREATE INDEX "accessgrant_system_ends_at" ON "access_grants" ("system", "ends_at");
-- create "access_holdings" table
CREATE TABLE "access_holdings" ("id" character varying NOT NULL, "system" character varying NOT NULL, "person_id" character varying NOT NULL, "account" character varying NOT NULL, "verifier" character varying NOT NULL DEFAULT '', "body" bytea NOT NULL, "revision" bigint NOT NULL DEFAULT 1, PRIMARY KEY ("id"));
-- create "access_locks" table
CREATE TABLE "access_locks" ("id" character varying NOT NULL, "lifted" boolean NOT NULL DEFAULT false, "at" timestamptz NOT NULL, "body" bytea NOT NULL, PRIMARY KEY ("id"));
-- create index "accesslock_lifted_at" to table: "access_locks"
CREATE INDEX "accesslock_lifted_at" ON "access_locks" ("lifted", "at");
-- create "access_requests" table
CREATE TABLE "access_requests" ("id" character varying NOT NULL, "code" character varying NOT NULL, "eligibility" character varying NOT NULL, "system" character varying NOT NULL, "incident" character varying NOT NULL DEFAULT '', "run" character varying NOT NULL DEFAULT '', "digest" character varying NOT NULL, "requester_id" character varying NOT NULL, "requester_name" character varying NOT NULL, "state" character varying NOT NULL, "round" bigint NOT NULL DEFAULT 1, "open" boolean NOT NULL DEFAULT true, "filed_at" timestamptz NOT NULL, "expires_at" timestamptz NOT NULL, "decided_at" timestamptz NULL, "begun" boolean NOT NULL DEFAULT false, "body" bytea NOT NULL, "revision" bigint NOT NULL DEFAULT 1, PRIMARY KEY ("id"));
-- create index "access_requests_code_key" to table: "access_requests"
CREATE UNIQUE INDEX "access_requests_code_key" ON "access_requests" ("code");
-- create index "accessrequest_filed_at" to table: "access_requests"
CREATE INDEX "accessrequest_filed_at" ON "access_requests" ("filed_at");
-- create index "accessrequest_incident" to table: "access_requests"
CREATE INDEX "accessrequest_incident" ON "access_requests" ("incident");
-- create index "accessrequest_requester_id_filed_at" to table: "access_requests"
CREATE INDEX "accessrequest_requester_id_filed_at" ON "access_requests" ("requester_id", "filed_at");
-- create index "accessrequest_state_begun" to table: "access_requests"
CREATE INDEX "accessrequest_state_begun" ON "access_requests" ("state", "begun");

-- +goose Down
-- reverse: create index "accessrequest_state_begun" to table: "access_requests"
DROP INDEX "accessrequest_state_begun";
-- reverse: create index "accessrequest_requester_id_filed_at" to table: "access_requests"
DROP INDEX "accessrequest_requester_id_filed_at";
-- reverse: create index "accessrequest_incident" to table: "access_requests"
DROP INDEX "accessrequest_incident";
-- reverse: create index "accessrequest_filed_at" to table: "access_requests"
DROP INDEX "accessrequest_filed_at";
-- reverse: create index "access_requests_code_key" to table: "access_requests"
DROP INDEX "access_requests_code_key";
-- reverse: create "access_requests" table
DROP TABLE "access_requests";
-- reverse: create index "accesslock_lifted_at" to table: "access_locks"
DROP INDEX "accesslock_lifted_at";
-- reverse: create "access_locks" table
DROP TABLE "access_locks";
-- reverse: create "access_holdings" table
DROP TABLE "access_holdings";
-- reverse: create index "accessgrant_system_ends_at" to table: "access_grants"
DROP INDEX "accessgrant_system_ends_at";
-- reverse: create index "accessgrant_run" to table: "access_grants"
DROP INDEX "accessgrant_run";
-- reverse: create index "accessgrant_reviewed_ends_at" to table: "access_grants"
DROP INDEX "accessgrant_reviewed_ends_at";
-- reverse: create index "accessgrant_open_ends_at" to table: "access_grants"
DROP INDEX "accessgrant_open_ends_at";
-- reverse: create index "accessgrant_holder_id_system" to table: "access_grants"
DROP INDEX "accessgrant_holder_id_system";
-- reverse: create index "access_grants_code_key" to table: "access_grants"
DROP INDEX "access_grants_code_key";
-- reverse: create "access_grants" table
DROP TABLE "access_grants";
-- reverse: create index "accessfinding_seen_at" to table: "access_findings"
DROP INDEX "accessfinding_seen_at";
-- reverse: create index "accessfinding_open_system" to table: "access_findings"
DROP INDEX "accessfinding_open_system";
-- reverse: create "access_findings" table
DROP TABLE "access_findings";
-- reverse: modify "heads" table
ALTER TABLE "heads" DROP COLUMN "clock", DROP COLUMN "access";
