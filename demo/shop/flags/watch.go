package flags

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"keyholder/demo/shop/control"
)

const (
	heard    = "flags_heard"
	lookEach = 100 * time.Millisecond
	patience = time.Second
)

// Watch knows how the flags stand, as last heard. What it heard is kept in the file of the part that watches: while the
// flags service is away, nothing changes.
type Watch struct {
	db      *sql.DB
	client  *http.Client
	service string // host:port

	mu  sync.RWMutex
	all []Flag
}

// NewWatch begins with what was last heard. With no service every flag stays as it is.
func NewWatch(ctx context.Context, db *sql.DB, client *http.Client, service string) (*Watch, error) {
	if _, err := db.ExecContext(ctx, tableOf(heard)); err != nil {
		return nil, fmt.Errorf("prepare the flags heard: %w", err)
	}
	all, err := read(ctx, db, heard)
	return &Watch{db: db, client: client, service: service, all: all}, err
}

// Get is the flag as last heard.
func (w *Watch) Get(name string) Flag {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if i := slices.Index(Names(), name); i >= 0 {
		return w.all[i]
	}
	return Flag{Name: name}
}

// Keep looks until ctx ends; missed hears of looks that failed.
func (w *Watch) Keep(ctx context.Context, missed func(error)) {
	if w.service == "" {
		return
	}
	turn := time.NewTicker(lookEach)
	defer turn.Stop()
	for {
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			missed(err)
		}
		select {
		case <-turn.C:
		case <-ctx.Done():
			return
		}
	}
}

// look puts a change on disk before it counts, so that no order runs under a flag that a restart forgets.
func (w *Watch) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var answer List
	if err := control.Call(ctx, w.client, http.MethodGet, "http://"+w.service+"/flags", nil, &answer); err != nil {
		return fmt.Errorf("ask for the flags: %w", err)
	}
	next := slices.Clone(w.all)
	changed := false
	for _, f := range answer.Flags {
		i := slices.Index(Names(), f.Name)
		if i < 0 || same(next[i], f) {
			continue
		}
		if err := write(ctx, w.db, heard, f); err != nil {
			return err
		}
		next[i], changed = f, true
	}
	if changed {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all = next
	}
	return nil
}

func same(a, b Flag) bool {
	return a.On == b.On && a.Scope == b.Scope && a.Period == b.Period && nsOf(a.ChangedAt) == nsOf(b.ChangedAt)
}
