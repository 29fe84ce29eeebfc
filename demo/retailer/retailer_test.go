package retailer_test

import (
	"slices"
	"strings"
	"testing"

	"keyholder/demo/retailer"
	"keyholder/internal/app"
	"keyholder/internal/approval"
	"keyholder/internal/bundle"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
)

// bundleOf is the demo's files, and the catalogue that they make of what is shipped.
func bundleOf(t *testing.T) (store.Bundle, catalog.Catalog) {
	t.Helper()
	const nowhere = "127.0.0.1:1"
	body, err := retailer.Catalog(retailer.Addresses{
		Leeds: nowhere, Dublin: nowhere, Lease: nowhere, TrafficAdmin: nowhere, DNS: nowhere, Panel: nowhere, TSIGFile: "/nowhere", OperationsRoom: "/nowhere", Flags: nowhere, Loyalty: nowhere, Tax: nowhere, ERP: nowhere, Identity: nowhere,
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Read([]bundle.File{{Name: "catalog.yaml", Body: body}}, bundle.Context{Kinds: app.Connectors()})
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Catalog(catalog.Shipped())
	if err != nil {
		t.Fatal(err)
	}
	return b, c
}

// TestTheRetailerHasAHandfulOfFindingsAndNoMore: what the demo shows is what was meant to be shown.
func TestTheRetailerHasAHandfulOfFindingsAndNoMore(t *testing.T) {
	b, c := bundleOf(t)
	var plans []catalog.Mover
	for _, p := range b.Plans {
		plans = append(plans, catalog.Mover{Slug: p.Slug, Services: p.Services})
	}
	var found []string
	for f := range c.Findings(plans) {
		found = append(found, string(f.Rule)+" "+f.At.Slug)
	}
	slices.Sort(found)
	want := []string{
		"degradable-without-rule store-return", "lower-tier-in-critical-step checkout", "lower-tier-in-critical-step checkout",
		"no-owner reporting", "no-recovery-point-within-rpo product-data", "nothing-outside-one-site supplier-portal",
	}
	if !slices.Equal(found, want) {
		t.Errorf("its findings are\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
	if len(c.Services) < 40 || len(c.Tenants) != 6 || len(c.Outlets) != 60 || len(c.Flows) != 6 || len(c.Rules) != 10 {
		t.Errorf("%d services, %d tenants, %d outlets, %d flows, %d rules", len(c.Services), len(c.Tenants), len(c.Outlets), len(c.Flows), len(c.Rules))
	}
}

// TestEveryCaseOfTheRetailerIsDecidedByOnePolicy goes through every case that the demo's catalogue knows.
func TestEveryCaseOfTheRetailerIsDecidedByOnePolicy(t *testing.T) {
	_, c := bundleOf(t)
	if holes := approval.HolesOf(c, 10); len(holes) > 0 {
		t.Errorf("holes are %v", holes)
	}
	slugs := func(k catalog.Kind) []string {
		all := []string{""}
		for e := range c.Of(k) {
			all = append(all, e.Slug)
		}
		return all
	}
	tried, by := 0, map[string]int{}
	for _, tier := range slugs(catalog.KindTier)[1:] {
		for _, capability := range slugs(catalog.KindCapability)[1:] {
			for _, tenant := range slugs(catalog.KindTenant) {
				for _, cause := range catalog.Causes() {
					for _, mode := range catalog.Modes() {
						for _, peak := range []bool{false, true} {
							for _, action := range catalog.Actions() {
								one := approval.Case{Action: action, Tier: tier, Capability: capability, Tenant: tenant, Cause: cause, Mode: mode, Peak: peak}
								p, err := approval.Choose(c.Policies, one)
								if err != nil {
									t.Fatal(err)
								}
								tried++
								by[p.Slug]++
							}
						}
					}
				}
			}
		}
	}
	for _, p := range c.Policies {
		if decides := by[p.Slug] > 0; decides != (p.Slug != "any-move") { // each tier has one of its own for moves
			t.Errorf("%s decides on %d of %d cases", p.Slug, by[p.Slug], tried)
		}
	}
}
