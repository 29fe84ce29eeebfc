package view

import (
	"fmt"
	"net/url"
	"time"

	"keyholder/internal/breakglass"
)

// Holding is access that the person who looks has now; every page says so.
type Holding struct {
	Path, Role, System string
	Until              time.Time
	Left               string
	Frozen             bool
}

// AccessLine is one request for access in a list.
type AccessLine struct {
	Path, Code, Title string // Title: reporting_reader on Reporting database
	Holder            string
	Stand             breakglass.Stand
	Bad               bool // it should be gone, and is not
	Stuck             bool // and that for so long that others are told
	Until             time.Time
	Left              string // of the time; empty where it does not run
	Trouble           string // what does not go as it should
	Emergency         bool   // without approval
	Asked             time.Time
}

// Accesses is what waits for somebody who has to do with access, who has what, and what is frozen.
type Accesses struct {
	Page
	Waiting  []Waiting
	Mine     []AccessLine // that this person has, is given, or is being taken from
	MayAsk   bool         // this person may ask for something
	Everyone bool         // this person sees everybody's
	Live     []AccessLine
	Findings []AccessFinding
	Locks    []LockLine
	Latest   []AccessLine
	Freeze   *FreezeForm
	Problem  *Refusal
}

// LockLine is a lock that is on.
type LockLine struct {
	What, Why, By string
	At            time.Time
	Release       *NoteForm // for those who may
}

// AccessFinding is a difference between what a system says and what the grants explain.
type AccessFinding struct {
	What, System string
	Since        time.Time
	State        string    // who wants it put right, and why that does not go
	Put          *NoteForm // for those who may
}

// NoteForm is a form of one button, with a text that it takes or without.
type NoteForm struct {
	Path, Act, Label  string
	Subject           string // that it freezes
	ID, Note, Hint    string // of its text; no text where ID is empty
	Typed, Wrong      string
	Primary, Boundary bool // Boundary: it takes something from somebody
}

// FreezeForm freezes a person, a role or a system.
type FreezeForm struct {
	Path, Act string
	Groups    []ChoiceGroup
	Why       string
	Wrong     map[string]string
}

// ChoiceGroup is some choices of one kind.
type ChoiceGroup struct {
	Label   string
	Choices []Choice
}

// AccessForm is what somebody types to ask for access. Every field is text until it was checked.
type AccessForm struct {
	Act         string `form:"act"`
	Eligibility string `form:"eligibility" query:"eligibility"`
	Role        string `form:"role" query:"role"`
	Length      string `form:"length" query:"length"`
	Incident    string `form:"incident" query:"incident"`
	Run         string `form:"run" query:"run"`
	Starts      string `form:"starts"`
	Reason      string `form:"reason" query:"reason"`
	Bypass      string `form:"bypass"`
}

// EligibilityLine is what one may ask for, or not.
type EligibilityLine struct {
	Path, Name, What, Longest string
	Who                       string // may; of what this person may not
}

// AskAccess is the form in which somebody asks for access; a list of what they may ask for before one is chosen.
type AskAccess struct {
	Page
	Form      AccessForm
	Chosen    bool
	System    string
	About     string
	Terms     []string // what was agreed on beforehand
	Needs     string   // who decides
	May       []EligibilityLine
	MayNot    []EligibilityLine
	Roles     []Choice
	Lengths   []Choice
	Incidents []Choice
	Runs      []Choice
	Ahead     string // how far ahead it may be asked for; empty where it may not
	Bypass    string // what beginning without approval means; empty where nobody may
	Button    string
	Wrong     map[string]string
	Problem   *Refusal
}

// AccessRequest is the page of one request for access.
type AccessRequest struct {
	Page
	AccessLine
	Problem          *Refusal
	Does             string // what one may do with the role
	About            string // the system, and how one signs in
	Asker, Reason    string
	Length, Allowed  string
	Starts           time.Time
	System, Agreed   Link
	Incident, Run    *Link
	Skipped          string // who was not asked in an emergency
	Needs, Who, Able string
	Nobody           string // what nobody is there to give
	Have, Want       int
	Wanted           string
	Expires          time.Time
	Action           Action
	Votes            []VoteLine
	Begin            *NoteForm
	CantBegin        *Refusal
	Opens, Lapses    time.Time // of what is approved and not begun
	Locks            []LockLine
	SignIn           *AccessSignIn
	GiveBack         *NoteForm
	Revoke, Freeze   *NoteForm
	State            *NoteForm
	Statement        string
	Activity         *AccessActivity
	Review           *ReviewForm
	NotReviewer      *Refusal
	ReviewDue        time.Time // zero where none is due
	Story            []StoryLine
	Told             []string
	Settled          string // path of the record of what was done at the system
	Audit            string
}

// AccessSignIn is how its holder signs in.
type AccessSignIn struct {
	Account  string    // as the system calls them; empty until it is known
	Password string    // shown once; empty otherwise
	Usual    bool      // people sign in there as they always do
	InForce  bool      // the password that was shown last
	ShownAt  time.Time // zero where none was
	Show     *NoteForm
	Back     string // the page without the password
}

// ReviewForm is how somebody else signs what was done.
type ReviewForm struct {
	Path, Act, Label string
	Seen             string // digest of what is looked at
	InOrder          []Choice
	Note             string
	Wrong            map[string]string
}

// AccessActivity is what a system wrote down of what was done.
type AccessActivity struct {
	Waits   string // why it is not there yet
	Failed  bool   // it was tried, and could not be read
	What    string // how much, of where
	Read    time.Time
	Entries []StoryLine // the first, for those who may read them
	All     string      // path of all of them
	Label   string
	Digest  string
}

// StoryLine is something that happened.
type StoryLine struct {
	At   time.Time
	What string
}

// LiveAccess says on Now how many people have access, and which of it should be gone and is not.
type LiveAccess struct {
	Count int
	Stuck []AccessLine
}

// AccessesPath lists who has access for a time.
func AccessesPath() string { return "/access" }

// AskAccessPath is the form in which one asks for access; an eligibility and an incident may be named.
func AskAccessPath(eligibility, incident string) string {
	q := url.Values{}
	for name, value := range map[string]string{"eligibility": eligibility, "incident": incident} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return AccessesPath() + "/ask"
	}
	return AccessesPath() + "/ask?" + q.Encode()
}

// AccessPath is one request for access.
func AccessPath(code string) string { return AccessesPath() + "/" + url.PathEscape(code) }

// AccessActPath takes what somebody does to it: decide, withdraw, begin, give-back, revoke, state, review, password.
func AccessActPath(code, act string) string { return AccessPath(code) + "/" + act }

// AccessActivityPath is all that a system wrote down of what was done.
func AccessActivityPath(code string) string { return AccessPath(code) + "/activity" }

// FreezePath freezes something.
func FreezePath() string { return AccessesPath() + "/freeze" }

// PutRightPath has a finding put right.
func PutRightPath(id string) string {
	return AccessesPath() + "/findings/" + url.PathEscape(id) + "/put-right"
}

// ReleasePath takes a lock off.
func ReleasePath(id string) string {
	return AccessesPath() + "/locks/" + url.PathEscape(id) + "/release"
}

func liveWords(n int) string {
	if n == 1 {
		return "One person's access is live"
	}
	return fmt.Sprintf("%d accesses are live", n)
}
