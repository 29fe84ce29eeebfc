-- +goose Up
-- create "degraded_modes" table
CREATE TABLE "degraded_modes" ("id" character varying NOT NULL, "code" character varying NOT NULL, "rule" character varying NOT NULL, "incident" character varying NOT NULL DEFAULT '', "digest" character varying NOT NULL, "requester_id" character varying NOT NULL, "requester_name" character varying NOT NULL, "state" character varying NOT NULL, "phase" character varying NOT NULL, "round" bigint NOT NULL DEFAULT 1, "open" boolean NOT NULL DEFAULT true, "filed_at" timestamptz NOT NULL, "expires_at" timestamptz NOT NULL, "decided_at" timestamptz NULL, "ended_at" timestamptz NULL, "body" bytea NOT NULL, "revision" bigint NOT NULL DEFAULT 1, PRIMARY KEY ("id"));
-- create index "degraded_modes_code_key" to table: "degraded_modes"
CREATE UNIQUE INDEX "degraded_modes_code_key" ON "degraded_modes" ("code");
-- create index "degradedmode_incident" to table: "degraded_modes"
CREATE INDEX "degradedmode_incident" ON "degraded_modes" ("incident");
-- create index "degradedmode_phase" to table: "degraded_modes"
CREATE INDEX "degradedmode_phase" ON "degraded_modes" ("phase");
-- create index "degradedmode_rule_filed_at" to table: "degraded_modes"
CREATE INDEX "degradedmode_rule_filed_at" ON "degraded_modes" ("rule", "filed_at");
-- create index "degradedmode_state" to table: "degraded_modes"
CREATE INDEX "degradedmode_state" ON "degraded_modes" ("state");

-- +goose Down
-- reverse: create index "degradedmode_state" to table: "degraded_modes"
DROP INDEX "degradedmode_state";
-- reverse: create index "degradedmode_rule_filed_at" to table: "degraded_modes"
DROP INDEX "degradedmode_rule_filed_at";
-- reverse: create index "degradedmode_phase" to table: "degraded_modes"
DROP INDEX "degradedmode_phase";
-- reverse: create index "degradedmode_incident" to table: "degraded_modes"
DROP INDEX "degradedmode_incident";
-- reverse: create index "degraded_modes_code_key" to table: "degraded_modes"
DROP INDEX "degraded_modes_code_key";
-- reverse: create "degraded_modes" table
DROP TABLE "degraded_modes";
