-- +goose Up
-- create "role_reviews" table
CREATE TABLE `role_reviews` (`id` text NOT NULL, `catalog` integer NOT NULL, `digest` text NOT NULL, `note` text NOT NULL, `person_id` text NOT NULL, `person_name` text NOT NULL, `at` datetime NOT NULL, `due` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "rolereview_at" to table: "role_reviews"
CREATE INDEX `rolereview_at` ON `role_reviews` (`at`);

-- +goose Down
-- reverse: create index "rolereview_at" to table: "role_reviews"
DROP INDEX `rolereview_at`;
-- reverse: create "role_reviews" table
DROP TABLE `role_reviews`;
