package view

import (
	"fmt"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/failover"
)

// Approval is the page of one request: what is asked, what it costs to wait, who said what, and the vote.
type Approval struct {
	Page
	Code       string
	Ask        string // Move Checkout from Leeds to Dublin
	With       string // which services move too
	Mode       failover.Mode
	State      failover.State
	Standing   string // a sentence for every state but the open one
	Requester  string
	Reason     string
	Cause      string
	Filed      time.Time
	Expires    time.Time
	Left       string // until it expires, as of rendering
	About      *IncidentLine
	Waiting    string // what it costs
	Ceiling    string
	Loss       FactLine
	Undo       string
	Votes      []VoteLine // of the present round
	Advance    *Link      // the standing order that approved it
	Have       int
	Want       int
	Wanted     string // who is still wanted: "one security officer"; empty where nobody is
	Needs      string // what the approval needs, in a sentence
	Who        string // who can decide, by role
	Able       string // by name, the first of those who still can
	Passed     []PassLine
	NobodyElse bool     // but those who passed it on can decide
	Nobody     string   // what nobody is there to give; empty where it can still be approved
	Told       []string // who was told of it when, or why not yet
	AskWho     string   // path of the question who may
	Problem    *Refusal
	Action     Action
	Change     *Change
	Sheet      Sheet
	Blast      Blast
	Steps      []PlanStep
	Decisions  []VoteLine // of every round
	Run        *RunLine
	Audit      string
}

// Action is what this person may do on the page; at most one of its parts is there.
type Action struct {
	Vote     *VoteForm
	Pass     *Amend   // leaves it to others
	Again    string   // path of a new sign-in after which they may vote
	Withdraw *Amend   // the requester's way out
	NotYou   *Refusal // why there is no button
}

// VoteForm is the form of a vote. Digest and Sheet name exactly what the page shows.
type VoteForm struct {
	Path    string
	Act     string
	Digest  string
	Sheet   string
	Comment string
	Wrong   map[string]string
	Approve string
	Reject  string
	Shorter []Choice // for how long at most; none where that is not asked
}

// Amend is a form by which the requester changes their own request.
type Amend struct {
	Path  string
	Act   string
	Shown string
}

// Change is what a new version of the plan or policy makes different, which the requester must confirm.
type Change struct {
	What  []string // Plan Checkout: version 1 became 2
	Lines []string
	Form  *Amend // for the requester
	Who   string
}

// PassLine is somebody who cannot decide.
type PassLine struct {
	Name string
	At   time.Time
}

// VoteLine is one vote.
type VoteLine struct {
	Name    string
	Roles   string
	Verdict approval.Verdict
	Comment string
	At      time.Time
	Void    bool
	Sheet   *Sheet // what they saw
}

// Sheet is a fact sheet as it is drawn.
type Sheet struct {
	Digest  string
	MadeAt  time.Time
	Facts   []FactLine
	Options []failover.Option
}

// count writes "1 of 2".
func count(have, want int) string { return fmt.Sprintf("%d of %d", have, want) }

func verdictWord(v approval.Verdict) string {
	if v == approval.Reject {
		return "rejected"
	}
	return "approved"
}
