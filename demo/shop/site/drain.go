package site

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"keyholder/demo/shop/control"
)

// drain is how a queue is being emptied, as a follower hears of it too: Through is the last order up to which nothing is
// owed any more.
type drain struct {
	Queue    string  `json:"queue"`
	Draining bool    `json:"draining"`
	Rate     float64 `json:"rate_per_second"` // 0 while it is not draining
	Through  int64   `json:"through"`
}

func readDrain(ctx context.Context, q querier, name string) (drain, error) {
	d := drain{Queue: name}
	err := q.QueryRowContext(ctx, `SELECT draining, rate FROM drains WHERE queue = ?`, name).Scan(&d.Draining, &d.Rate)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return d, fmt.Errorf("read how %s drains: %w", name, err)
	}
	return d, nil
}

func writeDrain(ctx context.Context, tx *sql.Tx, d drain) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO drains (queue, draining, rate) VALUES (?, ?, ?)
		ON CONFLICT (queue) DO UPDATE SET draining = excluded.draining, rate = excluded.rate`, d.Queue, d.Draining, d.Rate)
	if err != nil {
		return fmt.Errorf("write how %s drains: %w", d.Queue, err)
	}
	return nil
}

// drain has a queue emptied at a rate, from then on until it is empty. Only the site that may write is asked in earnest.
func (s *Site) drain(name string) control.Effect {
	return func(ctx context.Context, tx *sql.Tx, body []byte) (control.Answer, error) {
		var asked struct {
			RatePerSecond float64 `json:"rate_per_second"`
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&asked); err != nil || asked.RatePerSecond < 0.1 || asked.RatePerSecond > 500 {
			return control.Refusal(http.StatusUnprocessableEntity, `the request must be {"rate_per_second": from 0.1 to 500}`), nil
		}
		if _, live := s.lease.live(time.Now()); !live {
			return control.Refusal(http.StatusConflict, s.cfg.Slug+" does not write: its queues are the writer's to drain"), nil
		}
		d := drain{Queue: name, Draining: true, Rate: asked.RatePerSecond}
		if err := writeDrain(ctx, tx, d); err != nil {
			return control.Answer{}, err
		}
		return control.Answer{Status: http.StatusOK, Body: map[string]any{
			"name": name, "draining": true, "rate_per_second": asked.RatePerSecond,
		}}, nil
	}
}

// drainsOf is what a follower is told of the queues of what a flag left for later.
func (s *Site) drainsOf(ctx context.Context, q querier, head int64) ([]drain, error) {
	var all []drain
	for _, name := range queueNames() {
		d, err := readDrain(ctx, q, name)
		if err != nil {
			return nil, err
		}
		err = q.QueryRowContext(ctx, `SELECT coalesce(min(seq) - 1, ?) FROM owed WHERE queue = ? AND delivered_ns = 0`, head, name).
			Scan(&d.Through)
		if err != nil {
			return nil, fmt.Errorf("read what is owed of %s: %w", name, err)
		}
		all = append(all, d)
	}
	return all, nil
}

// owedBehind tells whether this copy of the queues differs from the source's.
func (s *Site) owedBehind(ctx context.Context, source []drain) bool {
	for _, d := range source {
		mine, err := readDrain(ctx, s.db, d.Queue)
		if err != nil || mine.Draining != d.Draining || mine.Rate != d.Rate {
			return true
		}
		var behind bool
		err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM owed WHERE queue = ? AND delivered_ns = 0 AND seq <= ?)`,
			d.Queue, d.Through).Scan(&behind)
		if err != nil || behind {
			return true
		}
	}
	return false
}

// takeDrains follows the source. What it delivers beyond this is delivered again after a move, and refused as a repeat.
func takeDrains(ctx context.Context, tx *sql.Tx, source []drain, now time.Time) error {
	for _, d := range source {
		if err := writeDrain(ctx, tx, d); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE owed SET delivered_ns = ? WHERE queue = ? AND delivered_ns = 0 AND seq <= ?`,
			now.UnixNano(), d.Queue, d.Through)
		if err != nil {
			return fmt.Errorf("mark what was delivered of %s: %w", d.Queue, err)
		}
	}
	return nil
}
