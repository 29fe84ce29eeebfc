-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "catalog_records" table
CREATE TABLE `catalog_records` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `kind` text NOT NULL, `slug` text NOT NULL, `body` blob NOT NULL, `since` integer NOT NULL, `until` integer NULL, `managed` bool NOT NULL DEFAULT (false), `locked` bool NOT NULL DEFAULT (false));
-- create index "catalogrecord_kind_slug_since" to table: "catalog_records"
CREATE UNIQUE INDEX `catalogrecord_kind_slug_since` ON `catalog_records` (`kind`, `slug`, `since`);
-- create index "catalogrecord_since" to table: "catalog_records"
CREATE INDEX `catalogrecord_since` ON `catalog_records` (`since`);
-- create index "catalogrecord_until" to table: "catalog_records"
CREATE INDEX `catalogrecord_until` ON `catalog_records` (`until`);
-- every record of every version becomes a row of its own
INSERT INTO catalog_records (kind, slug, body, since, until, managed, locked) SELECT 'settings', 'settings', CAST(json_object('currency', json_extract(CAST(v.body AS TEXT), '$.currency'), 'roles', json(COALESCE(json_extract(CAST(v.body AS TEXT), '$.roles'), '[]'))) AS BLOB), v.version, (SELECT MIN(n.version) FROM catalog_versions n WHERE n.version > v.version), true, false FROM catalog_versions v;
INSERT INTO catalog_records (kind, slug, body, since, until, managed, locked) SELECT 'site', json_extract(e.value, '$.slug'), CAST(json_remove(e.value, '$.region') AS BLOB), v.version, (SELECT MIN(n.version) FROM catalog_versions n WHERE n.version > v.version), true, false FROM catalog_versions v, json_each(CAST(v.body AS TEXT), '$.sites') e WHERE e.type = 'object';
INSERT INTO catalog_records (kind, slug, body, since, until, managed, locked) SELECT 'tier', json_extract(e.value, '$.slug'), CAST(e.value AS BLOB), v.version, (SELECT MIN(n.version) FROM catalog_versions n WHERE n.version > v.version), true, false FROM catalog_versions v, json_each(CAST(v.body AS TEXT), '$.tiers') e WHERE e.type = 'object';
INSERT INTO catalog_records (kind, slug, body, since, until, managed, locked) SELECT 'capability', json_extract(e.value, '$.slug'), CAST(e.value AS BLOB), v.version, (SELECT MIN(n.version) FROM catalog_versions n WHERE n.version > v.version), true, false FROM catalog_versions v, json_each(CAST(v.body AS TEXT), '$.capabilities') e WHERE e.type = 'object';
INSERT INTO catalog_records (kind, slug, body, since, until, managed, locked) SELECT 'data-set', json_extract(e.value, '$.slug'), CAST(e.value AS BLOB), v.version, (SELECT MIN(n.version) FROM catalog_versions n WHERE n.version > v.version), true, false FROM catalog_versions v, json_each(CAST(v.body AS TEXT), '$.data_sets') e WHERE e.type = 'object';
INSERT INTO catalog_records (kind, slug, body, since, until, managed, locked) SELECT 'flow', json_extract(e.value, '$.slug'), CAST(e.value AS BLOB), v.version, (SELECT MIN(n.version) FROM catalog_versions n WHERE n.version > v.version), true, false FROM catalog_versions v, json_each(CAST(v.body AS TEXT), '$.flows') e WHERE e.type = 'object';
INSERT INTO catalog_records (kind, slug, body, since, until, managed, locked) SELECT 'service', json_extract(e.value, '$.slug'), CAST(json_set(e.value, '$.dependencies', json((SELECT json_group_array(json_object('on', json_extract(d.value, '$.to'), 'coupling', json_extract(d.value, '$.coupling'))) FROM json_each(CAST(v.body AS TEXT), '$.dependencies') d WHERE d.type = 'object' AND json_extract(d.value, '$.from') = json_extract(e.value, '$.slug')))) AS BLOB), v.version, (SELECT MIN(n.version) FROM catalog_versions n WHERE n.version > v.version), true, false FROM catalog_versions v, json_each(CAST(v.body AS TEXT), '$.services') e WHERE e.type = 'object';
INSERT INTO catalog_records (kind, slug, body, since, until, managed, locked) SELECT 'signal', json_extract(e.value, '$.slug'), CAST(json_set(json_remove(e.value, '$.kind'), '$.measures', json_extract(e.value, '$.kind')) AS BLOB), v.version, (SELECT MIN(n.version) FROM catalog_versions n WHERE n.version > v.version), true, false FROM catalog_versions v, json_each(CAST(v.body AS TEXT), '$.signals') e WHERE e.type = 'object';
-- create "new_catalog_versions" table
CREATE TABLE `new_catalog_versions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `version` integer NOT NULL, `digest` text NOT NULL, `changes` integer NOT NULL DEFAULT (0), `why` text NOT NULL DEFAULT (''), `source` text NOT NULL DEFAULT (''), `applied_by` text NOT NULL, `applied_at` datetime NOT NULL);
-- copy rows from old table "catalog_versions" to new temporary table "new_catalog_versions"
INSERT INTO `new_catalog_versions` (`id`, `version`, `digest`, `applied_by`, `applied_at`) SELECT `id`, `version`, `digest`, `applied_by`, `applied_at` FROM `catalog_versions`;
-- drop "catalog_versions" table after copying rows
DROP TABLE `catalog_versions`;
-- rename temporary table "new_catalog_versions" to "catalog_versions"
ALTER TABLE `new_catalog_versions` RENAME TO `catalog_versions`;
-- create index "catalog_versions_version_key" to table: "catalog_versions"
CREATE UNIQUE INDEX `catalog_versions_version_key` ON `catalog_versions` (`version`);
-- create "acceptances" table
CREATE TABLE `acceptances` (`id` text NOT NULL, `reason` text NOT NULL, `person_id` text NOT NULL, `person_name` text NOT NULL, `at` datetime NOT NULL, `until` datetime NOT NULL, PRIMARY KEY (`id`));
-- create "outlet_reports" table
CREATE TABLE `outlet_reports` (`id` text NOT NULL, `queued_value` real NOT NULL, `queued_orders` integer NOT NULL, `synchronised_at` datetime NOT NULL, `at` datetime NOT NULL, PRIMARY KEY (`id`));
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create "outlet_reports" table
DROP TABLE `outlet_reports`;
-- reverse: create index "catalogrecord_until" to table: "catalog_records"
DROP INDEX `catalogrecord_until`;
-- reverse: create index "catalogrecord_since" to table: "catalog_records"
DROP INDEX `catalogrecord_since`;
-- reverse: create index "catalogrecord_kind_slug_since" to table: "catalog_records"
DROP INDEX `catalogrecord_kind_slug_since`;
-- reverse: create "catalog_records" table
DROP TABLE `catalog_records`;
-- reverse: create "acceptances" table
DROP TABLE `acceptances`;
-- reverse: create index "catalog_versions_version_key" to table: "catalog_versions"
DROP INDEX `catalog_versions_version_key`;
-- reverse: create "new_catalog_versions" table
DROP TABLE `new_catalog_versions`;
