package store

import "context"

// LongestRetry is the longest wait before something is sent again.
const LongestRetry = retryLongest

// FollowOrder lets one order act on what somebody saw before.
func (s *Store) FollowOrder(ctx context.Context, c CalledOrder) error { return s.followOrder(ctx, c) }

// SpoilVotes makes the votes on a question unreadable.
func (s *Store) SpoilVotes(ctx context.Context, question string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE decisions SET roles = '"spoilt"' WHERE request_id = $1`, question)
	return err
}

// HideMessages makes messages impossible to keep, until they are shown again.
func (s *Store) HideMessages(ctx context.Context) (show func() error, err error) {
	_, err = s.db.ExecContext(ctx, `ALTER TABLE messages RENAME TO hidden`)
	return func() error {
		_, err := s.db.ExecContext(ctx, `ALTER TABLE hidden RENAME TO messages`)
		return err
	}, err
}

// SpoilActivity changes in the database what a system wrote down.
func (s *Store) SpoilActivity(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `UPDATE access_activities SET body = ''`)
	return err
}
