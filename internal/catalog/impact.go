package catalog

import (
	"cmp"
	"slices"
	"time"
)

// Failure is what is down, and when.
type Failure struct {
	Services, DataSets, Sites, ThirdParties, Tenants []string
	At                                               time.Time // whose peaks count, and from which outlets sell offline
}

// Impact is what a failure does to the rest.
type Impact struct {
	At           time.Time         // of the failure
	Failed       []Touched         // services that are down by themselves
	Stopped      []Touched         // services that stop with what they need
	Delayed      []Touched         // services that go on and fall behind
	Reduced      []Touched         // services that go on at fewer sites
	Unprotected  []Touched         // services that lose what they could be moved to
	DataSets     []string          // that accept no writes
	SingleHomed  []string          // of those that failed: with no deployment anywhere else
	Platform     []string          // services of the platform itself with a deployment at a failed site
	Flows        []FlowImpact      // that are touched, the worst first
	FlowsGoOn    int               // that are not touched at all
	Tenants      []TenantImpact    // the first to be recovered first
	Outlets      []OutletImpact    // that have to work offline
	Capabilities []CapabilityTaken // whose services are down
}

// Touched is one service with the reason why.
type Touched struct {
	Slug, Name string
	Why        Ref      // what it is that is down: a site, a data set, a third party, a service, a tenant, or itself
	Coupling   Coupling // how it depends on that, if it does
	Dependency Dependency
	Path       []string // names from what failed to this service
}

// Effect is what happens to a flow.
type Effect string

// The effects, the worst first.
const (
	Stops    Effect = "stops"
	Degrades Effect = "degrades"
	GoesOn   Effect = "goes on"
)

// FlowImpact is what happens to one flow.
type FlowImpact struct {
	Slug, Name string
	Effect     Effect
	Steps      []StepImpact // those that are touched
}

// StepImpact is a step whose service is down.
type StepImpact struct {
	FlowStep
	RuleName string // what is done instead; empty where no rule says
}

// TenantImpact is a tenant that is served by what is down.
type TenantImpact struct {
	Tenant
	Services int  // how many of the services that serve it are down
	Failed   bool // it is down by itself
}

// OutletImpact is an outlet that has to work offline.
type OutletImpact struct {
	Outlet
	Flows []string // names of those that stop
}

// Until is how long it can, from some moment on; zero where it cannot at all.
func (o OutletImpact) Until(down time.Time) time.Time {
	if o.OfflineFor <= 0 {
		return time.Time{}
	}
	return down.Add(o.OfflineFor.D())
}

// CapabilityTaken is what the business cannot do, and what that costs.
type CapabilityTaken struct {
	Slug, Name string
	PerMinute  float64
	Peak       string // that makes it more than usual
}

// Down are the services that failed or stopped.
func (i Impact) Down() []string {
	return append(slugsOf(i.Failed), slugsOf(i.Stopped)...)
}

// Movable are the services that failed and are deployed somewhere that did not: they could run there.
func (i Impact) Movable() []string {
	return slices.DeleteFunc(slugsOf(i.Failed), func(slug string) bool { return slices.Contains(i.SingleHomed, slug) })
}

// FailedServices are the services that are down by themselves.
func (i Impact) FailedServices() []string { return slugsOf(i.Failed) }

func slugsOf(all []Touched) []string {
	slugs := make([]string, len(all))
	for i, t := range all {
		slugs[i] = t.Slug
	}
	return slugs
}

// RevenuePerMinute is what the capabilities that are down earn a minute at that time.
func (i Impact) RevenuePerMinute() (sum float64) {
	for _, c := range i.Capabilities {
		sum += c.PerMinute
	}
	return sum
}

// Impact follows a failure through sites, data and dependencies to services, flows, tenants and outlets.
func (c Catalog) Impact(f Failure) Impact {
	s := newSpread(c, f)
	s.fail()
	s.spread()
	down := s.downServices()
	impact := s.services(down)
	impact.At = f.At
	impact.DataSets = s.lostData()
	s.flows(&impact)
	s.tenants(&impact, down)
	s.outlets(&impact)
	s.capabilities(&impact, down)
	return impact
}

// spread is a failure on its way through the catalogue.
type spread struct {
	Catalog
	*graph
	failure Failure
	sites   map[string]bool
	data    map[string]bool
	because []int32 // by node: where among the causes it stands, from 1 on; 0 while it is up
	causes  []cause // of what is down, nearest to the failure first
	reduced []Touched
	exposed []Touched
	single  []string
}

// cause is why a node is down or delayed: another node, or the thing itself that failed.
type cause struct {
	node int32 // that is down
	via  int32 // the node that it needs; -1 where it is down by itself
	at   int32 // which of its dependencies
	root Ref
}

func newSpread(c Catalog, f Failure) *spread {
	g := c.graph()
	return &spread{
		Catalog: c, graph: g, failure: f, sites: c.within(f.Sites), data: map[string]bool{},
		because: make([]int32, len(g.slugs)),
	}
}

