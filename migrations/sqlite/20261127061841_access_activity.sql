-- +goose Up
-- create "access_activities" table
CREATE TABLE `access_activities` (`id` text NOT NULL, `body` blob NOT NULL, PRIMARY KEY (`id`));

-- +goose Down
-- reverse: create "access_activities" table
DROP TABLE `access_activities`;
