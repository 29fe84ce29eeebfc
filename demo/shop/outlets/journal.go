package outlets

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"keyholder/demo/shop/flags"
)

// A sale is offline if it was made while its outlet was. An outlet is offline from the first sale that could not be
// forwarded, or was held back by the flag, until its journal is empty.
const schema = `
CREATE TABLE IF NOT EXISTS sales (
	n INTEGER PRIMARY KEY, outlet TEXT NOT NULL, key TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, sku TEXT NOT NULL,
	quantity INTEGER NOT NULL, amount_minor INTEGER NOT NULL, sold_ns INTEGER NOT NULL,
	offline INTEGER NOT NULL DEFAULT 0, period INTEGER NOT NULL DEFAULT 0, order_id TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS sales_waiting ON sales (outlet, n) WHERE order_id = '';
CREATE INDEX IF NOT EXISTS sales_offline ON sales (outlet, n) WHERE offline = 1;
CREATE INDEX IF NOT EXISTS sales_by_period ON sales (period) WHERE period > 0;
CREATE TABLE IF NOT EXISTS outlets (
	slug TEXT PRIMARY KEY, offline_ns INTEGER NOT NULL DEFAULT 0, refused INTEGER NOT NULL DEFAULT 0);`

// sale is one line of the journal.
type sale struct {
	n           int64
	key         string
	tenant      string
	sku         string
	quantity    int
	amountMinor int64
}

// goods are dealt out in turn.
func goods() []sale {
	return []sale{
		{sku: "JAM-PLUM", quantity: 2, amountMinor: 900}, {sku: "MUG-BLUE", quantity: 1, amountMinor: 1100},
		{sku: "TEA-250", quantity: 1, amountMinor: 450},
	}
}

const (
	testsEach = 10 // one sale in so many is a test
	tenant    = "shop"
)

// ring writes a sale into the journal. An outlet that has been offline for too long, or is told to stop selling, refuses it.
func (o *Outlets) ring(ctx context.Context, slug string, number int) error {
	s, now := wish(number), time.Now()
	flag := o.flags.Get(flags.StoresOffline)
	period := int64(0)
	if flag.Covers(s.tenant) {
		period = flag.Period
	}
	return o.write(ctx, func(tx *sql.Tx) error {
		if period > 0 && flag.Scope == flags.All {
			if err := goOffline(ctx, tx, slug, now); err != nil {
				return err
			}
		}
		since, err := o.offlineSince(ctx, tx, slug)
		if err != nil {
			return err
		}
		tooLong := since > 0 && now.Sub(time.Unix(0, since)) > o.pace.Offline
		if tooLong || o.flags.Get(flags.SellingStopped).Covers(s.tenant) {
			_, err := tx.ExecContext(ctx, `UPDATE outlets SET refused = refused + 1 WHERE slug = ?`, slug)
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO sales (outlet, key, tenant, sku, quantity, amount_minor, sold_ns, offline, period)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			slug, s.key, s.tenant, s.sku, s.quantity, s.amountMinor, now.UnixNano(), since > 0 || period > 0, period)
		if err != nil {
			return fmt.Errorf("write a sale into the journal of %s: %w", slug, err)
		}
		return nil
	})
}

func wish(number int) sale {
	list := goods()
	s := list[number%len(list)]
	s.key, s.tenant = uuid.NewString(), tenant
	if number%testsEach == testsEach-1 {
		s.tenant = flags.Test
	}
	return s
}

func (o *Outlets) offlineSince(ctx context.Context, tx *sql.Tx, slug string) (since int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT offline_ns FROM outlets WHERE slug = ?`, slug).Scan(&since)
	if err != nil {
		return 0, fmt.Errorf("read since when %s is offline: %w", slug, err)
	}
	return since, nil
}

// goOffline counts from the given time, and everything that waits as sold offline.
func goOffline(ctx context.Context, tx *sql.Tx, slug string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE outlets SET offline_ns = ? WHERE slug = ? AND offline_ns = 0`, at.UnixNano(), slug)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE sales SET offline = 1 WHERE outlet = ? AND order_id = ''`, slug)
	}
	if err != nil {
		return fmt.Errorf("take %s offline: %w", slug, err)
	}
	return nil
}

// next is the oldest sale that waits and is not held back by the flag.
func (o *Outlets) next(ctx context.Context, slug string) (s sale, found bool, err error) {
	flag := o.flags.Get(flags.StoresOffline)
	held := ""
	if flag.On {
		held = flag.Scope
	}
	err = o.db.QueryRowContext(ctx, `SELECT n, key, tenant, sku, quantity, amount_minor FROM sales
		WHERE outlet = ?1 AND order_id = '' AND ?2 <> ?3 AND tenant <> ?2 ORDER BY n LIMIT 1`, slug, held, flags.All).
		Scan(&s.n, &s.key, &s.tenant, &s.sku, &s.quantity, &s.amountMinor)
	if errors.Is(err, sql.ErrNoRows) {
		return sale{}, false, nil
	}
	if err != nil {
		return sale{}, false, fmt.Errorf("read the journal of %s: %w", slug, err)
	}
	return s, true, nil
}

// forwarded notes the order that the sale became; with an empty journal the outlet is online again.
func (o *Outlets) forwarded(ctx context.Context, slug string, s sale, order string) error {
	return o.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE sales SET order_id = ? WHERE n = ?`, order, s.n); err != nil {
			return fmt.Errorf("note order %s: %w", order, err)
		}
		_, err := tx.ExecContext(ctx, `UPDATE outlets SET offline_ns = 0
			WHERE slug = ?1 AND offline_ns > 0 AND NOT EXISTS (SELECT 1 FROM sales WHERE outlet = ?1 AND order_id = '')`, slug)
		if err != nil {
			return fmt.Errorf("take %s online: %w", slug, err)
		}
		return nil
	})
}
