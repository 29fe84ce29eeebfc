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

// exposed is what the orders of the log say they ran under, for adding up.
const exposureSchema = `
CREATE TABLE IF NOT EXISTS exposed (
	flag TEXT NOT NULL, period INTEGER NOT NULL, seq INTEGER NOT NULL, money_minor INTEGER NOT NULL,
	PRIMARY KEY (flag, period, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS exposed_by_seq ON exposed (seq);`

func expose(ctx context.Context, tx *sql.Tx, o Order) error {
	for flag, period := range o.Under {
		_, err := tx.ExecContext(ctx, `INSERT INTO exposed (flag, period, seq, money_minor) VALUES (?, ?, ?, ?)`,
			flag, period, o.Seq, o.AmountMinor)
		if err != nil {
			return fmt.Errorf("count order %d under %s: %w", o.Seq, flag, err)
		}
	}
	return nil
}

// Exposure is what ran under a flag since it was last switched on, whether or not it is on now.
type Exposure struct {
	Flag       string     `json:"flag"`
	On         bool       `json:"on"`
	Scope      string     `json:"scope"`
	Since      *time.Time `json:"since"` // null if it was never on
	Orders     int64      `json:"orders"`
	MoneyMinor int64      `json:"money_minor"`
	Queued     int64      `json:"queued"` // in the flag's queue, of whatever period
}

func (s *Site) exposure(ctx context.Context, name string) (Exposure, error) {
	f := s.flags.Get(name)
	e := Exposure{Flag: name, On: f.On, Scope: f.Scope, Since: f.OnSince}
	err := s.db.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(money_minor), 0) FROM exposed WHERE flag = ? AND period = ?`,
		name, f.Period).Scan(&e.Orders, &e.MoneyMinor)
	if err != nil {
		return e, fmt.Errorf("add up what ran under %s: %w", name, err)
	}
	queue := queueOf(name)
	if queue == "" {
		return e, nil
	}
	waiting, err := s.queue(ctx, queue)
	e.Queued = waiting.Queued
	return e, err
}

func (s *Site) showExposure(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("flag")
	if !slices.Contains(flags.Names(), name) {
		control.Refuse(w, http.StatusNotFound, fmt.Sprintf("there is no flag %q", name))
		return
	}
	e, err := s.exposure(r.Context(), name)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, e)
}
