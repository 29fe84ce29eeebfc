package buyers

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/recent"
)

// Buyers is the load on the shop and the memory of what it was promised.
type Buyers struct {
	cfg       Config
	db        *sql.DB
	till      *Till
	began     time.Time
	purchases recent.Memory[bought]
	attempts  recent.Memory[attempt]

	mu   sync.Mutex
	next int // number of the next purchase
}

// New opens the record of what was acknowledged. Close it when Run has ended for the last time.
func New(cfg Config) (*Buyers, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.Pace = cfg.Pace.orDefault()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	db, err := control.OpenFile(context.Background(), filepath.Join(cfg.Dir, "buyers.db"), schema)
	if err != nil {
		return nil, err
	}
	return &Buyers{cfg: cfg, db: db, till: NewTill(cfg.DNS, cfg.Record), began: time.Now()}, nil
}

// Close ends the record.
func (b *Buyers) Close() error { return b.db.Close() }

// Handler answers GET /sales and GET /acknowledged, whether or not the buyers buy.
func (b *Buyers) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sales", b.sales)
	mux.HandleFunc("GET /acknowledged", b.acknowledged)
	return mux
}

// Run buys until ctx ends, and returns once no purchase is under way. It may be run again.
func (b *Buyers) Run(ctx context.Context) error {
	var underWay sync.WaitGroup
	defer underWay.Wait()
	defer b.cfg.Client.CloseIdleConnections()
	turn := time.NewTicker(b.cfg.Pace.Every)
	defer turn.Stop()
	if b.cfg.Ready != nil {
		b.cfg.Ready()
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-turn.C:
			p := b.wish(b.number())
			underWay.Go(func() { b.buy(ctx, p) })
		}
	}
}

func (b *Buyers) number() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	return b.next
}
