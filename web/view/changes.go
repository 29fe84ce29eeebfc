package view

import (
	"net/url"
	"time"

	"keyholder/internal/approval"
)

// ChangeRequests lists what waits to be changed, and what became of the rest.
type ChangeRequests struct {
	Page
	Alone   bool // nobody else could approve a change yet, so that one person makes them
	Draft   int  // how many records this person has put together
	Open    []ChangeLine
	Decided []ChangeLine
}

// ChangeLine is one change request in a list.
type ChangeLine struct {
	Path, Code, Title string
	State             approval.State
	By, Why           string
	At                time.Time
}

// Proposed is what would be changed, as a draft and a request of it show it alike.
type Proposed struct {
	Changes   []RecordChange
	More      int    // records that are not shown
	All       string // path of all of it as data
	Plans     []string
	Effect    []EffectLine
	Past      []string // which decisions of the last quarter would have been refused
	Meanwhile []RecordChange
	Undoes    int
}

// EffectLine is one effect of a change, with what it is for each.
type EffectLine struct {
	Title string
	Lines []string
}

// ChangeDraft is what one person has put together, before they propose it.
type ChangeDraft struct {
	Page
	Proposed
	Problem   *Refusal
	Errors    []string // what is wrong with all of it together
	Needs     string   // who would decide
	Act       string
	Shown     string
	Why       string
	Wrong     map[string]string
	Droppable bool
}

// ChangeRequest is the page of one change request.
type ChangeRequest struct {
	Page
	Proposed
	Code, Why, Source string
	State             approval.State
	Standing          string // a sentence for every state but the open one
	Requester         string
	Owner             string // who confirms what others have changed
	Filed, Expires    time.Time
	Left              string
	Have, Want        int
	Wanted            string
	Needs, Who        string
	Able, Nobody      string
	Problem           *Refusal
	Action            Action
	Confirm           *Amend // for the requester, where others have changed what it is about
	MustConfirm       bool
	Votes             []VoteLine // of every round
	Told              []string   // who was told when
	Made              int        // the version of the catalogue that it made
	TakeBack          string
	Audit             string
}

// ChangeRequestsPath leads to what waits to be changed.
func ChangeRequestsPath() string { return "/change-requests" }

// ChangeDraftPath leads to what this person has put together.
func ChangeDraftPath() string { return ChangeRequestsPath() + "/draft" }

// DropDraftPath takes something out of it.
func DropDraftPath() string { return ChangeDraftPath() + "/drop" }

// ChangeRequestPath leads to one change request.
func ChangeRequestPath(code string) string { return ChangeRequestsPath() + "/" + url.PathEscape(code) }

// ChangeTermsPath leads to all that it would change, as data.
func ChangeTermsPath(code string) string { return ChangeRequestPath(code) + "/terms.json" }

// DecideChangePath takes votes on it.
func DecideChangePath(code string) string { return ChangeRequestPath(code) + "/decide" }

// WithdrawChangePath takes it back.
func WithdrawChangePath(code string) string { return ChangeRequestPath(code) + "/withdraw" }

// ConfirmChangePath confirms what others have changed.
func ConfirmChangePath(code string) string { return ChangeRequestPath(code) + "/confirm" }

// TakeBackRequestPath puts together what takes back all that a change request put in force.
func TakeBackRequestPath(code string) string { return ChangeRequestPath(code) + "/take-back" }

// TakeBackPath puts together what takes a change of the catalogue back.
func TakeBackPath(version int) string { return CatalogChangePath(version) + "/take-back" }
