package breakglass

import (
	"slices"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// The rules of access for a time, by the names that refusals and the record give them.
const (
	RuleEligible   = "eligible"            // an eligibility says who may ask for what
	RuleHours      = "hours"               // it may begin at its hours only
	RuleCause      = "cause"               // it is for incidents of its causes only
	RuleBypass     = "bypass"              // approval is skipped only where the eligibility lets one
	RuleUnreviewed = "reviewed-first"      // a use that nobody has looked at blocks the next
	RuleLocked     = "locked"              // what is frozen wins over every grant
	RuleLapsed     = "lapses"              // approved access waits for its holder only so long
	RuleLongest    = "longest"             // no uninterrupted access is longer than agreed
	RuleHolder     = "holder-only"         // only who asked begins it and gives it back
	RuleOneAccount = "one-account"         // one person has something on a system under one account only
	RuleReviewer   = "somebody-else-looks" // nobody reviews their own use
	RuleEnded      = "ended"               // what has ended does not end again
)

// RecentSignIn is how old the sign-in may be of whoever begins access, or is shown a password.
const RecentSignIn = 15 * time.Minute

// Terms are what people say yes to. Their digest is what votes are bound to, and they never change.
type Terms struct {
	Eligibility catalog.Eligibility `json:"eligibility"`
	System      catalog.System      `json:"system"`
	Role        string              `json:"role"`
	Length      catalog.Duration    `json:"length"`
	Starts      *time.Time          `json:"starts,omitempty"` // the earliest that it begins; at once, where none is said
	Incident    string              `json:"incident,omitempty"`
	Run         string              `json:"run,omitempty"` // with which it ends
	Bypass      bool                `json:"bypass,omitempty"`
	Catalog     int                 `json:"catalog"` // the version whose policies say who decides
	Rules       string              `json:"rules"`   // digest of these policies
}

// Digest names the terms.
func (t Terms) Digest() (string, error) { return canonical.Digest("keyholder/access/1", t) }

// Asking is what a request for access is about, to policies and scopes.
func Asking(s catalog.System, at time.Time) approval.About {
	return approval.About{Action: catalog.ActBreakGlass, Services: s.Services, At: at}
}

// Wish is what somebody asks for, with what it is judged by.
type Wish struct {
	Terms
	Reason string
	Cause  string // of the incident; empty where it names none
}

// Check says what is wrong with a wish, by field.
func (w Wish) Check(c catalog.Catalog, now time.Time) error {
	wrong, e := fault.Wrong{}, w.Eligibility
	if !slices.Contains(e.Roles, w.Role) {
		wrong.Add("role", "is none of those that may be asked for: %s", strings.Join(e.Roles, ", "))
	}
	if w.Length < catalog.Duration(catalog.Step) || w.Length%catalog.Duration(catalog.Step) != 0 || w.Length > e.Longest {
		wrong.Add("length", "must be a multiple of 5 minutes, and at most %s", catalog.Lasting(e.Longest.D()))
	}
	switch {
	case strings.TrimSpace(w.Reason) == "":
		wrong.Add("reason", "Say what you need it for: whoever decides reads it, and so does whoever looks at the use after.")
	case len([]rune(w.Reason)) > approval.MaxText:
		wrong.Add("reason", "is longer than %d characters", approval.MaxText)
	}
	if w.Incident == "" && w.Run == "" {
		wrong.Add("incident", "Name the incident or the run that you need it for.")
	}
	if w.Starts != nil {
		switch {
		case w.Starts.Before(now.Add(-time.Minute)):
			wrong.Add("starts", "is in the past")
		case w.Starts.After(now.Add(e.Ahead.D())) && e.Ahead == 0:
			wrong.Add("starts", "This may be asked for at once only.")
		case w.Starts.After(now.Add(e.Ahead.D())):
			wrong.Add("starts", "is more than %s ahead", catalog.Lasting(e.Ahead.D()))
		case w.Bypass:
			wrong.Add("starts", "An emergency begins at once.")
		}
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	return w.allowed(c, now)
}

// allowed says whether the eligibility lets one ask so.
func (w Wish) allowed(c catalog.Catalog, now time.Time) error {
	e, begins := w.Eligibility, now
	if w.Starts != nil {
		begins = *w.Starts
	}
	switch {
	case len(e.Causes) > 0 && !slices.Contains(e.Causes, w.Cause):
		return fault.Refused(RuleCause, "a security officer, by changing the eligibility with a second person",
			"%s is for incidents of other causes: %s.", e.Name, strings.Join(e.Causes, ", "))
	case !c.Opens(e, begins):
		return fault.Refused(RuleHours, "a security officer, by changing the eligibility with a second person", "%s may not begin at that hour.", e.Name)
	case w.Bypass && !e.Bypass:
		return fault.Refused(RuleBypass, "whoever approves it in the ordinary way", "%s lets nobody begin without approval.", e.Name)
	}
	return nil
}

// MayAsk is the rule by which somebody asks for what an eligibility agrees on. objects are what its system belongs to.
func MayAsk(by access.Principal, e catalog.Eligibility, objects []access.Object) error {
	for _, role := range e.For {
		if len(by.Holds(role, objects...)) > 0 {
			return nil
		}
	}
	if slices.ContainsFunc(e.Groups, func(g string) bool { return slices.Contains(by.Groups, g) }) {
		return nil
	}
	who := access.Titles(e.For)
	if len(e.Groups) > 0 {
		who = strings.TrimPrefix(who+" or whoever is of "+strings.Join(e.Groups, " or "), " or ")
	}
	return fault.Refused(RuleEligible, who, "%s is not for you.", e.Name)
}
