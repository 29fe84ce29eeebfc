package view

import "time"

// Plans lists the plans in force.
type Plans struct {
	Page
	Plans []PlanLine
}

// PlanLine is one plan in a list.
type PlanLine struct {
	Slug      string
	Path      string
	Name      string
	Services  string
	Sites     string
	Version   int
	By        string
	Published time.Time
	Expected  string
}

// Plan is one plan, to read.
type Plan struct {
	Page
	Line     PlanLine
	Newest   int // version in force, where an older one is shown; else 0
	Modes    []PlanMode
	Verify   []string
	Policy   string
	Versions []PlanVersion
	Move     string // path of the start form of a planned move; empty where this person may not
}

// PlanMode is what the plan does in one mode.
type PlanMode struct {
	Name     string
	Expected string
	Gates    []PlanGate
	Steps    []PlanStep
}

// PlanGate is one gate.
type PlanGate struct {
	Name     string
	Override bool // two people may go past it
}

// PlanVersion is one publication of the plan.
type PlanVersion struct {
	Version int
	Path    string
	By      string
	At      time.Time
	Digest  string
}
