-- +goose Up
-- create "change_requests" table
CREATE TABLE `change_requests` (`id` text NOT NULL, `code` text NOT NULL, `terms` blob NOT NULL, `digest` text NOT NULL, `why` text NOT NULL, `source` text NOT NULL DEFAULT (''), `undoes` integer NOT NULL DEFAULT (0), `requester_id` text NOT NULL, `requester_name` text NOT NULL, `state` text NOT NULL, `round` integer NOT NULL DEFAULT (1), `open` bool NOT NULL DEFAULT (true), `filed_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `decided_at` datetime NULL, `applied` integer NOT NULL DEFAULT (0), `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- create index "change_requests_code_key" to table: "change_requests"
CREATE UNIQUE INDEX `change_requests_code_key` ON `change_requests` (`code`);
-- create index "changerequest_state" to table: "change_requests"
CREATE INDEX `changerequest_state` ON `change_requests` (`state`);
-- create index "changerequest_filed_at" to table: "change_requests"
CREATE INDEX `changerequest_filed_at` ON `change_requests` (`filed_at`);
-- create index "changerequest_applied" to table: "change_requests"
CREATE INDEX `changerequest_applied` ON `change_requests` (`applied`);
-- create "drafts" table
CREATE TABLE `drafts` (`id` text NOT NULL, `terms` blob NOT NULL, `undoes` integer NOT NULL DEFAULT (0), `updated_at` datetime NOT NULL, `revision` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));

-- +goose Down
-- reverse: create "drafts" table
DROP TABLE `drafts`;
-- reverse: create index "changerequest_applied" to table: "change_requests"
DROP INDEX `changerequest_applied`;
-- reverse: create index "changerequest_filed_at" to table: "change_requests"
DROP INDEX `changerequest_filed_at`;
-- reverse: create index "changerequest_state" to table: "change_requests"
DROP INDEX `changerequest_state`;
-- reverse: create index "change_requests_code_key" to table: "change_requests"
DROP INDEX `change_requests_code_key`;
-- reverse: create "change_requests" table
DROP TABLE `change_requests`;
