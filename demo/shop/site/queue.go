package site

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/flags"
)

// The queues of a site. Postings are the orders of the log that are not posted; the others hold what a flag left for later.
const (
	queuePoints   = "points"
	queuePostings = "postings"
	queueTax      = "tax-recalculations"
)

func queueNames() []string { return []string{queuePoints, queuePostings, queueTax} }

// queueOf is the queue that a flag fills.
func queueOf(flag string) string {
	switch flag {
	case flags.LoyaltyDeferred:
		return queuePoints
	case flags.StandardTax:
		return queueTax
	case flags.ERPQueued:
		return queuePostings
	default:
		return ""
	}
}

const queueSchema = `
CREATE TABLE IF NOT EXISTS owed (
	queue TEXT NOT NULL, seq INTEGER NOT NULL, key TEXT NOT NULL, sku TEXT NOT NULL, amount_minor INTEGER NOT NULL,
	queued_ns INTEGER NOT NULL, delivered_ns INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (queue, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS owed_still ON owed (queue, seq) WHERE delivered_ns = 0;
CREATE TABLE IF NOT EXISTS owed_set_aside (
	id INTEGER PRIMARY KEY, queue TEXT NOT NULL, seq INTEGER NOT NULL, key TEXT NOT NULL, sku TEXT NOT NULL,
	amount_minor INTEGER NOT NULL, queued_ns INTEGER NOT NULL, delivered_ns INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS drains (queue TEXT PRIMARY KEY, draining INTEGER NOT NULL, rate REAL NOT NULL);`

// enqueue notes what is owed for an order: points and tax that a flag left for later.
func enqueue(ctx context.Context, tx *sql.Tx, o Order) error {
	for flag := range o.Under {
		queue := queueOf(flag)
		if queue == "" || queue == queuePostings {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO owed (queue, seq, key, sku, amount_minor, queued_ns) VALUES (?, ?, ?, ?, ?, ?)`,
			queue, o.Seq, o.Key, o.SKU, o.AmountMinor, o.AcceptedAt.UnixNano())
		if err != nil {
			return fmt.Errorf("queue %s of order %d: %w", queue, o.Seq, err)
		}
	}
	return nil
}

// Queue is how a queue stands.
type Queue struct {
	Name          string  `json:"name"`
	Queued        int64   `json:"queued"`
	KeptBack      int64   `json:"kept_back"`      // of what is queued, what a flag left for later
	OldestSeconds float64 `json:"oldest_seconds"` // 0 if it is empty
	Delivered     int64   `json:"delivered"`      // ever
	RatePerSecond float64 `json:"rate_per_second"`
	Draining      bool    `json:"draining"`
	Released      bool    `json:"released"`  // nothing is kept back, or it is being drained
	SetAside      int64   `json:"set_aside"` // not delivered, of orders that were set aside here
}

// queue reads one. Without a drain the postings go out at their own rate, and the others not at all.
func (s *Site) queue(ctx context.Context, name string) (Queue, error) {
	q := Queue{Name: name}
	var oldest int64
	count := `SELECT count(*) FILTER (WHERE delivered_ns = 0), count(*) FILTER (WHERE delivered_ns > 0),
		coalesce(min(queued_ns) FILTER (WHERE delivered_ns = 0), 0) FROM owed WHERE queue = ?`
	aside := `SELECT count(*) FROM owed_set_aside WHERE queue = ? AND delivered_ns = 0`
	if name == queuePostings {
		count = `SELECT count(*), (SELECT coalesce(max(seq), 0) FROM orders) - count(*), coalesce(min(accepted_ns), 0)
			FROM orders WHERE posted = 0 AND ? <> ''`
		aside = `SELECT count(*) FROM set_aside WHERE posted = 0 AND ? <> ''`
	}
	if err := s.db.QueryRowContext(ctx, count, name).Scan(&q.Queued, &q.Delivered, &oldest); err != nil {
		return q, fmt.Errorf("count %s: %w", name, err)
	}
	if err := s.db.QueryRowContext(ctx, aside, name).Scan(&q.SetAside); err != nil {
		return q, fmt.Errorf("count %s set aside: %w", name, err)
	}
	if err := s.keptBack(ctx, &q); err != nil {
		return q, err
	}
	if oldest > 0 {
		q.OldestSeconds = max(0, time.Since(fromNS(oldest)).Seconds())
	}
	d, err := readDrain(ctx, s.db, name)
	q.Draining, q.RatePerSecond, q.Released = d.Draining, d.Rate, d.Draining || q.KeptBack == 0
	if name == queuePostings && !d.Draining {
		q.RatePerSecond = s.pace.postRate()
	}
	return q, err
}

// keptBack counts what a flag left for later: of the postings those orders that ran under it, of the others everything. Postings that
// have only just been accepted always wait for their turn, so that their queue is hardly ever seen empty.
func (s *Site) keptBack(ctx context.Context, q *Queue) error {
	q.KeptBack = q.Queued
	if q.Name != queuePostings {
		return nil
	}
	err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM orders WHERE posted = 0
		AND EXISTS (SELECT 1 FROM exposed WHERE flag = ? AND seq = orders.seq)`, flags.ERPQueued).Scan(&q.KeptBack)
	if err != nil {
		return fmt.Errorf("count what is kept back of %s: %w", q.Name, err)
	}
	return nil
}

func (s *Site) showQueue(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !slices.Contains(queueNames(), name) {
		control.Refuse(w, http.StatusNotFound, fmt.Sprintf("there is no queue %q", name))
		return
	}
	q, err := s.queue(r.Context(), name)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, q)
}

func (s *Site) listQueues(w http.ResponseWriter, r *http.Request) {
	all := []Queue{}
	for _, name := range queueNames() {
		q, err := s.queue(r.Context(), name)
		if err != nil {
			control.Refuse(w, http.StatusInternalServerError, err.Error())
			return
		}
		all = append(all, q)
	}
	control.WriteJSON(w, http.StatusOK, map[string][]Queue{"queues": all})
}
