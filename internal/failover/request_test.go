package failover

import (
	"strconv"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

var night = time.Date(2026, 3, 1, 2, 14, 0, 0, time.UTC)

// needs asks for some people who are incident commanders or business owners, of whichever there are.
func needs(approvals int) []catalog.Need {
	var all []catalog.Need
	for commanders := range approvals + 1 {
		way := strconv.Itoa(commanders)
		if commanders > 0 {
			all = append(all, catalog.Need{Way: way, Role: access.IncidentCommander, Persons: commanders})
		}
		if owners := approvals - commanders; owners > 0 {
			all = append(all, catalog.Need{Way: way, Role: access.BusinessOwner, Persons: owners})
		}
	}
	return all
}

// ballot is where a request stands under a policy that asks for so many approvals.
func ballot(r Request, approvals int) approval.Ballot {
	c := catalog.Catalog{Policies: []catalog.Policy{{
		Slug: "p", Name: "P", Action: catalog.ActMove, Needs: needs(approvals),
		RecentSignIn: catalog.Duration(15 * time.Minute), Lifetime: catalog.Duration(30 * time.Minute),
	}}}
	rules, err := approval.RulesOf(c, r.Terms.Decided(r.FiledAt))
	if err != nil {
		panic(err)
	}
	b := approval.Ballot{Rules: rules, Requester: who(r.Requester.ID)}
	for _, d := range r.Votes() {
		if d.Verdict == approval.Approve {
			b.Yes = append(b.Yes, who(d.By.ID, d.Roles...))
		}
	}
	return b
}

func missing(r Request, approvals int) (n int) {
	for _, want := range ballot(r, approvals).Missing() {
		n += len(want.Roles)
	}
	return n
}

func who(id string, roles ...access.Role) access.Principal {
	var grants []access.Grant
	for _, r := range roles {
		grants = append(grants, access.Grant{Role: r, By: "test"})
	}
	return access.Principal{ID: id, Name: id, SignedInAt: night}.With(grants)
}

func asked() Request {
	terms := Terms{Plan: "p", DataSet: "orders", From: "leeds", To: "dublin", Mode: Emergency, Cause: CauseSite}
	digest, err := terms.Digest()
	if err != nil {
		panic(err)
	}
	return Request{Terms: terms, Question: approval.Question{
		ID: "r", Code: "FO-TEST", Digest: digest, Requester: access.Person{ID: "ines", Name: "Ines"}, State: approval.Requested, Round: 1,
		Open: true, FiledAt: night, ExpiresAt: night.Add(30 * time.Minute),
	}}
}

func yes(r Request) approval.Decision {
	return approval.Decision{ID: "d", Verdict: approval.Approve, Digest: r.Digest}
}

func wantRule(t *testing.T, err error, rule string) {
	t.Helper()
	if refusal := fault.As(err); refusal == nil || refusal.Rule != rule {
		t.Fatalf("got %v, wanted the rule %q", err, rule)
	}
}

func TestRequesterMayNotApproveOwnRequest(t *testing.T) {
	r := asked()
	_, err := r.Decide(who("ines", access.IncidentCommander), yes(r), ballot(r, 1), night)
	wantRule(t, err, approval.RuleTwoPeople)
	if fault.As(err).Who == "" {
		t.Error("the refusal does not say who can act")
	}
}

func TestOnlyRolesOfThePolicyVote(t *testing.T) {
	for _, role := range append(access.Roles(), "king") {
		r := asked()
		_, err := r.Decide(who("x", role), yes(r), ballot(r, 1), night)
		if allowed := role == access.IncidentCommander || role == access.BusinessOwner; allowed != (err == nil) {
			t.Errorf("%s: %v", role, err)
		}
	}
	_, err := asked().Decide(who("x"), yes(asked()), ballot(asked(), 1), night)
	wantRule(t, err, approval.RuleRole)
}

func TestAVoteNeedsARecentSignIn(t *testing.T) {
	for age, ok := range map[time.Duration]bool{0: true, 15 * time.Minute: true, 15*time.Minute + time.Second: false, -time.Hour: false} {
		by := who("carl", access.IncidentCommander)
		by.SignedInAt = night.Add(-age)
		r := asked()
		_, err := r.Decide(by, yes(r), ballot(r, 1), night)
		if ok != (err == nil) || !ok && fault.KindOf(err) != fault.SignInAgain {
			t.Errorf("signed in %s ago: %v", age, err)
		}
	}
}

func TestSecondVoteOfTheSamePersonCountsOnce(t *testing.T) {
	r, err := asked().Decide(who("carl", access.IncidentCommander), yes(asked()), ballot(asked(), 2), night)
	if err != nil || r.State != approval.Requested {
		t.Fatalf("%s, %v", r.State, err)
	}
	again, err := r.Decide(who("carl", access.BusinessOwner), yes(r), ballot(r, 2), night)
	wantRule(t, err, approval.RuleOneVote)
	if len(again.Decisions) != 1 || missing(again, 2) != 1 {
		t.Errorf("%d votes, %d missing", len(again.Decisions), missing(again, 2))
	}
}

func TestOneRejectionEndsIt(t *testing.T) {
	r := asked()
	d := yes(r)
	d.Verdict = approval.Reject
	if _, err := r.Decide(who("bea", access.BusinessOwner), d, ballot(r, 2), night); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a rejection without a reason: %v", err)
	}
	d.Comment = "The release is being rolled back"
	r, err := r.Decide(who("bea", access.BusinessOwner), d, ballot(r, 2), night)
	if err != nil || r.State != approval.Rejected {
		t.Fatalf("%s, %v", r.State, err)
	}
	_, err = r.Decide(who("carl", access.IncidentCommander), yes(r), ballot(r, 2), night)
	wantRule(t, err, approval.RuleDecided)
}

