package signin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// pending is a sign-in that was begun in this browser. Tabs that a browser opens together each have one.
type pending struct {
	State, Nonce, Verifier, Back string

	Begun time.Time
	Anew  bool // a fresh sign-in was asked for
}

// mostPending bounds what a session holds; the oldest go first.
const mostPending = 5

// longestBack bounds the address to come back to; a longer one is not kept.
const longestBack = 2048

func (in *SignIn) pendings(ctx context.Context) []pending {
	var all []pending
	if json.Unmarshal(in.sessions.GetBytes(ctx, keyPending), &all) != nil {
		return nil // none, or of an older form: it has to be begun again
	}
	return all
}

func (in *SignIn) keepPendings(ctx context.Context, all []pending) error {
	if len(all) == 0 {
		in.sessions.Remove(ctx, keyPending)
		return nil
	}
	body, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("keep the sign-in that was begun: %w", err)
	}
	in.sessions.Put(ctx, keyPending, body)
	return nil
}

func (in *SignIn) addPending(ctx context.Context, p pending) error {
	if len(p.Back) > longestBack {
		p.Back = "/"
	}
	all := append(in.pendings(ctx), p)
	if in.sessions.GetString(ctx, keyPerson) == "" {
		in.sessions.SetDeadline(ctx, p.Begun.Add(pendingFor))
	}
	return in.keepPendings(ctx, all[max(0, len(all)-mostPending):])
}

// takePending finds the sign-in that comes back, once.
func (in *SignIn) takePending(ctx context.Context, state string) (pending, error) {
	all := in.pendings(ctx)
	i := slices.IndexFunc(all, func(p pending) bool {
		return subtle.ConstantTimeCompare([]byte(p.State), []byte(state)) == 1
	})
	if i < 0 {
		return pending{}, ErrStale
	}
	found := all[i]
	if err := in.keepPendings(ctx, slices.Delete(all, i, i+1)); err != nil {
		return pending{}, err
	}
	if in.store.Now().Sub(found.Begun) > pendingFor {
		return pending{}, ErrStale
	}
	return found, nil
}
