package approval_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
)

var (
	tiers        = []string{"tier-1", "tier-2", "tier-3"}
	capabilities = []string{"checkout", "orders", "finance"}
	tenants      = []string{"uk", "france"}
	causes       = []string{"site", "release", "compromise"}
	modes        = []string{"planned", "emergency"}
	actions      = []catalog.Action{catalog.ActMove, catalog.ActDrill}
)

func everyCase(yield func(approval.Case) bool) {
	for _, action := range actions {
		for _, tier := range tiers {
			for _, capability := range capabilities {
				for _, tenant := range tenants {
					for _, cause := range causes {
						for _, mode := range modes {
							for _, peak := range []bool{false, true} {
								if !yield(approval.Case{Action: action, Tier: tier, Capability: capability, Tenant: tenant, Cause: cause, Mode: mode, Peak: peak}) {
									return
								}
							}
						}
					}
				}
			}
		}
	}
}

// naive chooses by listing the cases that each policy fits: the narrowest fits a part of what any other fits that fits at all.
type naive struct {
	policies []catalog.Policy
	cases    []map[approval.Case]bool
}

func newNaive(policies []catalog.Policy) naive {
	n := naive{policies: policies}
	for _, p := range policies {
		fits := map[approval.Case]bool{}
		for c := range everyCase {
			when := "off-peak"
			if c.Peak {
				when = "peak"
			}
			in := func(named []string, v string) bool { return len(named) == 0 || slices.Contains(named, v) }
			if p.Action == c.Action && in(p.Tiers, c.Tier) && in(p.Capabilities, c.Capability) && in(p.Tenants, c.Tenant) &&
				in(p.Causes, c.Cause) && (p.Mode == "" || p.Mode == c.Mode) && (p.When == "" || p.When == when) {
				fits[c] = true
			}
		}
		n.cases = append(n.cases, fits)
	}
	return n
}

func (n naive) choose(c approval.Case) string {
	best := ""
	for i, p := range n.policies {
		if !n.cases[i][c] {
			continue
		}
		narrowest := true
		for j := range n.policies {
			if i != j && n.cases[j][c] && (len(n.cases[i]) >= len(n.cases[j]) || !subset(n.cases[i], n.cases[j])) {
				narrowest = false
			}
		}
		if narrowest {
			best = p.Slug
		}
	}
	return best
}

func subset(a, b map[approval.Case]bool) bool {
	for c := range a {
		if !b[c] {
			return false
		}
	}
	return true
}

// some picks none, or some but not all: naming every value there is differs from naming none as soon as another is added.
func some(r *rand.Rand, from []string) []string {
	var picked []string
	if r.IntN(2) == 0 {
		for _, v := range from[1:] {
			if r.IntN(2) == 0 {
				picked = append(picked, v)
			}
		}
	}
	return picked
}

func randomPolicies(r *rand.Rand) []catalog.Policy {
	policies := make([]catalog.Policy, r.IntN(9))
	for i := range policies {
		policies[i] = catalog.Policy{
			Slug: fmt.Sprintf("p%d", i), Action: actions[r.IntN(2)], Tiers: some(r, tiers), Capabilities: some(r, capabilities),
			Tenants: some(r, tenants), Causes: some(r, causes), Mode: []string{"", "", "planned", "emergency"}[r.IntN(4)],
			When: []string{"", "", "peak", "off-peak"}[r.IntN(4)], Needs: []catalog.Need{{Role: access.IncidentCommander, Persons: 1}},
		}
	}
	if r.IntN(2) == 0 { // one for everything
		policies = append(policies, catalog.Policy{Slug: "any-move", Action: catalog.ActMove}, catalog.Policy{Slug: "any-drill", Action: catalog.ActDrill})
	}
	return policies
}

func TestTheNarrowestPolicyAppliesAndGapsAndTiesAreFound(t *testing.T) {
	space := approval.NewSpace(actions, tiers, capabilities, tenants, causes, modes)
	whole, chosen := 0, 0
	for seed := range uint64(1000) {
		policies := randomPolicies(rand.New(rand.NewPCG(seed, 4)))
		oracle := newNaive(policies)
		holes := 0
		for c := range everyCase {
			want := oracle.choose(c)
			got, err := approval.Choose(policies, c)
			if got.Slug != want || (err == nil) != (want != "") {
				t.Fatalf("seed %d, %s: %q (%v), not %q\n%+v", seed, c, got.Slug, err, want, policies)
			}
			if want == "" {
				holes++
			} else {
				chosen++
			}
		}
		found := space.Holes(policies, 1<<20)
		if (len(found) == 0) != (holes == 0) {
			t.Fatalf("seed %d: %d holes are found, of %d", seed, len(found), holes)
		}
		for _, h := range found {
			if oracle.choose(h.Case) != "" {
				t.Fatalf("seed %d: %s is no hole", seed, h)
			}
		}
		if holes == 0 {
			whole++
		}
	}
	if whole == 0 || chosen == 0 {
		t.Fatal("the policies were all of one sort: nothing was tried")
	}
}

func TestACompromiseAlwaysWantsSecurity(t *testing.T) {
	policies := []catalog.Policy{{Slug: "move", Action: catalog.ActMove, Needs: []catalog.Need{
		{Way: "a", Role: access.IncidentCommander, Persons: 1}, {Way: "b", Role: access.BusinessOwner, Persons: 2},
		{Way: "c", Role: access.SecurityOfficer, Persons: 1},
	}}}
	p, err := approval.Choose(policies, approval.Case{Action: catalog.ActMove, Cause: "compromise"})
	if err != nil {
		t.Fatal(err)
	}
	for i, way := range p.Ways() {
		if !slices.ContainsFunc(way, func(n catalog.Need) bool { return n.Role == access.SecurityOfficer }) {
			t.Errorf("way %d does without security: %+v", i, way)
		}
	}
	if other, _ := approval.Choose(policies, approval.Case{Action: catalog.ActMove, Cause: "site"}); len(other.Needs) != 3 {
		t.Errorf("another cause wants %+v", other.Needs)
	}
}

func TestWhatIsAboutNoServiceHasAPolicyToo(t *testing.T) {
	c := catalog.Catalog{Tiers: []catalog.Tier{{Slug: "tier-1"}}, Capabilities: []catalog.Capability{{Slug: "checkout"}}}
	c.Policies = []catalog.Policy{{Slug: "changes", Action: catalog.ActChange, Tiers: []string{"tier-1"}}}
	if holes := approval.HolesOf(catalog.New(c), 10); len(holes) == 0 {
		t.Error("a change of what is in no tier has no policy, and nobody says so")
	}
	c.Policies[0].Tiers = nil
	if holes := approval.HolesOf(catalog.New(c), 10); len(holes) != 0 {
		t.Errorf("holes are %v", holes)
	}
}
