package store

import (
	"context"

	"keyholder/ent"
)

// FollowOrder lets one order act on what somebody saw before.
func (s *Store) FollowOrder(ctx context.Context, c CalledOrder) error { return s.followOrder(ctx, c) }

// Client is for tests that spoil what is kept.
func (s *Store) Client() *ent.Client { return s.client }
