package approval_test

import (
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

var checkout = access.Object{Service: "checkout", Tier: "tier-1", Capability: "checkout", Sites: []string{"leeds", "dublin"}}

// wanting is a ballot on a move of Checkout that ines asks for.
func wanting(needs ...catalog.Need) approval.Ballot {
	return approval.Ballot{
		Rules: approval.Rules{{
			Policy:  catalog.Policy{Slug: "p", Name: "P", Needs: needs, RecentSignIn: catalog.Duration(15 * time.Minute)},
			Objects: []access.Object{checkout},
		}},
		Requester: person("ines", grant(access.IncidentCommander)),
	}
}

func person(name string, grants ...access.Grant) access.Principal {
	return access.Principal{ID: name, Name: name, Mail: name + "@example.com"}.With(grants)
}

func grant(r access.Role) access.Grant { return access.Grant{Role: r, By: "test"} }

func within(r access.Role, s access.Scope) access.Grant {
	return access.Grant{Role: r, By: "test", Scope: s}
}

func instead(r access.Role, of string) access.Grant {
	return access.Grant{Role: r, By: "test", For: of + "@example.com"}
}

func ruled(t *testing.T, what string, err error, rule string) {
	t.Helper()
	f := fault.As(err)
	switch {
	case rule == "" && err == nil:
	case f == nil || f.Rule != rule:
		t.Errorf("%s: %v, not the rule %q", what, err, rule)
	case f.Kind == fault.Forbidden && f.Who == "":
		t.Errorf("%s: nobody is named who can", what)
	}
}

func TestOnlyASecondPersonWhoseRoleHoldsForItVotes(t *testing.T) {
	b := wanting(catalog.Need{Role: access.IncidentCommander, Persons: 1}, catalog.Need{Way: "b", Role: access.BusinessOwner, Persons: 1})
	other := person("ines-at-home", grant(access.IncidentCommander))
	other.Mail = "INES@example.com"
	unverified := person("carl", grant(access.IncidentCommander))
	unverified.Mail = ""
	for name, c := range map[string]struct {
		who  access.Principal
		rule string
	}{
		"a commander":                       {person("carl", grant(access.IncidentCommander)), ""},
		"one whose address nobody verified": {unverified, ""},
		"an owner of it":                    {person("bea", within(access.BusinessOwner, access.Scope{Capabilities: []string{"checkout"}})), ""},
		"an owner of something else":        {person("hugo", within(access.BusinessOwner, access.Scope{Capabilities: []string{"orders"}})), approval.RuleScope},
		"an owner at one of the sites":      {person("hugo", within(access.BusinessOwner, access.Scope{Sites: []string{"leeds"}})), approval.RuleScope},
		"an auditor":                        {person("ada", grant(access.Auditor)), approval.RuleRole},
		"nobody":                            {person("nina"), approval.RuleRole},
		"the requester":                     {person("ines", grant(access.BusinessOwner)), approval.RuleTwoPeople},
		"the requester by another account":  {other, approval.RuleTwoPeople},
		"who stands in for the requester":   {person("carl", grant(access.IncidentCommander), instead(access.IncidentCommander, "ines")), approval.RuleDeputy},
		"who stands in for somebody else":   {person("carl", instead(access.BusinessOwner, "bea")), ""},
		"a role that is none":               {person("king", grant("king")), approval.RuleRole},
	} {
		ruled(t, name, b.MayVote(c.who), c.rule)
	}
}

func TestOnePersonIsOneVoteByWhateverAccount(t *testing.T) {
	b := wanting(catalog.Need{Role: access.IncidentCommander, Persons: 2})
	carl := person("carl", grant(access.IncidentCommander), within(access.IncidentCommander, access.Scope{Tiers: []string{"tier-1"}}))
	b.Yes = []access.Principal{carl}
	again := person("carl-at-home", grant(access.IncidentCommander))
	again.Mail = carl.Mail
	ruled(t, "another account", b.MayVote(again), approval.RuleOneVote)
	b.Yes = append(b.Yes, again) // however it came about
	if missing := b.Missing(); len(missing) != 1 || len(missing[0].Roles) != 1 {
		t.Errorf("missing is %+v, not one more commander", missing)
	}
}

func TestADeputyAndWhomTheyStandInForAreNotTwoPeople(t *testing.T) {
	b := wanting(catalog.Need{Role: access.BusinessOwner, Persons: 2})
	bea, hugo := person("bea", grant(access.BusinessOwner)), person("hugo", instead(access.BusinessOwner, "bea"))
	own := person("hugo", grant(access.BusinessOwner), instead(access.BusinessOwner, "bea"))
	for name, c := range map[string]struct {
		first, second access.Principal
		rule          string
	}{
		"the deputy comes second":           {bea, hugo, approval.RuleDeputy},
		"the deputy comes first":            {hugo, bea, approval.RuleDeputy},
		"a deputy who votes with their own": {bea, own, ""},
		"and the other way round":           {own, bea, ""},
	} {
		b.Yes = []access.Principal{c.first}
		ruled(t, name, b.MayVote(c.second), c.rule)
		b.Yes = []access.Principal{c.first, c.second}
		if met := len(b.Missing()) == 0; met != (c.rule == "") {
			t.Errorf("%s: met is %v", name, met)
		}
	}
}

func TestAYesCountsOnlyWithTheRolesThatAreHeldNow(t *testing.T) {
	b := wanting(catalog.Need{Role: access.BusinessOwner, Persons: 1}, catalog.Need{Role: access.SecurityOfficer, Persons: 1})
	bea, sven := person("bea", grant(access.BusinessOwner)), person("sven", grant(access.SecurityOfficer))
	if b.Yes = []access.Principal{bea, sven}; len(b.Missing()) != 0 {
		t.Fatalf("missing is %+v", b.Missing())
	}
	b.Yes = []access.Principal{person("bea"), sven}
	if missing := b.Missing(); len(missing) != 1 || len(missing[0].Roles) != 1 || missing[0].Roles[0] != access.BusinessOwner {
		t.Errorf("missing is %+v, not an owner", missing)
	}
}

func TestEachPolicyMustBeMetAndTheStrictestSignInCounts(t *testing.T) {
	b := wanting(catalog.Need{Role: access.BusinessOwner, Persons: 1})
	reports := access.Object{Service: "reports", Tier: "tier-3", Capability: "finance"}
	b.Rules = append(b.Rules, approval.Rule{
		Policy:  catalog.Policy{Slug: "q", Name: "Q", Needs: []catalog.Need{{Role: access.BusinessOwner, Persons: 1}}, RecentSignIn: catalog.Duration(time.Minute)},
		Objects: []access.Object{reports},
	})
	one := person("bea", within(access.BusinessOwner, access.Scope{Capabilities: []string{"checkout"}}))
	both := person("hugo", grant(access.BusinessOwner))
	if b.Yes = []access.Principal{one}; len(b.Missing()) != 1 || b.Missing()[0].Policy != "Q" {
		t.Errorf("missing is %+v, not Q", b.Missing())
	}
	if b.Yes = []access.Principal{both}; len(b.Missing()) != 0 {
		t.Errorf("missing is %+v", b.Missing())
	}
	if got := b.RecentSignIn(both); got != time.Minute {
		t.Errorf("who counts for both may have signed in %s ago", got)
	}
	if got := b.RecentSignIn(one); got != 15*time.Minute {
		t.Errorf("who counts for one may have signed in %s ago", got)
	}
}

func TestANoEndsItWhereThePolicyGivesItTheRight(t *testing.T) {
	b := wanting(catalog.Need{Role: access.BusinessOwner, Persons: 2}, catalog.Need{Way: "b", Role: access.SecurityOfficer, Persons: 1})
	bea, sven := person("bea", grant(access.BusinessOwner)), person("sven", grant(access.SecurityOfficer))
	if !b.Ends(bea) || !b.Ends(sven) || b.Ends(person("ada", grant(access.Auditor))) {
		t.Error("where no veto is named, anybody's no ends it who may vote, and nobody else's")
	}
	b.Rules[0].Policy.Veto = []access.Role{access.SecurityOfficer}
	if b.Ends(bea) || !b.Ends(sven) {
		t.Error("where a veto is named, only theirs does")
	}
}

func TestWithoutAPolicyNothingIsEverApproved(t *testing.T) {
	b := approval.Ballot{Requester: person("ines"), Yes: []access.Principal{person("bea", grant(access.BusinessOwner))}}
	if len(b.Missing()) == 0 {
		t.Error("nothing is missing")
	}
	ruled(t, "a vote", b.MayVote(person("hugo", grant(access.BusinessOwner))), approval.RuleNoGap)
}

func TestWhetherAnybodyCouldApproveIsKnownBeforehand(t *testing.T) {
	b := wanting(catalog.Need{Role: access.BusinessOwner, Persons: 2})
	bea, hugo := person("bea", grant(access.BusinessOwner)), person("hugo", grant(access.BusinessOwner))
	if wants := b.Possible(b.Able([]access.Principal{b.Requester, bea})); len(wants) != 1 || len(wants[0].Roles) != 1 {
		t.Errorf("one owner: %+v", wants)
	}
	if wants := b.Possible(b.Able([]access.Principal{b.Requester, bea, hugo})); len(wants) != 0 {
		t.Errorf("two owners: %+v", wants)
	}
}
