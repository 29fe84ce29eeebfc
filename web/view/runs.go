package view

import (
	"time"

	"keyholder/internal/failover"
)

// Run is the page of one run.
type Run struct {
	Page
	Code        string
	Title       string // Checkout: Leeds → Dublin
	Mode        failover.Mode
	State       failover.State
	Sentence    string
	First       bool // what people can do comes before the steps: the run waits for them
	Exceptional bool // something was skipped, marked, overridden or waived
	Clock       Clock
	Phases      []PhaseLine
	Loss        *LossLine
	Steps       []StepLine
	Unprotected time.Time // since when; zero where it is not
	Problem     *Refusal
	Steer       []SteerForm
	Propose     []ProposeForm
	Pending     []PendingLine
	Exceptions  []ExceptionLine
	Obligations []ObligationLine
	Degraded    Degraded // meanwhile
	NotYou      string   // who can steer, to those who cannot
	Request     Link
	Incident    *Link
	Audit       Link
}

// Clock is how the run stands against its RTO, as text first.
type Clock struct {
	Elapsed   string
	Since     string // what it counts from
	Projected string // empty where there is no saying
	RTA       string // once recovered
	RTO       string // empty where none is set
	Missed    bool   // beyond the RTO, or about to be
	Bar       []Segment
	Limit     int // where the RTO stands, in the bar's thousandths
}

// Segment is one part of the bar, in thousandths of its width.
type Segment struct {
	From, Width int
	Opacity     string // full for what has passed, less for what is expected
}

// PhaseLine is one part of the time from impact to recovery.
type PhaseLine struct {
	Name string
	Took string
	Note string // so far, or not begun
}

// LossLine compares the data lost with what was accepted.
type LossLine struct {
	Text     string
	Accepted string
	Estimate bool
	Basis    string
	Label    string // RPA once recovered
}

// StepLine is one step of the run.
type StepLine struct {
	Number   int
	Name     string
	State    failover.StepState
	Current  bool
	Started  time.Time
	Took     string
	Expected string
	Attempt  int
	Late     bool
	Detail   string
	Checks   []failover.Checked
	NoReturn time.Time // the first write at the target was seen during or after this step, and before the next
}

// SteerForm is one way in which a person may steer the run.
type SteerForm struct {
	Path  string
	Act   string
	Way   failover.Steering
	Label string
	Hint  string
	Note  string // label of the note; empty where none is needed
	Typed string
	Grave bool // leads out of the run
	Wrong map[string]string
}

// ProposeForm proposes an exception.
type ProposeForm struct {
	Path   string
	Act    string
	Kind   failover.ExceptionKind
	Target string
	Label  string
	Typed  string
	Wrong  map[string]string
}

// PendingLine is an exception that waits for its second person.
type PendingLine struct {
	ExceptionLine
	Code  string   // four digits
	Who   string   // who can confirm
	Told  []string // who was asked when
	Form  *ConfirmForm
	Again string // path of a new sign-in after which they may confirm
	Why   string // why there is no form
}

// ConfirmForm is the second person's yes.
type ConfirmForm struct {
	Path  string
	Act   string
	ID    string
	Typed string
	Wrong map[string]string

	RefusePath string
	RefuseAct  string
	Refusal    string // typed
}

// ExceptionLine is one exception.
type ExceptionLine struct {
	Title     string
	Target    string
	Reason    string
	By        string
	At        time.Time
	Confirmed string
	Refused   string // by whom
	Refusal   string
	When      time.Time
	Until     *time.Time // it lapses then
}

// ObligationLine is one obligation.
type ObligationLine struct {
	Title  string
	State  failover.ObligationState
	Detail string
	Since  time.Time
	Until  time.Time // met or waived
}

func (c Clock) against() string {
	if c.RTO == "" {
		return "(no RTO is set)"
	}
	return "against an RTO of " + c.RTO
}

func (c Clock) finish() string {
	if c.Projected == "" {
		return ""
	}
	return ", projected finish after " + c.Projected
}
