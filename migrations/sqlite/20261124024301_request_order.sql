-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_requests" table
CREATE TABLE `new_requests` (`id` text NOT NULL, `code` text NOT NULL, `incident` text NOT NULL, `terms` json NOT NULL, `digest` text NOT NULL, `reason` text NOT NULL, `requester_id` text NOT NULL, `requester_name` text NOT NULL, `state` text NOT NULL, `round` integer NOT NULL DEFAULT (1), `open` bool NOT NULL DEFAULT (true), `filed_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `decided_at` datetime NULL, `impact_at` datetime NOT NULL, `by_order` text NOT NULL DEFAULT (''), `order_since` integer NOT NULL DEFAULT (0), `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- copy rows from old table "requests" to new temporary table "new_requests"
INSERT INTO `new_requests` (`id`, `code`, `incident`, `terms`, `digest`, `reason`, `requester_id`, `requester_name`, `state`, `round`, `open`, `filed_at`, `expires_at`, `decided_at`, `impact_at`, `revision`) SELECT `id`, `code`, `incident`, `terms`, `digest`, `reason`, `requester_id`, `requester_name`, `state`, `round`, `open`, `filed_at`, `expires_at`, `decided_at`, `impact_at`, `revision` FROM `requests`;
-- drop "requests" table after copying rows
DROP TABLE `requests`;
-- rename temporary table "new_requests" to "requests"
ALTER TABLE `new_requests` RENAME TO `requests`;
-- create index "requests_code_key" to table: "requests"
CREATE UNIQUE INDEX `requests_code_key` ON `requests` (`code`);
-- create index "request_state" to table: "requests"
CREATE INDEX `request_state` ON `requests` (`state`);
-- create index "request_incident" to table: "requests"
CREATE INDEX `request_incident` ON `requests` (`incident`);
-- create index "request_filed_at" to table: "requests"
CREATE INDEX `request_filed_at` ON `requests` (`filed_at`);
-- create index "request_by_order" to table: "requests"
CREATE INDEX `request_by_order` ON `requests` (`by_order`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "request_by_order" to table: "requests"
DROP INDEX `request_by_order`;
-- reverse: create index "request_filed_at" to table: "requests"
DROP INDEX `request_filed_at`;
-- reverse: create index "request_incident" to table: "requests"
DROP INDEX `request_incident`;
-- reverse: create index "request_state" to table: "requests"
DROP INDEX `request_state`;
-- reverse: create index "requests_code_key" to table: "requests"
DROP INDEX `requests_code_key`;
-- reverse: create "new_requests" table
DROP TABLE `new_requests`;
