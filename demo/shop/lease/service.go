package lease

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"keyholder/demo/shop/control"
)

// DefaultTTL is how long a lease runs unless it is renewed.
const DefaultTTL = 3 * time.Second

// Config says where the lease service keeps its file, where it listens, and for whom.
type Config struct {
	Dir    string
	Listen string
	Sites  []string
	First  string        // who may write when the shop first opens, in epoch 1
	TTL    time.Duration // DefaultTTL if zero
	Holds  *control.Holds
	Ready  func()
}

// Service is the lease service.
type Service struct {
	cfg    Config
	db     *sql.DB
	ledger *control.Ledger
	now    func() time.Time
}

// New checks the configuration.
func New(cfg Config) (*Service, error) {
	switch {
	case cfg.Dir == "" || cfg.Listen == "":
		return nil, errors.New("lease service: a folder and an address are needed")
	case !slices.Contains(cfg.Sites, cfg.First):
		return nil, fmt.Errorf("lease service: the first writer %q is none of the sites", cfg.First)
	case cfg.Holds == nil:
		return nil, errors.New("lease service: no holds given")
	}
	if cfg.TTL == 0 {
		cfg.TTL = DefaultTTL
	}
	// Later times come from the monotonic clock, so that a step of the wall clock cannot shorten a running lease.
	started := time.Now()
	now := func() time.Time { return started.Add(time.Since(started)).UTC() }
	return &Service{cfg: cfg, now: now}, nil
}

// Run serves until ctx ends.
func (s *Service) Run(ctx context.Context) (err error) {
	if s.db, err = control.OpenFile(ctx, filepath.Join(s.cfg.Dir, "lease.db"), schema); err != nil {
		return fmt.Errorf("lease service: %w", err)
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	if s.ledger, err = control.NewLedger(ctx, s.db); err != nil {
		return fmt.Errorf("lease service: %w", err)
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO permission (id, allowed, epoch) VALUES (1, ?, 1) ON CONFLICT DO NOTHING`,
		s.cfg.First)
	if err != nil {
		return fmt.Errorf("lease service: let %s begin: %w", s.cfg.First, err)
	}
	return control.Serve(ctx, "lease service", s.cfg.Listen, s.routes(), s.cfg.Ready)
}

func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /lease", s.show)
	mux.HandleFunc("GET /history", s.history)
	mux.HandleFunc("GET /effects", s.effects)
	mux.HandleFunc("POST /lease/renew", s.renew)
	mux.HandleFunc("POST /admin/revoke", s.ledger.Handle(s.revoke))
	mux.HandleFunc("POST /admin/grant", s.ledger.Handle(s.grant))
	return s.cfg.Holds.Middleware(mux)
}
