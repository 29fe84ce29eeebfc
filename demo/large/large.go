package large

import (
	"fmt"
	"math/rand/v2"
	"time"

	"keyholder/internal/catalog"
	"keyholder/internal/store"
)

// How much there is of each.
const (
	services     = 5000
	needs        = 8 // of each service: 40,000 dependencies
	flows        = 500
	tenants      = 200
	outlets      = 3000
	dataSets     = 1500
	capabilities = 80
	thirdParties = 40
	rules        = 120
	segments     = 10
	sites        = 8 // in four regions
)

// Bundle is the catalogue, without the settings: who has which role stays as it is where this is applied.
func Bundle() store.Bundle {
	m := maker{rand.New(rand.NewPCG(5000, 40000))} //nolint:gosec // nothing to guess
	c := catalog.New(catalog.Catalog{
		Tiers: catalog.Shipped().Tiers, Sites: m.sites(), Capabilities: m.capabilities(), Segments: m.segments(), Tenants: m.tenants(),
		Outlets: m.outlets(), ThirdParties: m.thirdParties(), DataSets: m.dataSets(), Services: m.services(), Rules: m.rules(), Flows: m.flows(),
	})
	var b store.Bundle
	for e := range c.Entries() {
		b.Records = append(b.Records, e)
	}
	return b
}

// maker draws from one source of chance that always begins the same.
type maker struct{ *rand.Rand }

func (m maker) one(of string, n int) string { return slug(of, m.IntN(n)) }

func slug(of string, i int) string { return fmt.Sprintf("%s-%04d", of, i) }

func name(of string, i int) string { return fmt.Sprintf("%s %04d", of, i) }

// SiteOf is a site that whole regions of services are deployed at.
const SiteOf = "region-0000"

func region(i int) string { return slug("region", i%(sites/2)) }

func (m maker) sites() []catalog.Site {
	var all []catalog.Site
	for i := range sites / 2 {
		all = append(all, catalog.Site{Slug: region(i), Name: name("Region", i)})
	}
	for i := range sites {
		all = append(all, catalog.Site{Slug: slug("zone", i), Name: name("Zone", i), Within: region(i)})
	}
	return all
}

func (m maker) capabilities() []catalog.Capability {
	all := make([]catalog.Capability, capabilities)
	for i := range all {
		all[i] = catalog.Capability{Slug: slug("capability", i), Name: name("Capability", i), Owner: name("Head", i), RevenuePerHour: float64(m.IntN(100) * 1000)}
		if i%4 == 0 {
			all[i].Peaks = []catalog.Peak{{Name: "Saturday", Days: []catalog.Weekday{"sat"}, From: "10:00", Until: "18:00", Times: 2}}
		}
	}
	return all
}

func (m maker) segments() []catalog.Segment {
	all := make([]catalog.Segment, segments)
	for i := range all {
		all[i] = catalog.Segment{Slug: slug("segment", i), Name: name("Segment", i), By: "geography", Priority: 1 + i, Isolation: catalog.Shared}
	}
	return all
}

func (m maker) tenants() []catalog.Tenant {
	all := make([]catalog.Tenant, tenants)
	for i := range all {
		all[i] = catalog.Tenant{Slug: slug("tenant", i), Name: name("Tenant", i), Segment: m.one("segment", segments), Owner: name("Director", i)}
	}
	return all
}

func (m maker) outlets() []catalog.Outlet {
	all := make([]catalog.Outlet, outlets)
	for i := range all {
		all[i] = catalog.Outlet{
			Slug: slug("store", i), Name: name("Store", i), Type: "store", Tenant: m.one("tenant", tenants), Owner: name("Manager", i),
			Flows: []string{m.one("flow", flows)}, OfflineFor: catalog.Duration(time.Duration(4+m.IntN(8)) * time.Hour), OfflineValue: 40000,
		}
	}
	return all
}

