package traffic

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/recent"
)

// Config is what the traffic manager needs.
type Config struct {
	Listen  string // host:port for customers
	Admin   string // host:port for the admin API
	Dir     string
	Sites   map[string]string // host:port by slug
	Writer  string            // the slug that a new shop sends everything to
	Client  *http.Client      // its way to the sites
	Outlets string            // host:port of what the outlets tell; may be empty
	Holds   *control.Holds    // may be nil
	Ready   func()            // called once both ports are open; may be nil
}

// Manager is the traffic manager.
type Manager struct {
	cfg      Config
	balance  balance
	requests recent.Memory[request]
}

// New checks the configuration.
func New(cfg Config) (*Manager, error) {
	if _, known := cfg.Sites[cfg.Writer]; !known {
		return nil, fmt.Errorf("the traffic manager has no site %q to send to", cfg.Writer)
	}
	if cfg.Client == nil || cfg.Client.Transport == nil {
		return nil, errors.New("the traffic manager needs a way to the sites")
	}
	if cfg.Holds == nil {
		cfg.Holds = control.NewHolds()
	}
	return &Manager{cfg: cfg}, nil
}

// Run serves customers and admins until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	db, err := control.OpenFile(ctx, filepath.Join(m.cfg.Dir, "traffic.db"), schema)
	if err != nil {
		return err
	}
	return errors.Join(m.run(ctx, db), db.Close())
}

func (m *Manager) run(ctx context.Context, db *sql.DB) error {
	if err := begin(ctx, db, only(m.cfg.Sites, m.cfg.Writer)); err != nil {
		return err
	}
	admin, err := newAdmin(ctx, m, db)
	if err != nil {
		return err
	}
	if err := admin.refresh(ctx); err != nil {
		return err
	}
	open := make(chan struct{}, 2)
	ready := func() { open <- struct{}{} }
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return control.Serve(ctx, "the traffic manager", m.cfg.Listen, m.proxy(), ready)
	})
	group.Go(func() error {
		return control.Serve(ctx, "the traffic manager's admin API", m.cfg.Admin, admin.routes(), ready)
	})
	group.Go(func() error {
		for range cap(open) {
			select {
			case <-open:
			case <-ctx.Done():
				return nil
			}
		}
		if m.cfg.Ready != nil {
			m.cfg.Ready()
		}
		return nil
	})
	return group.Wait()
}
