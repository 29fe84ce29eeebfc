package breakglass

import (
	"slices"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/canonical"
	"keyholder/internal/fault"
)

// Activity names what a system wrote down of a use; what it wrote is kept beside, under the digest.
type Activity struct {
	Source  string    `json:"source"`
	At      time.Time `json:"at"` // read
	Entries int       `json:"entries"`
	LeftOut int       `json:"left_out,omitempty"`
	Partial string    `json:"partial,omitempty"` // why not everything could be read
	Digest  string    `json:"digest"`
}

// Entry is one thing that was done.
type Entry struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Review is what somebody else found who looked at the use.
type Review struct {
	By      access.Person `json:"by"`
	At      time.Time     `json:"at"`
	InOrder bool          `json:"in_order"`
	Note    string        `json:"note"`
	Of      string        `json:"of,omitempty"` // digest of what was looked at
}

// ReviewDue is until when somebody else must have looked at the use.
func (g Grant) ReviewDue() time.Time { return g.End().Add(g.ReviewWithin.D()) }

// Unreviewed says that it was used and has ended, and that nobody has looked at it.
func (g Grant) Unreviewed(now time.Time) bool { return g.Used() && g.Ends(now) && g.Review == nil }

// ActivityDue says whether what the system wrote down is still to be read: once the access is seen to be gone, and until somebody has
// reviewed it.
func (g Grant) ActivityDue() bool {
	return g.Logged && g.Used() && g.Confirmed != nil && g.Activity == nil && g.Review == nil
}

// unreadFor is how long a review waits for what the system wrote down. A log that cannot be read for longer keeps nobody from the next use.
const unreadFor = 10 * time.Minute

// Awaits is until when a review waits for what the system wrote down; zero where it does not.
func (g Grant) Awaits(now time.Time) time.Time {
	if !g.ActivityDue() || !now.Before(g.Confirmed.Add(unreadFor)) {
		return time.Time{}
	}
	return g.Confirmed.Add(unreadFor)
}

// WithActivity attaches what the system wrote down.
func (g Grant) WithActivity(a Activity) Grant {
	g.Activity, g.Unread = &a, nil
	return g
}

// ActivityFailed notes that it could not be read, and why.
func (g Grant) ActivityFailed(why string, now time.Time) Grant {
	g.Unread = g.Unread.again(why, now)
	return g
}

// Seen is the digest of all that a reviewer of the use looks at.
func (g Grant) Seen() (string, error) {
	return canonical.Digest("keyholder/use/1", struct {
		Code      string    `json:"code"`
		Given     time.Time `json:"given,omitzero"`
		End       time.Time `json:"end"`
		Statement string    `json:"statement"`
		Activity  *Activity `json:"activity"`
	}{g.Code, zeroIf(g.Given), g.End(), g.Statement, g.Activity})
}

func zeroIf(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}

// restated is for how long the holder may change what they said: whoever signs must be able to.
const restated = 10 * time.Minute

// MayRestate says whether the holder may still say what was done, or say it otherwise.
func (g Grant) MayRestate(now time.Time) bool {
	return g.Stated == nil || now.Before(g.Stated.Add(restated))
}

// State is the holder's word on what was done.
func (g Grant) State(by access.Principal, words string, now time.Time) (Grant, error) {
	switch {
	case by.ID != g.Holder.ID:
		return g, fault.Refused(RuleHolder, g.Holder.Name, "%s had this and says what was done.", g.Holder.Name)
	case g.Review != nil:
		return g, fault.Late(RuleEnded, "%s reviewed this at %s.", g.Review.By.Name, approval.Clock(g.Review.At))
	case !g.MayRestate(now):
		return g, fault.Late(RuleEnded, "You said this at %s, and it stands.", approval.Clock(*g.Stated))
	case strings.TrimSpace(words) == "":
		return g, fault.Wrong{"note": "Say what was done with it, and what was changed."}.Err()
	case len([]rune(words)) > approval.MaxText:
		return g, fault.Wrong{"note": "is too long"}.Err()
	}
	if g.Statement = words; g.Stated == nil {
		g.Stated = &now
	}
	return g, nil
}

// MayReview is the rule by which somebody looks at a use: somebody else, in a role that the eligibility names, whoever they stand in for.
func (g Grant) MayReview(by access.Principal, now time.Time) error {
	who := access.Titles(g.Reviewers) + " other than " + g.Holder.Name
	switch {
	case g.Review != nil:
		return fault.Late(RuleEnded, "%s reviewed this at %s.", g.Review.By.Name, approval.Clock(g.Review.At))
	case !g.Unreviewed(now) || g.Confirmed == nil:
		return fault.Late(RuleEnded, "There is no use to review before it is seen to be gone.")
	case g.Holder.Is(by.ID, by.Mail):
		return fault.Refused(RuleReviewer, who, "You had this. Somebody else looks at what was done.")
	case by.StandsInFor(g.Holder.Mail):
		return fault.Refused(RuleReviewer, who, "You stand in for %s, who had this.", g.Holder.Name)
	case !g.reviews(by):
		return fault.Refused(RuleReviewer, who, "Your role does not review this.")
	}
	return nil
}

// reviews says whether somebody holds a role that reviews this, for something that its system belongs to. For all of it would leave nobody
// where roles are given by service, and the next use would be blocked for good.
func (g Grant) reviews(by access.Principal) bool {
	return slices.ContainsFunc(g.Reviewers, func(r access.Role) bool {
		return len(by.Holds(r)) > 0 && len(g.Objects) == 0 || slices.ContainsFunc(g.Objects, func(o access.Object) bool { return len(by.Holds(r, o)) > 0 })
	})
}

// MayReadActivity is the rule by which somebody reads what the system wrote down: it may hold what only the system's own users see.
func (g Grant) MayReadActivity(by access.Principal) error {
	switch {
	case g.Holder.Is(by.ID, by.Mail), by.May(access.SeeAccess), g.reviews(by):
		return nil
	}
	return fault.Refused(RuleReviewer, access.Titles(g.Reviewers), "What was done with %s is for whoever had it, reviews it or watches over access.", g.Code)
}

// Reviewed is the signature under what was done. of is the digest of what was looked at: what has come to it since was not.
func (g Grant) Reviewed(by access.Principal, inOrder bool, note, of string, now time.Time) (Grant, error) {
	if err := g.MayReview(by, now); err != nil {
		return g, err
	}
	if strings.TrimSpace(note) == "" {
		return g, fault.Wrong{"note": "Say what you looked at, and what you found."}.Err()
	}
	if until := g.Awaits(now); !until.IsZero() {
		return g, fault.Late(approval.RuleBound, "What the system wrote down is not read yet. It is signed with that, or without from %s on.", approval.Clock(until))
	}
	seen, err := g.Seen()
	if err != nil {
		return g, err
	}
	if of != seen {
		return g, fault.Late(approval.RuleBound, "What was done says more than when you looked: read it again, and sign then.")
	}
	g.Review = &Review{By: by.Person(), At: now, InOrder: inOrder, Note: note, Of: seen}
	return g, nil
}
