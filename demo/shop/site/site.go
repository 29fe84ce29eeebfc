package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"keyholder/demo/shop/control"
)

// Site is one site of the shop.
type Site struct {
	cfg     Config
	pace    Pace
	client  *http.Client
	lease   leaseHeld
	source  sourceSeen
	metrics *metrics

	db     *sql.DB
	ledger *control.Ledger
	// writing spares the transactions of this process SQLite's busy polling. It protects nothing: the file's own write
	// lock does, and everything that was read to decide is read within it.
	writing sync.Mutex
}

// New checks the configuration.
func New(cfg Config) (*Site, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Frozen == nil {
		cfg.Frozen = func() bool { return false }
	}
	if cfg.Lag == nil {
		cfg.Lag = noLag
	}
	return &Site{
		cfg: cfg, pace: cfg.Pace.orDefault(), client: cfg.Network.Client(cfg.Slug), metrics: newMetrics(),
	}, nil
}

// Run serves and works until ctx ends, and then stops as a killed process does: only what was committed remains.
func (s *Site) Run(ctx context.Context) (err error) {
	if err := s.open(ctx); err != nil {
		return fmt.Errorf("site %s: %w", s.cfg.Slug, err)
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	defer s.client.CloseIdleConnections()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return control.Serve(ctx, "site "+s.cfg.Slug, s.cfg.Listen, s.routes(), s.cfg.Ready)
	})
	group.Go(func() error { s.keepLease(ctx); return nil })
	group.Go(func() error { s.keepFollowing(ctx); return nil })
	group.Go(func() error { s.keepPosting(ctx); return nil })
	return group.Wait()
}

func (s *Site) open(ctx context.Context) (err error) {
	if s.db, err = control.OpenFile(ctx, filepath.Join(s.cfg.Dir, s.cfg.Slug+".db"), schema); err != nil {
		return err
	}
	if s.ledger, err = control.NewLedger(ctx, s.db); err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

func (s *Site) write(ctx context.Context, work func(tx *sql.Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return control.InTx(ctx, s.db, work)
}

func (s *Site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /checkout", s.checkout)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /status", s.status)
	mux.HandleFunc("GET /set-aside", s.listSetAside)
	mux.HandleFunc("GET /orders", s.listOrders)
	mux.HandleFunc("GET /replication", s.serveReplication)
	mux.HandleFunc("POST /replication/fork", s.serveFork)
	mux.HandleFunc("POST /admin/drain", s.ledger.Handle(s.setDraining(true)))
	mux.HandleFunc("POST /admin/undrain", s.ledger.Handle(s.setDraining(false)))
	mux.HandleFunc("GET /metrics", s.serveMetrics)
	return s.cfg.Network.Guard(s.cfg.Slug, s.cfg.Holds.Middleware(mux))
}
