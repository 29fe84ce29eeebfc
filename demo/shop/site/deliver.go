package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"keyholder/demo/shop/tax"
)

const (
	idle       = 100 * time.Millisecond // between two looks at a queue that is not to be drained
	afterError = 500 * time.Millisecond
)

// debt is one thing that is owed for an order.
type debt struct {
	seq         int64
	key, sku    string
	amountMinor int64
}

// delivery is a queue with the way its debts are paid. Paying twice is harmless: whoever is paid knows the order's key.
type delivery struct {
	queue string
	pay   func(ctx context.Context, d debt) error
}

func (s *Site) deliveries() []delivery {
	return []delivery{
		{queuePoints, func(ctx context.Context, d debt) error { return s.credit(ctx, d.key, d.amountMinor) }},
		{queueTax, func(ctx context.Context, d debt) error {
			_, err := s.askTax(ctx, tax.Question{SKU: d.sku, NetMinor: d.amountMinor, Order: d.key})
			return err
		}},
	}
}

// keepDelivering empties a queue in its order, while it is to be drained and this site may write. A debt that cannot be
// paid keeps back those behind it.
func (s *Site) keepDelivering(ctx context.Context, q delivery) {
	wait := idle
	for pause(ctx, wait) {
		began := time.Now()
		rate, err := s.deliver(ctx, q)
		switch {
		case err != nil:
			s.missed("delivering " + q.queue)(err)
			wait = afterError
		case rate == 0:
			wait = idle
		default:
			wait = max(0, time.Duration(float64(time.Second)/rate)-time.Since(began))
		}
	}
}

// deliver pays one debt. Its rate is 0 if there is nothing to do.
func (s *Site) deliver(ctx context.Context, q delivery) (rate float64, err error) {
	if _, live := s.lease.live(time.Now()); !live {
		return 0, nil
	}
	asked, err := readDrain(ctx, s.db, q.queue)
	if err != nil || !asked.Draining {
		return 0, err
	}
	var d debt
	err = s.db.QueryRowContext(ctx, `SELECT seq, key, sku, amount_minor FROM owed WHERE queue = ? AND delivered_ns = 0
		ORDER BY seq LIMIT 1`, q.queue).Scan(&d.seq, &d.key, &d.sku, &d.amountMinor)
	if err == nil {
		if err := q.pay(ctx, d); err != nil {
			return 0, err
		}
	} else if !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read what is owed: %w", err)
	}
	return asked.Rate, s.write(ctx, func(tx *sql.Tx) error { return paid(ctx, tx, q.queue, d) })
}

// paid marks the debt, if it is still there, and ends the draining of an empty queue.
func paid(ctx context.Context, tx *sql.Tx, queue string, d debt) error {
	_, err := tx.ExecContext(ctx, `UPDATE owed SET delivered_ns = ? WHERE queue = ? AND seq = ? AND key = ?`,
		time.Now().UnixNano(), queue, d.seq, d.key)
	if err != nil {
		return fmt.Errorf("mark what was delivered: %w", err)
	}
	_, err = tx.ExecContext(ctx, `UPDATE drains SET draining = 0, rate = 0
		WHERE queue = ?1 AND NOT EXISTS (SELECT 1 FROM owed WHERE queue = ?1 AND delivered_ns = 0)`, queue)
	if err != nil {
		return fmt.Errorf("end the draining: %w", err)
	}
	return nil
}
