package catalog

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// FindingRule is a rule that a good catalogue keeps. Breaking it is no error: it is a finding, with an owner.
type FindingRule string

// The rules.
const (
	LowerTierInCriticalStep FindingRule = "lower-tier-in-critical-step"
	RTOTighterThanNeeded    FindingRule = "rto-tighter-than-what-it-needs"
	PatternNotOfTier        FindingRule = "pattern-not-of-its-tier"
	AsynchronousNoQueue     FindingRule = "asynchronous-without-queue"
	DeferrableNoDelay       FindingRule = "deferrable-without-longest-delay"
	DegradableNoRule        FindingRule = "degradable-without-rule"
	SharedDataOtherPlan     FindingRule = "shared-data-without-shared-plan"
	TenantDataElsewhere     FindingRule = "tenant-data-where-it-may-not-be"
	NoOwner                 FindingRule = "no-owner"
	SingleHomed             FindingRule = "nothing-outside-one-site"
	NoRecoveryPoint         FindingRule = "no-recovery-point-within-rpo"
	NeedEachOther           FindingRule = "services-need-each-other"
)

// FindingRules lists the rules, the gravest first.
func FindingRules() []FindingRule {
	return []FindingRule{
		SharedDataOtherPlan, TenantDataElsewhere, LowerTierInCriticalStep, NoRecoveryPoint, SingleHomed, NeedEachOther,
		RTOTighterThanNeeded, PatternNotOfTier, DegradableNoRule, AsynchronousNoQueue, DeferrableNoDelay, NoOwner,
	}
}

var whys = map[FindingRule]string{ //nolint:gochecknoglobals // a table
	LowerTierInCriticalStep: "A flow that must come back first waits for something that may take much longer.",
	RTOTighterThanNeeded:    "Its objective cannot be met while what it cannot do without is still down.",
	PatternNotOfTier:        "The tier's objectives were set for services that are spread in another way.",
	AsynchronousNoQueue:     "Without a durable queue, what is sent while the other is down is lost.",
	DeferrableNoDelay:       "Nobody knows when waiting turns into harm.",
	DegradableNoRule:        "When the step is down, nobody has agreed what is done instead.",
	SharedDataOtherPlan:     "Moving one without the others makes two writers of the same data.",
	TenantDataElsewhere:     "The tenant's contract or the law says where its data may be.",
	NoOwner:                 "In an incident there is nobody to ask.",
	SingleHomed:             "When that site fails there is nowhere to move it to.",
	NoRecoveryPoint:         "After corruption more would be lost than its tier allows.",
	NeedEachOther:           "After a failure none of them can start before the others.",
}

// Why says why the rule matters.
func (r FindingRule) Why() string { return whys[r] }

// Title is the rule in a few words.
func (r FindingRule) Title() string { return Words(string(r)) }

// Finding is one place where the catalogue breaks a rule.
type Finding struct {
	Rule       FindingRule
	At         Ref
	Detail     string // what tells it from others of the rule at the same record
	What       string // what is so
	Mend       string // what would mend it
	Owner      string // who answers for the record, where anybody does
	Tier       string // of the service
	Capability string
}

// Key is the same for the same finding in every version of the catalogue.
func (f Finding) Key() string {
	return strings.Join([]string{string(f.Rule), string(f.At.Kind), f.At.Slug, f.Detail}, "/")
}

// Mover is what findings need to know of a plan.
type Mover struct {
	Slug     string
	Services []string
}

// Findings goes through everything that breaks a rule, by record.
func (c Catalog) Findings(plans []Mover) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		a := newAudit(c, plans)
		for _, part := range []func(func(Finding) bool) bool{a.services, a.dataSets, a.flows, a.owners, a.cycles} {
			if !part(yield) {
				return
			}
		}
	}
}

// audit is the catalogue with what several rules look up.
type audit struct {
	Catalog
	*graph
	plans    []Mover
	top      Duration            // the tightest RTO of any tier
	critical map[string]string   // service: a flow that has it in a critical step
	tenants  []Tenant            // with what they take over from their segments
	regions  map[string][]string // site: itself and what it lies within
}

func newAudit(c Catalog, plans []Mover) *audit {
	a := &audit{Catalog: c, graph: c.graph(), plans: plans, critical: map[string]string{}, regions: map[string][]string{}}
	for i, t := range c.Tiers {
		if i == 0 || t.RTO < a.top {
			a.top = t.RTO
		}
	}
	for _, f := range c.Flows {
		for _, step := range f.Steps {
			if step.Criticality == StepCritical && a.critical[step.Service] == "" {
				a.critical[step.Service] = f.Name
			}
		}
	}
	for _, t := range c.Tenants {
		if whole := c.Whole(t); len(whole.Sites) > 0 {
			a.tenants = append(a.tenants, whole)
		}
	}
	for _, s := range c.Sites {
		for at, n := s, 0; n <= len(c.Sites); n++ {
			a.regions[s.Slug] = append(a.regions[s.Slug], at.Slug)
			next, ok := c.Site(at.Within)
			if !ok {
				break
			}
			at = next
		}
	}
	return a
}

