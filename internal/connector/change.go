package connector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyholder/internal/fault"
)

// pollEvery is how long to wait between two looks for the desired state.
const pollEvery = 100 * time.Millisecond

// Change is one act on a real system, as the kinds describe it to Bring.
type Change struct {
	// Look reads the present state, within its own timeout.
	Look func(ctx context.Context) (Observation, error)
	// Done says whether a state is the desired one, and why. Nil: it cannot be seen, and the act's own answer is the proof.
	Done func(Observation) (ok bool, why string)
	// Ready refuses to act from a state that the plan did not know; it may be nil.
	Ready func(Observation) error
	// Act changes the system once. Did is told even if it fails, where something was sent.
	Act func(ctx context.Context) (did, requestID string, err error)
	// Wait is how long after the act the desired state may take to appear.
	Wait time.Duration
}

// notDone marks the error of an act that certainly had no effect.
type notDone struct{ error }

func (e notDone) Unwrap() error { return e.error }

// ErrNoEffect is a cause of the error of an act that was answered as done and whose effect did not come. Under the same key the same
// answer would come again.
var ErrNoEffect = errors.New("the call was answered, and had no effect")

// NotDone marks the error of an act that certainly had no effect: nobody need wait for one.
func NotDone(err error) error { return notDone{err} }

// Bring looks, acts where needed and where it may, and looks until the desired state holds. An act whose answer was lost
// counts as done when its effect is seen. The evidence is filled in as far as it came.
func (c Change) Bring(ctx context.Context) (Evidence, error) {
	var e Evidence
	var err error
	if e.Before, err = c.Look(ctx); err != nil {
		return e, fmt.Errorf("look before acting: %w", err)
	}
	if c.Done != nil {
		if ok, _ := c.Done(e.Before); ok {
			e.Already, e.After = true, e.Before
			return e, nil
		}
	}
	if c.Ready != nil {
		if err := c.Ready(e.Before); err != nil {
			return e, err
		}
	}
	if err := ctx.Err(); err != nil {
		return e, fmt.Errorf("act: %w", err)
	}
	var failed error
	e.Did, e.RequestID, failed = c.Act(ctx)
	e.After, err = c.settle(ctx, failed)
	if err == nil && failed != nil {
		e.Did += "; " + Words(failed) + " Its effect was seen nevertheless."
	}
	return e, err
}

// settle looks until the desired state holds. failed is the error of the act.
func (c Change) settle(ctx context.Context, failed error) (Observation, error) {
	wait := time.NewTimer(c.Wait)
	defer wait.Stop()
	_, hopeless := errors.AsType[notDone](failed)
	for over := false; ; {
		seen, err := c.Look(ctx)
		if c.Done == nil {
			return seen, failed // seen is a record only; it proves nothing
		}
		ok, why := false, ""
		if err == nil {
			if ok, why = c.Done(seen); ok {
				return seen, nil
			}
		}
		if hopeless {
			return seen, failed
		}
		if over {
			return seen, c.unsettled(failed, err, why)
		}
		pause := time.NewTimer(pollEvery)
		select {
		case <-ctx.Done():
			pause.Stop()
			return seen, fmt.Errorf("look after acting: %w", errors.Join(ctx.Err(), failed))
		case <-wait.C:
			over = true // one last look
		case <-pause.C:
		}
		pause.Stop()
	}
}

// unsettled is what is known when the wait is over: whether the act went out, and what was seen last.
func (c Change) unsettled(failed, look error, why string) error {
	if look != nil {
		why = Words(look)
	}
	if failed == nil {
		message := fmt.Sprintf("The call was answered, but after %s the desired state is not there: %s", c.Wait, why)
		return &fault.Error{Kind: fault.Unavailable, Message: message, Err: errors.Join(ErrNoEffect, look)}
	}
	message := fmt.Sprintf("%s Looking again for %s showed no effect: %s", Words(failed), c.Wait, why)
	return &fault.Error{Kind: fault.KindOf(failed), Message: message, Err: errors.Join(failed, look)}
}

// Words gives what an error says to people: the message of a fault without its cause, which is for the log.
func Words(err error) string {
	if f := fault.As(err); f != nil {
		return f.Message
	}
	return err.Error()
}
