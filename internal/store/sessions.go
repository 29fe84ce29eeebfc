package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"keyholder/ent/session"
)

// Sessions keeps the sessions of scs, which hashes their tokens before they come here. It is scs's CtxStore. Touching a
// session is no act of a person: it has no actor and no audit event.
type Sessions struct{ s *Store }

// Sessions is the store of sessions.
func (s *Store) Sessions() Sessions { return Sessions{s} }

// findSession is asked at every request, so it is asked without ent, like Store.moment.
const findSession = "SELECT data FROM sessions WHERE id = $1 AND expires_at > $2"

// FindCtx loads a session that has not run out.
func (x Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = x.s.db.QueryRowContext(ctx, findSession, token, x.s.Now()).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find session: %w", err)
	}
	return data, true, nil
}

// CommitCtx saves a session.
func (x Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return x.change(ctx, func(t *tx) error {
		return t.Session.Create().SetID(token).SetData(data).SetExpiresAt(expiry.UTC()).
			OnConflictColumns(session.FieldID).UpdateNewValues().Exec(ctx)
	})
}

// DeleteCtx ends a session, and drops those that have run out.
func (x Sessions) DeleteCtx(ctx context.Context, token string) error {
	return x.change(ctx, func(t *tx) error {
		_, err := t.Session.Delete().Where(session.Or(session.ID(token), session.ExpiresAtLT(t.now))).Exec(ctx)
		return err
	})
}

func (x Sessions) change(ctx context.Context, work func(*tx) error) error {
	if err := x.s.act(ctx, nobody, work); err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	return nil
}

// Sweep drops the sessions that have run out; a browser that only begins to sign in leaves one.
func (x Sessions) Sweep(ctx context.Context) error {
	return x.change(ctx, func(t *tx) error {
		_, err := t.Session.Delete().Where(session.ExpiresAtLT(t.now)).Exec(ctx)
		return err
	})
}

// Find, Commit and Delete are scs's old methods; it calls the ones above.

// Find is FindCtx without a deadline.
func (x Sessions) Find(token string) ([]byte, bool, error) {
	return x.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a deadline.
func (x Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return x.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a deadline.
func (x Sessions) Delete(token string) error { return x.DeleteCtx(context.Background(), token) }
