package failover

import (
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/fault"
)

// Steering is what one person may do to a run.
type Steering string

// The ways to steer.
const (
	SteerPause    Steering = "pause"
	SteerResume   Steering = "resume"
	SteerRetry    Steering = "retry" // the failed step, the gates or the verification once more
	SteerMarkDone Steering = "mark-done"
	SteerAbort    Steering = "abort"
	SteerStop     Steering = "stop"
	SteerGiveUp   Steering = "give-up"
)

// Steerable lists what one person may do to the run now.
func (r Run) Steerable() []Steering {
	step, _ := r.At()
	var ways []Steering
	switch {
	case r.State == Running && !r.PauseWanted:
		ways = append(ways, SteerPause)
	case r.State == Paused && r.Wait == WaitPerson:
		ways = append(ways, SteerResume)
	case r.State == Paused:
		ways = append(ways, SteerRetry)
		if r.Wait == WaitStep && step.Purpose == ActStep {
			ways = append(ways, SteerMarkDone)
		}
	case r.State == Blocked && r.Wait == WaitGates:
		ways = append(ways, SteerRetry, SteerStop)
	}
	switch {
	case !slices.Contains([]State{Running, Paused, Verifying}, r.State):
	case r.Times.FirstWrite != nil:
		ways = append(ways, SteerGiveUp)
	default:
		if r.State != Verifying {
			ways = append(ways, SteerAbort)
		}
		if r.TargetMayWrite() { // and may not say whether it did: then nothing else is left
			ways = append(ways, SteerGiveUp)
		}
	}
	return ways
}

// Steer does to the run what a person asked for, with what they say about it.
func (r Run) Steer(way Steering, note string, by access.Principal, now time.Time) (Run, error) {
	if !by.May(access.Steer) {
		return r, fault.Refused(RuleSteer, access.Titles(access.Holders(access.Steer)), "Your role does not steer runs.")
	}
	if err := r.maySteer(way); err != nil {
		return r, err
	}
	if note == "" && slices.Contains([]Steering{SteerMarkDone, SteerAbort, SteerStop, SteerGiveUp}, way) {
		return r, fault.Wrong{"note": "Say why, or what shows that it is done."}.Err()
	}
	switch way {
	case SteerPause:
		r.PauseWanted = true
		return r, nil
	case SteerResume:
		return r.resume(now)
	case SteerRetry:
		return r.retry(now)
	case SteerMarkDone:
		return r.past(r.current(), StepMarked, "done by hand: "+note, now).resume(now)
	case SteerAbort:
		return r.moved(Abort)
	case SteerStop:
		r.Times.Ended = &now
		return r.moved(Stop)
	case SteerGiveUp:
		r.Times.Ended = &now
		return r.moved(GiveUp)
	}
	return r, fault.Missing("way to steer", string(way))
}

func (r Run) maySteer(way Steering) error {
	if slices.Contains(r.Steerable(), way) {
		return nil
	}
	step, _ := r.At()
	switch {
	case way == SteerAbort && r.Times.FirstWrite != nil && !r.State.Final():
		return fault.Refused(RuleNoReturn, "whoever steers runs, by finishing it or giving it up",
			"The target accepted its first write at %s. Going back is a failover in the other direction.", approval.Clock(*r.Times.FirstWrite))
	case way == SteerGiveUp && !r.TargetMayWrite() && !r.State.Final():
		return fault.Refused(RuleBeforeNoReturn, "whoever steers runs, by aborting it", "Nothing was written at the target yet: abort instead, which undoes what was done.")
	case way == SteerMarkDone && r.State == Paused && !skippable(step.Purpose):
		return fault.Refused(RuleNotSkippable, "whoever steers runs, by retrying it", "%q cannot be marked done by hand.", step.Name)
	}
	return fault.Late("state", "This is %s; %q is not possible now.", r.State.Words(), string(way))
}

// resume sets a paused run going again at the first step that is not past.
func (r Run) resume(now time.Time) (Run, error) {
	r.Wait, r.Why = WaitNone, ""
	r, err := r.moved(Resume)
	if err != nil {
		return r, err
	}
	return r.goOn(now)
}

// retry sets the failed step back to pending. A blocked run checks its gates in the blocked state.
func (r Run) retry(now time.Time) (Run, error) {
	r = r.withStep(r.current(), func(s *RunStep) { s.State = StepPending })
	if r.State == Blocked {
		r.Wait, r.Why = WaitNone, "" // Next reads "check the gates" off a blocked run that waits for nothing
		return r, nil
	}
	return r.resume(now)
}
