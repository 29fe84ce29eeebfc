-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- add column "channels" to table: "persons"
ALTER TABLE `persons` ADD COLUMN `channels` json NULL;
-- create "new_messages" table
CREATE TABLE `new_messages` (`id` text NOT NULL, `about` text NOT NULL, `occasion` text NOT NULL, `nth` integer NOT NULL, `person_id` text NOT NULL, `person_name` text NOT NULL, `address` text NOT NULL, `subject` text NOT NULL, `text` text NOT NULL, `created_at` datetime NOT NULL, `next_at` datetime NOT NULL, `attempts` integer NOT NULL DEFAULT (0), `failure` text NOT NULL DEFAULT (''), `via` text NOT NULL DEFAULT (''), `sent_at` datetime NULL, `given_up` bool NOT NULL DEFAULT (false), PRIMARY KEY (`id`));
-- copy rows from old table "messages" to new temporary table "new_messages"
INSERT INTO `new_messages` (`id`, `about`, `occasion`, `nth`, `person_id`, `person_name`, `address`, `subject`, `text`, `created_at`, `next_at`, `attempts`, `failure`, `sent_at`, `given_up`) SELECT `id`, `about`, `occasion`, `nth`, `person_id`, `person_name`, `address`, `subject`, `text`, `created_at`, `next_at`, `attempts`, `failure`, `sent_at`, `given_up` FROM `messages`;
-- drop "messages" table after copying rows
DROP TABLE `messages`;
-- rename temporary table "new_messages" to "messages"
ALTER TABLE `new_messages` RENAME TO `messages`;
-- create index "message_about_occasion_nth_person_id" to table: "messages"
CREATE UNIQUE INDEX `message_about_occasion_nth_person_id` ON `messages` (`about`, `occasion`, `nth`, `person_id`);
-- create index "message_sent_at_given_up_next_at" to table: "messages"
CREATE INDEX `message_sent_at_given_up_next_at` ON `messages` (`sent_at`, `given_up`, `next_at`);
-- create "channel_healths" table
CREATE TABLE `channel_healths` (`id` text NOT NULL, `sent_at` datetime NULL, `failing_since` datetime NULL, `failures` integer NOT NULL DEFAULT (0), `failure` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create "channel_healths" table
DROP TABLE `channel_healths`;
-- reverse: create index "message_sent_at_given_up_next_at" to table: "messages"
DROP INDEX `message_sent_at_given_up_next_at`;
-- reverse: create index "message_about_occasion_nth_person_id" to table: "messages"
DROP INDEX `message_about_occasion_nth_person_id`;
-- reverse: create "new_messages" table
DROP TABLE `new_messages`;
-- reverse: add column "channels" to table: "persons"
ALTER TABLE `persons` DROP COLUMN `channels`;
