package view

import (
	"time"

	"keyholder/internal/failover"
)

// Now is the page that everybody lands on: what waits for this person comes first.
type Now struct {
	Page
	Findings  FindingCounts
	Waiting   []Waiting
	LastRun   *RunLine // shown where nothing waits and nothing runs
	Runs      []RunLine
	Called    []OrderLine // standing orders that act soon
	Proposals []Proposal  // what is bad now
	Incidents []IncidentLine
	Modes     []ModeLine
	MoreModes int         // that are not shown
	Access    *LiveAccess // for those who may see who has access
	Signals   []SignalLine
	Copies    []SignalLine
}

// Waiting is one thing that this person is asked to do.
type Waiting struct {
	Title string // action, object, from, to
	Why   string
	Path  string
	Since time.Time
	Until time.Time // zero where it does not run out
}

// RunLine is one run in a list.
type RunLine struct {
	Code     string
	Path     string
	Title    string // Checkout: Leeds → Dublin
	State    failover.State
	Sentence string // what is happening, or why it waits
	Progress string // step 3 of 8: Fence Leeds
	Clock    string // elapsed against the RTO
	Finish   string // projected, empty where there is no saying
	Late     bool   // beyond the RTO, or about to be
	Started  time.Time
}

// Proposal is what bad signals that share a cause come to.
type Proposal struct {
	Headline string // Checkout success is 3.0 %
	Since    time.Time
	Also     []string     // the other bad signals
	Effects  []string     // what stops, falls behind, degrades
	For      string       // how long it has been so
	Cost     string       // a minute
	SoFar    string       // since it began
	Runs     []Link       // what runs degraded for it already
	Actions  []CardAction // in the order in which they came
}

// CardAction is a button on a card. Those on one card stand in the order in which they came, so that what is new moves none from under a
// finger; what takes the place of another leads to what the other began.
type CardAction struct {
	Link
	Since   time.Time
	Primary bool
}

// Link is a place to go with the words for it.
type Link struct {
	Path string
	Text string
}

// SignalLine is what was last seen of one signal or one copy of the data.
type SignalLine struct {
	Name     string
	Text     string
	State    failover.FactState
	At       time.Time // zero: never seen
	BadSince time.Time
	Silent   time.Time // since when the source does not answer; zero where it does
	Why      string    // the source gives for its silence
}
