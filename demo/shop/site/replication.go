package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"keyholder/demo/shop/control"
)

// batch is how many orders a follower takes at a time.
const batch = 500

// extract is what GET /replication answers: a piece of the log, and how far the log goes.
type extract struct {
	Site          string  `json:"site"`
	HeadSeq       int64   `json:"head_seq"`
	PostedThrough int64   `json:"posted_through"` // every order up to here has been handed to fulfilment
	Drains        []drain `json:"drains"`
	Orders        []Order `json:"orders"`
}

// serveReplication gives the log beyond the caller's position, up to orders accepted before until. A position that is
// not in this log is 409: the two logs have forked.
func (s *Site) serveReplication(w http.ResponseWriter, r *http.Request) {
	after, err1 := strconv.ParseInt(r.FormValue("after"), 10, 64)
	epoch, err2 := strconv.ParseInt(r.FormValue("epoch"), 10, 64)
	until, err3 := strconv.ParseInt(r.FormValue("until"), 10, 64)
	if err := errors.Join(err1, err2, err3); err != nil {
		control.Refuse(w, http.StatusBadRequest, "after, epoch and until must be whole numbers")
		return
	}
	piece, agrees, err := s.extract(r.Context(), position{seq: after, epoch: epoch}, until)
	switch {
	case err != nil:
		control.Refuse(w, http.StatusInternalServerError, err.Error())
	case !agrees:
		control.Refuse(w, http.StatusConflict, "the logs have forked")
	default:
		control.WriteJSON(w, http.StatusOK, piece)
	}
}

func (s *Site) extract(ctx context.Context, after position, until int64) (piece extract, agrees bool, err error) {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return extract{}, false, fmt.Errorf("read the log: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if agrees, err = contains(ctx, tx, after); err != nil || !agrees {
		return extract{}, false, err
	}
	last, err := head(ctx, tx)
	if err != nil {
		return extract{}, false, err
	}
	piece = extract{Site: s.cfg.Slug, HeadSeq: last.seq}
	err = tx.QueryRowContext(ctx, `SELECT coalesce(min(seq) - 1, ?) FROM orders WHERE posted = 0`, last.seq).
		Scan(&piece.PostedThrough)
	if err != nil {
		return extract{}, false, fmt.Errorf("read what was posted: %w", err)
	}
	if piece.Drains, err = s.drainsOf(ctx, tx, last.seq); err != nil {
		return extract{}, false, err
	}
	piece.Orders, err = ripe(ctx, tx, after.seq, until)
	return piece, true, err
}

// ripe is what follows the position, up to the first order accepted after until: one that is too young keeps back those
// behind it, because a copy with a hole never closes it. Orders from the future, left by a clock that was set back, wait
// for nothing, unless nothing at all may be given.
func ripe(ctx context.Context, q querier, after, until int64) ([]Order, error) {
	if until <= 0 {
		return []Order{}, nil
	}
	return readOrders(ctx, q, `SELECT `+orderColumns+` FROM orders
		WHERE seq > ?1 AND seq < coalesce((SELECT seq FROM orders
			WHERE seq > ?1 AND accepted_ns > ?2 AND accepted_ns <= ?3 ORDER BY seq LIMIT 1), ?4)
		ORDER BY seq LIMIT ?5`, after, until, time.Now().UnixNano(), int64(math.MaxInt64), batch)
}

func contains(ctx context.Context, q querier, p position) (bool, error) {
	if p.seq == 0 {
		return true, nil
	}
	var found int
	err := q.QueryRowContext(ctx, `SELECT count(*) FROM orders WHERE seq = ? AND epoch = ?`, p.seq, p.epoch).Scan(&found)
	if err != nil {
		return false, fmt.Errorf("look for a position: %w", err)
	}
	return found == 1, nil
}

// stretch is a part of a log within one epoch, told by its last order.
type stretch struct {
	Epoch int64 `json:"epoch"`
	Last  int64 `json:"last"`
}

type forkQuestion struct {
	Stretches []stretch `json:"stretches"`
}

type forkAnswer struct {
	ForkSeq int64 `json:"fork_seq"` // the last order that both logs hold
	HeadSeq int64 `json:"head_seq"` // the writer's last, by which the returning site knows how far it is behind
}

// serveFork tells a returning site where its log and this one parted. Only a writer answers: the log of any other site
// may still take up orders from the one that asks.
func (s *Site) serveFork(w http.ResponseWriter, r *http.Request) {
	var question forkQuestion
	if err := control.ReadJSON(r, &question); err != nil {
		control.Refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if _, live := s.lease.live(time.Now()); !live {
		control.Refuse(w, http.StatusServiceUnavailable, errNoLease.Error())
		return
	}
	fork, err := s.forkOf(r.Context(), question.Stretches)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	last, err := head(r.Context(), s.db)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, forkAnswer{ForkSeq: fork, HeadSeq: last.seq})
}

func (s *Site) forkOf(ctx context.Context, theirs []stretch) (int64, error) {
	var fork int64
	for _, part := range theirs {
		var common int64
		err := s.db.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM orders WHERE epoch = ? AND seq <= ?`,
			part.Epoch, part.Last).Scan(&common)
		if err != nil {
			return 0, fmt.Errorf("find the fork: %w", err)
		}
		fork = max(fork, common)
	}
	return fork, nil
}

func stretches(ctx context.Context, q querier) ([]stretch, error) {
	rows, err := q.QueryContext(ctx, `SELECT epoch, max(seq) FROM orders GROUP BY epoch ORDER BY epoch`)
	if err != nil {
		return nil, fmt.Errorf("read the epochs of the log: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []stretch
	for rows.Next() {
		var part stretch
		if err := rows.Scan(&part.Epoch, &part.Last); err != nil {
			return nil, fmt.Errorf("read an epoch of the log: %w", err)
		}
		all = append(all, part)
	}
	return all, rows.Err()
}