// fail finds what is down by itself.
func (s *spread) fail() {
	for _, slug := range s.failure.Services {
		s.take(slug, Ref{KindService, slug})
	}
	for _, slug := range s.failure.ThirdParties {
		s.take(slug, Ref{KindThirdParty, slug})
	}
	for _, slug := range s.failure.DataSets {
		s.lose(slug, Ref{KindDataSet, slug})
	}
	if len(s.sites) > 0 {
		for _, i := range s.at(s.sites) {
			s.lostSites(&s.Services[i])
		}
		for n := range s.DataSets {
			if d := &s.DataSets[n]; d.cutOff(s.sites) {
				s.lose(d.Slug, Ref{KindDataSet, d.Slug})
			}
		}
	}
	if len(s.failure.Tenants) > 0 {
		for n := range s.Services {
			service := &s.Services[n]
			if of := service.Tenants; len(of) > 0 && !slices.ContainsFunc(of, func(t string) bool { return !slices.Contains(s.failure.Tenants, t) }) {
				s.take(service.Slug, Ref{KindTenant, of[0]})
			}
		}
	}
}

func (s *spread) take(slug string, root Ref) {
	node, ok := s.node[slug]
	if ok && s.because[node] == 0 {
		s.causes = append(s.causes, cause{node: node, via: -1, root: root})
		s.because[node] = int32(len(s.causes))
	}
}

func (s *spread) isDown(node int32) bool { return s.because[node] > 0 }

func (s *spread) why(node int32) cause { return s.causes[s.because[node]-1] }

// downServices are the nodes of the services that are down, in their order.
func (s *spread) downServices() []int32 {
	var all []int32
	for _, c := range s.causes {
		if int(c.node) < s.graph.services {
			all = append(all, c.node)
		}
	}
	slices.Sort(all)
	return all
}

// lose takes away a data set and with it everything that writes to it.
func (s *spread) lose(slug string, root Ref) {
	if !s.Has(KindDataSet, slug) {
		return
	}
	s.data[slug] = true
	for _, node := range s.writers[slug] {
		s.take(s.slugs[node], root)
	}
}

// lostSites says what the loss of sites does to a service that is deployed there.
func (s *spread) lostSites(service *Service) {
	var lost, lostActive, left, leftActive int
	var site string
	for _, d := range service.Deployments {
		active := d.Role == Active
		if !s.sites[d.Site] {
			left, leftActive = left+1, leftActive+count(active)
			continue
		}
		lost, lostActive = lost+1, lostActive+count(active)
		if site == "" || active && lostActive == 1 {
			site = d.Site
		}
	}
	touched := Touched{Slug: service.Slug, Name: service.Name, Why: Ref{KindSite, site}}
	switch {
	case lostActive > 0 && leftActive == 0:
		s.take(service.Slug, touched.Why)
		if left == 0 {
			s.single = append(s.single, service.Slug)
		}
	case lostActive > 0:
		s.reduced = append(s.reduced, touched)
	case lost > 0 && left <= 1:
		s.exposed = append(s.exposed, touched)
	}
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// cutOff says whether nobody can write to the data set when sites are lost: a single writer stays down until another
// site is promoted.
func (d *DataSet) cutOff(sites map[string]bool) bool {
	if len(d.WriterSites) == 0 {
		return false
	}
	if d.Writers == MultiWriter {
		return !slices.ContainsFunc(d.WriterSites, func(site string) bool { return !sites[site] })
	}
	return sites[d.WriterSites[0]]
}

// spread follows synchronous dependencies from what is down to everything that stops with it, nearest first.
func (s *spread) spread() {
	slices.SortFunc(s.causes, func(a, b cause) int { return cmp.Compare(a.node, b.node) })
	for i, c := range s.causes {
		s.because[c.node] = int32(i + 1)
	}
	for i := 0; i < len(s.causes); i++ {
		node := s.causes[i].node
		for _, e := range s.dependants[node] {
			if e.coupling == Synchronous && !s.isDown(e.to) {
				s.causes = append(s.causes, cause{node: e.to, via: node, at: e.at})
				s.because[e.to] = int32(len(s.causes))
			}
		}
	}
}

// services sorts the services by what happens to them.
func (s *spread) services(down []int32) (i Impact) {
	for _, node := range down {
		if why := s.why(node); why.via < 0 {
			i.Failed = append(i.Failed, s.touched(node, why))
		} else {
			i.Stopped = append(i.Stopped, s.touched(node, why))
		}
	}
	for _, c := range s.delayed() {
		i.Delayed = append(i.Delayed, s.touched(c.node, c))
	}
	isDown := func(t Touched) bool { return s.isDown(s.node[t.Slug]) }
	i.Reduced, i.Unprotected = slices.DeleteFunc(s.reduced, isDown), slices.DeleteFunc(s.exposed, isDown)
	i.SingleHomed = s.single
	if len(s.sites) > 0 {
		for _, node := range s.at(s.sites) {
			if s.Services[node].Platform != "" {
				i.Platform = append(i.Platform, s.slugs[node])
			}
		}
	}
	return i
}

// delayed are the services that go on without something that they need, each with the first that it misses.
func (s *spread) delayed() []cause {
	var all []cause
	for _, c := range s.causes {
		for _, e := range s.dependants[c.node] {
			if !s.isDown(e.to) {
				all = append(all, cause{node: e.to, via: c.node, at: e.at})
			}
		}
	}
	slices.SortFunc(all, func(a, b cause) int { return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.at, b.at)) })
	return slices.CompactFunc(all, func(a, b cause) bool { return a.node == b.node })
}

