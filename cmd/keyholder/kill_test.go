package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyholder/internal/audit"
	"keyholder/internal/bundle"
	"keyholder/internal/store"
	"keyholder/internal/testkit/postgres"
)

// program is the product's one program on a database.
type program struct {
	bin, database string
}

func (p program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.bin, args...)
	cmd.Env = append(os.Environ(), "KEYHOLDER_DATABASE="+p.database)
	return cmd
}

func (p program) run(t *testing.T, args ...string) time.Duration {
	t.Helper()
	began := time.Now()
	if out, err := p.command(t.Context(), args...).CombinedOutput(); err != nil {
		t.Fatalf("keyholder %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return time.Since(began)
}

// many is a catalogue of some thousand records, and what it is when everything in it has changed.
func many(about string) string {
	var all strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&all, "kind: third-party\nslug: provider-%d\nname: Provider %d\nowner: %s\n---\n", i, i, about)
	}
	return all.String()
}

// state is everything that a database says, as an export writes it, and how many changes there were.
func state(t *testing.T, database string) (export string, versions int) {
	t.Helper()
	s, err := store.Open(t.Context(), database, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := bundle.Write(&out, b); err != nil {
		t.Fatal(err)
	}
	version, err := s.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lines, err := s.Record(t.Context(), store.Filter{Action: "catalog.apply", Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	said := 1 // what it shipped with
	for _, l := range lines {
		if l.Outcome == audit.Done {
			said++
		}
	}
	if said != version.Version {
		t.Errorf("there are %d versions, and the record tells of %d", version.Version, said)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String(), version.Version
}

func newSQLite(t *testing.T) string { return filepath.Join(t.TempDir(), "keyholder.db") }

func newPostgres(t *testing.T) string {
	if _, err := postgres.Find(); err != nil && os.Getenv("KEYHOLDER_TEST_REQUIRE") == "" {
		t.Skip("there is no PostgreSQL on this machine")
	}
	server, err := postgres.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	where, err := server.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return where
}

// TestApplyKilledAtTwentyMomentsLeavesTheOldOrTheNewCatalogueWhole kills the program as a power cut would.
func TestApplyKilledAtTwentyMomentsLeavesTheOldOrTheNewCatalogueWhole(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "keyholder")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	for name, newDatabase := range map[string]func(*testing.T) string{"SQLite": newSQLite, "PostgreSQL": newPostgres} {
		t.Run(name, func(t *testing.T) {
			database, dir := newDatabase(t), t.TempDir()
			p := program{bin, database}
			var files, exports [2]string
			for i, about := range []string{"Ann", "Bob"} {
				files[i] = filepath.Join(dir, about+".yaml")
				if err := os.WriteFile(files[i], []byte(many(about)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p.run(t, "migrate")
			p.run(t, "catalog", "apply", files[0])
			exports[0], _ = state(t, database)
			whole := p.run(t, "catalog", "apply", files[1])
			exports[1], _ = state(t, database)
			now, kept, changed := 1, 0, 0
			for i := range 20 {
				other := 1 - now
				// Reading the files comes first and changes nothing, so most moments are late.
				moment := whole * time.Duration(50+i*3) / 100
				ctx, cancel := context.WithTimeout(t.Context(), moment)
				cmd := p.command(ctx, "catalog", "apply", files[other])
				err := cmd.Run()
				cancel()
				var exit *exec.ExitError
				if err != nil && !errors.As(err, &exit) && !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
				after, _ := state(t, database)
				switch after {
				case exports[now]:
					kept++
				case exports[other]:
					changed++
					now = other
				default:
					t.Fatalf("killed after %s it left neither the old nor the new catalogue", moment)
				}
			}
			t.Logf("of 20, %d left the old catalogue and %d the new one", kept, changed)
			if kept == 0 {
				t.Error("it was never killed before it was done: the test does not test it")
			}
			p.run(t, "catalog", "apply", files[1-now])
			if after, _ := state(t, database); after != exports[1-now] {
				t.Error("what was killed keeps the next one from being applied")
			}
		})
	}
}
