package failover

import (
	"fmt"

	"keyholder/internal/approval"
	"keyholder/internal/fault"
)

// State is where a failover stands, from the wish for it to the closed books. A request carries the states up to
// approved, its run those from checking on.
type State string

// The states of a request.
const (
	Requested = State(approval.Requested)
	Approved  = State(approval.Approved)
	Rejected  = State(approval.Rejected)
	Expired   = State(approval.Expired)
	Withdrawn = State(approval.Withdrawn)
)

// The states of a run.
const (
	Checking       State = "checking"
	Blocked        State = "blocked"
	Running        State = "running"
	Paused         State = "paused"
	Verifying      State = "verifying"
	Undoing        State = "undoing"
	Undone         State = "undone"
	NotFullyUndone State = "not-fully-undone"
	Stopped        State = "stopped"
	Failed         State = "failed"
	Recovered      State = "recovered"
	Closed         State = "closed"
)

// Event is what leads out of a state.
type Event string

// The events.
const (
	Claim         Event = "claim"           // a worker takes the run, once ever
	GatesHold     Event = "gates-hold"      //
	GateFails     Event = "gate-fails"      //
	OverrideGates Event = "override-gates"  // a named override was approved by a second person
	Stop          Event = "stop"            // a person gives up before anything was touched
	Pause         Event = "pause"           // a step needs a person, or a person pauses
	Resume        Event = "resume"          // retry, skip, mark done, resume
	Abort         Event = "abort"           // before the point of no return only
	LastStageDone Event = "last-stage-done" //
	VerifyFails   Event = "verify-fails"    //
	VerifyHolds   Event = "verify-holds"    //
	AllUndone     Event = "all-undone"      //
	UndoFails     Event = "undo-fails"      // something could not be undone
	GiveUp        Event = "give-up"         // after the point of no return only
	ObligationsOK Event = "obligations-met" // met or waived
)

// transitions is design.md §4, row by row, from the approval on; what is before it is package approval's. What is not here is refused.
var transitions = map[State]map[Event]State{
	Approved:  {Claim: Checking},
	Checking:  {GatesHold: Running, GateFails: Blocked},
	Blocked:   {GatesHold: Running, GateFails: Blocked, OverrideGates: Running, Stop: Stopped},
	Running:   {Pause: Paused, Abort: Undoing, LastStageDone: Verifying, GiveUp: Failed},
	Paused:    {Resume: Running, Abort: Undoing, GiveUp: Failed},
	Verifying: {VerifyHolds: Recovered, VerifyFails: Paused, GiveUp: Failed},
	Undoing:   {AllUndone: Undone, UndoFails: NotFullyUndone},
	Recovered: {ObligationsOK: Closed},
}

// States lists every state.
func States() []State {
	return []State{
		Requested, Approved, Rejected, Expired, Withdrawn, Checking, Blocked, Running, Paused, Verifying, Undoing,
		Undone, NotFullyUndone, Stopped, Failed, Recovered, Closed,
	}
}

// After is the state that the event leads to, or a conflict.
func (s State) After(e Event) (State, error) {
	next, ok := transitions[s][e]
	if !ok {
		return s, fault.Late("state", "This is %s; %s is not possible any more.", s.Words(), e)
	}
	return next, nil
}

// Final says that nothing leads out of the state.
func (s State) Final() bool { return len(transitions[s]) == 0 && s != Requested }

// Known says whether s is a state at all.
func (s State) Known() bool { return s.word() != "" }

var stateWords = map[State]string{
	Checking: "checking its gates", Blocked: "blocked by a gate", Running: "running",
	Paused: "paused", Verifying: "verifying", Undoing: "being undone", Undone: "undone",
	NotFullyUndone: "not fully undone", Stopped: "stopped", Failed: "failed", Recovered: "recovered", Closed: "closed",
}

// Words is the state as people say it.
func (s State) Words() string {
	if w := s.word(); w != "" {
		return w
	}
	return fmt.Sprintf("in an unknown state %q", string(s))
}

func (s State) word() string {
	if w := approval.State(s).Words(); w != "" {
		return w
	}
	return stateWords[s]
}
