package failover

import (
	"fmt"
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/canonical"
	"keyholder/internal/fault"
)

// The rules of a request, by the names that refusals and the audit give them.
const (
	RuleRecentSignIn = "recent-sign-in" // a vote needs a recent sign-in
	RuleOneVote      = approval.RuleOneVote
	RuleExpiry       = "silence-is-no"  // a request expires
	RuleBound        = "bound"          // a vote is for exactly what was shown
	RuleDecided      = "decided"        // what has been decided is not decided again
	RuleOwner        = "requester-only" // only the requester withdraws and confirms
)

// Person is someone as the record names them: the id stays, the name is as it was then.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Terms are what would run. Their digest is what votes are bound to.
type Terms struct {
	Plan        string   `json:"plan"`
	PlanVersion int      `json:"plan_version"`
	PlanDigest  string   `json:"plan_digest"`
	Services    []string `json:"services"`
	Catalog     int      `json:"catalog"` // version whose sites, data and signals the run stands on, and whose policies apply
	Ground      string   `json:"ground"`  // digest of these sites, data and signals
	Rules       string   `json:"rules"`   // digest of these policies, with what each applies to
	DataSet     string   `json:"data_set"`
	From        string   `json:"from"`
	To          string   `json:"to"`
	Mode        Mode     `json:"mode"`
	Cause       Cause    `json:"cause"`
	Ceiling     Ceiling  `json:"ceiling"`
}

// Digest names the terms.
func (t Terms) Digest() (string, error) { return canonical.Digest("keyholder/terms/1", t) }

// Request is someone's wish to run a plan version on a scope, for a cause and a reason.
type Request struct {
	ID        string
	Code      string // FO-7Q4M; its run has the same
	Incident  string // the incident's code
	Terms     Terms
	Digest    string // of Terms
	Reason    string
	Requester Person
	State     State
	Round     int  // of voting; publishing a plan or policy anew starts another
	Open      bool // voting is open; closed from a new publication until the requester confirms
	FiledAt   time.Time
	ExpiresAt time.Time
	DecidedAt *time.Time // approved, rejected, withdrawn or expired
	Impact    time.Time  // start of impact
	Version   int        // of the record, for guarded updates
	Decisions []Decision // of every round, oldest first
}

// Verdict is a vote's yes or no.
type Verdict string

// The verdicts.
const (
	Yes Verdict = "approve"
	No  Verdict = "reject"
)

// Decision is one person's vote. ID is the Update's id, so a repeated click is the same decision.
type Decision struct {
	ID      string
	By      Person
	Roles   []access.Role // held at the moment of voting
	Verdict Verdict
	Comment string
	Round   int
	Digest  string // of the terms
	Sheet   string // digest of the fact sheet that was shown
	At      time.Time
}

// Counts says whether the vote stands in the present round.
func (r Request) Counts(d Decision) bool { return d.Round == r.Round }

// Votes lists the votes of the present round.
func (r Request) Votes() []Decision {
	var votes []Decision
	for _, d := range r.Decisions {
		if r.Counts(d) {
			votes = append(votes, d)
		}
	}
	return votes
}

// Standing is the request's state as of now: one that has run out is expired even before anyone wrote it down.
func (r Request) Standing(now time.Time) State {
	if r.State == Requested && !now.Before(r.ExpiresAt) {
		return Expired
	}
	return r.State
}

// MayDecide is the one rule that draws the buttons, answers the form and decides in the database.
func (r Request) MayDecide(by access.Principal, b approval.Ballot, now time.Time) error {
	if err := r.mayVote(by, b, now); err != nil {
		return err
	}
	return Recent(by, b.RecentSignIn(by), now, "A vote")
}

// Recent refuses a sign-in that is too old for what needs one.
func Recent(by access.Principal, within time.Duration, now time.Time, what string) error {
	if by.Recent(now, within) {
		return nil
	}
	return &fault.Error{
		Kind: fault.SignInAgain, Rule: RuleRecentSignIn,
		Message: fmt.Sprintf("%s needs a sign-in of the last %s. Sign in again; you will come back here.", what, Span(within)),
	}
}

// mayVote is MayDecide without the age of the sign-in.
func (r Request) mayVote(by access.Principal, b approval.Ballot, now time.Time) error {
	if err := r.stillOpen(now); err != nil {
		return err
	}
	for _, d := range r.Votes() {
		if d.By.ID == by.ID {
			return fault.Late(RuleOneVote, "You voted to %s at %s. One person has one vote.", d.Verdict, clock(d.At))
		}
	}
	if err := b.MayVote(by); err != nil {
		return err
	}
	if !r.Open {
		return fault.Refused(RuleBound, r.Requester.Name,
			"The plan, a policy or the catalogue was published anew. %s must confirm the difference before anyone votes.", r.Requester.Name)
	}
	return nil
}