// touched is a service with its reason and the way from what failed.
func (s *spread) touched(node int32, why cause) Touched {
	service := &s.Services[node]
	t := Touched{Slug: service.Slug, Name: service.Name, Why: why.root}
	if why.via < 0 {
		return t
	}
	t.Dependency = service.Dependencies[why.at]
	t.Coupling, t.Why = t.Dependency.Coupling, s.refOf(why.via)
	for at := why.via; at >= 0; at = s.why(at).via {
		t.Path = append(t.Path, s.slugs[at])
	}
	slices.Reverse(t.Path)
	for i, slug := range t.Path {
		t.Path[i] = s.NameOf(s.refOf(s.node[slug]).Kind, slug)
	}
	return t
}

func (s *spread) lostData() []string {
	var lost []string
	for slug := range s.data {
		lost = append(lost, slug)
	}
	slices.Sort(lost)
	return lost
}

func (s *spread) flows(i *Impact) {
	for _, f := range s.Flows {
		touched := FlowImpact{Slug: f.Slug, Name: f.Name, Effect: GoesOn}
		for _, step := range f.Steps {
			if node, ok := s.node[step.Service]; !ok || !s.isDown(node) {
				continue
			}
			touched.Steps = append(touched.Steps, StepImpact{step, s.ruleNameFor(f.Slug, step)})
			switch {
			case step.Criticality == StepCritical:
				touched.Effect = Stops
			case step.Criticality == StepDegradable && touched.Effect != Stops:
				touched.Effect = Degrades
			}
		}
		if len(touched.Steps) == 0 {
			i.FlowsGoOn++
		} else {
			i.Flows = append(i.Flows, touched)
		}
	}
	rank := map[Effect]int{Stops: 0, Degrades: 1, GoesOn: 2}
	slices.SortStableFunc(i.Flows, func(a, b FlowImpact) int { return cmp.Compare(rank[a.Effect], rank[b.Effect]) })
}

// ruleNameFor is what is done instead of a step in a flow; empty where no rule for that flow says.
func (s *spread) ruleNameFor(flow string, step FlowStep) string {
	if rule, ok := s.Rule(step.Rule); ok && rule.IsFor(flow) {
		return rule.Name
	}
	return ""
}

func (s *spread) tenants(i *Impact, down []int32) {
	shared, own := 0, map[string]int{}
	for _, node := range down {
		of := s.Services[node].Tenants
		if len(of) == 0 {
			shared++
		}
		for _, t := range of {
			own[t]++
		}
	}
	for _, t := range s.Tenants {
		failed := slices.Contains(s.failure.Tenants, t.Slug)
		if n := shared + own[t.Slug]; n > 0 || failed {
			i.Tenants = append(i.Tenants, TenantImpact{s.Whole(t), n, failed})
		}
	}
	slices.SortStableFunc(i.Tenants, func(a, b TenantImpact) int { return cmp.Compare(lastIfNone(a.Priority), lastIfNone(b.Priority)) })
}

// lastIfNone puts those without a priority behind all others.
func lastIfNone(priority int) int {
	if priority == 0 {
		return 1 << 30
	}
	return priority
}

func (s *spread) outlets(i *Impact) {
	stops := map[string]string{}
	for _, f := range i.Flows {
		if f.Effect == Stops {
			stops[f.Slug] = f.Name
		}
	}
	for n := range s.Outlets {
		o := &s.Outlets[n]
		if !slices.ContainsFunc(o.Flows, func(flow string) bool { return stops[flow] != "" }) && !slices.Contains(s.failure.Tenants, o.Tenant) {
			continue
		}
		touched := OutletImpact{Outlet: *o}
		for _, flow := range o.Flows {
			if name, ok := stops[flow]; ok {
				touched.Flows = append(touched.Flows, name)
			}
		}
		i.Outlets = append(i.Outlets, touched)
	}
}

func (s *spread) capabilities(i *Impact, down []int32) {
	hit := map[string]bool{}
	for _, node := range down {
		hit[s.Services[node].Capability] = true
	}
	zone := s.Zone()
	for _, c := range s.Capabilities {
		if hit[c.Slug] {
			perHour, peak := c.PerHour(s.failure.At, zone)
			i.Capabilities = append(i.Capabilities, CapabilityTaken{c.Slug, c.Name, perHour / 60, peak})
		}
	}
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
