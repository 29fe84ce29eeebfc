package site

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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
INSERT INTO self (id) VALUES (1) ON CONFLICT DO NOTHING;` + queueSchema + exposureSchema

// laterColumns came to orders and to those set aside after the first shops had opened.
func laterColumns() []string {
	return []string{
		`tenant TEXT NOT NULL DEFAULT '` + ordinaryTenant + `'`, `member INTEGER NOT NULL DEFAULT 0`,
		`tax_minor INTEGER NOT NULL DEFAULT 0`, `under TEXT NOT NULL DEFAULT '{}'`,
	}
}

// addColumns brings the file of an older shop up to date.
func addColumns(ctx context.Context, db *sql.DB) error {
	for _, table := range []string{"orders", "set_aside"} {
		for _, column := range laterColumns() {
			name, _, _ := strings.Cut(column, " ")
			var there bool
			err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE name = ?)`, table, name).Scan(&there)
			if err != nil {
				return fmt.Errorf("look for %s.%s: %w", table, name, err)
			}
			if there {
				continue
			}
			if _, err := db.ExecContext(ctx, `ALTER TABLE `+table+` ADD COLUMN `+column); err != nil { // #nosec G202 -- both are written here
				return fmt.Errorf("add %s.%s: %w", table, name, err)
			}
		}
	}
	return nil
}

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
	Tenant      string    `json:"tenant"`
	Member      bool      `json:"member"`    // who gets points
	TaxMinor    int64     `json:"tax_minor"` // as it was taken at checkout
	Under       Under     `json:"under,omitempty"`
}

// Under names the flags that changed how an order was accepted or is handled, each with its period.
type Under map[string]int64

// Value is for the driver.
func (u Under) Value() (driver.Value, error) {
	if len(u) == 0 {
		return "{}", nil
	}
	raw, err := json.Marshal(map[string]int64(u))
	return string(raw), err
}

// Scan is for the driver.
func (u *Under) Scan(from any) error {
	text, isText := from.(string)
	if !isText {
		return fmt.Errorf("flags of an order cannot be a %T", from)
	}
	*u = nil
	if text == "{}" {
		return nil
	}
	return json.Unmarshal([]byte(text), u)
}

const orderColumns = `seq, epoch, order_id, key, sku, quantity, amount_minor, site, accepted_ns, posted, tenant, member, tax_minor, under`

// querier is a transaction or the file itself.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func scanOrder(scan func(...any) error) (Order, error) {
	var o Order
	var accepted int64
	err := scan(&o.Seq, &o.Epoch, &o.OrderID, &o.Key, &o.SKU, &o.Quantity, &o.AmountMinor, &o.Site, &accepted, &o.Posted,
		&o.Tenant, &o.Member, &o.TaxMinor, &o.Under)
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

// insertOrder appends an order, at the site that accepts it and at the one that copies it alike, with what is owed for it
// and what it ran under.
func insertOrder(ctx context.Context, tx *sql.Tx, o Order) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO orders (`+orderColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		o.Seq, o.Epoch, o.OrderID, o.Key, o.SKU, o.Quantity, o.AmountMinor, o.Site, o.AcceptedAt.UnixNano(), o.Posted,
		o.Tenant, o.Member, o.TaxMinor, o.Under)
	if err != nil {
		return fmt.Errorf("write order %d: %w", o.Seq, err)
	}
	if err := enqueue(ctx, tx, o); err != nil {
		return err
	}
	return expose(ctx, tx, o)
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
