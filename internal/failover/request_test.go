package failover

import (
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

var night = time.Date(2026, 3, 1, 2, 14, 0, 0, time.UTC)

func policy(approvals int) Policy {
	return Policy{
		Slug: "p", Name: "P", Approvals: approvals, Roles: []access.Role{access.IncidentCommander, access.BusinessOwner},
		RecentSignIn: catalog.Duration(15 * time.Minute), Lifetime: catalog.Duration(30 * time.Minute),
	}
}

func who(id string, roles ...access.Role) access.Principal {
	return access.Principal{ID: id, Name: id, Roles: roles, SignedInAt: night}
}

func asked() Request {
	terms := Terms{Plan: "p", DataSet: "orders", From: "leeds", To: "dublin", Mode: Emergency, Cause: CauseSite}
	digest, err := terms.Digest()
	if err != nil {
		panic(err)
	}
	return Request{
		ID: "r", Code: "FO-TEST", Terms: terms, Digest: digest, Requester: Person{"ines", "Ines"}, State: Requested, Round: 1,
		Open: true, FiledAt: night, ExpiresAt: night.Add(30 * time.Minute),
	}
}

func yes(r Request) Decision { return Decision{ID: "d", Verdict: Yes, Digest: r.Digest} }

func wantRule(t *testing.T, err error, rule string) {
	t.Helper()
	if refusal := fault.As(err); refusal == nil || refusal.Rule != rule {
		t.Fatalf("got %v, wanted the rule %q", err, rule)
	}
}

func TestRequesterMayNotApproveOwnRequest(t *testing.T) {
	r := asked()
	_, err := r.Decide(who("ines", access.IncidentCommander), yes(r), policy(1), night)
	wantRule(t, err, RuleTwoPeople)
	if fault.As(err).Who == "" {
		t.Error("the refusal does not say who can act")
	}
}

func TestOnlyRolesOfThePolicyVote(t *testing.T) {
	for _, role := range append(access.Roles(), "king") {
		r := asked()
		_, err := r.Decide(who("x", role), yes(r), policy(1), night)
		if allowed := role == access.IncidentCommander || role == access.BusinessOwner; allowed != (err == nil) {
			t.Errorf("%s: %v", role, err)
		}
	}
	_, err := asked().Decide(who("x"), yes(asked()), policy(1), night)
	wantRule(t, err, RuleRole)
}

func TestAVoteNeedsARecentSignIn(t *testing.T) {
	for age, ok := range map[time.Duration]bool{0: true, 15 * time.Minute: true, 15*time.Minute + time.Second: false, -time.Hour: false} {
		by := who("carl", access.IncidentCommander)
		by.SignedInAt = night.Add(-age)
		r := asked()
		_, err := r.Decide(by, yes(r), policy(1), night)
		if ok != (err == nil) || !ok && fault.KindOf(err) != fault.SignInAgain {
			t.Errorf("signed in %s ago: %v", age, err)
		}
	}
}

func TestSecondVoteOfTheSamePersonCountsOnce(t *testing.T) {
	r, err := asked().Decide(who("carl", access.IncidentCommander), yes(asked()), policy(2), night)
	if err != nil || r.State != Requested {
		t.Fatalf("%s, %v", r.State, err)
	}
	again, err := r.Decide(who("carl", access.BusinessOwner), yes(r), policy(2), night)
	wantRule(t, err, RuleOneVote)
	if len(again.Decisions) != 1 || again.Missing(policy(2)) != 1 {
		t.Errorf("%d votes, %d missing", len(again.Decisions), again.Missing(policy(2)))
	}
}

func TestOneRejectionEndsIt(t *testing.T) {
	r := asked()
	d := yes(r)
	d.Verdict = No
	if _, err := r.Decide(who("bea", access.BusinessOwner), d, policy(2), night); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a rejection without a reason: %v", err)
	}
	d.Comment = "The release is being rolled back"
	r, err := r.Decide(who("bea", access.BusinessOwner), d, policy(2), night)
	if err != nil || r.State != Rejected {
		t.Fatalf("%s, %v", r.State, err)
	}
	_, err = r.Decide(who("carl", access.IncidentCommander), yes(r), policy(2), night)
	wantRule(t, err, RuleDecided)
}

func TestExpiredWithdrawnAndRejectedRequestsCannotBeApproved(t *testing.T) {
	carl := who("carl", access.IncidentCommander)
	r := asked()
	_, err := r.Decide(carl, yes(r), policy(1), r.ExpiresAt)
	wantRule(t, err, RuleExpiry)
	if r.Standing(r.ExpiresAt) != Expired || r.Standing(r.ExpiresAt.Add(-1)) != Requested {
		t.Error("the standing does not follow the clock")
	}
	_, err = r.Withdraw(carl, night)
	wantRule(t, err, RuleOwner)
	r, err = r.Withdraw(who("ines"), night)
	if err != nil || r.State != Withdrawn {
		t.Fatalf("%s, %v", r.State, err)
	}
	_, err = r.Decide(carl, yes(r), policy(1), night)
	wantRule(t, err, RuleDecided)
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
	_, err = r.Decide(who("carl", access.IncidentCommander), d, policy(1), night)
	wantRule(t, err, RuleBound)
}

func TestVotesAreVoidUntilTheRequesterConfirms(t *testing.T) {
	carl := who("carl", access.IncidentCommander)
	r, err := asked().Decide(carl, yes(asked()), policy(2), night)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = r.VoidVotes(); err != nil {
		t.Fatal(err)
	}
	_, err = r.Decide(carl, yes(r), policy(2), night)
	wantRule(t, err, RuleBound)
	now := r.Terms
	now.PlanVersion = 2
	shown, err := now.Digest()
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Confirm(who("ines"), now, r.Digest, night)
	wantRule(t, err, RuleBound)
	if r, err = r.Confirm(who("ines"), now, shown, night); err != nil {
		t.Fatal(err)
	}
	if r.Missing(policy(2)) != 2 || len(r.Decisions) != 1 {
		t.Errorf("%d missing, %d kept", r.Missing(policy(2)), len(r.Decisions))
	}
	if _, err = r.Decide(carl, yes(r), policy(2), night); err != nil {
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
	if r, err = r.Decide(who("carl", access.IncidentCommander), yes(r), policy(1), night); err != nil || r.State != Requested {
		t.Fatalf("%s, %v", r.State, err)
	}
	if r, err = r.Decide(who("sven", access.SecurityOfficer), yes(r), policy(1), night); err != nil || r.State != Approved {
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
