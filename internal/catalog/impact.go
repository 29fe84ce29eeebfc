package catalog

import (
	"cmp"
	"slices"
	"time"
)

// Impact is what the failure of some services does to the rest.
type Impact struct {
	Failed           []string     // the services that failed, in catalogue order
	Stopped          []string     // those that stop with them, through synchronous dependencies
	Delayed          []string     // those that go on and fall behind, through asynchronous or deferrable ones
	Flows            []FlowImpact // every flow that is touched
	RevenuePerMinute float64      // of the capabilities whose services failed or stopped
}

// FlowImpact is what happens to one flow: "stops", "degrades" or "goes on".
type FlowImpact struct {
	Slug, Name, Effect string
	Steps              []string // the names of the steps that are touched
}

// Impact follows the dependencies upwards from the failed services.
func (c Catalog) Impact(failed []string) Impact {
	down := map[string]bool{}
	for _, slug := range failed {
		down[slug] = true
	}
	for grown := true; grown; {
		grown = false
		for _, d := range c.Dependencies {
			if d.Coupling == Synchronous && down[d.To] && !down[d.From] {
				down[d.From], grown = true, true
			}
		}
	}
	impact := Impact{}
	for _, s := range c.Services {
		switch {
		case slices.Contains(failed, s.Slug):
			impact.Failed = append(impact.Failed, s.Slug)
		case down[s.Slug]:
			impact.Stopped = append(impact.Stopped, s.Slug)
		case c.waitsFor(s.Slug, down):
			impact.Delayed = append(impact.Delayed, s.Slug)
		}
	}
	impact.Flows = c.flowsTouched(down)
	impact.RevenuePerMinute = c.revenuePerMinute(down)
	return impact
}

func (c Catalog) waitsFor(slug string, down map[string]bool) bool {
	return slices.ContainsFunc(c.Dependencies, func(d Dependency) bool { return d.From == slug && down[d.To] })
}

func (c Catalog) flowsTouched(down map[string]bool) []FlowImpact {
	var touched []FlowImpact
	for _, f := range c.Flows {
		effect := FlowImpact{Slug: f.Slug, Name: f.Name, Effect: "goes on"}
		for _, step := range f.Steps {
			if !down[step.Service] {
				continue
			}
			effect.Steps = append(effect.Steps, step.Name)
			switch {
			case step.Criticality == StepCritical:
				effect.Effect = "stops"
			case step.Criticality == StepDegradable && effect.Effect != "stops":
				effect.Effect = "degrades"
			}
		}
		if len(effect.Steps) > 0 {
			touched = append(touched, effect)
		}
	}
	return touched
}

func (c Catalog) revenuePerMinute(down map[string]bool) float64 {
	hit := map[string]bool{}
	for _, s := range c.Services {
		if down[s.Slug] {
			hit[s.Capability] = true
		}
	}
	var perHour float64
	for _, capability := range c.Capabilities {
		if hit[capability.Slug] {
			perHour += capability.RevenuePerHour
		}
	}
	return perHour / 60
}

// Objectives are the tightest RTO and RPO among the services. ok is false when none of them has a tier.
func (c Catalog) Objectives(services []string) (rto, rpo time.Duration, ok bool) {
	var tiers []Tier
	for _, slug := range services {
		service, _ := c.Service(slug)
		if tier, found := c.Tier(service.Tier); found {
			tiers = append(tiers, tier)
		}
	}
	if len(tiers) == 0 {
		return 0, 0, false
	}
	tightest := func(of func(Tier) Duration) time.Duration {
		return of(slices.MinFunc(tiers, func(a, b Tier) int { return cmp.Compare(of(a), of(b)) })).D()
	}
	return tightest(func(t Tier) Duration { return t.RTO }), tightest(func(t Tier) Duration { return t.RPO }), true
}
