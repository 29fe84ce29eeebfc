package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// give puts records in force.
func (w world) give(t *testing.T, records ...any) {
	t.Helper()
	var b store.Bundle
	for _, r := range records {
		b.Records = append(b.Records, entry(r))
	}
	testkit.Change(t, w.Store, b, store.Manner{})
}

func entry(record any) catalog.Entry {
	e, err := catalog.EntryOf(record)
	if err != nil {
		panic(err)
	}
	return e
}

// known is somebody with a verified address, in some groups.
func (w world) known(t *testing.T, name string, groups ...string) access.Principal {
	t.Helper()
	id, err := w.SignIn(w.ctx, store.Identity{
		Issuer: "i", Subject: name, Name: name, Email: name + "@example.com", Verified: true, Groups: groups, SignedInAt: w.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := w.Principal(w.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func moves(needs ...catalog.Need) catalog.Policy {
	return catalog.Policy{
		Slug: "tier-1-move", Name: "Moves", Action: catalog.ActMove, Needs: needs, RecentSignIn: catalog.Duration(15 * 60e9), Lifetime: catalog.Duration(30 * 60e9),
	}
}

// someIsNeeded says whether without one of the votes it would not be enough: that one was the last.
func someIsNeeded(p catalog.Policy, votes []approval.Vote) bool {
	for i := range votes {
		if !approval.Enough(p, slices.Delete(slices.Clone(votes), i, i+1)) {
			return true
		}
	}
	return false
}

// TestTheQuorumCountedByEightPeopleAtOnceEqualsTheRule: whoever comes when, the request is approved by the vote that makes it
// enough, and takes none after it.
func TestTheQuorumCountedByEightPeopleAtOnceEqualsTheRule(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		policy := moves(
			catalog.Need{Way: "a", Role: access.IncidentCommander, Persons: 1}, catalog.Need{Way: "a", Role: access.SecurityOfficer, Persons: 1},
			catalog.Need{Way: "b", Role: access.BusinessOwner, Persons: 3},
		)
		w.give(t, policy)
		ines := w.known(t, "ines", "incident-commanders")
		groups := []string{"incident-commanders", "security-officers", "business-owners", "auditors"}
		for round := range 50 {
			r := rand.New(rand.NewPCG(uint64(round), 3))
			people := make([]access.Principal, 8)
			roles := map[string][]access.Role{}
			for i := range people {
				some := []string{groups[r.IntN(4)]}
				if r.IntN(3) == 0 {
					some = append(some, groups[r.IntN(4)])
				}
				people[i] = w.known(t, fmt.Sprintf("p%d", i), some...)
				roles[people[i].ID] = people[i].Roles
			}
			asked := w.file(t, ines)
			var all sync.WaitGroup
			for _, p := range people {
				all.Go(func() { w.vote(t, asked, p, approval.Approve) })
			}
			all.Wait()
			after, err := w.Request(w.ctx, asked.Code)
			if err != nil {
				t.Fatal(err)
			}
			var votes []approval.Vote
			for _, d := range after.Votes() {
				votes = append(votes, approval.Vote{Person: d.By.ID, Roles: roles[d.By.ID]})
			}
			if enough := approval.Enough(policy, votes); enough != (after.State == approval.Approved) {
				t.Fatalf("round %d: %s after %+v", round, after.State, votes)
			}
			if len(votes) > 0 && !someIsNeeded(policy, votes) { // times are taken before the lock, so that their order says nothing
				t.Fatalf("round %d: a vote was taken after it was enough: %+v", round, votes)
			}
			everybody := make([]approval.Vote, len(people))
			for i, p := range people {
				everybody[i] = approval.Vote{Person: p.ID, Roles: p.Roles}
			}
			if after.State != approval.Approved && approval.Enough(policy, everybody) {
				t.Fatalf("round %d: eight people could approve it together, and did not: %+v", round, votes)
			}
			w.end(t, after, ines)
		}
	})
}

// end clears the way for another request about the same data.
func (w world) end(t *testing.T, r failover.Request, by access.Principal) {
	t.Helper()
	if r.State == approval.Requested {
		if out, err := w.Withdraw(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: by}); err != nil || out.Refusal != nil {
			t.Fatalf("%v, %+v", err, out.Refusal)
		}
		return
	}
	if _, err := w.Claim(w.ctx, r.Code); err != nil {
		t.Fatal(err)
	}
	w.stop(t, r.Code)
}

func TestAVoteBySomebodyWhoLostTheRoleBeforeTheCountDoesNotCount(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		w.give(t, moves(catalog.Need{Role: access.BusinessOwner, Persons: 2}))
		ines, bea := w.known(t, "ines", "incident-commanders"), w.known(t, "bea", "business-owners")
		hugo, olga := w.known(t, "hugo", "business-owners"), w.known(t, "olga", "business-owners")
		r := w.file(t, ines)
		w.vote(t, r, bea, approval.Approve)
		w.known(t, "bea", "nobody") // she signs in anew, in another group
		if out := w.vote(t, r, hugo, approval.Approve); out.State != failover.Requested || out.Refusal != nil {
			t.Fatalf("the vote of one who is no owner any more was counted: %s, %+v", out.State, out.Refusal)
		}
		if out := w.vote(t, r, olga, approval.Approve); out.State != failover.Approved {
			t.Errorf("two owners made it %s: %+v", out.State, out.Refusal)
		}
	})
}

