package catalog_test

import (
	"slices"
	"testing"
	"time"

	"keyholder/internal/catalog"
)

const minute = catalog.Duration(time.Minute)

// sound is a small catalogue that breaks no rule.
func sound() catalog.Catalog {
	deployed := []catalog.Deployment{{Site: "north", Role: catalog.Active}, {Site: "south", Role: catalog.Standby}}
	return catalog.Catalog{
		Settings: catalog.Settings{Currency: "GBP"},
		Sites:    []catalog.Site{{Slug: "north", Name: "North"}, {Slug: "south", Name: "South"}},
		Tiers: []catalog.Tier{
			{Slug: "one", Name: "Tier 1", RTO: 15 * minute, RPO: minute, Patterns: []catalog.Pattern{catalog.ActivePassive}},
			{Slug: "two", Name: "Tier 2", RTO: 240 * minute, RPO: 60 * minute},
		},
		Capabilities: []catalog.Capability{{Slug: "sales", Name: "Sales", RevenuePerHour: 600}},
		Tenants:      []catalog.Tenant{{Slug: "brand", Name: "Brand", Sites: []string{"north", "south"}}},
		DataSets: []catalog.DataSet{{
			Slug: "orders", Name: "Orders", Owner: "Olu", WriterSites: []string{"north"}, RecoveryPoints: minute,
		}},
		ThirdParties: []catalog.ThirdParty{{Slug: "card", Name: "Card", Owner: "Pia", Promised: 10 * minute}},
		Services: []catalog.Service{
			{
				Slug: "pay", Name: "Pay", Tier: "one", Capability: "sales", BusinessOwner: "Bea", TechnicalOwner: "Tom", Pattern: catalog.ActivePassive,
				Deployments: deployed, DataSets: []string{"orders"}, Dependencies: []catalog.Dependency{
					{On: "card", Coupling: catalog.Synchronous},
					{On: "report", Coupling: catalog.Asynchronous, Queue: "events"},
				},
			},
			{
				Slug: "report", Name: "Report", Tier: "two", Capability: "sales", BusinessOwner: "Bea", TechnicalOwner: "Tom", Pattern: catalog.BackupRestore,
				Deployments: deployed, Dependencies: []catalog.Dependency{{On: "pay", Coupling: catalog.Deferrable, LongestDelay: 60 * minute}},
			},
		},
		Rules: []catalog.DegradedModeRule{{Slug: "later", Name: "Later", Owner: "Bea", Instead: "Do it later"}},
		Flows: []catalog.Flow{{Slug: "buy", Name: "Buy", Owner: "Bea", Steps: []catalog.FlowStep{
			{Name: "Pay", Service: "pay", Criticality: catalog.StepCritical},
			{Name: "Count", Service: "report", Criticality: catalog.StepDegradable, Rule: "later"},
		}}},
	}
}

func TestEveryFindingRuleFindsWhatBreaksItAndNothingElse(t *testing.T) {
	plans := []catalog.Mover{{Slug: "move-pay", Services: []string{"pay"}}}
	if found := slices.Collect(catalog.New(sound()).Findings(plans)); len(found) > 0 {
		t.Fatalf("a sound catalogue has %+v", found)
	}
	for rule, breaks := range map[catalog.FindingRule]func(*catalog.Catalog){
		catalog.LowerTierInCriticalStep: func(c *catalog.Catalog) { c.Services[0].Dependencies[1].Coupling = catalog.Synchronous },
		catalog.RTOTighterThanNeeded:    func(c *catalog.Catalog) { c.ThirdParties[0].Promised = 16 * minute },
		catalog.PatternNotOfTier:        func(c *catalog.Catalog) { c.Services[0].Pattern = catalog.BackupRestore },
		catalog.AsynchronousNoQueue:     func(c *catalog.Catalog) { c.Services[0].Dependencies[1].Queue = "" },
		catalog.DeferrableNoDelay:       func(c *catalog.Catalog) { c.Services[1].Dependencies[0].LongestDelay = 0 },
		catalog.DegradableNoRule:        func(c *catalog.Catalog) { c.Flows[0].Steps[1].Rule = "" },
		catalog.SharedDataOtherPlan:     func(c *catalog.Catalog) { c.Services[1].DataSets = []string{"orders"} },
		catalog.TenantDataElsewhere:     func(c *catalog.Catalog) { c.Tenants[0].Sites = []string{"north"} },
		catalog.NoOwner:                 func(c *catalog.Catalog) { c.Services[1].TechnicalOwner = "" },
		catalog.SingleHomed:             func(c *catalog.Catalog) { c.Services[1].Deployments = c.Services[1].Deployments[:1] },
		catalog.NoRecoveryPoint:         func(c *catalog.Catalog) { c.DataSets[0].RecoveryPoints = 2 * minute },
		catalog.NeedEachOther: func(c *catalog.Catalog) {
			c.Services[0].Dependencies[1].On, c.Services[0].Dependencies[1].Coupling = "count", catalog.Synchronous
			count := c.Services[0]
			count.Slug, count.Name, count.DataSets = "count", "Count", nil
			count.Dependencies = []catalog.Dependency{{On: "pay", Coupling: catalog.Synchronous}}
			c.Services = append(c.Services, count)
		},
	} {
		c := sound()
		breaks(&c)
		c = catalog.New(c)
		var rules []catalog.FindingRule
		for f := range c.Findings(plans) {
			rules = append(rules, f.Rule)
			if f.What == "" || f.Mend == "" || f.Rule.Why() == "" || f.Rule.Title() == "" {
				t.Errorf("%s says too little: %+v", rule, f)
			}
			if _, there := c.Entry(f.At); !there {
				t.Errorf("%s is about nothing: %v", rule, f.At)
			}
		}
		if len(rules) != 1 || rules[0] != rule {
			t.Errorf("what breaks %s is found as %v", rule, rules)
		}
	}
	if n := len(catalog.FindingRules()); n != 12 {
		t.Errorf("%d rules are listed, 12 are tried", n)
	}
}

func TestAFindingKeepsItsKeyWhileItStands(t *testing.T) {
	c := sound()
	c.Services[0].Dependencies[1].Queue = ""
	first := slices.Collect(catalog.New(c).Findings(nil))
	c.Services[0].Name = "Payments"
	c.Services[0].Dependencies = append([]catalog.Dependency{{On: "report", Coupling: catalog.Deferrable, LongestDelay: minute}}, c.Services[0].Dependencies...)
	again := slices.Collect(catalog.New(c).Findings(nil))
	if len(first) != 1 || len(again) != 1 || first[0].Key() != again[0].Key() {
		t.Errorf("it was %+v, is %+v", first, again)
	}
}

func TestAServiceWithoutEitherOwnerIsFoundTwice(t *testing.T) {
	c := sound()
	c.Services[0].BusinessOwner, c.Services[0].TechnicalOwner = "", ""
	found := slices.Collect(catalog.New(c).Findings(nil))
	if len(found) != 2 || found[0].Key() == found[1].Key() {
		t.Errorf("found %+v", found)
	}
}
