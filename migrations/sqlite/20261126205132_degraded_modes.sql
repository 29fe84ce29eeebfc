-- +goose Up
-- create "degraded_modes" table
CREATE TABLE `degraded_modes` (`id` text NOT NULL, `code` text NOT NULL, `rule` text NOT NULL, `incident` text NOT NULL DEFAULT (''), `digest` text NOT NULL, `requester_id` text NOT NULL, `requester_name` text NOT NULL, `state` text NOT NULL, `phase` text NOT NULL, `round` integer NOT NULL DEFAULT (1), `open` bool NOT NULL DEFAULT (true), `filed_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `decided_at` datetime NULL, `ended_at` datetime NULL, `body` blob NOT NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- create index "degraded_modes_code_key" to table: "degraded_modes"
CREATE UNIQUE INDEX `degraded_modes_code_key` ON `degraded_modes` (`code`);
-- create index "degradedmode_phase" to table: "degraded_modes"
CREATE INDEX `degradedmode_phase` ON `degraded_modes` (`phase`);
-- create index "degradedmode_state" to table: "degraded_modes"
CREATE INDEX `degradedmode_state` ON `degraded_modes` (`state`);
-- create index "degradedmode_rule_filed_at" to table: "degraded_modes"
CREATE INDEX `degradedmode_rule_filed_at` ON `degraded_modes` (`rule`, `filed_at`);
-- create index "degradedmode_incident" to table: "degraded_modes"
CREATE INDEX `degradedmode_incident` ON `degraded_modes` (`incident`);

-- +goose Down
-- reverse: create index "degradedmode_incident" to table: "degraded_modes"
DROP INDEX `degradedmode_incident`;
-- reverse: create index "degradedmode_rule_filed_at" to table: "degraded_modes"
DROP INDEX `degradedmode_rule_filed_at`;
-- reverse: create index "degradedmode_state" to table: "degraded_modes"
DROP INDEX `degradedmode_state`;
-- reverse: create index "degradedmode_phase" to table: "degraded_modes"
DROP INDEX `degradedmode_phase`;
-- reverse: create index "degraded_modes_code_key" to table: "degraded_modes"
DROP INDEX `degraded_modes_code_key`;
-- reverse: create "degraded_modes" table
DROP TABLE `degraded_modes`;
