package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"keyholder/demo/shop/control"
)

const schema = `
CREATE TABLE IF NOT EXISTS taken (order_key TEXT PRIMARY KEY, amount INTEGER NOT NULL, at_ns INTEGER NOT NULL);`

const repeats = "repeats"

// ErrOther is an order that was taken before with another amount.
var ErrOther = errors.New("this order was taken with another amount")

// Entry is what is taken for one order. The order is known by its purchase's key, which stays the same when a customer
// tries again, even at another site.
type Entry struct {
	Order  string
	Amount int64
}

// Book is the record.
type Book struct {
	db      *sql.DB
	ledger  *control.Ledger
	writing sync.Mutex // spares SQLite's busy polling
}

// Open opens the record at path.
func Open(ctx context.Context, path string) (*Book, error) {
	db, err := control.OpenFile(ctx, path, schema)
	if err != nil {
		return nil, err
	}
	ledger, err := control.NewLedger(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Book{db: db, ledger: ledger}, nil
}

// Close ends the record.
func (b *Book) Close() error { return b.db.Close() }

// Take records all entries or none, and tells how many of them it had already.
func (b *Book) Take(ctx context.Context, entries ...Entry) (repeated int, err error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	err = control.InTx(ctx, b.db, func(tx *sql.Tx) error {
		for _, e := range entries {
			had, err := take(ctx, tx, e)
			if err != nil {
				return err
			}
			if had {
				repeated++
			}
		}
		return nil
	})
	return repeated, err
}

func take(ctx context.Context, tx *sql.Tx, e Entry) (had bool, err error) {
	var amount int64
	err = tx.QueryRowContext(ctx, `SELECT amount FROM taken WHERE order_key = ?`, e.Order).Scan(&amount)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.ExecContext(ctx, `INSERT INTO taken (order_key, amount, at_ns) VALUES (?, ?, ?)`,
			e.Order, e.Amount, time.Now().UnixNano())
		return false, err
	case err != nil:
		return false, fmt.Errorf("look up order %s: %w", e.Order, err)
	case amount != e.Amount:
		return false, ErrOther
	}
	return true, control.Count(ctx, tx, repeats)
}

// Of is what was taken for an order; known is false if nothing was.
func (b *Book) Of(ctx context.Context, order string) (amount int64, known bool, err error) {
	err = b.db.QueryRowContext(ctx, `SELECT amount FROM taken WHERE order_key = ?`, order).Scan(&amount)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look up order %s: %w", order, err)
	}
	return amount, true, nil
}

// Totals are of everything ever taken.
type Totals struct {
	Orders  int64
	Amount  int64
	Repeats int64 // how often an order came again
}

// Totals adds up.
func (b *Book) Totals(ctx context.Context) (Totals, error) {
	var t Totals
	err := b.db.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(amount), 0) FROM taken`).Scan(&t.Orders, &t.Amount)
	if err != nil {
		return t, fmt.Errorf("add up what was taken: %w", err)
	}
	counts, err := b.ledger.Effects(ctx, repeats)
	t.Repeats = int64(counts[repeats])
	return t, err
}
