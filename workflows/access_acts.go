package workflows

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/store"
)

// The waits between two attempts to give or take access: what does not go is tried again until it does.
const (
	accessRetryFirst   = time.Second
	accessRetryLongest = 10 * time.Second
	accessWithin       = 30 * time.Second // one attempt
)

// Settle makes one attempt to bring a system to what somebody is to have on it, and says when to look again. The intent is committed
// before anything is touched, the outcome after.
func (a *Activities) Settle(ctx context.Context, in AccessInput) (AccessNext, error) {
	leave, later := a.crowd.enter(in.System)
	if leave == nil {
		return AccessNext{Wait: later}, nil
	}
	defer leave()
	defer aliveEvery(ctx, time.Second)()
	next, err := a.store.BeginSettle(ctx, in.System, in.Person, a.accountOn)
	if err != nil {
		return AccessNext{}, err
	}
	for !next.Nothing {
		evidence, failed := a.bringAccess(ctx, next)
		if ctx.Err() != nil { // the worker is stopping: the next one looks before it acts
			return AccessNext{}, ctx.Err()
		}
		if failed != nil {
			return AccessNext{Wait: retryAfter(next.Attempt)}, a.store.SettleFailed(ctx, next, failureOf(failed, evidence), evidence)
		}
		if next, err = a.store.Settled(ctx, next, did(evidence), evidence); err != nil {
			return AccessNext{}, err
		}
		if !next.Nothing { // what is to be there has changed meanwhile
			if next, err = a.store.BeginSettle(ctx, in.System, in.Person, a.accountOn); err != nil {
				return AccessNext{}, err
			}
		}
	}
	return AccessNext{Done: next.Done, Wait: max(next.Wait, leastWait)}, nil
}

// crowd counts the attempts at each system. A system that hangs never takes all the room that a worker has.
type crowd struct {
	mu  sync.Mutex
	in  map[string]int
	off map[string]int // put off, and not back yet
}

// How long an attempt is put off where its system has taken its half of the room: the longer, the more are put off, so that a system that
// hangs costs no more the more wait for it.
const (
	putOff        = 500 * time.Millisecond
	putOffLongest = 20 * time.Second
)

// enter lets one more attempt at a system in; whoever got in calls leave. Nobody to call means that there is no room, and how much later
// to come.
func (c *crowd) enter(system string) (leave func(), later time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in == nil {
		c.in, c.off = map[string]int{}, map[string]int{}
	}
	if c.in[system] >= accessAtOnce/2 {
		c.off[system]++
		later = min(putOff*time.Duration(1+c.off[system]/(accessAtOnce/2)), putOffLongest)
		later += rand.N(later) //nolint:gosec // nothing to guess
		time.AfterFunc(later, func() { c.less(c.off, system) })
		return nil, later
	}
	c.in[system]++
	return func() { c.less(c.in, system) }, 0
}

func (c *crowd) less(of map[string]int, system string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if of[system]--; of[system] == 0 {
		delete(of, system)
	}
}

func failureOf(err error, e connector.Evidence) breakglass.Failure {
	return breakglass.Failure{Why: connector.Words(err), Clean: e.Did == "", Anew: errors.Is(err, connector.ErrNoEffect)}
}

// retryAfter is how long to wait before the next attempt after so many that failed.
func retryAfter(failed int) time.Duration {
	wait := accessRetryFirst
	for range failed {
		if wait *= 2; wait >= accessRetryLongest {
			return accessRetryLongest
		}
	}
	return wait
}

func did(e connector.Evidence) string {
	if e.Already {
		return "it was so already"
	}
	return e.Did
}

func (a *Activities) bringAccess(ctx context.Context, s store.Settling) (connector.Evidence, error) {
	ctx, cancel := context.WithTimeout(ctx, accessWithin)
	defer cancel()
	granter, err := a.granters.Get(s.System.Connector)
	if err != nil {
		return connector.Evidence{}, err
	}
	wanted := connector.Wanted{Account: s.Account, Holder: holderOf(s.Holder), Managed: s.System.RoleNames(), Until: s.Until(), Verifier: s.Verifier}
	for _, h := range s.Has {
		wanted.Roles = append(wanted.Roles, h.Role)
	}
	leave, err := a.rooms.Enter(ctx, granter, s.System.Params)
	if err != nil {
		return connector.Evidence{}, err
	}
	defer leave()
	evidence, err := granter.Bring(ctx, s.Key(), s.System.Params, wanted)
	if err != nil {
		return evidence, fmt.Errorf("bring %s to what they are to have: %w", s.Account, err)
	}
	return evidence, nil
}

// accountOn is what a system calls somebody.
func (a *Activities) accountOn(s catalog.System, h breakglass.Holder) (string, error) {
	granter, err := a.granters.Get(s.Connector)
	if err != nil {
		return "", err
	}
	return granter.Account(s.Slug, holderOf(h)), nil
}

func holderOf(h breakglass.Holder) connector.Holder {
	return connector.Holder{ID: h.ID, Name: h.Name, Mail: h.Mail}
}
