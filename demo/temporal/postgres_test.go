package temporal

import (
	"context"
	"net"
	"os"
	"strconv"
	"testing"

	"keyholder/demo/reporting"
	"keyholder/demo/stack"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"
)

// postgresOf is a running PostgreSQL with two empty databases for a server's state.
func postgresOf(t *testing.T) *Postgres {
	t.Helper()
	if _, err := reporting.Find(); err != nil && os.Getenv("KEYHOLDER_TEST_REQUIRE") == "" {
		t.Skip(err)
	}
	port, err := stack.FreePort(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	at := reporting.Config{Dir: t.TempDir(), Listen: net.JoinHostPort(loopback, strconv.Itoa(port)), Password: "of-a-test", Ready: func() { close(ready) }}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- reporting.Run(ctx, at) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("PostgreSQL ended with %v", err)
		}
		if err := reporting.Forget(at); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("PostgreSQL is not ready: %v", err)
	}
	for _, name := range []string{"state", "visibility"} {
		createDatabase(t, at.URL(), name)
	}
	return &Postgres{Address: at.Listen, User: "keyholder", Password: at.Password, State: "state", Visibility: "visibility"}
}

func createDatabase(t *testing.T, at, name string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestStateInPostgresIsTakenUpAgain: a workflow that one server began is ended by the next, and listed by it.
func TestStateInPostgresIsTakenUpAgain(t *testing.T) {
	p := postgresOf(t)
	ports, stop := startInProcess(t, Config{Postgres: p})
	options := client.StartWorkflowOptions{ID: "vote", TaskQueue: queue}
	run, err := dial(t, ports).ExecuteWorkflow(t.Context(), options, vote)
	if err != nil {
		t.Fatal(err)
	}
	stop()

	ports, _ = startInProcess(t, Config{Postgres: p})
	c := dial(t, ports)
	startWorker(t, c)
	if got, err := update(t, c, "u1", "yes"); err != nil || got != 3 {
		t.Fatalf("update = %d, %v", got, err)
	}
	if err := c.GetWorkflow(t.Context(), run.GetID(), run.GetRunID()).Get(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	awaitListed(t, c)
}
