package outlets

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"keyholder/demo/shop/buyers"
	"keyholder/demo/shop/control"
	"keyholder/demo/shop/flags"
)

// Slugs of the outlets.
func Slugs() []string { return []string{"leeds-store", "york-store", "hull-store"} }

// Config is what the outlets need.
type Config struct {
	Dir    string
	Listen string
	DNS    string // host:port of the name server
	Record string // the SRV record that leads a till to its site
	Flags  string // host:port of the flags service; without one no flag is ever on
	Client *http.Client
	Broken func() control.PartBreaks
	Holds  *control.Holds
	Pace   Pace
	Log    *slog.Logger
	Ready  func()
}

// Pace is how fast an outlet sells and forwards. Zero values are replaced by DefaultPace.
type Pace struct {
	Every   time.Duration // between two sales of an outlet
	Forward time.Duration // between two sales forwarded from its journal
	Retry   time.Duration // after a sale that could not be forwarded
	Attempt time.Duration // how long checkout may take
	Offline time.Duration // how long an outlet sells without checkout before it closes
}

// DefaultPace sells once in two seconds at each outlet and works off a journal twenty times as fast.
func DefaultPace() Pace {
	return Pace{
		Every: 2 * time.Second, Forward: 100 * time.Millisecond, Retry: time.Second, Attempt: time.Second, Offline: 8 * time.Hour,
	}
}

func (p Pace) orDefault() Pace {
	if p == (Pace{}) {
		return DefaultPace()
	}
	return p
}

// Outlets are the stores.
type Outlets struct {
	cfg     Config
	pace    Pace
	till    *buyers.Till
	db      *sql.DB
	flags   *flags.Watch
	writing sync.Mutex // spares SQLite's busy polling
}

// New checks the configuration.
func New(cfg Config) (*Outlets, error) {
	switch {
	case cfg.Dir == "" || cfg.Listen == "" || cfg.DNS == "" || cfg.Record == "":
		return nil, errors.New("outlets: a folder, an address, the name server and the tills' record are needed")
	case cfg.Client == nil || cfg.Broken == nil || cfg.Holds == nil || cfg.Log == nil:
		return nil, errors.New("outlets: a way to the shop, their breaks, holds and a log are needed")
	}
	return &Outlets{cfg: cfg, pace: cfg.Pace.orDefault(), till: buyers.NewTill(cfg.DNS, cfg.Record)}, nil
}

// Run sells until ctx ends, as abruptly as a power cut: only the journal remains.
func (o *Outlets) Run(ctx context.Context) (err error) {
	if o.db, err = control.OpenFile(ctx, filepath.Join(o.cfg.Dir, "outlets.db"), schema); err != nil {
		return fmt.Errorf("outlets: %w", err)
	}
	defer func() { err = errors.Join(err, o.db.Close()) }()
	defer o.cfg.Client.CloseIdleConnections()
	if o.flags, err = flags.NewWatch(ctx, o.db, o.cfg.Client, o.cfg.Flags); err != nil {
		return fmt.Errorf("outlets: %w", err)
	}
	for _, slug := range Slugs() {
		if _, err := o.db.ExecContext(ctx, `INSERT INTO outlets (slug) VALUES (?) ON CONFLICT DO NOTHING`, slug); err != nil {
			return fmt.Errorf("open outlet %s: %w", slug, err)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return control.Serve(ctx, "outlets", o.cfg.Listen, o.routes(), o.cfg.Ready) })
	group.Go(func() error { o.flags.Keep(ctx, o.missed("flags")); return nil })
	for _, slug := range Slugs() {
		sold := make(chan struct{}, 1) // wakes the forwarding
		group.Go(func() error { o.keepSelling(ctx, slug, sold); return nil })
		group.Go(func() error { o.keepForwarding(ctx, slug, sold); return nil })
	}
	return group.Wait()
}

func (o *Outlets) missed(what string) func(error) {
	return func(err error) { o.cfg.Log.Debug("outlets: "+what, "error", err) }
}

func (o *Outlets) write(ctx context.Context, work func(tx *sql.Tx) error) error {
	o.writing.Lock()
	defer o.writing.Unlock()
	return control.InTx(ctx, o.db, work)
}
