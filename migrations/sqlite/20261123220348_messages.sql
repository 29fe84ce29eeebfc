-- +goose Up
-- create "messages" table
CREATE TABLE `messages` (`id` text NOT NULL, `about` text NOT NULL, `occasion` text NOT NULL, `nth` integer NOT NULL, `person_id` text NOT NULL, `person_name` text NOT NULL, `address` text NOT NULL, `subject` text NOT NULL, `text` text NOT NULL, `created_at` datetime NOT NULL, `next_at` datetime NOT NULL, `attempts` integer NOT NULL DEFAULT (0), `failure` text NOT NULL DEFAULT (''), `sent_at` datetime NULL, `given_up` bool NOT NULL DEFAULT (false), PRIMARY KEY (`id`));
-- create index "message_about_occasion_nth_person_id" to table: "messages"
CREATE UNIQUE INDEX `message_about_occasion_nth_person_id` ON `messages` (`about`, `occasion`, `nth`, `person_id`);
-- create index "message_sent_at_given_up_next_at" to table: "messages"
CREATE INDEX `message_sent_at_given_up_next_at` ON `messages` (`sent_at`, `given_up`, `next_at`);

-- +goose Down
-- reverse: create index "message_sent_at_given_up_next_at" to table: "messages"
DROP INDEX `message_sent_at_given_up_next_at`;
-- reverse: create index "message_about_occasion_nth_person_id" to table: "messages"
DROP INDEX `message_about_occasion_nth_person_id`;
-- reverse: create "messages" table
DROP TABLE `messages`;
