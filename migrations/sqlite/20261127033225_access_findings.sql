-- +goose Up
-- create "access_findings" table
CREATE TABLE `access_findings` (`id` text NOT NULL, `system` text NOT NULL, `open` bool NOT NULL DEFAULT (true), `seen_at` datetime NOT NULL, `body` blob NOT NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- create index "accessfinding_open_system" to table: "access_findings"
CREATE INDEX `accessfinding_open_system` ON `access_findings` (`open`, `system`);
-- create index "accessfinding_seen_at" to table: "access_findings"
CREATE INDEX `accessfinding_seen_at` ON `access_findings` (`seen_at`);

-- +goose Down
-- reverse: create index "accessfinding_seen_at" to table: "access_findings"
DROP INDEX `accessfinding_seen_at`;
-- reverse: create index "accessfinding_open_system" to table: "access_findings"
DROP INDEX `accessfinding_open_system`;
-- reverse: create "access_findings" table
DROP TABLE `access_findings`;
