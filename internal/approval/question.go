package approval

import (
	"fmt"
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// The rules of every request, by the names that refusals and the audit give them.
const (
	RuleRecentSignIn = "recent-sign-in" // a vote needs a recent sign-in
	RuleExpiry       = "silence-is-no"  // a request expires
	RuleBound        = "bound"          // a vote is for exactly what was shown
	RuleDecided      = "decided"        // what has been decided is not decided again
	RuleOwner        = "requester-only" // only the requester withdraws and confirms
)

// State is where a request stands with the people who decide on it.
type State string

// The states. All but the first are final.
const (
	Requested State = "requested"
	Approved  State = "approved"
	Rejected  State = "rejected"
	Expired   State = "expired"
	Withdrawn State = "withdrawn"
)

// Words is the state as people say it; nothing, where it is none.
func (s State) Words() string {
	switch s {
	case Requested:
		return "waiting for approval"
	case Approved, Rejected, Expired, Withdrawn:
		return string(s)
	}
	return ""
}

// Question is what somebody puts to others to decide: the part that requests of every sort share.
type Question struct {
	ID        string
	Code      string // FO-7Q4M
	Requester access.Person
	Faceless  bool   // who asks is no person that signs in
	Digest    string // of what would be done
	State     State
	Round     int  // of voting; a change of what would be done starts another
	Open      bool // voting is open; closed from such a change until the requester confirms it
	FiledAt   time.Time
	ExpiresAt time.Time
	DecidedAt *time.Time // approved, rejected, withdrawn or expired
	Version   int        // of the record, for guarded updates
	Decisions []Decision // of every round, oldest first
	Passes    []Pass     // of every round, oldest first
}

// Verdict is a vote's yes or no.
type Verdict string

// The verdicts.
const (
	Approve Verdict = "approve"
	Reject  Verdict = "reject"
)

// Decision is one person's vote. ID is the act's id, so a repeated click is the same decision.
type Decision struct {
	ID      string
	By      access.Person
	Roles   []access.Role // held at the moment of voting
	Verdict Verdict
	Comment string
	Round   int
	Digest  string // of what would be done
	Sheet   string // digest of the fact sheet that was shown, where there is one
	At      time.Time
}

// Counts says whether the vote stands in the present round.
func (q Question) Counts(d Decision) bool { return d.Round == q.Round }

// Votes lists the votes of the present round.
func (q Question) Votes() []Decision {
	var votes []Decision
	for _, d := range q.Decisions {
		if q.Counts(d) {
			votes = append(votes, d)
		}
	}
	return votes
}

// Approvers are the names of those whose yes stands, in the order of their votes.
func (q Question) Approvers() []string {
	var names []string
	for _, d := range q.Votes() {
		if d.Verdict == Approve {
			names = append(names, d.By.Name)
		}
	}
	return names
}

// Standing is the state as of now: what has run out is expired even before anyone wrote it down.
func (q Question) Standing(now time.Time) State {
	if q.State == Requested && !now.Before(q.ExpiresAt) {
		return Expired
	}
	return q.State
}

// MustConfirm says that the voting waits for the requester to confirm what changed.
func (q Question) MustConfirm(now time.Time) bool { return q.Standing(now) == Requested && !q.Open }

// MayDecide is the one rule that draws the buttons, answers the form and decides in the database.
func (q Question) MayDecide(by access.Principal, b Ballot, now time.Time) error {
	if err := q.mayVote(by, b, now); err != nil {
		return err
	}
	return Recent(by, b.RecentSignIn(by), now, "A vote")
}

// MayDecideAfterSignIn says whether the person may vote, leaving aside only how old their sign-in is.
func (q Question) MayDecideAfterSignIn(by access.Principal, b Ballot, now time.Time) bool {
	return q.mayVote(by, b, now) == nil
}

// Recent refuses a sign-in that is too old for what needs one.
func Recent(by access.Principal, within time.Duration, now time.Time, what string) error {
	if by.Recent(now, within) {
		return nil
	}
	return &fault.Error{
		Kind: fault.SignInAgain, Rule: RuleRecentSignIn,
		Message: fmt.Sprintf("%s needs a sign-in of the last %s. Sign in again; you will come back here.", what, catalog.Lasting(within)),
	}
}

// mayVote is MayDecide without the age of the sign-in.
func (q Question) mayVote(by access.Principal, b Ballot, now time.Time) error {
	if err := q.StillOpen(now); err != nil {
		return err
	}
	for _, d := range q.Votes() {
		if d.By.ID == by.ID {
			return fault.Late(RuleOneVote, "You voted to %s at %s. One person has one vote.", d.Verdict, Clock(d.At))
		}
	}
	if err := b.MayVote(by); err != nil {
		return err
	}
	if !q.Open {
		return fault.Refused(RuleBound, q.Owner(), "What this stands on has changed since. %s must confirm the difference before anyone votes.", q.Owner())
	}
	return nil
}

// StillOpen refuses whatever comes after the request was decided, and says by whom and when it was.
func (q Question) StillOpen(now time.Time) error {
	switch q.Standing(now) {
	case Requested:
		return nil
	case Expired:
		return fault.Late(RuleExpiry, "This request expired at %s without enough approvals. Silence is no.", Clock(q.ExpiresAt))
	case Withdrawn:
		return fault.Late(RuleDecided, "%s withdrew this request at %s.", q.Requester.Name, Clock(*q.DecidedAt))
	case Rejected:
		return fault.Late(RuleDecided, "Already rejected by %s.", q.lastVote(Reject))
	case Approved:
		if len(q.Votes()) == 0 {
			return fault.Late(RuleDecided, "This began without a vote.")
		}
		return fault.Late(RuleDecided, "Already approved by %s.", q.lastVote(Approve))
	}
	return fault.Late(RuleDecided, "This is in an unknown state %q.", string(q.State))
}

func (q Question) lastVote(v Verdict) string {
	votes := q.Votes()
	for i := len(votes) - 1; i >= 0; i-- {
		if votes[i].Verdict == v {
			return votes[i].By.Name + " at " + Clock(votes[i].At)
		}
	}
	return "nobody"
}

// MaxText bounds reasons and comments, in characters.
const MaxText = 2000

// Decide adds a vote and counts. The vote must be for what would be done as it is; what it was shown besides is the caller's.
func (q Question) Decide(by access.Principal, d Decision, b Ballot, now time.Time) (Question, error) {
	if err := q.MayDecide(by, b, now); err != nil {
		return q, err
	}
	if d.Verdict != Approve && d.Verdict != Reject {
		return q, fault.Wrong{"verdict": "must be approve or reject"}.Err()
	}
	if d.Verdict == Reject && d.Comment == "" {
		return q, fault.Wrong{"comment": "Say why you reject, so that the requester knows what to change."}.Err()
	}
	if d.Digest != q.Digest {
		return q, fault.Late(RuleBound, "What would be done changed while you were reading. It is shown again below.")
	}
	d.By, d.Roles, d.Round, d.At = by.Person(), by.Roles, q.Round, now
	q.Decisions = append(slices.Clone(q.Decisions), d)
	if d.Verdict == Reject {
		if b.Ends(by) {
			return q.decided(Rejected, now), nil
		}
		return q, nil
	}
	if b.Yes = append(slices.Clip(b.Yes), by); len(b.Missing()) == 0 {
		return q.decided(Approved, now), nil
	}
	return q, nil
}

func (q Question) decided(s State, now time.Time) Question {
	q.State, q.DecidedAt = s, &now
	return q
}

// Withdraw takes it back.
func (q Question) Withdraw(by access.Principal, now time.Time) (Question, error) {
	if by.ID != q.Requester.ID {
		return q, fault.Refused(RuleOwner, q.Owner(), "%s can withdraw this. To stop it, reject it.", q.only())
	}
	if err := q.StillOpen(now); err != nil {
		return q, err
	}
	return q.decided(Withdrawn, now), nil
}

// MayWithdraw is the rule of Withdraw without withdrawing.
func (q Question) MayWithdraw(by access.Principal, now time.Time) bool {
	_, err := q.Withdraw(by, now)
	return err == nil
}

// RunOut closes what nobody decided in time.
func (q Question) RunOut(now time.Time) (Question, error) {
	if q.State != Requested {
		return q, fault.Late(RuleDecided, "This is %s already.", q.State.Words())
	}
	if now.Before(q.ExpiresAt) {
		return q, fault.Late(RuleExpiry, "This request has until %s.", Clock(q.ExpiresAt))
	}
	return q.decided(Expired, now), nil
}

// VoidVotes closes the voting because what would be done, or who decides, has changed; what had been voted no longer counts.
func (q Question) VoidVotes() (Question, error) {
	if q.State != Requested {
		return q, fault.Late(RuleDecided, "This is %s already.", q.State.Words())
	}
	q.Open, q.Round = false, q.Round+1
	return q, nil
}

// Confirm reopens the voting on what would be done now. shown is the digest of what the requester was shown.
func (q Question) Confirm(by access.Principal, now, shown string, at time.Time) (Question, error) {
	if by.ID != q.Requester.ID {
		return q, fault.Refused(RuleOwner, q.Owner(), "%s can confirm what changed.", q.only())
	}
	if err := q.StillOpen(at); err != nil {
		return q, err
	}
	if q.Open {
		return q, fault.Late(RuleDecided, "Voting is open already.")
	}
	if now != shown {
		return q, fault.Late(RuleBound, "It changed once more while you were reading. The difference is shown again below.")
	}
	q.Digest, q.Open = now, true
	return q, nil
}

// Clock writes a time for refusals; pages show the local time beside it.
func Clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }
