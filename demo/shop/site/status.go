package site

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"keyholder/demo/shop/control"
)

// State is what a site does at present.
type State string

// The states of a site.
const (
	Writer   State = "writer"   // it holds a live lease
	Draining State = "draining" // it holds a live lease and takes no new orders
	Follower State = "follower" // it has no lease, and its log agrees with the writer's up to its end
	Fenced   State = "fenced"   // it has no lease, and whether its log agrees is not known yet
)

// Status is what GET /status answers. A time of the log is when the order there was accepted, wherever that was.
//
// The lag of a site that holds the lease is nothing. Else LagOrders is how many orders it knows the source to have
// beyond its own, by the newest head it heard of; LagSeconds is 0 when it reaches the source and has every order, and
// otherwise the time since the newest order it has was accepted.
type Status struct {
	Site              string     `json:"site"`
	State             State      `json:"state"`
	Epoch             int64      `json:"epoch"` // the newest it knows of
	HoldsLease        bool       `json:"holds_lease"`
	HeadSeq           int64      `json:"head_seq"` // of its own log, as are the next three
	HeadAt            *time.Time `json:"head_at"`
	AppliedSeq        int64      `json:"applied_seq"`
	AppliedAt         *time.Time `json:"applied_at"`
	LagOrders         int64      `json:"lag_orders"`
	LagSeconds        float64    `json:"lag_seconds"`
	Following         string     `json:"following"`
	AcceptedInEpoch   int64      `json:"accepted_in_epoch"` // by this site, since it was last promoted
	FirstAcceptedAt   *time.Time `json:"first_accepted_at"`
	SetAside          int64      `json:"set_aside"`
	SetAsideLastFork  int64      `json:"set_aside_last_fork"` // when it last began to follow
	Backlog           int64      `json:"backlog"`             // accepted and not yet posted to fulfilment
	Draining          bool       `json:"draining"`
	ReplicationFrozen bool       `json:"replication_frozen"`
}

// Status tells how the site is, by its own lights.
func (s *Site) Status(ctx context.Context) (Status, error) {
	me, err := readSelf(ctx, s.db)
	if err != nil {
		return Status{}, err
	}
	last, err := head(ctx, s.db)
	if err != nil {
		return Status{}, err
	}
	now := time.Now()
	_, live := s.lease.live(now)
	_, known := s.lease.heard()
	status := Status{
		Site: s.cfg.Slug, State: stateOf(live, me), Epoch: max(known, me.epoch, last.epoch), HoldsLease: live,
		HeadSeq: last.seq, HeadAt: orNil(last.at), AppliedSeq: last.seq, AppliedAt: orNil(last.at),
		Following: me.following, AcceptedInEpoch: me.accepted, SetAsideLastFork: me.lastFork, Draining: me.draining,
		ReplicationFrozen: s.cfg.Frozen(),
	}
	if me.firstAccepted != 0 {
		status.FirstAcceptedAt = orNil(fromNS(me.firstAccepted))
	}
	if !live {
		status.LagOrders = max(0, me.heardSeq-last.seq)
		status.LagSeconds = lagSeconds(now, last, s.source.get() && status.LagOrders == 0)
	}
	err = s.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM orders WHERE posted = 0), (SELECT count(*) FROM set_aside)`).
		Scan(&status.Backlog, &status.SetAside)
	if err != nil {
		return Status{}, fmt.Errorf("count orders: %w", err)
	}
	return status, nil
}

func stateOf(live bool, me self) State {
	switch {
	case live && me.draining:
		return Draining
	case live:
		return Writer
	case me.following != "":
		return Follower
	default:
		return Fenced
	}
}

func lagSeconds(now time.Time, last position, caughtUp bool) float64 {
	if caughtUp || last.seq == 0 {
		return 0
	}
	return max(0, now.Sub(last.at).Seconds())
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *Site) status(w http.ResponseWriter, r *http.Request) {
	status, err := s.Status(r.Context())
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, status)
}

// healthz says whether the process and its file are fine; whether it may write is another matter.
func (s *Site) healthz(w http.ResponseWriter, r *http.Request) {
	if _, err := readSelf(r.Context(), s.db); err != nil {
		control.Refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok", "site": s.cfg.Slug})
}
