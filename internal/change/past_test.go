package change_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
)

func commander(id string, scope access.Scope) access.Principal {
	return access.Principal{ID: id, Name: id, Mail: id + "@shop.test"}.With([]access.Grant{{Role: access.IncidentCommander, Scope: scope}})
}

// moved is a move of one service that somebody asked for and others approved within ten minutes.
func moved(service string, yes ...access.Principal) change.Past {
	filed := time.Date(2026, 3, 1, 2, 11, 0, 0, time.UTC)
	return change.Past{
		Code: "FO-" + service, About: []catalog.Ref{{Kind: catalog.KindService, Slug: service}}, Filed: filed, Decided: filed.Add(10 * time.Minute),
		RulesIn: func(c catalog.Catalog) (approval.Rules, error) {
			return approval.RulesOf(c, approval.About{Action: catalog.ActMove, Services: []string{service}, At: filed})
		},
		Ballot: approval.Ballot{Requester: commander("ines", access.Scope{}), Yes: yes},
	}
}

func TestApprovalsOfThePastAreCountedByTheRulesOfVotes(t *testing.T) {
	everywhere := access.Scope{}
	ann, ben := commander("ann", everywhere), commander("ben", everywhere)
	twin := ann
	twin.ID = "ann-2" // another account with the same address
	deputy := ben.With([]access.Grant{{Role: access.IncidentCommander, For: ann.Mail}})
	narrow := commander("ned", access.Scope{Tiers: []string{"tier-2"}})
	two := policy("any", 2, nil)
	for name, c := range map[string]struct {
		past   change.Past
		policy catalog.Policy
		short  string // part of what is said; "wants" for people; nothing where it holds
	}{
		"two of two":            {moved("checkout", ann, ben), two, ""},
		"one of two":            {moved("checkout", ann), two, "wants"},
		"one by two accounts":   {moved("checkout", ann, twin), two, "wants"},
		"a deputy beside":       {moved("checkout", ann, deputy), two, "wants"},
		"out of scope":          {moved("checkout", ann, narrow), two, "wants"},
		"who asked":             {moved("checkout", ann, commander("ines", everywhere)), two, "wants"},
		"too late":              {moved("checkout", ann), policy("any", 1, func(p *catalog.Policy) { p.Lifetime = catalog.Duration(5 * time.Minute) }), "expired after 5 min"},
		"a no that ends it now": {withNo(moved("checkout", ann), ben), policy("any", 1, func(p *catalog.Policy) { p.Name = "other" }), "The no of ben"},
		"nobody decides":        {moved("checkout", ann), policy("planned", 1, func(p *catalog.Policy) { p.Mode = "planned" }), "No policy says"},
		"in advance":            {inAdvance(moved("checkout")), policy("any", 1, func(p *catalog.Policy) { p.InAdvance, p.Name = false, "other" }), "asks people each time"},
	} {
		h, err := change.HeldAgainst(shop(policy("any", 1, func(p *catalog.Policy) { p.InAdvance = true })), shop(c.policy), []change.Past{c.past})
		if err != nil {
			t.Fatal(err)
		}
		if c.short == "" {
			if h.Same != 1 || len(h.Short) > 0 {
				t.Errorf("%s: %+v", name, h)
			}
			continue
		}
		if len(h.Short) != 1 || h.Same > 0 || (c.short == "wants") != (len(h.Short[0].Want) > 0) || c.short != "wants" && !strings.Contains(h.Short[0].Why, c.short) {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func withNo(p change.Past, no access.Principal) change.Past {
	p.Ballot.No = []access.Principal{no}
	return p
}

func inAdvance(p change.Past) change.Past {
	p.InAdvance = true
	return p
}

func TestWhatTheRecordNoLongerTellsOfThePastIsSaid(t *testing.T) {
	ann := commander("ann", access.Scope{})
	guessed := moved("basket", ann)
	guessed.Guessed = true
	stricter := policy("any", 1, func(p *catalog.Policy) { p.RecentSignIn = catalog.Duration(time.Second); p.Tiers = []string{"tier-1"} })
	rest := policy("rest", 1, func(p *catalog.Policy) { p.Tiers = []string{"tier-2"} })
	h, err := change.HeldAgainst(shop(policy("any", 1, func(p *catalog.Policy) { p.Tiers = []string{"tier-1"} }), rest), shop(stricter, rest),
		[]change.Past{guessed, moved("reports", ann), moved("retired", ann)})
	if err != nil {
		t.Fatal(err)
	}
	if h.Apart != 1 || h.Same != 1 || len(h.Short) > 0 || !slices.Equal(h.Gone, []string{"FO-retired"}) || !slices.Equal(h.Guessed, []string{"FO-basket"}) || !slices.Equal(h.SignIns, []string{"FO-basket"}) {
		t.Errorf("%+v", h)
	}
}

func TestARoleHeldThenIsCountedWhereItIsAssignedAndElseGuessed(t *testing.T) {
	now := commander("ann", access.Scope{Tiers: []string{"tier-1"}})
	then, guessed := change.AsThen(now, []access.Role{access.IncidentCommander})
	if guessed || len(then.Grants) != 1 || then.Grants[0].Scope.Everywhere() {
		t.Errorf("still assigned: %+v, %t", then, guessed)
	}
	then, guessed = change.AsThen(now, []access.Role{access.BusinessOwner})
	if !guessed || !slices.Equal(then.Roles, []access.Role{access.BusinessOwner}) || !then.Grants[0].Scope.Everywhere() {
		t.Errorf("not assigned any more: %+v, %t", then, guessed)
	}
}
