package view

import (
	"net/url"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/degrade"
)

// ModeLine is one degraded mode in a list.
type ModeLine struct {
	Path, Code, Name, Instead string
	Phase                     degrade.Phase
	Words                     string // where it stands
	Bars                      []Bar
	Next                      string // when a limit will be reached, as things go
	Alerts                    []string
	Since                     time.Time // zero where it was never on
	Drill                     bool
}

// Bar is how much of a limit is used.
type Bar struct {
	Name, Have, Most string // Most is empty where there is no limit
	Percent          int
}

// Degraded is what runs degraded that has to do with a page, and what may.
type Degraded struct {
	Modes  []ModeLine
	More   int // that are not shown
	Offers []Link
}

// Modes lists what runs degraded, and what did.
type Modes struct {
	Page
	Lasting []ModeLine
	Past    []ModeLine
	Rules   []RuleLine
}

// RuleLine is a rule that can be switched on.
type RuleLine struct {
	Path, Name, Instead string
	Start               string // empty for those who may not
}

// Preview is what running degraded would do, against stopping.
type Preview struct {
	Effects []string // what the flows do then
	Flows   string   // for which only; empty where for all
	Costs   string
	Limits  string
	GoAhead string // whose word it takes
	Told    []Told // what customers, outlets and the call centre are told
}

// Told is a text for some people outside.
type Told struct {
	Slug, To, Text string
	Channel        string // by which it is posted; empty where by none
	State          string // when it was posted, or why not
}

// StartMode is the check page before it is asked for.
type StartMode struct {
	Page
	Preview
	Rule, Name, Instead string
	RulePath            string
	Act                 string
	Incidents           []Choice
	Reason              string
	Drill               bool
	Button              string
	Wrong               map[string]string
	Problem             *Refusal
}

// DegradedPage is the page of one degraded mode.
type DegradedPage struct {
	Page
	ModeLine
	Preview
	State      approval.State
	RulePath   string
	Incident   *Link
	Requester  string
	Reason     string
	Filed      time.Time
	Advance    string // path of how it was approved beforehand
	Expires    time.Time
	Needs, Who string
	Able       string
	Have, Want int
	Wanted     string
	Action     Action
	Votes      []VoteLine
	Problem    *Refusal
	Ends       *ModeForm
	Resume     *ModeForm
	Again      *ModeForm
	ByHand     *ModeForm
	Extend     *ExtendForm
	Pending    *ExtensionLine
	Extensions []string
	Queue      string // how much waits to be worked off, and how long that takes
	Ending     string
	Window     string // what must be reconciled
	Reconcile  string
	Sign       *ModeForm
	Signed     string
	Told       []string
	Audit      string
}

// ModeForm is one thing that somebody may do to a mode.
type ModeForm struct {
	Path, Act, Verb, Label string
	Saw                    string // the phase that it was drawn for
	Note, Hint             string // of its field; none where it has none
	Field                  string
	Typed                  string
	Wrong                  map[string]string
}

// ExtendForm asks for wider limits.
type ExtendForm struct {
	Path, Act           string
	Time, Orders, Money string
	HasOrders, HasMoney bool
	Reason              string
	Wrong               map[string]string
}

// ExtensionLine is a wish for wider limits that waits.
type ExtensionLine struct {
	By, Reason, Limits, Who, Why, Again string
	At, Until                           time.Time
	Path, ID, Act, KeepAct              string
	May                                 bool
	Refusal                             string
	Wrong                               map[string]string
}

// ModesPath lists what runs degraded.
func ModesPath() string { return "/degraded" }

// StartModePath is the check page for a rule; an incident may be named.
func StartModePath(rule, incident string) string {
	q := url.Values{"rule": {rule}}
	if incident != "" {
		q.Set("incident", incident)
	}
	return ModesPath() + "/new?" + q.Encode()
}

// ModePath is one degraded mode.
func ModePath(code string) string { return ModesPath() + "/" + url.PathEscape(code) }

// DecideModePath takes votes on it.
func DecideModePath(code string) string { return ModePath(code) + "/decide" }

// WithdrawModePath takes it back.
func WithdrawModePath(code string) string { return ModePath(code) + "/withdraw" }

// CommandModePath does something to it.
func CommandModePath(code string) string { return ModePath(code) + "/do" }
