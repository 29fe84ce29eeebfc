package testkit

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"keyholder/internal/store"
)

// NewStore is a real store on a SQLite file of its own, migrated and empty. now is its clock; nil is the machine's.
func NewStore(t testing.TB, now func() time.Time) *store.Store {
	t.Helper()
	kept, err := store.Open(t.Context(), NewFile(t), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
	return kept
}

// NewFile is a SQLite file of the test's own, migrated and empty.
func NewFile(t testing.TB) string {
	t.Helper()
	body, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "keyholder.db")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// migrated is what such a file holds. Tests copy it: each migration waits for the disk, and there are many of both.
var migrated = sync.OnceValues(func() (body []byte, err error) {
	dir, err := os.MkdirTemp("", "keyholder-migrated-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "keyholder.db")
	if err := store.Migrate(context.Background(), file); err != nil {
		return nil, err
	}
	if left, err := filepath.Glob(file + "-*"); err != nil || len(left) > 0 {
		return nil, errors.Join(err, errors.New("not all that was migrated is in the file itself"))
	}
	return os.ReadFile(file)
})
