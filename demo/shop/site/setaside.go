package site

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"keyholder/demo/shop/control"
)

// rejoin brings the log of a returning site back to where the writer's log leaves it. What lies beyond never replicated:
// it is set aside with all it holds.
func (s *Site) rejoin(ctx context.Context, writer string, me self) error {
	at, err := head(ctx, s.db)
	if err != nil {
		return err
	}
	fork, err := s.askFork(ctx, writer)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := s.stillFollower(ctx, tx, at, me.epoch); err != nil {
			return err
		}
		count, err := setAside(ctx, tx, fork.ForkSeq, time.Now())
		if err != nil {
			return err
		}
		s.cfg.Log.Info("orders set aside", "site", s.cfg.Slug, "writer", writer, "fork", fork.ForkSeq, "orders", count)
		return change(ctx, tx, `following = ?, last_fork = ?, heard_seq = ?`, writer, count, fork.HeadSeq)
	})
}

func (s *Site) askFork(ctx context.Context, writer string) (answer forkAnswer, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	parts, err := stretches(ctx, s.db)
	if err != nil {
		return answer, err
	}
	question, err := json.Marshal(forkQuestion{Stretches: parts})
	if err != nil {
		return answer, fmt.Errorf("ask %s for the fork: %w", writer, err)
	}
	status, err := s.call(ctx, http.MethodPost, s.peer(writer)+"/replication/fork", question, &answer)
	if err != nil {
		return answer, fmt.Errorf("ask %s for the fork: %w", writer, err)
	}
	if status != http.StatusOK {
		return answer, fmt.Errorf("ask %s for the fork: it answered %d", writer, status)
	}
	return answer, nil
}

func setAside(ctx context.Context, tx *sql.Tx, fork int64, now time.Time) (int64, error) {
	_, err := tx.ExecContext(ctx, `INSERT INTO set_aside (`+orderColumns+`, fork_seq, set_aside_ns)
		SELECT `+orderColumns+`, ?, ? FROM orders WHERE seq > ? ORDER BY seq`, fork, now.UnixNano(), fork)
	if err != nil {
		return 0, fmt.Errorf("set orders aside: %w", err)
	}
	if err := setOwedAside(ctx, tx, fork); err != nil {
		return 0, err
	}
	moved, err := tx.ExecContext(ctx, `DELETE FROM orders WHERE seq > ?`, fork)
	if err != nil {
		return 0, fmt.Errorf("take the orders set aside out of the log: %w", err)
	}
	return moved.RowsAffected()
}

// setOwedAside keeps what is owed for orders that are set aside, and does not pay it: whoever enters such an order again
// does so under its key, and it is owed anew.
func setOwedAside(ctx context.Context, tx *sql.Tx, fork int64) error {
	const what = `queue, seq, key, sku, amount_minor, queued_ns, delivered_ns`
	for _, statement := range []string{
		`INSERT INTO owed_set_aside (` + what + `) SELECT ` + what + ` FROM owed WHERE seq > ? ORDER BY seq`,
		`DELETE FROM owed WHERE seq > ?`,
		`DELETE FROM exposed WHERE seq > ?`,
	} {
		if _, err := tx.ExecContext(ctx, statement, fork); err != nil {
			return fmt.Errorf("set aside what is owed: %w", err)
		}
	}
	return nil
}

// listSetAside gives every order ever set aside here, oldest first.
func (s *Site) listSetAside(w http.ResponseWriter, r *http.Request) {
	s.list(w, r, `SELECT `+orderColumns+` FROM set_aside ORDER BY id`)
}

// listOrders gives the log, so that what was promised to customers can be compared with what is kept.
func (s *Site) listOrders(w http.ResponseWriter, r *http.Request) {
	s.list(w, r, `SELECT `+orderColumns+` FROM orders ORDER BY seq`)
}

func (s *Site) list(w http.ResponseWriter, r *http.Request, query string) {
	orders, err := readOrders(r.Context(), s.db, query)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, map[string][]Order{"orders": orders})
}
