package retailer_test

import (
	"slices"
	"strings"
	"testing"

	"keyholder/demo/retailer"
	"keyholder/internal/app"
	"keyholder/internal/bundle"
	"keyholder/internal/catalog"
)

// TestTheRetailerHasAHandfulOfFindingsAndNoMore: what the demo shows is what was meant to be shown.
func TestTheRetailerHasAHandfulOfFindingsAndNoMore(t *testing.T) {
	const nowhere = "127.0.0.1:1"
	body, err := retailer.Catalog(retailer.Addresses{
		Leeds: nowhere, Dublin: nowhere, Lease: nowhere, TrafficAdmin: nowhere, DNS: nowhere, Panel: nowhere, TSIGFile: "/nowhere",
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Read([]bundle.File{{Name: "catalog.yaml", Body: body}}, bundle.Context{Kinds: app.Connectors()})
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Catalog(catalog.Catalog{})
	if err != nil {
		t.Fatal(err)
	}
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
		"asynchronous-without-queue checkout", "degradable-without-rule store-return", "lower-tier-in-critical-step checkout",
		"no-owner reporting", "no-recovery-point-within-rpo product-data", "nothing-outside-one-site supplier-portal",
	}
	if !slices.Equal(found, want) {
		t.Errorf("its findings are\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
	if len(c.Services) < 40 || len(c.Tenants) != 6 || len(c.Outlets) != 60 || len(c.Flows) != 6 || len(c.Rules) != 8 {
		t.Errorf("%d services, %d tenants, %d outlets, %d flows, %d rules", len(c.Services), len(c.Tenants), len(c.Outlets), len(c.Flows), len(c.Rules))
	}
}
