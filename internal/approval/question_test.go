package approval_test

import (
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

var filed = time.Date(2026, 3, 1, 2, 14, 0, 0, time.UTC)

func question(s approval.State) approval.Question {
	q := approval.Question{
		ID: "q", Code: "FO-TEST", Digest: "d", Requester: access.Person{ID: "ines", Name: "Ines"}, State: s, Round: 1,
		Open: true, FiledAt: filed, ExpiresAt: filed.Add(30 * time.Minute),
	}
	if s != approval.Requested {
		q.DecidedAt = &filed
	}
	return q
}

// TestWhatLeadsOutOfRequested walks all pairs of a state and what may happen to a request: design.md §4, up to the approval. From
// the others nothing leads out.
func TestWhatLeadsOutOfRequested(t *testing.T) {
	commander := access.Principal{ID: "carl", Name: "Carl", SignedInAt: filed}.With([]access.Grant{{Role: access.IncidentCommander, By: "test"}})
	rules, err := approval.RulesOf(catalog.Catalog{Policies: []catalog.Policy{{
		Slug: "p", Name: "P", Action: catalog.ActMove, Needs: []catalog.Need{{Role: access.IncidentCommander, Persons: 1}},
		RecentSignIn: catalog.Duration(15 * time.Minute), Lifetime: catalog.Duration(30 * time.Minute),
	}}}, approval.About{Action: catalog.ActMove})
	if err != nil {
		t.Fatal(err)
	}
	ballot := approval.Ballot{Rules: rules, Requester: access.Principal{ID: "ines"}}
	vote := func(v approval.Verdict) func(approval.Question) (approval.Question, error) {
		return func(q approval.Question) (approval.Question, error) {
			return q.Decide(commander, approval.Decision{ID: "1", Verdict: v, Comment: "because", Digest: q.Digest}, ballot, filed)
		}
	}
	ways := map[string]struct {
		do   func(approval.Question) (approval.Question, error)
		to   approval.State
		open bool
	}{
		"approved": {vote(approval.Approve), approval.Approved, true},
		"rejected": {vote(approval.Reject), approval.Rejected, true},
		"withdrawn": {func(q approval.Question) (approval.Question, error) {
			return q.Withdraw(access.Principal{ID: "ines"}, filed)
		}, approval.Withdrawn, true},
		"run out": {func(q approval.Question) (approval.Question, error) { return q.RunOut(q.ExpiresAt) }, approval.Expired, true},
		"voided":  {approval.Question.VoidVotes, approval.Requested, false},
	}
	for _, from := range []approval.State{approval.Requested, approval.Approved, approval.Rejected, approval.Expired, approval.Withdrawn, "nonsense"} {
		for name, way := range ways {
			q := question(from)
			got, err := way.do(q)
			if from == approval.Requested {
				if err != nil || got.State != way.to || got.Open != way.open {
					t.Errorf("%s: %s, open %v, %v", name, got.State, got.Open, err)
				}
				continue
			}
			if fault.KindOf(err) != fault.Conflict || got.State != from {
				t.Errorf("%s when it is %s: it is %s, %v", name, from, got.State, err)
			}
		}
	}
}

func TestAVoidedQuestionIsVotedOnOnlyWhenItsRequesterConfirmed(t *testing.T) {
	ines := access.Principal{ID: "ines"}
	q, err := question(approval.Requested).VoidVotes()
	if err != nil || q.Round != 2 || !q.MustConfirm(filed) {
		t.Fatalf("%+v, %v", q, err)
	}
	if _, err := q.Confirm(access.Principal{ID: "carl"}, "new", "new", filed); fault.As(err) == nil || fault.As(err).Rule != approval.RuleOwner {
		t.Errorf("somebody else confirms: %v", err)
	}
	if _, err := q.Confirm(ines, "newer", "new", filed); fault.As(err) == nil || fault.As(err).Rule != approval.RuleBound {
		t.Errorf("what was not shown is confirmed: %v", err)
	}
	q, err = q.Confirm(ines, "new", "new", filed)
	if err != nil || !q.Open || q.Digest != "new" {
		t.Errorf("%+v, %v", q, err)
	}
	if _, err := q.Confirm(ines, "new", "new", filed); fault.KindOf(err) != fault.Conflict {
		t.Errorf("it is confirmed twice: %v", err)
	}
}
