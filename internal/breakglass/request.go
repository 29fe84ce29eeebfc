package breakglass

import (
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// Request is a wish for access as it was filed, what people decided on it, and the access that came of it.
type Request struct {
	approval.Question `json:"-"`

	Terms   Terms            `json:"terms"`
	Reason  string           `json:"reason"`
	Allowed catalog.Duration `json:"allowed"` // how long it may last: as asked, until an approver says less
	Skipped []access.Person  `json:"skipped,omitempty"`
	Grant   *Grant           `json:"-"`
}

// Grants are what came of requests.
func Grants(requests []Request) []Grant {
	var all []Grant
	for _, r := range requests {
		if r.Grant != nil {
			all = append(all, *r.Grant)
		}
	}
	return all
}

// Stand is where a request for access stands.
type Stand string

// The stands.
const (
	Asked    Stand = "asked"     // people decide
	Refused  Stand = "refused"   // by people, by silence, or taken back
	Waiting  Stand = "waiting"   // approved, and not yet begun
	Lapsed   Stand = "lapsed"    // approved, and begun too late or never
	Giving   Stand = "giving"    // begun, and not yet read back
	Live     Stand = "live"      //
	Frozen   Stand = "frozen"    // a lock is on it
	Taking   Stand = "taking"    // ended, and not yet seen to be gone
	ToReview Stand = "to-review" // gone, and nobody has looked at the use
	Done     Stand = "done"      //
)

// Words is the stand as people say it.
func (s Stand) Words() string {
	return map[Stand]string{
		Asked: "waiting for approval", Refused: "not approved", Waiting: "approved, not begun", Lapsed: "lapsed", Giving: "being given", Live: "live",
		Frozen: "frozen", Taking: "being taken back", ToReview: "ended, to be reviewed", Done: "closed",
	}[s]
}

// Stands is where the request stands as of now.
func (r Request) Stands(locks []Lock, now time.Time) Stand {
	switch r.Standing(now) {
	case approval.Requested:
		return Asked
	case approval.Approved:
	case approval.Rejected, approval.Expired, approval.Withdrawn:
		return Refused
	}
	g := r.Grant
	switch {
	case g == nil && now.After(r.LapsesAt()):
		return Lapsed
	case g == nil:
		return Waiting
	case !g.Used() && g.Confirmed != nil:
		return Lapsed
	case g.Given == nil && g.Ended == nil && g.Confirmed == nil && !g.Touched:
		return Giving
	case g.Ends(now) && g.Confirmed == nil:
		return Taking
	case g.Ends(now) && g.Review == nil:
		return ToReview
	case g.Ends(now):
		return Done
	case Freezes(locks, *g, now):
		return Frozen
	case g.Given == nil:
		return Giving
	}
	return Live
}

// Opens is the earliest that it may begin.
func (r Request) Opens() time.Time {
	opens := r.FiledAt
	if r.DecidedAt != nil {
		opens = *r.DecidedAt
	}
	if r.Terms.Starts != nil && r.Terms.Starts.After(opens) {
		return *r.Terms.Starts
	}
	return opens
}

// LapsesAt is until when its holder must have begun.
func (r Request) LapsesAt() time.Time { return r.Opens().Add(r.Terms.Eligibility.ActivateWithin.D()) }

// Shorten lets it last less long than asked.
func (r Request) Shorten(to catalog.Duration) (Request, error) {
	if to == 0 {
		return r, nil
	}
	if to < catalog.Duration(catalog.Step) || to%catalog.Duration(catalog.Step) != 0 || to > r.Allowed {
		return r, fault.Wrong{"length": "must be a multiple of 5 minutes, and no longer than " + catalog.Lasting(r.Allowed.D())}.Err()
	}
	r.Allowed = to
	return r, nil
}

// Decide adds a vote and counts. A yes may let it last less long.
func (r Request) Decide(by access.Principal, d approval.Decision, shorter catalog.Duration, b approval.Ballot, now time.Time) (Request, error) {
	q, err := r.Question.Decide(by, d, b, now)
	if err != nil {
		return r, err
	}
	r.Question = q
	if d.Verdict != approval.Approve {
		return r, nil
	}
	return r.Shorten(shorter)
}

// Past is what there was before that bears on beginning: the grants of the same person, and those on the same system.
type Past struct {
	Grants []Grant
	Locks  []Lock
}

// MayBegin is the rule by which the holder lets approved access begin.
func (r Request) MayBegin(by access.Principal, past Past, opens bool, now time.Time) error {
	switch {
	case by.ID != r.Requester.ID:
		return fault.Refused(RuleHolder, r.Requester.Name, "%s asked for this and begins it.", r.Requester.Name)
	case r.Standing(now) != approval.Approved:
		return fault.Refused(RuleEligible, "whoever decides on it", "This is %s.", r.Stands(nil, now).Words())
	case r.Grant != nil:
		return fault.Late(RuleEnded, "This began at %s.", approval.Clock(r.Grant.Began))
	case now.Before(r.Opens()):
		return fault.Late(RuleHours, "This may begin from %s.", approval.Clock(r.Opens()))
	case now.After(r.LapsesAt()):
		return fault.Late(RuleLapsed, "This lapsed at %s, for nobody had begun. Ask anew.", approval.Clock(r.LapsesAt()))
	case !opens:
		return fault.Refused(RuleHours, "nobody, until its hours", "%s may not begin at this hour.", r.Terms.Eligibility.Name)
	}
	if err := past.Blocks(Grant{Holder: Holder{ID: by.ID, Name: by.Name, Mail: by.Mail}, System: r.Terms.System.Slug, Role: r.Terms.Role, Code: r.Code}, now); err != nil {
		return err
	}
	return nil
}

// Begin is the access as its holder begins it. It is given from when a connector has given it.
func (r Request) Begin(by access.Principal, past Past, opens bool, now time.Time) (Grant, error) {
	if err := r.MayBegin(by, past, opens, now); err != nil {
		return Grant{}, err
	}
	g := Grant{
		ID: r.ID, Code: r.Code, System: r.Terms.System.Slug, Role: r.Terms.Role, Holder: Holder{ID: by.ID, Name: by.Name, Mail: by.Mail}, Run: r.Terms.Run,
		Began: now, Length: r.Allowed, LapsesAt: r.LapsesAt(), Cap: r.Terms.Eligibility.Longest,
		ReviewWithin: r.Terms.Eligibility.ReviewWithin, Reviewers: r.Terms.Eligibility.Reviewers, Bypass: r.Terms.Bypass,
	}
	if g.lasts(past.Grants, now) <= 0 {
		return g, fault.Refused(RuleLongest, "nobody, until a while after it has ended",
			"Access without a break lasts %s at most, and %s has had it since %s.", catalog.Lasting(g.Cap.D()), by.Name, approval.Clock(g.since(past.Grants, now)))
	}
	g.From, g.Until = now, now.Add(g.lasts(past.Grants, now))
	return g, nil
}

// MayHavePassword is the rule by which a holder is shown a password: while the access lasts, and nobody has frozen it.
func (r Request) MayHavePassword(by access.Principal, locks []Lock, now time.Time) error {
	switch {
	case by.ID != r.Requester.ID:
		return fault.Refused(RuleHolder, r.Requester.Name, "%s asked for this, and nobody else is shown how to sign in.", r.Requester.Name)
	case r.Grant == nil:
		return fault.Refused(RuleHolder, r.Requester.Name, "Begin it first: the clock starts then.")
	case r.Grant.Ends(now):
		return fault.Late(RuleEnded, "This ended at %s.", approval.Clock(r.Grant.End()))
	case Freezes(locks, *r.Grant, now):
		return fault.Refused(RuleLocked, access.Titles(access.Holders(access.RevokeAccess)), "This is frozen.")
	}
	return nil
}
