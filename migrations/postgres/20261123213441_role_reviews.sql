-- +goose Up
-- create "role_reviews" table
CREATE TABLE "role_reviews" ("id" character varying NOT NULL, "catalog" bigint NOT NULL, "digest" character varying NOT NULL, "note" character varying NOT NULL, "person_id" character varying NOT NULL, "person_name" character varying NOT NULL, "at" timestamptz NOT NULL, "due" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create index "rolereview_at" to table: "role_reviews"
CREATE INDEX "rolereview_at" ON "role_reviews" ("at");

-- +goose Down
-- reverse: create index "rolereview_at" to table: "role_reviews"
DROP INDEX "rolereview_at";
-- reverse: create "role_reviews" table
DROP TABLE "role_reviews";
