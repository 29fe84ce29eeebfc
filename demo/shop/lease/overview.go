package lease

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"

	"keyholder/demo/shop/control"
)

// State is where a site stands with the lease.
type State string

// The states of a site.
const (
	Holds    State = "holds"    // it may write, and its lease is live
	Idle     State = "idle"     // it may write, and has not taken the lease
	Expiring State = "expiring" // the right was taken away, and its lease may still run
	Fenced   State = "fenced"   // the right was taken away, and its lease has certainly run out
)

// Overview is what GET /lease answers.
type Overview struct {
	Allowed    string               `json:"allowed"`
	Holder     string               `json:"holder"`
	Epoch      int64                `json:"epoch"`
	ExpiresAt  *time.Time           `json:"expires_at"`
	Now        time.Time            `json:"now"`
	Sites      map[string]SiteState `json:"sites"`
	Promotions int                  `json:"promotions"`
}

// SiteState is one site in the overview.
type SiteState struct {
	State State `json:"state"`
}

func stateOf(allowed, live bool) State {
	switch {
	case allowed && live:
		return Holds
	case allowed:
		return Idle
	case live:
		return Expiring
	default:
		return Fenced
	}
}

func (s *Service) overview(ctx context.Context, tx *sql.Tx) (Overview, error) {
	p, err := readPermission(ctx, tx)
	if err != nil {
		return Overview{}, err
	}
	now := s.now()
	view := Overview{Allowed: p.allowed, Epoch: p.epoch, Now: now, Sites: map[string]SiteState{}}
	for _, site := range s.cfg.Sites {
		_, last, err := lastLease(ctx, tx, site)
		if err != nil {
			return Overview{}, err
		}
		live := now.Before(last.Until)
		if live {
			view.Holder, view.ExpiresAt = site, &last.Until
		}
		view.Sites[site] = SiteState{State: stateOf(p.allowed == site, live)}
	}
	err = tx.QueryRowContext(ctx, `SELECT coalesce(sum(count), 0) FROM effects WHERE name = ?`, promotions).Scan(&view.Promotions)
	if err != nil {
		return Overview{}, fmt.Errorf("count the promotions: %w", err)
	}
	return view, nil
}

func (s *Service) show(w http.ResponseWriter, r *http.Request) {
	var view Overview
	err := control.InTx(r.Context(), s.db, func(tx *sql.Tx) (err error) {
		view, err = s.overview(r.Context(), tx)
		return err
	})
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, view)
}

func (s *Service) effects(w http.ResponseWriter, r *http.Request) {
	counts, err := s.ledger.Effects(r.Context(), revocations, promotions)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, counts)
}

func (s *Service) history(w http.ResponseWriter, r *http.Request) {
	intervals, err := s.intervals(r)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, map[string][]Interval{"intervals": intervals})
}

func (s *Service) intervals(r *http.Request) (intervals []Interval, err error) {
	rows, err := s.db.QueryContext(r.Context(), `SELECT site, epoch, from_ns, until_ns FROM intervals ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read the leases: %w", err)
	}
	defer func() { _ = rows.Close() }()
	intervals = []Interval{}
	for rows.Next() {
		var i Interval
		var from, until int64
		if err := rows.Scan(&i.Site, &i.Epoch, &from, &until); err != nil {
			return nil, fmt.Errorf("read a lease: %w", err)
		}
		i.From, i.Until = time.Unix(0, from).UTC(), time.Unix(0, until).UTC()
		intervals = append(intervals, i)
	}
	return intervals, rows.Err()
}
