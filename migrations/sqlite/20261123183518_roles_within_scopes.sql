-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_persons" table
CREATE TABLE `new_persons` (`id` text NOT NULL, `issuer` text NOT NULL, `subject` text NOT NULL, `name` text NOT NULL, `email` text NOT NULL, `email_verified` bool NOT NULL DEFAULT (false), `groups` json NOT NULL, `signed_in_at` datetime NOT NULL, `created_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- copy rows from old table "persons" to new temporary table "new_persons"
INSERT INTO `new_persons` (`id`, `issuer`, `subject`, `name`, `email`, `groups`, `signed_in_at`, `created_at`) SELECT `id`, `issuer`, `subject`, `name`, `email`, `groups`, `signed_in_at`, `created_at` FROM `persons`;
-- drop "persons" table after copying rows
DROP TABLE `persons`;
-- rename temporary table "new_persons" to "persons"
ALTER TABLE `new_persons` RENAME TO `persons`;
-- create index "person_issuer_subject" to table: "persons"
CREATE UNIQUE INDEX `person_issuer_subject` ON `persons` (`issuer`, `subject`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "person_issuer_subject" to table: "persons"
DROP INDEX `person_issuer_subject`;
-- reverse: create "new_persons" table
DROP TABLE `new_persons`;