// stillOpen refuses whatever comes after the request was decided, and says by whom and when it was.
func (r Request) stillOpen(now time.Time) error {
	switch r.Standing(now) {
	case Requested:
		return nil
	case Expired:
		return fault.Late(RuleExpiry, "This request expired at %s without enough approvals. Silence is no.", clock(r.ExpiresAt))
	case Withdrawn:
		return fault.Late(RuleDecided, "%s withdrew this request at %s.", r.Requester.Name, clock(*r.DecidedAt))
	case Rejected:
		return fault.Late(RuleDecided, "Already rejected by %s.", r.lastVote(No))
	default:
		return fault.Late(RuleDecided, "Already approved by %s.", r.lastVote(Yes))
	}
}

func (r Request) lastVote(v Verdict) string {
	votes := r.Votes()
	for i := len(votes) - 1; i >= 0; i-- {
		if votes[i].Verdict == v {
			return votes[i].By.Name + " at " + clock(votes[i].At)
		}
	}
	return "nobody"
}

// MaxText bounds reasons and comments, in characters.
const MaxText = 2000

// Decide adds a vote and counts. The vote must be for the terms as they are; the caller checks the fact sheet.
func (r Request) Decide(by access.Principal, d Decision, b approval.Ballot, now time.Time) (Request, error) {
	if err := r.MayDecide(by, b, now); err != nil {
		return r, err
	}
	if d.Verdict != Yes && d.Verdict != No {
		return r, fault.Wrong{"verdict": "must be approve or reject"}.Err()
	}
	if d.Verdict == No && d.Comment == "" {
		return r, fault.Wrong{"comment": "Say why you reject, so that the requester knows what to change."}.Err()
	}
	if d.Digest != r.Digest {
		return r, fault.Late(RuleBound, "What would run changed while you were reading. It is shown again below.")
	}
	d.By, d.Roles, d.Round, d.At = Person{by.ID, by.Name}, by.Roles, r.Round, now
	r.Decisions = append(slices.Clone(r.Decisions), d)
	if d.Verdict == No {
		if b.Ends(by) {
			return r.decided(Reject, now)
		}
		return r, nil
	}
	if b.Yes = append(slices.Clip(b.Yes), by); len(b.Missing()) == 0 {
		return r.decided(Approve, now)
	}
	return r, nil
}

func (r Request) decided(e Event, now time.Time) (Request, error) {
	next, err := r.State.After(e)
	if err != nil {
		return r, err
	}
	r.State, r.DecidedAt = next, &now
	return r, nil
}

// Withdraw takes the request back.
func (r Request) Withdraw(by access.Principal, now time.Time) (Request, error) {
	if by.ID != r.Requester.ID {
		return r, fault.Refused(RuleOwner, r.Requester.Name, "Only the requester can withdraw a request. To stop it, reject it.")
	}
	if err := r.stillOpen(now); err != nil {
		return r, err
	}
	return r.decided(Withdraw, now)
}

// RunOut closes a request that nobody decided in time.
func (r Request) RunOut(now time.Time) (Request, error) {
	if now.Before(r.ExpiresAt) {
		return r, fault.Late(RuleExpiry, "This request has until %s.", clock(r.ExpiresAt))
	}
	return r.decided(Expire, now)
}

// VoidVotes closes the voting because the plan or policy was published anew; what had been voted no longer counts.
func (r Request) VoidVotes() (Request, error) {
	next, err := r.State.After(PublishAnew)
	if err != nil {
		return r, err
	}
	r.State, r.Open, r.Round = next, false, r.Round+1
	return r, nil
}

// Confirm reopens the voting on the terms as they are now, whose difference the requester was shown.
func (r Request) Confirm(by access.Principal, now Terms, shown string, at time.Time) (Request, error) {
	if by.ID != r.Requester.ID {
		return r, fault.Refused(RuleOwner, r.Requester.Name, "Only the requester can confirm what changed.")
	}
	if err := r.stillOpen(at); err != nil {
		return r, err
	}
	if r.Open {
		return r, fault.Late(RuleDecided, "Voting is open already.")
	}
	digest, err := now.Digest()
	if err != nil {
		return r, err
	}
	if digest != shown {
		return r, fault.Late(RuleBound, "It changed once more while you were reading. The difference is shown again below.")
	}
	if r.State, err = r.State.After(ConfirmAnew); err != nil {
		return r, err
	}
	r.Terms, r.Digest, r.Open = now, digest, true
	return r, nil
}

// clock writes a time for refusals; pages show the local time beside it.
func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }
