-- +goose Up
-- modify "requests" table
ALTER TABLE "requests" ADD COLUMN "by_order" character varying NOT NULL DEFAULT '', ADD COLUMN "order_since" bigint NOT NULL DEFAULT 0;
-- create index "request_by_order" to table: "requests"
CREATE INDEX "request_by_order" ON "requests" ("by_order");

-- +goose Down
-- reverse: create index "request_by_order" to table: "requests"
DROP INDEX "request_by_order";
-- reverse: modify "requests" table
ALTER TABLE "requests" DROP COLUMN "order_since", DROP COLUMN "by_order";
