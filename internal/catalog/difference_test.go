package catalog_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyholder/internal/catalog"
)

func lines(differences []catalog.Difference) []string {
	var all []string
	for _, d := range differences {
		all = append(all, d.String())
	}
	return all
}

func TestADifferenceSaysWhatChangedInWords(t *testing.T) {
	before := catalog.Service{
		Slug: "till", Name: "Till", Tier: "tier-1", TechnicalOwner: "Stores", Tenants: []string{"uk", "fr"},
		RecoveryKinds: []catalog.RecoveryKind{catalog.Move},
		Deployments:   []catalog.Deployment{{Site: "leeds", Role: catalog.Active}, {Site: "dublin", Role: catalog.Cold}},
		Dependencies: []catalog.Dependency{
			{On: "tax", Coupling: catalog.Synchronous}, {On: "loyalty", Coupling: catalog.Deferrable, LongestDelay: catalog.Duration(time.Hour)},
		},
		Links: catalog.Links{Runbook: "https://wiki/old"},
	}
	after := before
	after.Tier, after.BusinessOwner, after.TechnicalOwner = "tier-2", "Bea", ""
	after.Tenants = []string{"fr", "ie"}
	after.Deployments = []catalog.Deployment{{Site: "leeds", Role: catalog.Active}, {Site: "dublin", Role: catalog.Standby}}
	after.Dependencies = []catalog.Dependency{
		{On: "loyalty", Coupling: catalog.Deferrable, LongestDelay: catalog.Duration(4 * time.Hour)}, {On: "fraud", Coupling: catalog.Synchronous},
	}
	after.Links.Runbook = "https://wiki/new"
	want := []string{
		"Tier: tier-2, was tier-1", "Business owner: Bea", "Technical owner: no longer Stores", "Tenants: ie", "Tenants: no longer uk",
		"Deployments dublin, role: standby, was cold", "Dependencies loyalty, longest delay: 4h, was 1h", "Dependencies: fraud, synchronous",
		"Dependencies: no longer tax, synchronous", "Links, runbook: https://wiki/new, was https://wiki/old",
	}
	if diff := cmp.Diff(want, lines(catalog.KindService.Differences(before, after))); diff != "" {
		t.Error(diff)
	}
	if same := catalog.KindService.Differences(before, before); len(same) != 0 {
		t.Errorf("a record differs from itself: %v", same)
	}
}

func TestTheOrderOfStepsIsADifference(t *testing.T) {
	one := catalog.FlowStep{Name: "Browse", Service: "shop", Criticality: catalog.StepCritical}
	two := catalog.FlowStep{Name: "Pay", Service: "till", Criticality: catalog.StepCritical}
	before, after := catalog.Flow{Slug: "f", Name: "F", Steps: []catalog.FlowStep{one, two}}, catalog.Flow{Slug: "f", Name: "F", Steps: []catalog.FlowStep{two, one}}
	if got := lines(catalog.KindFlow.Differences(before, after)); len(got) != 1 || got[0] != "Steps: Pay, Browse, was Browse, Pay" {
		t.Errorf("got %q", got)
	}
}

func TestNewAndRetiredRecordsDifferFromNothing(t *testing.T) {
	site := catalog.Site{Slug: "leeds", Name: "Leeds", Addresses: map[string]string{"url": "http://leeds"}}
	if got := lines(catalog.KindSite.Differences(nil, site)); !cmp.Equal(got, []string{"Short name: leeds", "Name: Leeds", "Addresses, url: http://leeds"}) {
		t.Errorf("a new one: %q", got)
	}
	if got := lines(catalog.KindSite.Differences(site, nil)); !cmp.Equal(got, []string{"Short name: no longer leeds", "Name: no longer Leeds", "Addresses, url: no longer http://leeds"}) {
		t.Errorf("a retired one: %q", got)
	}
}
