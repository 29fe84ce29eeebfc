package catalog

import (
	"keyholder/internal/fault"
)

// Validate finds references that lead nowhere, slugs that stand twice, and values that cannot be.
func (c Catalog) Validate() error {
	wrong := fault.Wrong{}
	if len(c.Currency) != 3 {
		wrong.Add("currency", "must be three letters, such as GBP")
	}
	unique(wrong, "sites", c.Sites, func(s Site) string { return s.Slug })
	unique(wrong, "tiers", c.Tiers, func(t Tier) string { return t.Slug })
	unique(wrong, "capabilities", c.Capabilities, func(x Capability) string { return x.Slug })
	unique(wrong, "data_sets", c.DataSets, func(d DataSet) string { return d.Slug })
	unique(wrong, "services", c.Services, func(s Service) string { return s.Slug })
	unique(wrong, "flows", c.Flows, func(f Flow) string { return f.Slug })
	unique(wrong, "signals", c.Signals, func(s Signal) string { return s.Slug })
	for _, tier := range c.Tiers {
		if tier.RTO <= 0 || tier.RPO < 0 {
			wrong.Add("tiers."+tier.Slug, "the RTO must be longer than nothing and the RPO not negative")
		}
	}
	for _, service := range c.Services {
		c.checkService(service, wrong)
	}
	for _, set := range c.DataSets {
		for _, site := range set.WriterSites {
			_, ok := c.Site(site)
			refer(wrong, "data_sets."+set.Slug, "site", site, ok)
		}
	}
	c.checkLinks(wrong)
	for _, claim := range c.Roles {
		if !claim.Role.Known() {
			wrong.Add("roles", "%q is not a role", claim.Role)
		}
	}
	return wrong.Err()
}

func (c Catalog) checkService(s Service, wrong fault.Wrong) {
	at := "services." + s.Slug
	_, ok := c.Tier(s.Tier)
	refer(wrong, at, "tier", s.Tier, ok)
	_, ok = c.Capability(s.Capability)
	refer(wrong, at, "capability", s.Capability, ok)
	for _, set := range s.DataSets {
		_, ok = c.DataSet(set)
		refer(wrong, at, "data set", set, ok)
	}
	for _, d := range s.Deployments {
		_, ok = c.Site(d.Site)
		refer(wrong, at, "site", d.Site, ok)
	}
	if s.Pattern != ActiveActive && s.Pattern != ActivePassive && s.Pattern != BackupRestore {
		wrong.Add(at, "%q is not a pattern", s.Pattern)
	}
}

func (c Catalog) checkLinks(wrong fault.Wrong) {
	for _, d := range c.Dependencies {
		at := "dependencies." + d.From + "." + d.To
		_, ok := c.Service(d.From)
		refer(wrong, at, "service", d.From, ok)
		_, ok = c.Service(d.To)
		refer(wrong, at, "service", d.To, ok)
		if d.Coupling != Synchronous && d.Coupling != Asynchronous && d.Coupling != Deferrable {
			wrong.Add(at, "%q is not a coupling", d.Coupling)
		}
	}
	for _, f := range c.Flows {
		for _, step := range f.Steps {
			_, ok := c.Service(step.Service)
			refer(wrong, "flows."+f.Slug, "service", step.Service, ok)
			if step.Criticality != StepCritical && step.Criticality != StepDegradable && step.Criticality != StepDeferrable {
				wrong.Add("flows."+f.Slug, "%q is not a criticality", step.Criticality)
			}
		}
	}
	for _, s := range c.Signals {
		_, ok := c.Service(s.Service)
		refer(wrong, "signals."+s.Slug, "service", s.Service, ok)
		if s.Kind != Success && s.Kind != Volume {
			wrong.Add("signals."+s.Slug, "%q is not a kind of signal", s.Kind)
		}
	}
}

func refer(wrong fault.Wrong, at, what, slug string, ok bool) {
	if !ok {
		wrong.Add(at, "there is no %s %q", what, slug)
	}
}

func unique[T any](wrong fault.Wrong, at string, all []T, slugOf func(T) string) {
	seen := map[string]bool{}
	for _, one := range all {
		switch slug := slugOf(one); {
		case slug == "":
			wrong.Add(at, "one has no slug")
		case seen[slug]:
			wrong.Add(at, "%q stands twice", slug)
		default:
			seen[slug] = true
		}
	}
}
