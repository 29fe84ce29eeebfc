package testkit

import (
	"path/filepath"
	"testing"
	"time"

	"keyholder/internal/store"
)

// NewStore is a real store on a SQLite file of its own, migrated and empty. now is its clock; nil is the machine's.
func NewStore(t testing.TB, now func() time.Time) *store.Store {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keyholder.db")
	if err := store.Migrate(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	kept, err := store.Open(t.Context(), file, now)
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
