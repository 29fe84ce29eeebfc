package workflows

import (
	"context"
	"fmt"
	"time"

	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/store"
)

// The waits between two attempts to give or take access: what does not go is tried again until it does.
const (
	accessRetryFirst   = time.Second
	accessRetryLongest = 5 * time.Second
	accessWithin       = 30 * time.Second // one attempt
)

// Settle brings a system to what somebody is to have on it, and says when to look again. The intent is committed before anything is
// touched, the outcome after; where it fails it is tried again, and shown, until it is done.
func (a *Activities) Settle(ctx context.Context, in AccessInput) (AccessNext, error) {
	defer aliveEvery(ctx, time.Second)()
	for wait := accessRetryFirst; ; wait = min(2*wait, accessRetryLongest) {
		next, err := a.store.BeginSettle(ctx, in.System, in.Person, a.accountOn)
		for err == nil && !next.Nothing {
			next, err = a.settle(ctx, next)
		}
		switch {
		case ctx.Err() != nil: // the worker is stopping: the next one looks before it acts
			return AccessNext{}, ctx.Err()
		case err == nil:
			return AccessNext{Done: next.Done, Wait: max(next.Wait, leastWait)}, nil
		case !isTried(err):
			return AccessNext{}, err
		}
		if err := pause(ctx, wait); err != nil {
			return AccessNext{}, err
		}
	}
}

// tried is the failure of an attempt that stands on record: it is tried again.
type tried struct{ error }

func isTried(err error) bool { _, ok := err.(tried); return ok } //nolint:errorlint // it is never wrapped

// settle makes one attempt, and says what is next.
func (a *Activities) settle(ctx context.Context, s store.Settling) (store.Settling, error) {
	evidence, err := a.bringAccess(ctx, s)
	if ctx.Err() != nil {
		return s, ctx.Err()
	}
	if err != nil {
		if failed := a.store.SettleFailed(ctx, s, connector.Words(err), evidence); failed != nil {
			return s, failed
		}
		return s, tried{err}
	}
	did := evidence.Did
	if evidence.Already {
		did = "it was so already"
	}
	return a.store.Settled(ctx, s, did, evidence)
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
	return granter.Account(holderOf(h)), nil
}

func holderOf(h breakglass.Holder) connector.Holder {
	return connector.Holder{ID: h.ID, Name: h.Name, Mail: h.Mail}
}
