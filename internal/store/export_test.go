package store

import "context"

// FollowOrder lets one order act on what somebody saw before.
func (s *Store) FollowOrder(ctx context.Context, c CalledOrder) error { return s.followOrder(ctx, c) }

// SpoilVotes makes the votes on a question unreadable.
func (s *Store) SpoilVotes(ctx context.Context, question string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE decisions SET roles = '"spoilt"' WHERE request_id = $1`, question)
	return err
}
