-- +goose Up
-- create "audit_events" table
CREATE TABLE `audit_events` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `at` datetime NOT NULL, `actor_id` text NOT NULL, `action` text NOT NULL, `object` text NOT NULL, `outcome` text NOT NULL, `act` text NOT NULL, `body` blob NOT NULL, `digest` text NOT NULL);
-- create index "auditevent_object" to table: "audit_events"
CREATE INDEX `auditevent_object` ON `audit_events` (`object`);
-- create index "auditevent_action" to table: "audit_events"
CREATE INDEX `auditevent_action` ON `audit_events` (`action`);
-- create index "auditevent_actor_id" to table: "audit_events"
CREATE INDEX `auditevent_actor_id` ON `audit_events` (`actor_id`);
-- create index "auditevent_outcome" to table: "audit_events"
CREATE INDEX `auditevent_outcome` ON `audit_events` (`outcome`);
-- create index "auditevent_act" to table: "audit_events"
CREATE INDEX `auditevent_act` ON `audit_events` (`act`);
-- create "catalog_versions" table
CREATE TABLE `catalog_versions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `version` integer NOT NULL, `digest` text NOT NULL, `body` blob NOT NULL, `applied_by` text NOT NULL, `applied_at` datetime NOT NULL);
-- create index "catalog_versions_version_key" to table: "catalog_versions"
CREATE UNIQUE INDEX `catalog_versions_version_key` ON `catalog_versions` (`version`);
-- create "decisions" table
CREATE TABLE `decisions` (`id` text NOT NULL, `request_id` text NOT NULL, `voter_id` text NOT NULL, `voter_name` text NOT NULL, `roles` json NOT NULL, `verdict` text NOT NULL, `comment` text NOT NULL, `round` integer NOT NULL, `digest` text NOT NULL, `sheet` text NOT NULL, `at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "decision_request_id_round_voter_id" to table: "decisions"
CREATE UNIQUE INDEX `decision_request_id_round_voter_id` ON `decisions` (`request_id`, `round`, `voter_id`);
-- create "fact_sheets" table
CREATE TABLE `fact_sheets` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `request_id` text NOT NULL, `digest` text NOT NULL, `body` blob NOT NULL, `made_at` datetime NOT NULL);
-- create index "factsheet_request_id_digest" to table: "fact_sheets"
CREATE UNIQUE INDEX `factsheet_request_id_digest` ON `fact_sheets` (`request_id`, `digest`);
-- create index "factsheet_request_id_made_at" to table: "fact_sheets"
CREATE INDEX `factsheet_request_id_made_at` ON `fact_sheets` (`request_id`, `made_at`);
-- create "heads" table
CREATE TABLE `heads` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `audit` integer NOT NULL DEFAULT (0), `change` integer NOT NULL DEFAULT (0));
-- create "incidents" table
CREATE TABLE `incidents` (`id` text NOT NULL, `code` text NOT NULL, `title` text NOT NULL, `cause` text NOT NULL, `services` json NOT NULL, `impact_at` datetime NOT NULL, `impact_source` text NOT NULL, `commander_id` text NOT NULL, `commander_name` text NOT NULL, `opened_at` datetime NOT NULL, `closed_at` datetime NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- create index "incidents_code_key" to table: "incidents"
CREATE UNIQUE INDEX `incidents_code_key` ON `incidents` (`code`);
-- create index "incident_closed_at" to table: "incidents"
CREATE INDEX `incident_closed_at` ON `incidents` (`closed_at`);
-- create "outboxes" table
CREATE TABLE `outboxes` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `request_id` text NOT NULL, `code` text NOT NULL, `created_at` datetime NOT NULL, `done_at` datetime NULL);
-- create index "outbox_done_at" to table: "outboxes"
CREATE INDEX `outbox_done_at` ON `outboxes` (`done_at`);
-- create "outcomes" table
CREATE TABLE `outcomes` (`id` text NOT NULL, `body` blob NOT NULL, `at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create "persons" table
CREATE TABLE `persons` (`id` text NOT NULL, `issuer` text NOT NULL, `subject` text NOT NULL, `name` text NOT NULL, `email` text NOT NULL, `groups` json NOT NULL, `signed_in_at` datetime NOT NULL, `created_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "person_issuer_subject" to table: "persons"
CREATE UNIQUE INDEX `person_issuer_subject` ON `persons` (`issuer`, `subject`);
-- create "plan_versions" table
CREATE TABLE `plan_versions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `slug` text NOT NULL, `version` integer NOT NULL, `digest` text NOT NULL, `body` blob NOT NULL, `published_by` text NOT NULL, `published_at` datetime NOT NULL);
-- create index "planversion_slug_version" to table: "plan_versions"
CREATE UNIQUE INDEX `planversion_slug_version` ON `plan_versions` (`slug`, `version`);
-- create "policy_versions" table
CREATE TABLE `policy_versions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `slug` text NOT NULL, `version` integer NOT NULL, `digest` text NOT NULL, `body` blob NOT NULL, `published_by` text NOT NULL, `published_at` datetime NOT NULL);
-- create index "policyversion_slug_version" to table: "policy_versions"
CREATE UNIQUE INDEX `policyversion_slug_version` ON `policy_versions` (`slug`, `version`);
-- create "readings" table
CREATE TABLE `readings` (`id` text NOT NULL, `body` json NOT NULL, PRIMARY KEY (`id`));
-- create "requests" table
CREATE TABLE `requests` (`id` text NOT NULL, `code` text NOT NULL, `incident` text NOT NULL, `terms` json NOT NULL, `digest` text NOT NULL, `reason` text NOT NULL, `requester_id` text NOT NULL, `requester_name` text NOT NULL, `state` text NOT NULL, `round` integer NOT NULL DEFAULT (1), `open` bool NOT NULL DEFAULT (true), `filed_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `decided_at` datetime NULL, `impact_at` datetime NOT NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- create index "requests_code_key" to table: "requests"
CREATE UNIQUE INDEX `requests_code_key` ON `requests` (`code`);
-- create index "request_state" to table: "requests"
CREATE INDEX `request_state` ON `requests` (`state`);
-- create index "request_incident" to table: "requests"
CREATE INDEX `request_incident` ON `requests` (`incident`);
-- create index "request_filed_at" to table: "requests"
CREATE INDEX `request_filed_at` ON `requests` (`filed_at`);
-- create "runs" table
CREATE TABLE `runs` (`id` text NOT NULL, `request_id` text NOT NULL, `code` text NOT NULL, `incident` text NOT NULL, `requester_id` text NOT NULL, `requester_name` text NOT NULL, `terms` json NOT NULL, `state` text NOT NULL, `wait` text NOT NULL, `why` text NOT NULL, `pause_wanted` bool NOT NULL, `steps` json NOT NULL, `loss` json NULL, `obligations` json NULL, `exceptions` json NULL, `times` json NOT NULL, `holds` text NULL, `started_at` datetime NOT NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- create index "runs_request_id_key" to table: "runs"
CREATE UNIQUE INDEX `runs_request_id_key` ON `runs` (`request_id`);
-- create index "runs_code_key" to table: "runs"
CREATE UNIQUE INDEX `runs_code_key` ON `runs` (`code`);
-- create index "runs_holds_key" to table: "runs"
CREATE UNIQUE INDEX `runs_holds_key` ON `runs` (`holds`);
-- create index "run_state" to table: "runs"
CREATE INDEX `run_state` ON `runs` (`state`);
-- create index "run_incident" to table: "runs"
CREATE INDEX `run_incident` ON `runs` (`incident`);
-- create index "run_started_at" to table: "runs"
CREATE INDEX `run_started_at` ON `runs` (`started_at`);
-- create "sessions" table
CREATE TABLE `sessions` (`id` text NOT NULL, `data` blob NOT NULL, `expires_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX `session_expires_at` ON `sessions` (`expires_at`);

-- the one row of the head
INSERT INTO `heads` (`id`, `audit`, `change`) VALUES (1, 0, 0);
-- +goose Down
-- reverse: create index "session_expires_at" to table: "sessions"
DROP INDEX `session_expires_at`;
-- reverse: create "sessions" table
DROP TABLE `sessions`;
-- reverse: create index "run_started_at" to table: "runs"
DROP INDEX `run_started_at`;
-- reverse: create index "run_incident" to table: "runs"
DROP INDEX `run_incident`;
-- reverse: create index "run_state" to table: "runs"
DROP INDEX `run_state`;
-- reverse: create index "runs_holds_key" to table: "runs"
DROP INDEX `runs_holds_key`;
-- reverse: create index "runs_code_key" to table: "runs"
DROP INDEX `runs_code_key`;
-- reverse: create index "runs_request_id_key" to table: "runs"
DROP INDEX `runs_request_id_key`;
-- reverse: create "runs" table
DROP TABLE `runs`;
-- reverse: create index "request_filed_at" to table: "requests"
DROP INDEX `request_filed_at`;
-- reverse: create index "request_incident" to table: "requests"
DROP INDEX `request_incident`;
-- reverse: create index "request_state" to table: "requests"
DROP INDEX `request_state`;
-- reverse: create index "requests_code_key" to table: "requests"
DROP INDEX `requests_code_key`;
-- reverse: create "requests" table
DROP TABLE `requests`;
-- reverse: create "readings" table
DROP TABLE `readings`;
-- reverse: create index "policyversion_slug_version" to table: "policy_versions"
DROP INDEX `policyversion_slug_version`;
-- reverse: create "policy_versions" table
DROP TABLE `policy_versions`;
-- reverse: create index "planversion_slug_version" to table: "plan_versions"
DROP INDEX `planversion_slug_version`;
-- reverse: create "plan_versions" table
DROP TABLE `plan_versions`;
-- reverse: create index "person_issuer_subject" to table: "persons"
DROP INDEX `person_issuer_subject`;
-- reverse: create "persons" table
DROP TABLE `persons`;
-- reverse: create "outcomes" table
DROP TABLE `outcomes`;
-- reverse: create index "outbox_done_at" to table: "outboxes"
DROP INDEX `outbox_done_at`;
-- reverse: create "outboxes" table
DROP TABLE `outboxes`;
-- reverse: create index "incident_closed_at" to table: "incidents"
DROP INDEX `incident_closed_at`;
-- reverse: create index "incidents_code_key" to table: "incidents"
DROP INDEX `incidents_code_key`;
-- reverse: create "incidents" table
DROP TABLE `incidents`;
-- reverse: create "heads" table
DROP TABLE `heads`;
-- reverse: create index "factsheet_request_id_made_at" to table: "fact_sheets"
DROP INDEX `factsheet_request_id_made_at`;
-- reverse: create index "factsheet_request_id_digest" to table: "fact_sheets"
DROP INDEX `factsheet_request_id_digest`;
-- reverse: create "fact_sheets" table
DROP TABLE `fact_sheets`;
-- reverse: create index "decision_request_id_round_voter_id" to table: "decisions"
DROP INDEX `decision_request_id_round_voter_id`;
-- reverse: create "decisions" table
DROP TABLE `decisions`;
-- reverse: create index "catalog_versions_version_key" to table: "catalog_versions"
DROP INDEX `catalog_versions_version_key`;
-- reverse: create "catalog_versions" table
DROP TABLE `catalog_versions`;
-- reverse: create index "auditevent_act" to table: "audit_events"
DROP INDEX `auditevent_act`;
-- reverse: create index "auditevent_outcome" to table: "audit_events"
DROP INDEX `auditevent_outcome`;
-- reverse: create index "auditevent_actor_id" to table: "audit_events"
DROP INDEX `auditevent_actor_id`;
-- reverse: create index "auditevent_action" to table: "audit_events"
DROP INDEX `auditevent_action`;
-- reverse: create index "auditevent_object" to table: "audit_events"
DROP INDEX `auditevent_object`;
-- reverse: create "audit_events" table
DROP TABLE `audit_events`;
