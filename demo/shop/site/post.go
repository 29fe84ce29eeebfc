package site

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/erp"
	"keyholder/demo/shop/flags"
)

const erpPatience = time.Second

// keepPosting hands accepted orders to fulfilment, in their order and at a bounded rate, while this site may write.
func (s *Site) keepPosting(ctx context.Context) {
	wait := s.pace.Post
	for pause(ctx, wait) {
		var err error
		if wait, err = s.post(ctx); err != nil {
			s.missed("posting")(err)
		}
	}
}

// postRate is how many orders a second are posted unless another rate was asked for.
func (p Pace) postRate() float64 { return float64(p.PostsPerTurn) / p.Post.Seconds() }

// turn is how many orders are posted at once, and how long after the last time.
func (p Pace) turn(d drain) (orders int, wait time.Duration) {
	if !d.Draining {
		return p.PostsPerTurn, p.Post
	}
	orders = max(1, min(p.PostsPerTurn, int(d.Rate*p.Post.Seconds())))
	return orders, time.Duration(float64(orders) / d.Rate * float64(time.Second))
}

// post takes one turn, and tells when the next is due.
func (s *Site) post(ctx context.Context) (time.Duration, error) {
	asked, err := readDrain(ctx, s.db, queuePostings)
	if err != nil {
		return s.pace.Post, err
	}
	limit, wait := s.pace.turn(asked)
	if _, live := s.lease.live(time.Now()); !live {
		return s.pace.Post, nil
	}
	orders, err := s.postable(ctx, asked.Draining, limit)
	if err != nil || (len(orders) == 0 && !asked.Draining) {
		return wait, err
	}
	if err := s.handOver(ctx, orders); err != nil {
		return wait, err
	}
	return wait, s.write(ctx, func(tx *sql.Tx) error { return s.markPosted(ctx, tx, orders) })
}

// postable leaves out the orders that ran under a flag which still stands, unless the queue is to be drained all the same.
func (s *Site) postable(ctx context.Context, all bool, limit int) ([]Order, error) {
	held := s.flags.Get(flags.ERPQueued)
	if all || !held.On {
		return readOrders(ctx, s.db, `SELECT `+orderColumns+` FROM orders WHERE posted = 0 ORDER BY seq LIMIT ?`, limit)
	}
	return readOrders(ctx, s.db, `SELECT `+orderColumns+` FROM orders WHERE posted = 0
		AND NOT EXISTS (SELECT 1 FROM exposed WHERE flag = ? AND period = ? AND seq = orders.seq)
		ORDER BY seq LIMIT ?`, held.Name, held.Period, limit)
}

func (s *Site) handOver(ctx context.Context, orders []Order) error {
	if s.cfg.Needs.ERP == "" || len(orders) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, erpPatience)
	defer cancel()
	postings := erp.Postings{}
	for _, o := range orders {
		postings.Postings = append(postings.Postings, erp.Posting{Order: o.Key, AmountMinor: o.AmountMinor})
	}
	var booked erp.Booked
	return control.Call(ctx, s.client, http.MethodPost, "http://"+s.cfg.Needs.ERP+"/postings", postings, &booked)
}

// markPosted goes by seq and number: the log may have been brought back and filled anew since the orders were read.
func (s *Site) markPosted(ctx context.Context, tx *sql.Tx, orders []Order) error {
	for _, o := range orders {
		_, err := tx.ExecContext(ctx, `UPDATE orders SET posted = 1 WHERE seq = ? AND order_id = ?`, o.Seq, o.OrderID)
		if err != nil {
			return fmt.Errorf("post orders: %w", err)
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE drains SET draining = 0, rate = 0
		WHERE queue = ? AND NOT EXISTS (SELECT 1 FROM orders WHERE posted = 0)`, queuePostings)
	if err != nil {
		return fmt.Errorf("end the draining: %w", err)
	}
	if _, live := s.lease.live(time.Now()); !live {
		return errNoLease
	}
	return nil
}

func (s *Site) setDraining(draining bool) control.Effect {
	return func(ctx context.Context, tx *sql.Tx, _ []byte) (control.Answer, error) {
		if err := change(ctx, tx, `draining = ?`, draining); err != nil {
			return control.Answer{}, err
		}
		return control.Answer{Status: http.StatusOK, Body: map[string]bool{"draining": draining}}, nil
	}
}