func TestExpiredWithdrawnAndRejectedRequestsCannotBeApproved(t *testing.T) {
	carl := who("carl", access.IncidentCommander)
	r := asked()
	_, err := r.Decide(carl, yes(r), ballot(r, 1), r.ExpiresAt)
	wantRule(t, err, approval.RuleExpiry)
	if r.Standing(r.ExpiresAt) != Expired || r.Standing(r.ExpiresAt.Add(-1)) != Requested {
		t.Error("the standing does not follow the clock")
	}
	_, err = r.Withdraw(carl, night)
	wantRule(t, err, approval.RuleOwner)
	r, err = r.Withdraw(who("ines"), night)
	if err != nil || r.State != approval.Withdrawn {
		t.Fatalf("%s, %v", r.State, err)
	}
	_, err = r.Decide(carl, yes(r), ballot(r, 1), night)
	wantRule(t, err, approval.RuleDecided)
	if _, err = r.Withdraw(who("ines"), night); err == nil {
		t.Error("withdrawn twice")
	}
}

func TestAVoteIsForExactlyTheTermsShown(t *testing.T) {
	r := asked()
	d := yes(r)
	r.Terms.To = "paris"
	var err error
	if r.Digest, err = r.Terms.Digest(); err != nil {
		t.Fatal(err)
	}
	_, err = r.Decide(who("carl", access.IncidentCommander), d, ballot(r, 1), night)
	wantRule(t, err, approval.RuleBound)
}

func TestVotesAreVoidUntilTheRequesterConfirms(t *testing.T) {
	carl := who("carl", access.IncidentCommander)
	r, err := asked().Decide(carl, yes(asked()), ballot(asked(), 2), night)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = r.VoidVotes(); err != nil {
		t.Fatal(err)
	}
	_, err = r.Decide(carl, yes(r), ballot(r, 2), night)
	wantRule(t, err, approval.RuleBound)
	now := r.Terms
	now.PlanVersion = 2
	shown, err := now.Digest()
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Confirm(who("ines"), now, r.Digest, night)
	wantRule(t, err, approval.RuleBound)
	if r, err = r.Confirm(who("ines"), now, shown, night); err != nil {
		t.Fatal(err)
	}
	if missing(r, 2) != 2 || len(r.Decisions) != 1 {
		t.Errorf("%d missing, %d kept", missing(r, 2), len(r.Decisions))
	}
	if _, err = r.Decide(carl, yes(r), ballot(r, 2), night); err != nil {
		t.Errorf("voting anew: %v", err)
	}
}

func TestACompromiseNeedsAVoteFromSecurity(t *testing.T) {
	r := asked()
	r.Terms.Cause = CauseCompromise
	var err error
	if r.Digest, err = r.Terms.Digest(); err != nil {
		t.Fatal(err)
	}
	if r, err = r.Decide(who("carl", access.IncidentCommander), yes(r), ballot(r, 1), night); err != nil || r.State != approval.Requested {
		t.Fatalf("%s, %v", r.State, err)
	}
	if r, err = r.Decide(who("sven", access.SecurityOfficer), yes(r), ballot(r, 1), night); err != nil || r.State != approval.Approved {
		t.Fatalf("%s, %v", r.State, err)
	}
}

func TestAMoveIsRefusedWhereTheTargetSharesTheCause(t *testing.T) {
	for _, c := range Causes() {
		err := c.MoveHelps()
		want := c == CauseCorruption || c == CauseThirdParty || c == CauseRelease
		if want != (err != nil) {
			t.Errorf("%s: %v", c, err)
		}
	}
}