func (m maker) thirdParties() []catalog.ThirdParty {
	all := make([]catalog.ThirdParty, thirdParties)
	for i := range all {
		all[i] = catalog.ThirdParty{Slug: slug("provider", i), Name: name("Provider", i), Owner: name("Head", i), Promised: catalog.Duration(15 * time.Minute)}
	}
	return all
}

func (m maker) dataSets() []catalog.DataSet {
	all := make([]catalog.DataSet, dataSets)
	for i := range all {
		all[i] = catalog.DataSet{
			Slug: slug("data", i), Name: name("Data", i), Owner: name("Head", i), Writers: catalog.SingleWriter, WriterSites: []string{region(i), region(i + 1)},
			Replication: catalog.AsynchronousReplication, RecoveryPoints: catalog.Duration(time.Minute), Kept: catalog.Duration(35 * 24 * time.Hour),
		}
	}
	return all
}

func (m maker) services() []catalog.Service {
	all := make([]catalog.Service, services)
	for i := range all {
		all[i] = catalog.Service{
			Slug: slug("service", i), Name: name("Service", i), About: "One of many.", Tier: fmt.Sprintf("tier-%d", 1+m.IntN(3)),
			Capability: m.one("capability", capabilities), BusinessOwner: name("Head", i%300), TechnicalOwner: name("Team", i%200),
			Pattern: catalog.ActivePassive, RecoveryKinds: []catalog.RecoveryKind{catalog.Move, catalog.RollBack},
			Deployments:  []catalog.Deployment{{Site: region(i), Role: catalog.Active}, {Site: region(i + 1), Role: catalog.Standby}},
			Dependencies: m.dependencies(i),
		}
		if i%3 == 0 {
			all[i].DataSets = []string{m.one("data", dataSets)}
		}
	}
	return all
}

// dependencies lead to services that were made before, so that there is no cycle, and now and then to somebody else's.
func (m maker) dependencies(of int) []catalog.Dependency {
	var all []catalog.Dependency
	seen := map[string]bool{}
	for len(all) < needs {
		d := catalog.Dependency{On: m.one("service", max(of, 1)), Coupling: catalog.Asynchronous, Queue: fmt.Sprintf("queue-%d-%d", of, len(all))}
		chance := m.IntN(10)
		if of <= needs {
			chance = 0 // there are too few before it
		}
		switch chance {
		case 0:
			d = catalog.Dependency{On: m.one("provider", thirdParties), Coupling: catalog.Deferrable, LongestDelay: catalog.Duration(time.Hour)}
		case 1, 2, 3:
			d.Coupling, d.Queue = catalog.Synchronous, ""
		case 4, 5:
			d.Coupling, d.Queue, d.LongestDelay = catalog.Deferrable, "", catalog.Duration(4*time.Hour)
		}
		if seen[d.On] {
			continue
		}
		seen[d.On] = true
		all = append(all, d)
	}
	return all
}

func (m maker) rules() []catalog.DegradedModeRule {
	all := make([]catalog.DegradedModeRule, rules)
	for i := range all {
		all[i] = catalog.DegradedModeRule{
			Slug: slug("rule", i), Name: name("Rule", i), Owner: name("Head", i), Trigger: []string{m.one("service", services)},
			Instead: "Write it down and do it later.", LimitTime: catalog.Duration(4 * time.Hour), AtLimit: "stop-selling",
		}
	}
	return all
}

func (m maker) flows() []catalog.Flow {
	all := make([]catalog.Flow, flows)
	for i := range all {
		all[i] = catalog.Flow{Slug: slug("flow", i), Name: name("Flow", i), Owner: name("Head", i)}
		for n := range 6 {
			step := catalog.FlowStep{Name: fmt.Sprintf("Step %d", n+1), Service: m.one("service", services), Criticality: catalog.StepCritical}
			switch n % 3 {
			case 1:
				step.Criticality, step.Rule = catalog.StepDegradable, m.one("rule", rules)
			case 2:
				step.Criticality = catalog.StepDeferrable
			}
			all[i].Steps = append(all[i].Steps, step)
		}
	}
	return all
}
