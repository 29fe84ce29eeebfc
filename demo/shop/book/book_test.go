package book_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"keyholder/demo/shop/book"
)

func TestOrderIsTakenOnceHoweverOftenItComes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	open := func() *book.Book {
		b, err := book.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := open()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := b.Take(t.Context(), book.Entry{Order: "a", Amount: 7}, book.Entry{Order: "b", Amount: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, err := b.Take(t.Context(), book.Entry{Order: "c", Amount: 1}, book.Entry{Order: "a", Amount: 8}); !errors.Is(err, book.ErrOther) {
		t.Errorf("another amount: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open()
	defer func() { _ = b.Close() }()
	got, err := b.Totals(t.Context())
	if err != nil || got != (book.Totals{Orders: 2, Amount: 8, Repeats: 38}) {
		t.Errorf("%+v %v", got, err)
	}
	if _, known, err := b.Of(t.Context(), "c"); known || err != nil {
		t.Errorf("half of what was refused is there: %v", err)
	}
}
