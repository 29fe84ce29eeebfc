-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_access_grants" table
CREATE TABLE `new_access_grants` (`id` text NOT NULL, `code` text NOT NULL, `system` text NOT NULL, `role` text NOT NULL, `holder_id` text NOT NULL, `holder_mail` text NOT NULL DEFAULT (''), `run` text NOT NULL DEFAULT (''), `ends_at` datetime NOT NULL, `changed_at` datetime NULL, `open` bool NOT NULL DEFAULT (true), `reviewed` bool NOT NULL DEFAULT (false), `body` blob NOT NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- copy rows from old table "access_grants" to new temporary table "new_access_grants"
INSERT INTO `new_access_grants` (`id`, `code`, `system`, `role`, `holder_id`, `holder_mail`, `run`, `ends_at`, `open`, `reviewed`, `body`, `revision`) SELECT `id`, `code`, `system`, `role`, `holder_id`, `holder_mail`, `run`, `ends_at`, `open`, `reviewed`, `body`, `revision` FROM `access_grants`;
-- drop "access_grants" table after copying rows
DROP TABLE `access_grants`;
-- rename temporary table "new_access_grants" to "access_grants"
ALTER TABLE `new_access_grants` RENAME TO `access_grants`;
-- create index "access_grants_code_key" to table: "access_grants"
CREATE UNIQUE INDEX `access_grants_code_key` ON `access_grants` (`code`);
-- create index "accessgrant_open_ends_at" to table: "access_grants"
CREATE INDEX `accessgrant_open_ends_at` ON `access_grants` (`open`, `ends_at`);
-- create index "accessgrant_reviewed_ends_at" to table: "access_grants"
CREATE INDEX `accessgrant_reviewed_ends_at` ON `access_grants` (`reviewed`, `ends_at`);
-- create index "accessgrant_holder_id_system" to table: "access_grants"
CREATE INDEX `accessgrant_holder_id_system` ON `access_grants` (`holder_id`, `system`);
-- create index "accessgrant_system_ends_at" to table: "access_grants"
CREATE INDEX `accessgrant_system_ends_at` ON `access_grants` (`system`, `ends_at`);
-- create index "accessgrant_run" to table: "access_grants"
CREATE INDEX `accessgrant_run` ON `access_grants` (`run`);
-- create index "accessgrant_changed_at" to table: "access_grants"
CREATE INDEX `accessgrant_changed_at` ON `access_grants` (`changed_at`);
-- create "new_access_requests" table
CREATE TABLE `new_access_requests` (`id` text NOT NULL, `code` text NOT NULL, `eligibility` text NOT NULL, `system` text NOT NULL, `incident` text NOT NULL DEFAULT (''), `run` text NOT NULL DEFAULT (''), `digest` text NOT NULL, `requester_id` text NOT NULL, `requester_name` text NOT NULL, `state` text NOT NULL, `round` integer NOT NULL DEFAULT (1), `open` bool NOT NULL DEFAULT (true), `filed_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `decided_at` datetime NULL, `changed_at` datetime NULL, `begun` bool NOT NULL DEFAULT (false), `body` blob NOT NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- copy rows from old table "access_requests" to new temporary table "new_access_requests"
INSERT INTO `new_access_requests` (`id`, `code`, `eligibility`, `system`, `incident`, `run`, `digest`, `requester_id`, `requester_name`, `state`, `round`, `open`, `filed_at`, `expires_at`, `decided_at`, `begun`, `body`, `revision`) SELECT `id`, `code`, `eligibility`, `system`, `incident`, `run`, `digest`, `requester_id`, `requester_name`, `state`, `round`, `open`, `filed_at`, `expires_at`, `decided_at`, `begun`, `body`, `revision` FROM `access_requests`;
-- drop "access_requests" table after copying rows
DROP TABLE `access_requests`;
-- rename temporary table "new_access_requests" to "access_requests"
ALTER TABLE `new_access_requests` RENAME TO `access_requests`;
-- create index "access_requests_code_key" to table: "access_requests"
CREATE UNIQUE INDEX `access_requests_code_key` ON `access_requests` (`code`);
-- create index "accessrequest_state_begun" to table: "access_requests"
CREATE INDEX `accessrequest_state_begun` ON `access_requests` (`state`, `begun`);
-- create index "accessrequest_requester_id_filed_at" to table: "access_requests"
CREATE INDEX `accessrequest_requester_id_filed_at` ON `access_requests` (`requester_id`, `filed_at`);
-- create index "accessrequest_incident" to table: "access_requests"
CREATE INDEX `accessrequest_incident` ON `access_requests` (`incident`);
-- create index "accessrequest_filed_at" to table: "access_requests"
CREATE INDEX `accessrequest_filed_at` ON `access_requests` (`filed_at`);
-- create index "accessrequest_changed_at" to table: "access_requests"
CREATE INDEX `accessrequest_changed_at` ON `access_requests` (`changed_at`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "accessrequest_changed_at" to table: "access_requests"
DROP INDEX `accessrequest_changed_at`;
-- reverse: create index "accessrequest_filed_at" to table: "access_requests"
DROP INDEX `accessrequest_filed_at`;
-- reverse: create index "accessrequest_incident" to table: "access_requests"
DROP INDEX `accessrequest_incident`;
-- reverse: create index "accessrequest_requester_id_filed_at" to table: "access_requests"
DROP INDEX `accessrequest_requester_id_filed_at`;
-- reverse: create index "accessrequest_state_begun" to table: "access_requests"
DROP INDEX `accessrequest_state_begun`;
-- reverse: create index "access_requests_code_key" to table: "access_requests"
DROP INDEX `access_requests_code_key`;
-- reverse: create "new_access_requests" table
DROP TABLE `new_access_requests`;
-- reverse: create index "accessgrant_changed_at" to table: "access_grants"
DROP INDEX `accessgrant_changed_at`;
-- reverse: create index "accessgrant_run" to table: "access_grants"
DROP INDEX `accessgrant_run`;
-- reverse: create index "accessgrant_system_ends_at" to table: "access_grants"
DROP INDEX `accessgrant_system_ends_at`;
-- reverse: create index "accessgrant_holder_id_system" to table: "access_grants"
DROP INDEX `accessgrant_holder_id_system`;
-- reverse: create index "accessgrant_reviewed_ends_at" to table: "access_grants"
DROP INDEX `accessgrant_reviewed_ends_at`;
-- reverse: create index "accessgrant_open_ends_at" to table: "access_grants"
DROP INDEX `accessgrant_open_ends_at`;
-- reverse: create index "access_grants_code_key" to table: "access_grants"
DROP INDEX `access_grants_code_key`;
-- reverse: create "new_access_grants" table
DROP TABLE `new_access_grants`;
