package catalog_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
)

// held are the roles, each once.
func held(grants []access.Grant) []access.Role {
	var roles []access.Role
	for _, g := range grants {
		if !slices.Contains(roles, g.Role) {
			roles = append(roles, g.Role)
		}
	}
	return roles
}

func TestARoleIsHeldByNameByGroupAndForWhomOneStandsIn(t *testing.T) {
	c := catalog.New(catalog.Catalog{
		Settings: catalog.Settings{Currency: "GBP", TimeZone: "Europe/London"},
		Assignments: []catalog.Assignment{
			{Slug: "commanders", Role: access.IncidentCommander, Group: "commanders"},
			{Slug: "bea", Role: access.BusinessOwner, Person: "bea@example.com", Capabilities: []string{"checkout"}},
			{Slug: "bea-too", Role: access.IncidentCommander, Person: "Bea@example.com", Until: "2026-11-23"},
			{Slug: "later", Role: access.Auditor, Person: "bea@example.com", From: "2026-12-01"},
			{Slug: "mistaken", Role: "emperor", Group: "commanders"},
		},
		Deputies: []catalog.Deputy{
			{Slug: "hugo", For: "bea@example.com", Person: "hugo@example.com", From: "2026-11-20", Until: "2026-11-30"},
			{Slug: "ines", For: "hugo@example.com", Person: "ines@example.com", From: "2026-11-20", Until: "2026-11-30"},
		},
	})
	at := time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)
	bea := catalog.Identity{Mail: "bea@example.com", Groups: []string{"commanders", "nobody-knows-this"}}
	known := func(mail string) (catalog.Identity, bool) { return bea, mail == "bea@example.com" }
	for name, test := range map[string]struct {
		who  catalog.Identity
		at   time.Time
		want []access.Role
	}{
		"by name and by group":             {bea, at, []access.Role{access.BusinessOwner, access.IncidentCommander}},
		"no address is verified":           {catalog.Identity{Groups: bea.Groups}, at, []access.Role{access.IncidentCommander}},
		"the last day is over":             {catalog.Identity{Mail: bea.Mail}, at.Add(time.Minute), []access.Role{access.BusinessOwner}},
		"not yet":                          {catalog.Identity{Mail: bea.Mail}, at.AddDate(0, 0, 10), []access.Role{access.BusinessOwner, access.Auditor}},
		"for somebody":                     {catalog.Identity{Mail: "hugo@example.com"}, at, []access.Role{access.BusinessOwner, access.IncidentCommander}},
		"no more":                          {catalog.Identity{Mail: "hugo@example.com"}, at.AddDate(0, 0, 8), nil},
		"standing in is not passed on":     {catalog.Identity{Mail: "ines@example.com"}, at, nil},
		"nobody, of no group":              {catalog.Identity{}, at, nil},
		"a group that no assignment names": {catalog.Identity{Groups: []string{"others"}}, at, nil},
	} {
		t.Run(name, func(t *testing.T) {
			grants := c.GrantsOf(test.who, known, test.at)
			got, want := held(grants), test.want
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("roles (-want +got):\n%s", diff)
			}
		})
	}
	for _, g := range c.GrantsOf(catalog.Identity{Mail: "hugo@example.com"}, known, at) {
		if g.For != "bea@example.com" || g.Until == nil {
			t.Errorf("%s is held for %q until %v", g.Role, g.For, g.Until)
		}
	}
}

func TestAnAssignmentNamesEitherAGroupOrAPersonAndDaysThatCanBe(t *testing.T) {
	good := catalog.Assignment{Slug: "a", Name: "A", Role: access.Auditor, Group: "auditors"}
	with := func(change func(*catalog.Assignment)) catalog.Assignment {
		a := good
		change(&a)
		return a
	}
	for name, test := range map[string]struct {
		a    catalog.Assignment
		path string
	}{
		"good":          {good, ""},
		"neither":       {with(func(a *catalog.Assignment) { a.Group = "" }), "group"},
		"both":          {with(func(a *catalog.Assignment) { a.Person = "a@example.com" }), "group"},
		"no address":    {with(func(a *catalog.Assignment) { a.Group, a.Person = "", "A <a@example.com>" }), "person"},
		"no role":       {with(func(a *catalog.Assignment) { a.Role = "emperor" }), "role"},
		"no day":        {with(func(a *catalog.Assignment) { a.From = "soon" }), "from"},
		"ends at first": {with(func(a *catalog.Assignment) { a.From, a.Until = "2026-11-23", "2026-11-22" }), "until"},
		"nowhere":       {with(func(a *catalog.Assignment) { a.Tiers = []string{"tier-9"} }), "tiers[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			c := catalog.New(catalog.Catalog{Assignments: []catalog.Assignment{test.a}})
			entry, _ := c.Entry(catalog.Ref{Kind: catalog.KindAssignment, Slug: "a"})
			var paths []string
			for p := range c.ProblemsOf(entry) {
				paths = append(paths, p.Path)
			}
			if test.path == "" && len(paths) > 0 || test.path != "" && !slices.Contains(paths, test.path) {
				t.Errorf("wrong at %q, not at %q", paths, test.path)
			}
		})
	}
}
