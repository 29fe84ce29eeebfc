-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_heads" table
CREATE TABLE `new_heads` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `audit` integer NOT NULL DEFAULT (0), `change` integer NOT NULL DEFAULT (0), `readings` integer NOT NULL DEFAULT (0), `access` integer NOT NULL DEFAULT (0), `clock` integer NOT NULL DEFAULT (0));
-- copy rows from old table "heads" to new temporary table "new_heads"
INSERT INTO `new_heads` (`id`, `audit`, `change`, `readings`) SELECT `id`, `audit`, `change`, `readings` FROM `heads`;
-- drop "heads" table after copying rows
DROP TABLE `heads`;
-- rename temporary table "new_heads" to "heads"
ALTER TABLE `new_heads` RENAME TO `heads`;
-- create "access_findings" table
CREATE TABLE `access_findings` (`id` text NOT NULL, `system` text NOT NULL, `open` bool NOT NULL DEFAULT (true), `seen_at` datetime NOT NULL, `body` blob NOT NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- create index "accessfinding_open_system" to table: "access_findings"
CREATE INDEX `accessfinding_open_system` ON `access_findings` (`open`, `system`);
-- create index "accessfinding_seen_at" to table: "access_findings"
CREATE INDEX `accessfinding_seen_at` ON `access_findings` (`seen_at`);
-- create "access_grants" table
CREATE TABLE `access_grants` (`id` text NOT NULL, `code` text NOT NULL, `system` text NOT NULL, `role` text NOT NULL, `holder_id` text NOT NULL, `holder_mail` text NOT NULL DEFAULT (''), `run` text NOT NULL DEFAULT (''), `ends_at` datetime NOT NULL, `open` bool NOT NULL DEFAULT (true), `reviewed` bool NOT NULL DEFAULT (false), `body` blob NOT NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
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
-- create "access_holdings" table
CREATE TABLE `access_holdings` (`id` text NOT NULL, `system` text NOT NULL, `person_id` text NOT NULL, `account` text NOT NULL, `verifier` text NOT NULL DEFAULT (''), `body` blob NOT NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- create "access_locks" table
CREATE TABLE `access_locks` (`id` text NOT NULL, `lifted` bool NOT NULL DEFAULT (false), `at` datetime NOT NULL, `body` blob NOT NULL, PRIMARY KEY (`id`));
-- create index "accesslock_lifted_at" to table: "access_locks"
CREATE INDEX `accesslock_lifted_at` ON `access_locks` (`lifted`, `at`);
-- create "access_requests" table
CREATE TABLE `access_requests` (`id` text NOT NULL, `code` text NOT NULL, `eligibility` text NOT NULL, `system` text NOT NULL, `incident` text NOT NULL DEFAULT (''), `run` text NOT NULL DEFAULT (''), `digest` text NOT NULL, `requester_id` text NOT NULL, `requester_name` text NOT NULL, `state` text NOT NULL, `round` integer NOT NULL DEFAULT (1), `open` bool NOT NULL DEFAULT (true), `filed_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `decided_at` datetime NULL, `begun` bool NOT NULL DEFAULT (false), `body` blob NOT NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
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
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
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
-- reverse: create "access_requests" table
DROP TABLE `access_requests`;
-- reverse: create index "accesslock_lifted_at" to table: "access_locks"
DROP INDEX `accesslock_lifted_at`;
-- reverse: create "access_locks" table
DROP TABLE `access_locks`;
-- reverse: create "access_holdings" table
DROP TABLE `access_holdings`;
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
-- reverse: create "access_grants" table
DROP TABLE `access_grants`;
-- reverse: create index "accessfinding_seen_at" to table: "access_findings"
DROP INDEX `accessfinding_seen_at`;
-- reverse: create index "accessfinding_open_system" to table: "access_findings"
DROP INDEX `accessfinding_open_system`;
-- reverse: create "access_findings" table
DROP TABLE `access_findings`;
-- reverse: create "new_heads" table
DROP TABLE `new_heads`;
