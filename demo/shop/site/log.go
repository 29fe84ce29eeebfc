package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// orders is the log: seq has no holes. Two logs that hold the same (seq, epoch) are equal up to there, because an epoch
// has one writer, which only appends, and followers copy in order.
const schema = `
CREATE TABLE IF NOT EXISTS orders (
	seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, order_id TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
	sku TEXT NOT NULL, quantity INTEGER NOT NULL, amount_minor INTEGER NOT NULL,
	site TEXT NOT NULL, accepted_ns INTEGER NOT NULL, posted INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS orders_unposted ON orders (seq) WHERE posted = 0;
CREATE INDEX IF NOT EXISTS orders_by_epoch ON orders (epoch, seq);
CREATE TABLE IF NOT EXISTS set_aside (
	id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, epoch INTEGER NOT NULL, order_id TEXT NOT NULL, key TEXT NOT NULL,
	sku TEXT NOT NULL, quantity INTEGER NOT NULL, amount_minor INTEGER NOT NULL,
	site TEXT NOT NULL, accepted_ns INTEGER NOT NULL, posted INTEGER NOT NULL,
	fork_seq INTEGER NOT NULL, set_aside_ns INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS self (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	epoch INTEGER NOT NULL DEFAULT 0, accepted INTEGER NOT NULL DEFAULT 0, first_accepted_ns INTEGER NOT NULL DEFAULT 0,
	draining INTEGER NOT NULL DEFAULT 0, following TEXT NOT NULL DEFAULT '', last_fork INTEGER NOT NULL DEFAULT 0,
	heard_seq INTEGER NOT NULL DEFAULT 0);
INSERT INTO self (id) VALUES (1) ON CONFLICT DO NOTHING;`

// Order is one purchase in the log.
type Order struct {
	Seq         int64     `json:"seq"`
	Epoch       int64     `json:"epoch"`
	OrderID     string    `json:"order_id"`
	Key         string    `json:"key"`
	SKU         string    `json:"sku"`
	Quantity    int       `json:"quantity"`
	AmountMinor int64     `json:"amount_minor"`
	Site        string    `json:"site"` // which accepted it
	AcceptedAt  time.Time `json:"accepted_at"`
	Posted      bool      `json:"posted"` // to fulfilment
}

const orderColumns = `seq, epoch, order_id, key, sku, quantity, amount_minor, site, accepted_ns, posted`

// querier is a transaction or the file itself.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func scanOrder(scan func(...any) error) (Order, error) {
	var o Order
	var accepted int64
	err := scan(&o.Seq, &o.Epoch, &o.OrderID, &o.Key, &o.SKU, &o.Quantity, &o.AmountMinor, &o.Site, &accepted, &o.Posted)
	o.AcceptedAt = fromNS(accepted)
	return o, err
}

func fromNS(ns int64) time.Time { return time.Unix(0, ns).UTC() }

func readOrders(ctx context.Context, q querier, query string, args ...any) ([]Order, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	defer func() { _ = rows.Close() }()
	orders := []Order{}
	for rows.Next() {
		o, err := scanOrder(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read an order: %w", err)
		}
		orders = append(orders, o)
	}
	return orders, rows.Err()
}

func insertOrder(ctx context.Context, tx *sql.Tx, o Order) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO orders (`+orderColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		o.Seq, o.Epoch, o.OrderID, o.Key, o.SKU, o.Quantity, o.AmountMinor, o.Site, o.AcceptedAt.UnixNano(), o.Posted)
	if err != nil {
		return fmt.Errorf("write order %d: %w", o.Seq, err)
	}
	return nil
}

// position is a place in a log; the zero position is before the first order.
type position struct {
	seq, epoch int64
	at         time.Time // when the order there was accepted
}

func head(ctx context.Context, q querier) (position, error) {
	var p position
	var at int64
	err := q.QueryRowContext(ctx, `SELECT seq, epoch, accepted_ns FROM orders ORDER BY seq DESC LIMIT 1`).
		Scan(&p.seq, &p.epoch, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return position{}, nil
	}
	if err != nil {
		return position{}, fmt.Errorf("read the head of the log: %w", err)
	}
	p.at = fromNS(at)
	return p, nil
}

// self is what a site remembers of itself.
type self struct {
	epoch         int64 // in which it was last promoted
	accepted      int64 // by itself since then
	firstAccepted int64 // unix nanoseconds; zero if none
	draining      bool
	following     string // empty from its promotion until its log is known to agree with another writer's
	lastFork      int64  // how many orders were set aside when it last began to follow
	heardSeq      int64  // the newest order it knows the writer to have
}

func readSelf(ctx context.Context, q querier) (self, error) {
	var s self
	err := q.QueryRowContext(ctx,
		`SELECT epoch, accepted, first_accepted_ns, draining, following, last_fork, heard_seq FROM self`).
		Scan(&s.epoch, &s.accepted, &s.firstAccepted, &s.draining, &s.following, &s.lastFork, &s.heardSeq)
	if err != nil {
		return self{}, fmt.Errorf("read what the site remembers: %w", err)
	}
	return s, nil
}

// change's set is written in this package, never made from what a caller sent.
func change(ctx context.Context, tx *sql.Tx, set string, args ...any) error {
	if _, err := tx.ExecContext(ctx, `UPDATE self SET `+set, args...); err != nil { // #nosec G202 -- as said above
		return fmt.Errorf("write what the site remembers: %w", err)
	}
	return nil
}
