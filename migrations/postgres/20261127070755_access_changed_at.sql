-- +goose Up
-- modify "access_grants" table
ALTER TABLE "access_grants" ADD COLUMN "changed_at" timestamptz NULL;
-- create index "accessgrant_changed_at" to table: "access_grants"
CREATE INDEX "accessgrant_changed_at" ON "access_grants" ("changed_at");
-- modify "access_requests" table
ALTER TABLE "access_requests" ADD COLUMN "changed_at" timestamptz NULL;
-- create index "accessrequest_changed_at" to table: "access_requests"
CREATE INDEX "accessrequest_changed_at" ON "access_requests" ("changed_at");

-- +goose Down
-- reverse: create index "accessrequest_changed_at" to table: "access_requests"
DROP INDEX "accessrequest_changed_at";
-- reverse: modify "access_requests" table
ALTER TABLE "access_requests" DROP COLUMN "changed_at";
-- reverse: create index "accessgrant_changed_at" to table: "access_grants"
DROP INDEX "accessgrant_changed_at";
-- reverse: modify "access_grants" table
ALTER TABLE "access_grants" DROP COLUMN "changed_at";
