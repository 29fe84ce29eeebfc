package failover

import (
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// StepState is where one step of a run stands.
type StepState string

// The states of a step.
const (
	StepPending   StepState = "pending"
	StepRunning   StepState = "running"
	StepDone      StepState = "done"
	StepFailed    StepState = "failed"
	StepSkipped   StepState = "skipped"
	StepMarked    StepState = "marked" // done by hand, with evidence
	StepUndone    StepState = "undone"
	StepNotUndone StepState = "not-undone"
)

// Checked is what a gate or a condition of the verification came to.
type Checked struct {
	Slug  string `json:"slug"`
	Name  string `json:"name"`
	Holds bool   `json:"holds"`
	Text  string `json:"text"` // what was seen
}

// Past says that the run need not perform the step any more.
func (s StepState) Past() bool { return s == StepDone || s == StepSkipped || s == StepMarked }

// RunStep is one step of a run.
type RunStep struct {
	Slug      string           `json:"slug"`
	Name      string           `json:"name"`
	Purpose   Purpose          `json:"purpose"`
	State     StepState        `json:"state"`
	Attempt   int              `json:"attempt"`
	Undos     int              `json:"undos,omitempty"` // attempts to undo it
	Expected  catalog.Duration `json:"expected"`
	StartedAt *time.Time       `json:"started_at,omitempty"`
	EndedAt   *time.Time       `json:"ended_at,omitempty"`
	Detail    string           `json:"detail"`           // what happened, for people
	Checks    []Checked        `json:"checks,omitempty"` // of the gates and the verification
}

// Wait says why a run is paused or blocked, which decides what people may choose.
type Wait string

// The reasons to wait.
const (
	WaitNone     Wait = ""
	WaitPerson   Wait = "person"    // somebody pressed pause
	WaitStep     Wait = "step"      // a step failed
	WaitFence    Wait = "fence"     // the old writer cannot be proved fenced
	WaitLoss     Wait = "loss"      // the loss exceeds the ceiling
	WaitVerify   Wait = "verify"    // verification did not hold
	WaitGates    Wait = "gates"     // a gate does not hold
	WaitNoReturn Wait = "no-return" // an abort came after the first write at the target
)

// Run is the execution of an approved request.
type Run struct {
	ID          string
	RequestID   string
	Code        string
	Incident    string
	Terms       Terms
	Requester   access.Person
	State       State
	Wait        Wait
	Why         string // the sentence behind Wait
	PauseWanted bool   // a person pressed pause while a step was at work
	Steps       []RunStep
	Loss        *Loss
	Obligations []Obligation
	Exceptions  []Exception
	Times       Times
	Version     int
}

// Times are the moments that RTA and its parts are made of.
type Times struct {
	Impact     time.Time  `json:"impact"`
	Filed      time.Time  `json:"filed"`
	Approved   time.Time  `json:"approved"`
	Started    time.Time  `json:"started"`
	Fenced     *time.Time `json:"fenced,omitempty"`
	Promoted   *time.Time `json:"promoted,omitempty"`
	FirstWrite *time.Time `json:"first_write,omitempty"` // seen at the target: the point of no return
	Executed   *time.Time `json:"executed,omitempty"`    // last stage done
	Recovered  *time.Time `json:"recovered,omitempty"`
	Ended      *time.Time `json:"ended,omitempty"`
}

// NewRun begins the run of an approved request; the claim in the database makes it the only one.
func NewRun(id string, r Request, p Plan, now time.Time) (Run, error) {
	state, err := State(r.State).After(Claim)
	if err != nil {
		return Run{}, err
	}
	run := Run{
		ID: id, RequestID: r.ID, Code: r.Code, Incident: r.Incident, Terms: r.Terms, Requester: r.Requester, State: state,
		Times: Times{Impact: r.Impact, Filed: r.FiledAt, Approved: *r.DecidedAt, Started: now},
	}
	for _, s := range p.StepsIn(r.Terms.Mode) {
		run.Steps = append(run.Steps, RunStep{
			Slug: s.Slug, Name: s.Name, Purpose: s.Purpose, State: StepPending, Expected: s.Expected,
		})
	}
	return run, nil
}

// Do is what the engine does next.
type Do string

// What the engine can do.
const (
	DoAwaitDecision Do = "await-decision"
	DoClaim         Do = "claim"
	DoCheckGates    Do = "check-gates"
	DoPerform       Do = "perform"
	DoVerify        Do = "verify"
	DoUndo          Do = "undo"
	DoWatch         Do = "watch" // the obligations
	DoWait          Do = "wait"  // for a person
	DoEnd           Do = "end"
)

// Directive is what the engine does next, and with which step. It is the only thing a workflow branches on.
type Directive struct {
	Do   Do  `json:"do"`
	Step int `json:"step"`
}

// Next reads the directive off a request.
func (r Request) Next() Directive {
	switch State(r.State) {
	case Requested:
		return Directive{Do: DoAwaitDecision}
	case Approved:
		return Directive{Do: DoClaim}
	default:
		return Directive{Do: DoEnd}
	}
}

// Next reads the directive off a run, so that any worker, and a fresh Temporal too, goes on where the record stands.
func (r Run) Next() Directive {
	switch r.State {
	case Checking:
		return Directive{Do: DoCheckGates}
	case Blocked:
		if r.Wait == WaitNone { // gates are to be checked again
			return Directive{Do: DoCheckGates}
		}
		return Directive{Do: DoWait}
	case Paused:
		return Directive{Do: DoWait}
	case Running:
		return Directive{Do: DoPerform, Step: r.current()}
	case Verifying:
		return Directive{Do: DoVerify, Step: len(r.Steps) - 1}
	case Undoing:
		return Directive{Do: DoUndo, Step: r.lastDone()}
	case Recovered:
		return Directive{Do: DoWatch}
	default:
		return Directive{Do: DoEnd}
	}
}

// current is the first step that is not past.
func (r Run) current() int {
	return slices.IndexFunc(r.Steps, func(s RunStep) bool { return !s.State.Past() })
}

// lastDone is the last step that is still to be undone, or -1. An attempt that failed, was cut off or was skipped may
// have acted all the same.
func (r Run) lastDone() int {
	for i := len(r.Steps) - 1; i >= 0; i-- {
		if s := r.Steps[i]; s.Attempt > 0 && s.State != StepUndone && s.State != StepNotUndone {
			return i
		}
	}
	return -1
}

// TargetMayWrite says that a promotion was tried, whatever came of it, and not undone: the target may accept writes.
func (r Run) TargetMayWrite() bool {
	return slices.ContainsFunc(r.Steps, func(s RunStep) bool {
		return s.Purpose == PromoteStep && s.Attempt > 0 && s.State != StepUndone
	})
}

// AfterPromotion says that a step is the promotion or comes after it.
func (r Run) AfterPromotion(i int) bool {
	at := slices.IndexFunc(r.Steps, func(s RunStep) bool { return s.Purpose == PromoteStep })
	return at >= 0 && i >= at
}

// At is the step that the run stands at, for people.
func (r Run) At() (RunStep, bool) {
	i := r.current()
	if i < 0 {
		return RunStep{}, false
	}
	return r.Steps[i], true
}

// WithChecks notes what the conditions of a step came to.
func (r Run) WithChecks(i int, checks []Checked) Run {
	return r.withStep(i, func(s *RunStep) { s.Checks = checks })
}

// GateFailed says whether a gate did not hold when the gates were last checked.
func (r Run) GateFailed(slug string) bool {
	return len(r.Steps) > 0 && slices.ContainsFunc(r.Steps[0].Checks, func(c Checked) bool { return c.Slug == slug && !c.Holds })
}

// GatesYield refuses to override the gates where one that does not hold is not to be overridden.
func (r Run) GatesYield(p Plan) error {
	for _, gate := range p.GatesIn(r.Terms.Mode) {
		if !gate.Override && r.GateFailed(gate.Slug) {
			return fault.Refused(RuleGateStands, "nobody: the plan lets no one past it, so it must hold", "The gate %q may not be overridden.", gate.Name)
		}
	}
	return nil
}

func (r Run) moved(e Event) (Run, error) {
	next, err := r.State.After(e)
	r.State = next
	return r, err
}

func (r Run) withStep(i int, change func(*RunStep)) Run {
	r.Steps = slices.Clone(r.Steps)
	change(&r.Steps[i])
	return r
}

// errElsewhere tells a worker that was away that the run has gone on without it.
func errElsewhere() error {
	return fault.Late("state", "The run has gone on; this step is not due.")
}

// Start notes that a step is about to be performed; its intent is recorded with it.
func (r Run) Start(i int, now time.Time) (Run, error) {
	if d := r.Next(); d.Step != i || !slices.Contains([]Do{DoPerform, DoVerify, DoCheckGates}, d.Do) {
		return r, errElsewhere()
	}
	return r.withStep(i, func(s *RunStep) {
		s.State = StepRunning
		s.Attempt++
		if s.StartedAt == nil {
			s.StartedAt = &now
		}
		s.EndedAt, s.Detail = nil, ""
	}).hit(i, now), nil
}

// hit notes that customers feel a planned move from its drain on: until then everything works.
func (r Run) hit(i int, now time.Time) Run {
	if r.Terms.Mode == Planned && r.Steps[i].Purpose == DrainStep && r.Steps[i].Attempt == 1 {
		r.Times.Impact = now
	}
	return r
}

// Done notes a step's success and moves the run on.
func (r Run) Done(i int, detail string, now time.Time) (Run, error) {
	r = r.withStep(i, func(s *RunStep) { s.State, s.EndedAt, s.Detail = StepDone, &now, detail })
	switch r.Steps[i].Purpose {
	case FenceStep:
		r.Times.Fenced = &now
	case PromoteStep:
		r.Times.Promoted = &now
	case GatesStep:
		if r.State != Checking && r.State != Blocked {
			return r, nil // somebody ended it meanwhile
		}
		r.Wait, r.Why = WaitNone, ""
		return r.moved(GatesHold)
	case VerifyStep:
		if r.State != Verifying {
			return r, nil // given up meanwhile
		}
		r.Times.Recovered = &now
		r.Obligations = openObligations(now)
		return r.moved(VerifyHolds)
	default: // nothing more than that it is done
	}
	return r.goOn(now)
}

// goOn moves a run past a step: to a pause that somebody wanted, to verification, or to the next step.
func (r Run) goOn(now time.Time) (Run, error) {
	if r.State != Running {
		return r, nil // aborted or given up while the step was at work
	}
	if r.current() == len(r.Steps)-1 {
		if r.PauseWanted = false; r.Times.Executed == nil {
			r.Times.Executed = &now // verified again, it was executed when it was
		}
		return r.moved(LastStageDone)
	}
	if r.PauseWanted {
		return r.pause(WaitPerson, "Paused by a person before the next step.")
	}
	return r, nil
}

func (r Run) pause(w Wait, why string) (Run, error) {
	r.Wait, r.Why, r.PauseWanted = w, why, false
	return r.moved(Pause)
}

// Failing notes one attempt's failure; the step is pending again, for further attempts follow.
func (r Run) Failing(i int, why string) Run {
	return r.withStep(i, func(s *RunStep) { s.State, s.Detail = StepPending, why })
}

// Fail notes that a step cannot be done by itself and asks a person, or undoes what was done where the plan says abort.
func (r Run) Fail(i int, w Wait, why string, abort bool, now time.Time) (Run, error) {
	r = r.withStep(i, func(s *RunStep) { s.State, s.EndedAt, s.Detail = StepFailed, &now, why })
	switch {
	case r.State == Checking || r.State == Blocked:
		r.Wait, r.Why = WaitGates, why
		return r.moved(GateFails)
	case r.State == Verifying:
		r.Wait, r.Why = WaitVerify, why
		return r.moved(VerifyFails)
	case r.State != Running:
		return r, nil
	case abort && !r.TargetMayWrite():
		return r.moved(Abort)
	}
	return r.pause(w, why)
}

// SawWrite notes the point of no return: the target has accepted a write.
func (r Run) SawWrite(now time.Time) Run {
	if r.Times.FirstWrite == nil {
		r.Times.FirstWrite = &now
	}
	return r
}

// StartUndo notes that a step is about to be undone; its intent is recorded with it.
func (r Run) StartUndo(i int) (Run, error) {
	if d := r.Next(); d.Do != DoUndo || d.Step != i {
		return r, errElsewhere()
	}
	return r.withStep(i, func(s *RunStep) { s.Undos++ }), nil
}

// UndoStep notes that a step was undone, or why it could not be, and ends the undoing with the last.
func (r Run) UndoStep(i int, failure string, now time.Time) (Run, error) {
	if r.State != Undoing || r.lastDone() != i {
		return r, errElsewhere()
	}
	if i >= 0 {
		r = r.withStep(i, func(s *RunStep) {
			s.State, s.EndedAt, s.Detail = StepUndone, &now, "undone"
			if failure != "" {
				s.State, s.Detail = StepNotUndone, failure
			}
		})
	}
	if r.lastDone() >= 0 {
		return r, nil
	}
	r.Times.Ended = &now
	if slices.ContainsFunc(r.Steps, func(s RunStep) bool { return s.State == StepNotUndone }) {
		return r.moved(UndoFails)
	}
	return r.moved(AllUndone)
}
