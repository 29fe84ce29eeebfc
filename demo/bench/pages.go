package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/a-h/templ"

	"keyholder/internal/failover"
	"keyholder/internal/signin"
	"keyholder/internal/store"
	"keyholder/migrations"
	"keyholder/web"
)

// The load of the bench.
const (
	pageRequests = 2000
	pageAtOnce   = 16
	pastRuns     = 1000
)

// site is the portal on a database with a past.
type site struct {
	store   *store.Store
	handler http.Handler
	cookies []*http.Cookie
	waits   failover.Request
	past    string // of a run that is over
	mu      sync.Mutex
	drawn   templ.Component // the newest page model
}

// pages measures the pages that people look at most.
func pages(ctx context.Context, _ options) (figures []figure, err error) {
	dir, err := os.MkdirTemp("", "keyholder-pages-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := newSite(ctx, filepath.Join(dir, "keyholder.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.goOn(ctx) }()
	defer func() { cancel(); err = errors.Join(<-ended, err) }()
	for _, p := range [][2]string{{"now", "/"}, {"approval", "/a/" + s.waits.Code}, {"run", "/runs/" + s.past}, {"audit", "/audit"}} {
		more, err := s.measure(ctx, p[0], p[1])
		if err != nil {
			return figures, err
		}
		figures = append(figures, more...)
	}
	return figures, nil
}

func newSite(ctx context.Context, file string) (*site, error) {
	if err := store.Migrate(ctx, file); err != nil {
		return nil, err
	}
	db, err := sql.Open(meteredSQLite(), store.SQLiteName(file, true))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(store.SQLiteConnections())
	db.SetMaxIdleConns(store.SQLiteConnections())
	s := &site{}
	if s.store, err = store.OpenDB(ctx, db, migrations.SQLite, nil); err != nil {
		return nil, err
	}
	if err := s.incident(ctx, db); err != nil {
		return nil, err
	}
	return s, s.portal(ctx)
}

// portal makes the portal, with a browser that is signed in.
func (s *site) portal(ctx context.Context) error {
	in := signin.New(signin.Config{Issuer: "http://127.0.0.1:1", ClientID: "bench", PublicURL: "http://example.com"}, s.store)
	server, err := web.New(web.Config{
		PublicURL: "http://example.com", Issuer: "http://127.0.0.1:1",
		Drawn: func(page templ.Component) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.drawn = page
		},
	}, s.store, nil, in, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	s.handler = server.Handler()
	who, err := someone(ctx, s.store, "Carl")
	if err != nil {
		return err
	}
	w := httptest.NewRecorder()
	in.Sessions(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		in.Remember(r.Context(), who.ID, s.store.Now())
	}), func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}).ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	s.cookies = w.Result().Cookies()
	return nil
}

// sample is one request.
type sample struct {
	took, database time.Duration
	queries        int64
}

func (s *site) get(ctx context.Context, path string) (sample, error) {
	m := &meter{}
	r := httptest.NewRequestWithContext(context.WithValue(ctx, meterKey{}, m), http.MethodGet, path, nil)
	for _, c := range s.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	began := time.Now()
	s.handler.ServeHTTP(w, r)
	took := time.Since(began)
	if w.Code != http.StatusOK {
		return sample{}, fmt.Errorf("%s answered %d", path, w.Code)
	}
	return sample{took, time.Duration(m.nanos.Load()), m.queries.Load()}, nil
}

// measure looks at a page many times, 16 at a time; then alone, where waiting for a core or a connection does not count,
// to compare what is spent outside the database with rendering the same page model.
func (s *site) measure(ctx context.Context, name, path string) ([]figure, error) {
	samples := make([]sample, pageRequests)
	err := atOnce(func(i int) (err error) {
		samples[i], err = s.get(ctx, path)
		return err
	})
	if err != nil {
		return nil, err
	}
	took := make([]float64, pageRequests)
	queries := int64(0)
	for i, one := range samples {
		took[i] = one.took.Seconds() * 1000
		queries = max(queries, one.queries)
	}
	slices.Sort(took)
	ratio, err := s.outside(ctx, path)
	if err != nil {
		return nil, err
	}
	return []figure{
		{name + "_median_ms", median(took), "ms", 0},
		{name + "_outside_db_ratio", ratio, "x", 3},
		{name + "_p99_ratio", took[len(took)*99/100] / median(took), "x", 8},
		{name + "_queries", float64(queries), "", 12},
	}, nil
}

// outside is the time outside the database over the time of rendering alone, one after the other, in turns, for long enough that
// no single disturbance decides.
func (s *site) outside(ctx context.Context, path string) (float64, error) {
	const turns, atLeast = 400, 5 * time.Second
	var outside, renders []float64
	for began := time.Now(); len(renders) < turns || time.Since(began) < atLeast; {
		one, err := s.get(ctx, path)
		if err != nil {
			return 0, err
		}
		outside = append(outside, (one.took - one.database).Seconds())
		var body bytes.Buffer
		drawing := time.Now()
		if err := s.drawn.Render(ctx, &body); err != nil {
			return 0, err
		}
		renders = append(renders, time.Since(drawing).Seconds())
	}
	return median(outside) / median(renders), nil
}

// atOnce does something for every request, some at a time.
func atOnce(do func(i int) error) error {
	next := make(chan int)
	errs := make(chan error, pageAtOnce)
	for range pageAtOnce {
		go func() {
			var failed error
			for i := range next {
				if err := do(i); err != nil && failed == nil {
					failed = err
				}
			}
			errs <- failed
		}()
	}
	for i := range pageRequests {
		next <- i
	}
	close(next)
	var all error
	for range pageAtOnce {
		all = errors.Join(all, <-errs)
	}
	return all
}
