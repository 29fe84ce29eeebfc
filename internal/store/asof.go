package store

import (
	"context"
	"sync"
	"sync/atomic"
)

// snapshot is what was read of the database since it came to a moment. Whatever is kept here belongs to a transaction
// that moves it on: all but those that save a session or the outbox do.
type snapshot struct {
	moment
	reads sync.Map // by the keys of readOnce
	size  atomic.Int64
}

// snapshotMost bounds what a snapshot keeps, in reads; what is beyond is read each time.
const snapshotMost = 1000

// asOfKey leads to the snapshot that reads under a context may be answered from.
type asOfKey struct{}

// AsOf lets reads under ctx be answered from what anybody read since the newest change, which it returns: in an
// incident many people look at the same few things. A read that follows a write needs a context without it.
func (s *Store) AsOf(ctx context.Context) (context.Context, int64, error) {
	at, err := s.moment(ctx)
	if err != nil {
		return ctx, 0, err
	}
	now := s.snapshot.Load()
	for now == nil || now.before(at) {
		s.snapshot.CompareAndSwap(now, &snapshot{moment: at})
		now = s.snapshot.Load()
	}
	return context.WithValue(ctx, asOfKey{}, now), at.change, nil
}

// readOnce answers a read from the snapshot of ctx, if it has one, and reads otherwise. What it returns is shared:
// nobody may write to it. It may be newer than the snapshot, never older.
func readOnce[T any](ctx context.Context, key string, load func() (T, error)) (T, error) {
	at, ok := ctx.Value(asOfKey{}).(*snapshot)
	if !ok {
		return load()
	}
	if found, ok := at.reads.Load(key); ok {
		return found.(T), nil
	}
	read, err := load()
	if err == nil && at.size.Add(1) <= snapshotMost {
		at.reads.Store(key, read)
	}
	return read, err
}

// momentOf is the moment of ctx's snapshot, if it has one, and the present one otherwise.
func (s *Store) momentOf(ctx context.Context) (moment, error) {
	if at, ok := ctx.Value(asOfKey{}).(*snapshot); ok {
		return at.moment, nil
	}
	return s.moment(ctx)
}
