package approval_test

import (
	"slices"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// TestWhoPassesIsNotAskedAgainAndTheOthersAreToldAtOnce, also those to whom it would be escalated.
func TestWhoPassesIsNotAskedAgainAndTheOthersAreToldAtOnce(t *testing.T) {
	b := wanting(catalog.Need{Role: access.BusinessOwner, Persons: 1})
	p := &b.Rules[0].Policy
	p.RemindEvery, p.EscalateAfter, p.EscalateTo = catalog.Duration(5*time.Minute), catalog.Duration(10*time.Minute), []access.Role{access.IncidentCommander}
	filed := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	bea, hugo, carl := person("bea", grant(access.BusinessOwner)), person("hugo", grant(access.BusinessOwner)), person("carl", grant(access.IncidentCommander))
	q := approval.Question{ID: "q", State: approval.Requested, Round: 1, Open: true, FiledAt: filed, ExpiresAt: filed.Add(time.Hour)}
	q, err := q.Pass("1", bea, b, filed.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	told := func(minutes int) (all []string) {
		for _, d := range b.Due(q, []access.Principal{bea, hugo, carl}, filed.Add(time.Duration(minutes)*time.Minute)) {
			all = append(all, string(d.Occasion)+" "+d.To.Name)
		}
		slices.Sort(all)
		return all
	}
	if got := told(1); !slices.Equal(got, []string{"asked hugo", "escalated carl", "passed hugo"}) {
		t.Errorf("at once: %v", got)
	}
	if got := told(6); !slices.Equal(got, []string{"asked hugo", "escalated carl", "passed hugo", "reminded hugo"}) {
		t.Errorf("later: %v", got)
	}
	if q, err = q.VoidVotes(); err != nil {
		t.Fatal(err)
	}
	if got := told(1); !slices.Equal(got, []string{"asked bea", "asked hugo"}) {
		t.Errorf("in the next round of voting: %v", got)
	}
}

func TestAPassIsNoVoteAndTheirsStaysTheirs(t *testing.T) {
	b := wanting(catalog.Need{Role: access.BusinessOwner, Persons: 1})
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	bea := person("bea", grant(access.BusinessOwner))
	bea.SignedInAt = now
	q := approval.Question{ID: "q", Digest: "d", State: approval.Requested, Round: 1, Open: true, FiledAt: now, ExpiresAt: now.Add(time.Hour)}
	for name, c := range map[string]struct {
		by   access.Principal
		rule string
	}{"who asks": {b.Requester, approval.RuleTwoPeople}, "who may not vote": {person("ada", grant(access.Auditor)), approval.RuleRole}} {
		if _, err := q.Pass("0", c.by, b, now); fault.As(err) == nil || fault.As(err).Rule != c.rule {
			t.Errorf("%s: %v", name, err)
		}
	}
	q, err := q.Pass("1", bea, b, now)
	if err != nil || len(q.Votes()) > 0 || q.State != approval.Requested {
		t.Fatalf("%+v, %v", q, err)
	}
	if _, err := q.Pass("2", bea, b, now); fault.As(err) == nil || fault.As(err).Rule != approval.RulePassOnce {
		t.Errorf("twice: %v", err)
	}
	if q, err = q.Decide(bea, approval.Decision{ID: "3", Verdict: approval.Approve, Digest: "d"}, b, now); err != nil || q.State != approval.Approved {
		t.Errorf("%s, %v", q.State, err)
	}
}