// of begins a finding about a service.
func of(r FindingRule, s Service) Finding {
	return Finding{Rule: r, At: Ref{KindService, s.Slug}, Owner: s.TechnicalOwner, Tier: s.Tier, Capability: s.Capability}
}

func (a *audit) services(yield func(Finding) bool) bool {
	for _, s := range a.Services {
		tier, _ := a.Tier(s.Tier)
		if len(tier.Patterns) > 0 && !slices.Contains(tier.Patterns, s.Pattern) {
			f := of(PatternNotOfTier, s)
			f.What = fmt.Sprintf("%s is %s, which %s does not allow.", s.Name, s.Pattern, tier.Name)
			f.Mend = fmt.Sprintf("Spread it as %s, or put it in another tier.", orWords(tier.Patterns))
			if !yield(f) {
				return false
			}
		}
		if !a.placement(s, yield) || !a.needs(s, tier, yield) {
			return false
		}
	}
	return true
}

func orWords[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, one := range all {
		words[i] = string(one)
	}
	return strings.Join(words, " or ")
}

// placement looks at where a service runs.
func (a *audit) placement(s Service, yield func(Finding) bool) bool {
	if sites := sitesOf(s); len(sites) < 2 {
		f := of(SingleHomed, s)
		f.What = s.Name + " is deployed nowhere."
		if len(sites) == 1 {
			f.What = fmt.Sprintf("%s is deployed at %s and nowhere else.", s.Name, a.SiteName(sites[0]))
		}
		f.Mend = "Deploy it at another site, standby or cold."
		if !yield(f) {
			return false
		}
	}
	if len(s.DataSets) == 0 {
		return true
	}
	for _, d := range s.Deployments {
		var wrong []string
		for _, t := range a.tenants {
			if a.serves(s, t) && !slices.ContainsFunc(a.regions[d.Site], func(site string) bool { return slices.Contains(t.Sites, site) }) {
				wrong = append(wrong, t.Name)
			}
		}
		if len(wrong) == 0 {
			continue
		}
		f := of(TenantDataElsewhere, s)
		f.Detail = d.Site
		f.What = fmt.Sprintf("%s holds data of %s at %s, where it may not be.", s.Name, few(wrong), a.SiteName(d.Site))
		f.Mend = "Serve those tenants elsewhere, or correct where their data may be."
		if !yield(f) {
			return false
		}
	}
	return true
}

func (a *audit) serves(s Service, t Tenant) bool {
	return len(s.Tenants) == 0 || slices.Contains(s.Tenants, t.Slug)
}

func sitesOf(s Service) []string {
	var sites []string
	for _, d := range s.Deployments {
		if !slices.Contains(sites, d.Site) {
			sites = append(sites, d.Site)
		}
	}
	return sites
}

