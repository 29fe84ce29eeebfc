package failover

import (
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/canonical"
)

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

// Request is someone's wish to run a plan version on a scope, for a cause and a reason. Its run has the same code.
type Request struct {
	approval.Question
	Incident string // the incident's code
	Terms    Terms  // what Digest names
	Reason   string
	Impact   time.Time // start of impact
	Order    OrderRef  // of the standing order that filed it; nothing where a person did
}

// OrderRef names a standing order as it stood since some version of the catalogue: changed or retired, it is another or none.
type OrderRef struct {
	Slug  string
	Since int
}

// Standing is the request's state as of now: one that has run out is expired even before anyone wrote it down.
func (r Request) Standing(now time.Time) State { return State(r.Question.Standing(now)) }

// Decide adds a vote and counts; the caller checks the fact sheet.
func (r Request) Decide(by access.Principal, d approval.Decision, b approval.Ballot, now time.Time) (Request, error) {
	return r.with(r.Question.Decide(by, d, b, now))
}

// Withdraw takes the request back.
func (r Request) Withdraw(by access.Principal, now time.Time) (Request, error) {
	return r.with(r.Question.Withdraw(by, now))
}

// RunOut closes a request that nobody decided in time.
func (r Request) RunOut(now time.Time) (Request, error) { return r.with(r.Question.RunOut(now)) }

// VoidVotes closes the voting because the plan or policy was published anew; what had been voted no longer counts.
func (r Request) VoidVotes() (Request, error) { return r.with(r.Question.VoidVotes()) }

// Confirm reopens the voting on the terms as they are now, whose difference the requester was shown.
func (r Request) Confirm(by access.Principal, now Terms, shown string, at time.Time) (Request, error) {
	digest, err := now.Digest()
	if err != nil {
		return r, err
	}
	next, err := r.with(r.Question.Confirm(by, digest, shown, at))
	if err == nil {
		next.Terms = now
	}
	return next, err
}

func (r Request) with(q approval.Question, err error) (Request, error) {
	r.Question = q
	return r, err
}
