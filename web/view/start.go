package view

import (
	"strings"
	"time"

	"keyholder/internal/failover"
)

// StartForm is what a person types to request a failover. Every field is text until it was checked. It travels in the
// address of the check page and, hidden, in its form.
type StartForm struct {
	Act      string `form:"act"`
	Incident string `form:"incident"`
	Plan     string `form:"plan" query:"plan"`
	Mode     string `form:"mode" query:"mode"`
	From     string `form:"from" query:"from"`
	To       string `form:"to" query:"to"`
	Cause    string `form:"cause" query:"cause"`
	Reason   string `form:"reason" query:"reason"`
	Ceiling  string `form:"ceiling" query:"ceiling"` // the kind
	Most     string `form:"most" query:"most"`       // orders or seconds
	Checked  string `form:"checked"`                 // digest of the terms that the check page showed
}

// Start is the form that begins a request.
type Start struct {
	Page
	Form     StartForm
	Wrong    map[string]string
	About    *IncidentLine // nil for a planned move
	Plans    []Choice
	Modes    []Choice
	From     []Choice
	To       []Choice
	Causes   []Choice
	Ceilings []Choice
	Writer   string // what is known of where the data is written now
	Check    string // the path of the check page
	Refusal  *Refusal
}

// Refusal is a no that a person can do something about.
type Refusal struct {
	Title   string
	Message string
	Rule    string
	Who     string   // who can act instead
	Changed []string // what is different from what was shown
}

// Check is the last page before a request is filed: what it would do, cost and need.
type Check struct {
	Page
	Form     StartForm
	About    *IncidentLine
	Sentence string // Move Checkout from Leeds to Dublin (emergency)
	With     string // which services move too
	Button   string
	Back     string
	File     string
	Refusal  *Refusal // the move does not help, or the request was refused
	Offer    bool     // the request may be filed
	Blast    Blast
	Waiting  string     // what it costs
	Takes    []FactLine // duration, loss and lag
	Facts    []FactLine // the others
	Options  []failover.Option
	Steps    []PlanStep
	Policy   string // in sentences
	MadeAt   time.Time
}

// FactLine is one fact as it is drawn.
type FactLine struct {
	failover.Fact
	Ago string // age at the time of rendering
}

// PlanStep is one step that would run.
type PlanStep struct {
	Name     string
	Meaning  string // what the engine makes of it, for steps that are more than an act
	Expected string
}

// describedBy names the hint and the message of a field that are there.
func describedBy(wrong map[string]string, field string, hinted bool) string {
	var ids []string
	if hinted {
		ids = append(ids, field+"-hint")
	}
	if wrong[field] != "" {
		ids = append(ids, field+"-wrong")
	}
	return strings.Join(ids, " ")
}

// Blast is what the failure of the services that would move does to the rest.
type Blast struct {
	Effects []string
	Order   []string // in which they move; empty where there is only one way
	Cycles  []string
	Path    string // all of it
}
