package pgrole

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"keyholder/internal/fault"
)

const (
	lookEvery  = 50 * time.Millisecond
	calmEnough = 2 // looks: who was just signing in when a role went is seen by the second
)

// sessionsOf are the open sessions of an account and of whoever is a member of it, superusers and Keyholder's own login excepted:
// these do not have it from the account.
const sessionsOf = `WITH RECURSIVE who AS (
		SELECT oid FROM pg_roles WHERE oid = $1
		UNION SELECT m.member FROM pg_auth_members m JOIN who ON m.roleid = who.oid WHERE ` + usable + `)
	SELECT a.pid FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
	WHERE a.usesysid IN (SELECT oid FROM who) AND NOT r.rolsuper AND r.rolname <> session_user ORDER BY 1`

func (s *session) sessions(ctx context.Context, oid uint32) ([]int, error) {
	return list(ctx, s, pgx.RowTo[int], sessionsOf, oid)
}

// cut ends the sessions of an account and looks until they are gone. n is how many there were.
func (s *session) cut(ctx context.Context, st state) (n int, err error) {
	ended := map[int]bool{}
	over := time.Now().Add(s.wait)
	for calm := 0; ; {
		open, err := s.sessions(ctx, st.OID)
		if err != nil {
			return len(ended), err
		}
		// Not in one statement with the search: the server would be free to end sessions before it has looked whose they are.
		err = s.exec(ctx, `SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid`, open)
		if err != nil {
			return len(ended), fmt.Errorf("end the sessions of %s: %w", st.Name, err)
		}
		if calm++; len(open) > 0 {
			calm = 0
		}
		if calm == calmEnough {
			return len(ended), nil
		}
		if time.Now().After(over) && calm == 0 {
			message := fmt.Sprintf("%d sessions of %q are still open on %s after %s.", len(open), st.Name, s.name, s.wait)
			return len(ended), &fault.Error{Kind: fault.Unavailable, Message: message}
		}
		for _, pid := range open {
			ended[pid] = true
		}
		if err := pause(ctx, lookEvery); err != nil {
			return len(ended), s.explain(err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func countSessions(n int) string {
	if n == 1 {
		return "cut 1 session"
	}
	return fmt.Sprintf("cut %d sessions", n)
}
