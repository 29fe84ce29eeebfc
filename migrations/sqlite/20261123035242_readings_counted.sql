-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_heads" table
CREATE TABLE `new_heads` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `audit` integer NOT NULL DEFAULT (0), `change` integer NOT NULL DEFAULT (0), `readings` integer NOT NULL DEFAULT (0));
-- copy rows from old table "heads" to new temporary table "new_heads"
INSERT INTO `new_heads` (`id`, `audit`, `change`) SELECT `id`, `audit`, `change` FROM `heads`;
-- drop "heads" table after copying rows
DROP TABLE `heads`;
-- rename temporary table "new_heads" to "heads"
ALTER TABLE `new_heads` RENAME TO `heads`;
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create "new_heads" table
DROP TABLE `new_heads`;
