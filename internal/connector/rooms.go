package connector

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Rooms bounds how many acts go to one system at once, so that hundreds of them do not overrun it, and so that one that hangs holds
// up none but those that need it.
type Rooms struct {
	most int64

	mu sync.Mutex
	by map[string]*semaphore.Weighted // by system
}

// NewRooms lets so many in at once, at least one.
func NewRooms(most int) *Rooms {
	return &Rooms{most: int64(max(most, 1)), by: map[string]*semaphore.Weighted{}}
}

// onSystem is whatever acts on systems that its params name.
type onSystem interface {
	Kind() string
	System(p Params) string
}

// Enter waits for room at the system that a connector's params are about, first come first served, until ctx ends. Whoever got
// in calls leave.
func (r *Rooms) Enter(ctx context.Context, c onSystem, p Params) (leave func(), err error) {
	room := r.room(c.Kind() + " " + c.System(p))
	if err := room.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("wait for room at %s: %w", c.System(p), err)
	}
	return func() { room.Release(1) }, nil
}

func (r *Rooms) room(system string) *semaphore.Weighted {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by[system] == nil {
		r.by[system] = semaphore.NewWeighted(r.most)
	}
	return r.by[system]
}
