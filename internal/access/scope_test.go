package access_test

import (
	"math/rand/v2"
	"testing"

	"keyholder/internal/access"
)

func TestAScopeCoversOnlyWhatLiesWhollyWithin(t *testing.T) {
	checkout := access.Object{
		Tier: "tier-1", Capability: "checkout", Sites: []string{"leeds", "dublin"},
		Tenants: []access.Tenant{{Slug: "uk", Segment: "north"}, {Slug: "france", Segment: "south"}},
	}
	for name, test := range map[string]struct {
		scope access.Scope
		want  bool
	}{
		"everywhere":         {access.Scope{}, true},
		"its tier":           {access.Scope{Tiers: []string{"tier-2", "tier-1"}}, true},
		"another tier":       {access.Scope{Tiers: []string{"tier-2"}}, false},
		"its capability":     {access.Scope{Tiers: []string{"tier-1"}, Capabilities: []string{"checkout"}}, true},
		"one bound too many": {access.Scope{Tiers: []string{"tier-1"}, Capabilities: []string{"orders"}}, false},
		"one of two tenants": {access.Scope{Tenants: []string{"uk"}}, false},
		"tenant and segment": {access.Scope{Tenants: []string{"uk"}, Segments: []string{"south"}}, true},
		"one of two sites":   {access.Scope{Sites: []string{"leeds"}}, false},
		"both sites":         {access.Scope{Sites: []string{"leeds", "dublin", "paris"}}, true},
	} {
		if got := test.scope.Covers(checkout); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, s := range map[string]access.Scope{
		"tiers": {Tiers: []string{"tier-1"}}, "capabilities": {Capabilities: []string{"checkout"}}, "tenants": {Tenants: []string{"uk"}},
		"segments": {Segments: []string{"north"}}, "sites": {Sites: []string{"leeds"}},
	} {
		if s.Covers(access.Object{}) {
			t.Errorf("a scope of %s covers what says nothing of itself", name)
		}
	}
}

func TestAScopeWithinAnotherCoversNothingMore(t *testing.T) {
	some := func(r *rand.Rand, from ...string) []string {
		var picked []string
		for _, v := range from {
			if r.IntN(3) == 0 {
				picked = append(picked, v)
			}
		}
		return picked
	}
	scope := func(r *rand.Rand) access.Scope {
		return access.Scope{
			Tiers: some(r, "1", "2"), Capabilities: some(r, "a", "b"), Tenants: some(r, "uk", "france"), Segments: some(r, "north", "south"), Sites: some(r, "x", "y"),
		}
	}
	within := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		inner, outer := scope(r), scope(r)
		if !inner.Within(outer) {
			continue
		}
		within++
		for range 50 {
			o := access.Object{Tier: []string{"", "1", "2"}[r.IntN(3)], Capability: []string{"", "a", "b"}[r.IntN(3)], Sites: some(r, "x", "y")}
			for _, tenant := range some(r, "uk", "france") {
				o.Tenants = append(o.Tenants, access.Tenant{Slug: tenant, Segment: map[string]string{"uk": "north", "france": "south"}[tenant]})
			}
			if inner.Covers(o) && !outer.Covers(o) {
				t.Fatalf("seed %d: %s is within %s, and covers %+v", seed, inner, outer, o)
			}
		}
	}
	if within < 100 {
		t.Fatalf("only %d were within: nothing was tried", within)
	}
}