func TestARoleThatEndsStopsWorkingAtTheNextRequest(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		w.give(t, catalog.Assignment{Slug: "stand-in", Name: "Stand-in", Role: access.BusinessOwner, Person: "rosa@example.com", Until: w.Now().Format("2006-01-02")})
		rosa := w.known(t, "rosa")
		if !rosa.Has(access.BusinessOwner) {
			t.Fatal("the assignment gives nothing")
		}
		r := w.file(t, w.known(t, "ines", "incident-commanders"))
		w.clock.add(24 * 3600e9)
		if now, _, err := w.Principal(w.ctx, rosa.ID); err != nil || len(now.Roles) != 0 {
			t.Errorf("the day after: %v, %v", now.Roles, err)
		}
		rosa.SignedInAt = w.Now()
		r2, err := w.Request(w.ctx, r.Code)
		if err != nil {
			t.Fatal(err)
		}
		ballot, err := w.Ballot(w.ctx, r2)
		if err != nil {
			t.Fatal(err)
		}
		now, _, err := w.Principal(w.ctx, rosa.ID)
		if f := fault.As(ballot.MayVote(now)); err != nil || f == nil || f.Rule != approval.RuleRole {
			t.Errorf("%v, %v", f, err)
		}
	})
}

func TestAnUnverifiedAddressGivesNoRole(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		w.give(t, catalog.Assignment{Slug: "rosa", Name: "Rosa", Role: access.BusinessOwner, Person: "rosa@example.com"})
		id, err := w.SignIn(w.ctx, store.Identity{Issuer: "i", Subject: "mallory", Name: "Mallory", Email: "rosa@example.com", SignedInAt: w.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if p, _, err := w.Principal(w.ctx, id); err != nil || len(p.Roles) != 0 || p.Mail != "" {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func TestADeputyDoesNotApproveTheRequestOfWhomTheyStandInFor(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		today := w.Now().Format("2006-01-02")
		w.give(t, catalog.Deputy{Slug: "d", Name: "While Ines is away", For: "ines@example.com", Person: "carl@example.com", From: today, Until: today})
		ines, carl := w.known(t, "ines", "incident-commanders"), w.known(t, "carl", "incident-commanders")
		r := w.file(t, ines)
		refusedBy(t, w.vote(t, r, carl, approval.Approve), approval.RuleDeputy)
		w.known(t, "ines", "nobody") // her roles have ended: there is nothing left that he borrows
		refusedBy(t, w.vote(t, r, carl, approval.Approve), approval.RuleDeputy)
	})
}

// TestPoliciesWithAGapOrATieAreNotSaved: what is wrong is told when it is written, not at night.
func TestPoliciesWithAGapOrATieAreNotSaved(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		need := catalog.Need{Role: access.BusinessOwner, Persons: 1}
		emergency, site := moves(need), moves(need)
		emergency.Slug, emergency.Mode = "emergency", "emergency"
		site.Slug, site.Causes = "site", []string{"site"}
		for name, records := range map[string][]any{"a tie": {emergency, site}} {
			var b store.Bundle
			for _, r := range records {
				b.Records = append(b.Records, entry(r))
			}
			_, err := w.ProposeBundle(w.ctx, access.Person{ID: "cli:test"}, store.NewID(), b, store.Manner{})
			if f := fault.As(err); f == nil || f.Kind != fault.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		only := moves(need)
		only.Mode = "emergency"
		if _, err := w.ProposeBundle(w.ctx, access.Person{ID: "cli:test"}, store.NewID(), store.Bundle{Records: []catalog.Entry{entry(only)}}, store.Manner{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a gap: planned moves have no policy: %v", err)
		}
	})
}
