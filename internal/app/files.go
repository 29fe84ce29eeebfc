package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"

	"keyholder/internal/bundle"
	"keyholder/internal/config"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// ApplyCatalog puts a catalogue file in force and says what that changed.
func ApplyCatalog(ctx context.Context, c config.Config, path string) (store.Applied, error) {
	body, err := readFile(path)
	if err != nil {
		return nil, err
	}
	b, err := bundle.Read(path, body, Connectors())
	if err != nil {
		return nil, err
	}
	return withStore(ctx, c, func(s *store.Store) (store.Applied, error) { return s.Apply(ctx, operator(), b) })
}

// PublishPlan puts a plan file in force and says what that changed.
func PublishPlan(ctx context.Context, c config.Config, path string) (store.Applied, error) {
	body, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return withStore(ctx, c, func(s *store.Store) (store.Applied, error) {
		version, err := s.Catalog(ctx)
		if err != nil {
			return nil, err
		}
		plan, err := bundle.ReadPlan(path, body, version.Catalog, Connectors())
		if err != nil {
			return nil, err
		}
		if _, err := s.Policy(ctx, plan.Policy, 0); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return s.PublishPlan(ctx, operator(), plan)
	})
}

func withStore(ctx context.Context, c config.Config, do func(*store.Store) (store.Applied, error)) (applied store.Applied, err error) {
	if err := c.CheckDatabase(); err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, c.Database, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.CheckSchema(ctx); err != nil {
		return nil, err
	}
	return do(s)
}

func readFile(path string) ([]byte, error) {
	body, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return body, nil
}

// operator is who runs the command line, by the machine's word.
func operator() failover.Person {
	name := "unknown"
	if who, err := user.Current(); err == nil {
		name = who.Username
	}
	return failover.Person{ID: "cli:" + name, Name: name + " (command line)"}
}
