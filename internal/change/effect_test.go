package change_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
)

func policy(slug string, persons int, narrow func(*catalog.Policy)) catalog.Policy {
	p := catalog.Policy{
		Slug: slug, Name: slug, Action: catalog.ActMove, Needs: []catalog.Need{{Role: access.IncidentCommander, Persons: persons}},
		RecentSignIn: catalog.Duration(time.Minute), Lifetime: catalog.Duration(time.Hour),
	}
	if narrow != nil {
		narrow(&p)
	}
	return p
}

func shop(policies ...catalog.Policy) catalog.Catalog {
	return catalog.New(catalog.Catalog{
		Settings: catalog.Settings{Currency: "GBP"},
		Tiers:    []catalog.Tier{{Slug: "tier-1"}, {Slug: "tier-2"}},
		Tenants:  []catalog.Tenant{{Slug: "north"}, {Slug: "south"}},
		Services: []catalog.Service{
			{Slug: "checkout", Tier: "tier-1"}, {Slug: "basket", Tier: "tier-1", Tenants: []string{"north"}}, {Slug: "reports", Tier: "tier-2"},
		},
		Policies: policies,
	})
}

func TestAnEffectNamesTheServicesAndConditionsThatAnotherPolicyDecidesOn(t *testing.T) {
	any1 := policy("any", 1, nil)
	for name, c := range map[string]struct {
		after    []catalog.Policy
		services []string
		when     string
		persons  int
	}{
		"all":             {[]catalog.Policy{policy("any", 2, nil)}, []string{"basket", "checkout", "reports"}, "", 2},
		"one tier":        {[]catalog.Policy{any1, policy("one", 2, func(p *catalog.Policy) { p.Tiers = []string{"tier-1"} })}, []string{"basket", "checkout"}, "", 2},
		"at peak":         {[]catalog.Policy{any1, policy("peak", 2, func(p *catalog.Policy) { p.When = "peak" })}, []string{"basket", "checkout", "reports"}, "at peak", 2},
		"planned":         {[]catalog.Policy{any1, policy("planned", 3, func(p *catalog.Policy) { p.Mode = "planned" })}, []string{"basket", "checkout", "reports"}, "planned", 3},
		"a cause":         {[]catalog.Policy{any1, policy("release", 2, func(p *catalog.Policy) { p.Causes = []string{"release"} })}, []string{"basket", "checkout", "reports"}, "cause release", 2},
		"a tenant":        {[]catalog.Policy{any1, policy("north", 2, func(p *catalog.Policy) { p.Tenants = []string{"north"} })}, nil, "", 2},
		"only its name":   {[]catalog.Policy{policy("any", 1, func(p *catalog.Policy) { p.Name = "Another name" })}, nil, "nothing", 0},
		"nobody any more": {nil, []string{"basket", "checkout", "reports"}, "", 0},
	} {
		shifts := change.Shifts(shop(any1), shop(c.after...))
		if c.when == "nothing" {
			if len(shifts) != 0 {
				t.Errorf("%s: %+v", name, shifts)
			}
			continue
		}
		if name == "a tenant" { // one service serves it alone, another among others, and the third too
			var said []string
			for _, s := range shifts {
				said = append(said, strings.Join(s.Services, "+")+" "+strings.Join(s.When, ";"))
			}
			if slices.Sort(said); !slices.Equal(said, []string{"basket ", "checkout+reports for north"}) {
				t.Errorf("%s: %q", name, said)
			}
			continue
		}
		if len(shifts) != 1 || !slices.Equal(shifts[0].Services, c.services) || strings.Join(shifts[0].When, ";") != c.when {
			t.Errorf("%s: %+v", name, shifts)
			continue
		}
		if after := shifts[0].After; (after == nil) != (c.persons == 0) || after != nil && after.Needs[0].Persons != c.persons {
			t.Errorf("%s: then %+v", name, after)
		}
	}
}

func TestAServiceThatChangesItsTierIsDecidedOnByOthers(t *testing.T) {
	policies := []catalog.Policy{
		policy("one", 2, func(p *catalog.Policy) { p.Tiers = []string{"tier-1"} }), policy("two", 1, func(p *catalog.Policy) { p.Tiers = []string{"tier-2"} }),
	}
	before := shop(policies...)
	after, err := before.With([]catalog.Change{{Ref: catalog.Ref{Kind: catalog.KindService, Slug: "checkout"}, Record: catalog.Service{Slug: "checkout", Tier: "tier-2"}}})
	if err != nil {
		t.Fatal(err)
	}
	shifts := change.Shifts(before, after)
	if len(shifts) != 1 || !slices.Equal(shifts[0].Services, []string{"checkout"}) || shifts[0].Before.Slug != "one" || shifts[0].After.Slug != "two" {
		t.Errorf("%+v", shifts)
	}
}

func TestWhoGetsAndLosesARoleIsNamed(t *testing.T) {
	ines := access.Principal{ID: "ines", Name: "Ines"}
	commander, owner := access.Grant{Role: access.IncidentCommander, By: "a"}, access.Grant{Role: access.BusinessOwner, By: "b", Scope: access.Scope{Tiers: []string{"tier-1"}}}
	wider := access.Grant{Role: access.BusinessOwner, By: "c"}
	gains := change.Gains([]access.Principal{ines.With([]access.Grant{commander, owner})}, []access.Principal{ines.With([]access.Grant{commander, wider}), {ID: "bea", Name: "Bea", Grants: []access.Grant{commander}}})
	if len(gains) != 2 || len(gains[0].Gets) != 1 || gains[0].Gets[0].By != "c" || len(gains[0].Loses) != 1 || gains[0].Loses[0].By != "b" || gains[1].Who.ID != "bea" {
		t.Errorf("%+v", gains)
	}
	if gains := change.Gains([]access.Principal{ines.With([]access.Grant{owner})}, nil); len(gains) != 1 || len(gains[0].Loses) != 1 {
		t.Errorf("whom nothing names any more: %+v", gains)
	}
}
