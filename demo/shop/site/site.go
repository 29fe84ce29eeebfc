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
	"keyholder/demo/shop/flags"
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
	flags  *flags.Watch
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
	group.Go(func() error { s.flags.Keep(ctx, s.missed("flags")); return nil })
	for _, q := range s.deliveries() {
		group.Go(func() error { s.keepDelivering(ctx, q); return nil })
	}
	return group.Wait()
}

func (s *Site) open(ctx context.Context) (err error) {
	if s.db, err = control.OpenFile(ctx, filepath.Join(s.cfg.Dir, s.cfg.Slug+".db"), schema); err != nil {
		return err
	}
	err = addColumns(ctx, s.db)
	if err == nil {
		s.ledger, err = control.NewLedger(ctx, s.db)
	}
	if err == nil {
		s.flags, err = flags.NewWatch(ctx, s.db, s.client, s.cfg.Needs.Flags)
	}
	if err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

func (s *Site) missed(what string) func(error) {
	return func(err error) { s.cfg.Log.Debug(what, "site", s.cfg.Slug, "error", err) }
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
	mux.HandleFunc("GET /queues", s.listQueues)
	mux.HandleFunc("GET /queues/{name}", s.showQueue)
	for _, name := range queueNames() {
		mux.HandleFunc("POST /admin/queues/"+name+"/drain", s.ledger.Handle(s.drain(name)))
	}
	mux.HandleFunc("GET /exposure/{flag}", s.showExposure)
	mux.HandleFunc("GET /metrics", s.serveMetrics)
	return s.cfg.Network.Guard(s.cfg.Slug, s.cfg.Holds.Middleware(mux))
}
