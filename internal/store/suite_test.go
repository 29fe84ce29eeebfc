package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/bundle"
	"keyholder/internal/connector"
	"keyholder/internal/connector/dnsc"
	"keyholder/internal/connector/httpc"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
	"keyholder/internal/testkit/postgres"
)

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Microsecond) // no two moments are the same
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a store with the shop's catalogue and one person per role.
type world struct {
	*store.Store
	clock *clock
	ctx   context.Context
}

// eachDatabase runs a test on SQLite and on a real PostgreSQL.
func eachDatabase(t *testing.T, test func(t *testing.T, w world)) {
	eachEmpty(t, func(t *testing.T, w world) {
		if _, err := w.Apply(w.ctx, access.Person{ID: "cli", Name: "catalog apply"}, shop(t), store.Manner{}); err != nil {
			t.Fatal(err)
		}
		test(t, w)
	})
}

// eachEmpty is eachDatabase without a catalogue.
func eachEmpty(t *testing.T, test func(t *testing.T, w world)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, newWorld(t, testkit.NewFile(t)))
	})
	t.Run("postgres", func(t *testing.T) {
		test(t, newWorld(t, postgresURL(t)))
	})
}

// server is the PostgreSQL of all tests here; each has a database of its own.
var server *postgres.Server

func TestMain(m *testing.M) {
	code := 1
	if err := withPostgres(func() { code = m.Run() }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// withPostgres runs the tests beside a PostgreSQL. Without one a laptop skips; where it is required the tests fail.
func withPostgres(run func()) (err error) {
	if _, err := postgres.Find(); err != nil && os.Getenv("KEYHOLDER_TEST_REQUIRE") == "" {
		run()
		return nil
	}
	if server, err = postgres.Start(context.Background()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	run()
	return nil
}

func postgresURL(t *testing.T) string {
	t.Helper()
	if server == nil {
		t.Skip("there is no PostgreSQL on this machine")
	}
	from, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	where, err := server.Copy(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	return where
}

// migrated is a database that tests copy.
var migrated = sync.OnceValues(func() (string, error) {
	where, err := server.NewDatabase(context.Background())
	if err != nil {
		return "", err
	}
	return where, store.Migrate(context.Background(), where)
})

func newWorld(t *testing.T, where string) world {
	t.Helper()
	w := world{clock: &clock{now: time.Date(2026, 3, 1, 2, 11, 0, 0, time.UTC)}, ctx: t.Context()}
	var err error
	if w.Store, err = store.Open(w.ctx, where, w.clock.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.CheckSchema(w.ctx); err != nil {
		t.Fatal(err)
	}
	return w
}

func shop(t *testing.T) store.Bundle {
	t.Helper()
	body, err := os.ReadFile("../bundle/testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	secrets := connector.NewSecrets(os.LookupEnv)
	b, err := bundle.Read([]bundle.File{{Name: "shop.yaml", Body: body}}, bundle.Context{Kinds: connector.All{Acts: connector.NewSet(httpc.New(secrets), dnsc.New(secrets))}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