// few names at most three.
func few(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

// needs looks at what a service depends on.
func (a *audit) needs(s Service, tier Tier, yield func(Finding) bool) bool {
	for _, d := range s.Dependencies {
		f := of("", s)
		f.Detail = d.On
		switch {
		case d.Coupling == Asynchronous && d.Queue == "":
			f.Rule = AsynchronousNoQueue
			f.What = fmt.Sprintf("%s depends on %s asynchronously, through no queue.", s.Name, a.onName(d))
			f.Mend = "Name the durable queue."
		case d.Coupling == Deferrable && d.LongestDelay == 0:
			f.Rule = DeferrableNoDelay
			f.What = fmt.Sprintf("%s can do without %s for a while, but nobody says how long.", s.Name, a.onName(d))
			f.Mend = "Say the longest delay."
		case d.Coupling == Synchronous:
			a.slower(s, tier, d, &f)
		}
		if f.Rule != "" && !yield(f) {
			return false
		}
	}
	return true
}

func (a *audit) onName(d Dependency) string {
	if a.Has(KindService, d.On) {
		return a.ServiceName(d.On)
	}
	return a.NameOf(KindThirdParty, d.On)
}

// slower finds what a service cannot do without and that may come back later than the service must.
func (a *audit) slower(s Service, tier Tier, d Dependency, f *Finding) {
	if third, ok := a.ThirdParty(d.On); ok {
		if third.Promised > tier.RTO {
			f.Rule = RTOTighterThanNeeded
			f.What = fmt.Sprintf("%s must be back within %s, but cannot do without %s, which promises %s.", s.Name, tier.RTO, third.Name, third.Promised)
			f.Mend = "Make the dependency deferrable or asynchronous, agree a faster recovery with them, or add another provider."
		}
		return
	}
	on, ok := a.Service(d.On)
	other, known := a.Tier(on.Tier)
	if !ok || !known || other.RTO <= tier.RTO {
		return
	}
	f.Rule = RTOTighterThanNeeded
	f.What = fmt.Sprintf("%s must be back within %s, but cannot do without %s, which may take %s.", s.Name, tier.RTO, on.Name, other.RTO)
	f.Mend = fmt.Sprintf("Put %s in %s, or make the dependency asynchronous or deferrable.", on.Name, tier.Name)
	if flow, critical := a.critical[s.Slug]; critical && tier.RTO == a.top {
		f.Rule = LowerTierInCriticalStep
		f.What = fmt.Sprintf("%s, a critical step of %s, cannot do without %s of %s.", s.Name, flow, on.Name, other.Name)
	}
}

func (a *audit) dataSets(yield func(Finding) bool) bool {
	for _, d := range a.DataSets {
		writers := a.writers[d.Slug]
		var tier Tier
		for _, n := range writers {
			if t, ok := a.Tier(a.Services[n].Tier); ok && (tier.Slug == "" || t.RPO < tier.RPO) {
				tier = t
			}
		}
		if tier.Slug != "" && (d.RecoveryPoints == 0 || d.RecoveryPoints > tier.RPO) {
			f := Finding{Rule: NoRecoveryPoint, At: Ref{KindDataSet, d.Slug}, Owner: d.Owner, Tier: tier.Slug}
			f.What = fmt.Sprintf("%s has no recovery points; its tier allows %s of loss.", d.Name, tier.RPO)
			if d.RecoveryPoints > 0 {
				f.What = fmt.Sprintf("%s has a recovery point every %s; its tier allows %s of loss.", d.Name, d.RecoveryPoints, tier.RPO)
			}
			f.Mend = fmt.Sprintf("Keep a recovery point at least every %s, and say so.", tier.RPO)
			if !yield(f) {
				return false
			}
		}
		if !a.sharedPlan(d, writers, yield) {
			return false
		}
	}
	return true
}

// sharedPlan finds plans that move some of the services that share a data set and leave others behind.
func (a *audit) sharedPlan(d DataSet, writers []int32, yield func(Finding) bool) bool {
	for _, p := range a.plans {
		var moved, left []string
		for _, n := range writers {
			if s := a.Services[n]; slices.Contains(p.Services, s.Slug) {
				moved = append(moved, s.Name)
			} else {
				left = append(left, s.Name)
			}
		}
		if len(moved) == 0 || len(left) == 0 {
			continue
		}
		f := Finding{Rule: SharedDataOtherPlan, At: Ref{KindDataSet, d.Slug}, Detail: p.Slug, Owner: d.Owner}
		f.What = fmt.Sprintf("Plan %s moves %s but not %s, which writes %s too.", p.Slug, few(moved), few(left), d.Name)
		f.Mend = "Move them with one plan, or give them data of their own."
		if !yield(f) {
			return false
		}
	}
	return true
}

func (a *audit) flows(yield func(Finding) bool) bool {
	for _, f := range a.Flows {
		for _, step := range f.Steps {
			if step.Criticality != StepDegradable || step.Rule != "" {
				continue
			}
			service, _ := a.Service(step.Service)
			finding := Finding{Rule: DegradableNoRule, At: Ref{KindFlow, f.Slug}, Detail: step.Name, Owner: f.Owner, Tier: service.Tier, Capability: service.Capability}
			finding.What = fmt.Sprintf("%s can go on without \"%s\", but no rule says how.", f.Name, step.Name)
			finding.Mend = "Name the degraded-mode rule, or make the step critical."
			if !yield(finding) {
				return false
			}
		}
	}
	return true
}

// owners finds records that nobody answers for.
func (a *audit) owners(yield func(Finding) bool) bool {
	for _, s := range a.Services {
		for _, who := range []struct{ owner, kind, mend string }{
			{s.BusinessOwner, "business", "Name who decides what its loss may cost."},
			{s.TechnicalOwner, "technical", "Name who runs it."},
		} {
			if who.owner != "" {
				continue
			}
			f := of(NoOwner, s)
			f.Owner, f.Detail = s.BusinessOwner+s.TechnicalOwner, who.kind // whoever of the two is there
			f.What, f.Mend = fmt.Sprintf("%s has no %s owner.", s.Name, who.kind), who.mend
			if !yield(f) {
				return false
			}
		}
	}
	for _, k := range []Kind{KindDataSet, KindFlow, KindRule, KindThirdParty} {
		for e := range a.Of(k) {
			if e.owner() != "" {
				continue
			}
			if !yield(Finding{Rule: NoOwner, At: e.Ref, What: e.Name + " has no owner.", Mend: "Name who answers for it."}) {
				return false
			}
		}
	}
	return true
}

// owner is who answers for a record that has one owner.
func (e Entry) owner() string {
	for _, f := range e.Kind.Fields() {
		if f.Key == "owner" {
			return f.TextIn(e.Record)
		}
	}
	return ""
}

func (a *audit) cycles(yield func(Finding) bool) bool {
	for _, cycle := range a.Cycles() {
		first, _ := a.Service(cycle[0])
		f := of(NeedEachOther, first)
		f.Detail = strings.Join(cycle, ",")
		names := make([]string, len(cycle))
		for i, slug := range cycle {
			names[i] = a.ServiceName(slug)
		}
		f.What = fmt.Sprintf("%s need each other to work.", few(names))
		f.Mend = "Make one of the dependencies asynchronous or deferrable."
		if !yield(f) {
			return false
		}
	}
	return true
}
