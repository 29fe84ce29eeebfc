-- +goose Up
-- create "messages" table
CREATE TABLE "messages" ("id" character varying NOT NULL, "about" character varying NOT NULL, "occasion" character varying NOT NULL, "nth" bigint NOT NULL, "person_id" character varying NOT NULL, "person_name" character varying NOT NULL, "address" character varying NOT NULL, "subject" character varying NOT NULL, "text" character varying NOT NULL, "created_at" timestamptz NOT NULL, "next_at" timestamptz NOT NULL, "attempts" bigint NOT NULL DEFAULT 0, "failure" character varying NOT NULL DEFAULT '', "sent_at" timestamptz NULL, "given_up" boolean NOT NULL DEFAULT false, PRIMARY KEY ("id"));
-- create index "message_about_occasion_nth_person_id" to table: "messages"
CREATE UNIQUE INDEX "message_about_occasion_nth_person_id" ON "messages" ("about", "occasion", "nth", "person_id");
-- create index "message_sent_at_given_up_next_at" to table: "messages"
CREATE INDEX "message_sent_at_given_up_next_at" ON "messages" ("sent_at", "given_up", "next_at");

-- +goose Down
-- reverse: create index "message_sent_at_given_up_next_at" to table: "messages"
DROP INDEX "message_sent_at_given_up_next_at";
-- reverse: create index "message_about_occasion_nth_person_id" to table: "messages"
DROP INDEX "message_about_occasion_nth_person_id";
-- reverse: create "messages" table
DROP TABLE "messages";
