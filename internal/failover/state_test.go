package failover

import (
	"testing"

	"keyholder/internal/fault"
)

// events lists every event there is, from the table itself and those that no state takes.
func events() []Event {
	return []Event{
		Claim, GatesHold, GateFails, OverrideGates, Stop, Pause, Resume, Abort, LastStageDone, VerifyFails, VerifyHolds,
		AllUndone, UndoFails, GiveUp, ObligationsOK,
	}
}

// TestTheStateTable walks all pairs: what design.md §4 lists from the approval on leads where it says, all else is refused and
// changes nothing.
func TestTheStateTable(t *testing.T) {
	allowed := map[State]map[Event]State{
		Approved:  {Claim: Checking},
		Checking:  {GatesHold: Running, GateFails: Blocked},
		Blocked:   {GatesHold: Running, GateFails: Blocked, OverrideGates: Running, Stop: Stopped},
		Running:   {Pause: Paused, Abort: Undoing, LastStageDone: Verifying, GiveUp: Failed},
		Paused:    {Resume: Running, Abort: Undoing, GiveUp: Failed},
		Verifying: {VerifyHolds: Recovered, VerifyFails: Paused, GiveUp: Failed},
		Undoing:   {AllUndone: Undone, UndoFails: NotFullyUndone},
		Recovered: {ObligationsOK: Closed},
	}
	for _, from := range States() {
		for _, e := range events() {
			want, ok := allowed[from][e]
			got, err := from.After(e)
			if ok != (err == nil) || ok && got != want || !ok && (got != from || fault.KindOf(err) != fault.Conflict) {
				t.Errorf("%s, %s: got %s, %v; wanted %s, %v", from, e, got, err, want, ok)
			}
		}
	}
}

func TestFromFinalStatesNothingLeadsOut(t *testing.T) {
	final := map[State]bool{
		Rejected: true, Expired: true, Withdrawn: true, Undone: true, NotFullyUndone: true, Stopped: true, Failed: true, Closed: true,
	}
	for _, s := range States() {
		if s.Final() != final[s] {
			t.Errorf("%s: final is %v", s, s.Final())
		}
		if !s.Known() || s.Words() == "" {
			t.Errorf("%s has no words", s)
		}
	}
	if State("nonsense").Known() {
		t.Error("an unknown state is known")
	}
}
