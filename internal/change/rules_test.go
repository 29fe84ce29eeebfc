package change_test

import (
	"slices"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
)

// change is what a record would become.
func changed(t *testing.T, k catalog.Kind, slug string, record any) change.Record {
	t.Helper()
	r := change.Record{Ref: catalog.Ref{Kind: k, Slug: slug}}
	if record == nil {
		return r
	}
	body, err := (catalog.Entry{Ref: r.Ref, Record: record}).Body()
	if err != nil {
		t.Fatal(err)
	}
	r.Body = body
	return r
}

// TestAChangeIsDecidedByThePoliciesOfAllThatItIsAbout: of the tier that a service is in and of the one that it would be in, of what
// is about no service, and by administrators where it changes who decides. What it would make of the policies decides nothing.
func TestAChangeIsDecidedByThePoliciesOfAllThatItIsAbout(t *testing.T) {
	ofChange := func(slug string, action catalog.Action, tiers ...string) catalog.Policy {
		return catalog.Policy{
			Slug: slug, Name: slug, Action: action, Tiers: tiers, Needs: []catalog.Need{{Role: access.BusinessOwner, Persons: 1}},
			RecentSignIn: catalog.Duration(time.Minute), Lifetime: catalog.Duration(time.Hour),
		}
	}
	c := shop(ofChange("any", catalog.ActChange), ofChange("one", catalog.ActChange, "tier-1"), ofChange("two", catalog.ActChange, "tier-2"), ofChange("rules", catalog.ActChangeRules))
	for name, x := range map[string]struct {
		records []change.Record
		wants   []string
	}{
		"a service":              {[]change.Record{changed(t, catalog.KindService, "checkout", catalog.Service{Slug: "checkout", Tier: "tier-1"})}, []string{"one"}},
		"a service that moves":   {[]change.Record{changed(t, catalog.KindService, "checkout", catalog.Service{Slug: "checkout", Tier: "tier-2"})}, []string{"one", "two"}},
		"a service that is new":  {[]change.Record{changed(t, catalog.KindService, "fresh", catalog.Service{Slug: "fresh", Tier: "tier-2"})}, []string{"two"}},
		"a service that is gone": {[]change.Record{changed(t, catalog.KindService, "reports", nil)}, []string{"two"}},
		"a tier":                 {[]change.Record{changed(t, catalog.KindTier, "tier-1", catalog.Tier{Slug: "tier-1"})}, []string{"one"}},
		"about no service":       {[]change.Record{changed(t, catalog.KindTenant, "east", catalog.Tenant{Slug: "east"})}, []string{"any"}},
		"some of it about none": {[]change.Record{
			changed(t, catalog.KindService, "reports", nil), changed(t, catalog.KindTenant, "east", catalog.Tenant{Slug: "east"}),
		}, []string{"any", "two"}},
		"who decides": {[]change.Record{changed(t, catalog.KindPolicy, "one", ofChange("one", catalog.ActChange))}, []string{"rules"}},
		"both": {[]change.Record{
			changed(t, catalog.KindPolicy, "two", nil), changed(t, catalog.KindService, "reports", nil),
		}, []string{"rules", "two"}},
	} {
		rules, err := change.Terms{Records: x.records}.RulesOf(c, time.Time{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, r := range rules {
			got = append(got, r.Policy.Slug)
		}
		if slices.Sort(got); !slices.Equal(got, x.wants) {
			t.Errorf("%s is decided by %q, not by %q", name, got, x.wants)
		}
	}
}

func TestOneAdministratorGovernsNothing(t *testing.T) {
	rules := catalog.Policy{
		Slug: "rules", Name: "Rules", Action: catalog.ActChangeRules, Needs: []catalog.Need{{Role: access.Administrator, Persons: 1}},
		RecentSignIn: catalog.Duration(time.Minute), Lifetime: catalog.Duration(time.Hour),
	}
	person := func(slug, mail, until string) catalog.Assignment {
		return catalog.Assignment{Slug: slug, Name: slug, Role: access.Administrator, Person: mail, Until: until}
	}
	group := catalog.Assignment{Slug: "g", Name: "g", Role: access.Administrator, Group: "administrators"}
	for name, c := range map[string]struct {
		policies []catalog.Policy
		roles    []catalog.Assignment
		governed bool
	}{
		"nobody":             {[]catalog.Policy{rules}, nil, false},
		"one person":         {[]catalog.Policy{rules}, []catalog.Assignment{person("a", "ada@example.com", "")}, false},
		"one person twice":   {[]catalog.Policy{rules}, []catalog.Assignment{person("a", "ada@example.com", ""), person("b", "Ada@example.com", "")}, false},
		"two people":         {[]catalog.Policy{rules}, []catalog.Assignment{person("a", "ada@example.com", ""), person("b", "olga@example.com", "")}, true},
		"two, one of an end": {[]catalog.Policy{rules}, []catalog.Assignment{person("a", "ada@example.com", ""), person("b", "olga@example.com", "2031-01-01")}, false},
		"a group":            {[]catalog.Policy{rules}, []catalog.Assignment{group}, true},
		"no policy":          {nil, []catalog.Assignment{group}, false},
	} {
		got := approval.Governed(catalog.New(catalog.Catalog{Policies: c.policies, Assignments: c.roles}), time.Date(2026, 3, 1, 2, 14, 0, 0, time.UTC))
		if got != c.governed {
			t.Errorf("%s: %v", name, got)
		}
	}
}
