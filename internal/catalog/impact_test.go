package catalog_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"keyholder/internal/catalog"
)

// TestImpactEqualsANaiveOracleOnRandomCatalogues holds the engine against the rules written down as plainly as they can
// be: no index, no order, one fixed point.
func TestImpactEqualsANaiveOracleOnRandomCatalogues(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := randomCatalog(r)
		f := randomFailure(r, c)
		want := oracle(c, f)
		for name, version := range map[string]catalog.Catalog{"by hand": c, "indexed": catalog.New(c)} {
			got := flatten(version.Impact(f))
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("seed %d, %s: failure %+v (-oracle +impact):\n%s", seed, name, f, diff)
			}
			checkPaths(t, version, f)
		}
	}
}

func TestARememberedImpactIsTheImpactAtThatMoment(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		c := catalog.New(randomCatalog(r))
		var services []string
		for i := range min(2, len(c.Services)) {
			services = append(services, c.Services[(i+int(seed))%len(c.Services)].Slug)
		}
		for hour := range 48 { // through two days, so through peaks
			at := time.Date(2026, 11, 27, hour, 30, 0, 0, time.UTC)
			want := c.Impact(catalog.Failure{Services: services, At: at})
			if diff := cmp.Diff(want, c.ImpactOf(services, at), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("seed %d, %s (-impact +remembered):\n%s", seed, at, diff)
			}
			if cost := c.CostPerMinute(services, at); cost != want.RevenuePerMinute() {
				t.Fatalf("seed %d, %s: it costs %g, not %g", seed, at, cost, want.RevenuePerMinute())
			}
		}
	}
}

// verdict is an impact without reasons, which the oracle does not give.
type verdict struct {
	Failed, Stopped, Delayed, Reduced, Unprotected, Data, Single, Platform, Tenants, Outlets []string
	Flows                                                                                    map[string]catalog.Effect
	Revenue                                                                                  float64
}

func flatten(i catalog.Impact) verdict {
	slugs := func(all []catalog.Touched) (out []string) {
		for _, t := range all {
			out = append(out, t.Slug)
		}
		slices.Sort(out)
		return out
	}
	v := verdict{
		Failed: slugs(i.Failed), Stopped: slugs(i.Stopped), Delayed: slugs(i.Delayed), Reduced: slugs(i.Reduced),
		Unprotected: slugs(i.Unprotected), Data: i.DataSets, Single: i.SingleHomed, Platform: i.Platform,
		Flows: map[string]catalog.Effect{}, Revenue: i.RevenuePerMinute(),
	}
	for _, f := range i.Flows {
		v.Flows[f.Slug] = f.Effect
	}
	for _, t := range i.Tenants {
		v.Tenants = append(v.Tenants, t.Slug)
	}
	slices.Sort(v.Tenants)
	for _, o := range i.Outlets {
		v.Outlets = append(v.Outlets, o.Slug)
	}
	return v
}

func oracle(c catalog.Catalog, f catalog.Failure) verdict { //nolint:gocyclo // the rules, one after the other
	v := verdict{Flows: map[string]catalog.Effect{}}
	lost := func(site string) bool {
		for range c.Sites {
			if slices.Contains(f.Sites, site) {
				return true
			}
			s, _ := c.Site(site)
			site = s.Within
		}
		return slices.Contains(f.Sites, site)
	}
	for _, d := range c.DataSets {
		gone := slices.Contains(f.DataSets, d.Slug)
		if len(d.WriterSites) > 0 && d.Writers != catalog.MultiWriter && lost(d.WriterSites[0]) {
			gone = true
		}
		if len(d.WriterSites) > 0 && d.Writers == catalog.MultiWriter && all(d.WriterSites, lost) {
			gone = true
		}
		if gone {
			v.Data = append(v.Data, d.Slug)
		}
	}
	failed, down := map[string]bool{}, map[string]bool{}
	for _, s := range c.Services {
		var active, activeLost, anyLost, left int
		for _, d := range s.Deployments {
			switch {
			case lost(d.Site):
				anyLost++
				if d.Role == catalog.Active {
					active, activeLost = active+1, activeLost+1
				}
			default:
				left++
				if d.Role == catalog.Active {
					active++
				}
			}
		}
		gone := active > 0 && active == activeLost
		if gone && left == 0 {
			v.Single = append(v.Single, s.Slug)
		}
		if anyLost > 0 && s.Platform != "" {
			v.Platform = append(v.Platform, s.Slug)
		}
		if slices.Contains(f.Services, s.Slug) || slices.ContainsFunc(s.DataSets, func(d string) bool { return slices.Contains(v.Data, d) }) ||
			len(s.Tenants) > 0 && all(s.Tenants, func(t string) bool { return slices.Contains(f.Tenants, t) }) {
			gone = true
		}
		failed[s.Slug], down[s.Slug] = gone, gone
		if gone {
			continue
		}
		if activeLost > 0 {
			v.Reduced = append(v.Reduced, s.Slug)
		} else if anyLost > 0 && left <= 1 {
			v.Unprotected = append(v.Unprotected, s.Slug)
		}
	}
	for _, p := range f.ThirdParties {
		down[p] = true
	}
	for range len(c.Services) {
		for _, s := range c.Services {
			for _, d := range s.Dependencies {
				if d.Coupling == catalog.Synchronous && down[d.On] {
					down[s.Slug] = true
				}
			}
		}
	}
	isDown := func(slug string) bool { return down[slug] }
	v.Reduced, v.Unprotected = slices.DeleteFunc(v.Reduced, isDown), slices.DeleteFunc(v.Unprotected, isDown)
	hit := map[string]bool{}
	served := map[string]bool{}
	for _, s := range c.Services {
		switch {
		case failed[s.Slug]:
			v.Failed = append(v.Failed, s.Slug)
		case down[s.Slug]:
			v.Stopped = append(v.Stopped, s.Slug)
		case slices.ContainsFunc(s.Dependencies, func(d catalog.Dependency) bool { return down[d.On] }):
			v.Delayed = append(v.Delayed, s.Slug)
		}
		if !down[s.Slug] {
			continue
		}
		hit[s.Capability] = true
		for _, t := range c.Tenants {
			if len(s.Tenants) == 0 || slices.Contains(s.Tenants, t.Slug) {
				served[t.Slug] = true
			}
		}
	}
	for _, t := range c.Tenants {
		if served[t.Slug] || slices.Contains(f.Tenants, t.Slug) {
			v.Tenants = append(v.Tenants, t.Slug)
		}
	}
	for _, flow := range c.Flows {
		for _, step := range flow.Steps {
			if !down[step.Service] {
				continue
			}
			was, touched := v.Flows[flow.Slug]
			switch {
			case step.Criticality == catalog.StepCritical || was == catalog.Stops:
				v.Flows[flow.Slug] = catalog.Stops
			case step.Criticality == catalog.StepDegradable || was == catalog.Degrades:
				v.Flows[flow.Slug] = catalog.Degrades
			case !touched:
				v.Flows[flow.Slug] = catalog.GoesOn
			}
		}
	}
	for _, o := range c.Outlets {
		if slices.Contains(f.Tenants, o.Tenant) || slices.ContainsFunc(o.Flows, func(flow string) bool { return v.Flows[flow] == catalog.Stops }) {
			v.Outlets = append(v.Outlets, o.Slug)
		}
	}
	for _, x := range c.Capabilities {
		if hit[x.Slug] {
			v.Revenue += x.RevenuePerHour / 60
		}
	}
	return v
}

func all(slugs []string, is func(string) bool) bool {
	return !slices.ContainsFunc(slugs, func(s string) bool { return !is(s) })
}

// checkPaths proves that every reason given is true: the path's last name is what the service needs, and it is down.
func checkPaths(t *testing.T, c catalog.Catalog, f catalog.Failure) {
	t.Helper()
	i := c.Impact(f)
	down := map[string]bool{}
	for _, slug := range append(i.Down(), f.ThirdParties...) {
		down[slug] = true
	}
	for _, touched := range append(slices.Clone(i.Stopped), i.Delayed...) {
		s, _ := c.Service(touched.Slug)
		if !slices.Contains(s.Dependencies, touched.Dependency) || !down[touched.Dependency.On] {
			t.Errorf("%s is said to be touched through %+v, which is not so", touched.Slug, touched.Dependency)
		}
		if len(touched.Path) == 0 || touched.Path[len(touched.Path)-1] != c.NameOf(touched.Why.Kind, touched.Dependency.On) {
			t.Errorf("%s: the path %v does not end with %s", touched.Slug, touched.Path, touched.Dependency.On)
		}
	}
}

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

func some(r *rand.Rand, all []string, most int) []string {
	var chosen []string
	for range r.IntN(most + 1) {
		if one := pick(r, all); !slices.Contains(chosen, one) {
			chosen = append(chosen, one)
		}
	}
	return chosen
}

func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%02d", prefix, i)
	}
	return all
}

func randomCatalog(r *rand.Rand) catalog.Catalog {
	sites, sets, tenants := names("site", 5), names("data", 4), names("tenant", 4)
	services, parties, flows := names("service", 2+r.IntN(14)), names("party", 2), names("flow", 4)
	capabilities := names("capability", 3)
	needed := append(slices.Clone(services), parties...)
	c := catalog.Catalog{Settings: catalog.Settings{Currency: "GBP"}}
	for i, s := range sites {
		site := catalog.Site{Slug: s, Name: s}
		if i >= 2 {
			site.Within = sites[r.IntN(i)]
		}
		c.Sites = append(c.Sites, site)
	}
	for _, s := range sets {
		c.DataSets = append(c.DataSets, catalog.DataSet{Slug: s, Name: s, Writers: pick(r, []catalog.Writers{"", catalog.SingleWriter, catalog.MultiWriter}), WriterSites: some(r, sites, 3)})
	}
	for i, s := range tenants {
		c.Tenants = append(c.Tenants, catalog.Tenant{Slug: s, Name: s, Priority: i % 3})
	}
	for i, s := range capabilities {
		c.Capabilities = append(c.Capabilities, catalog.Capability{Slug: s, Name: s, RevenuePerHour: float64(600 * (i + 1))})
	}
	for _, s := range parties {
		c.ThirdParties = append(c.ThirdParties, catalog.ThirdParty{Slug: s, Name: s})
	}
	for _, s := range services {
		service := catalog.Service{Slug: s, Name: "Service " + s, Capability: pick(r, capabilities), DataSets: some(r, sets, 2), Tenants: some(r, tenants, 2)}
		if r.IntN(5) == 0 {
			service.Platform = "dns"
		}
		for _, site := range some(r, sites, 3) {
			service.Deployments = append(service.Deployments, catalog.Deployment{Site: site, Role: pick(r, []catalog.Role{catalog.Active, catalog.Standby, catalog.Cold})})
		}
		for _, on := range some(r, needed, 3) {
			if on != s {
				service.Dependencies = append(service.Dependencies, catalog.Dependency{On: on, Coupling: pick(r, []catalog.Coupling{catalog.Synchronous, catalog.Synchronous, catalog.Asynchronous, catalog.Deferrable})})
			}
		}
		c.Services = append(c.Services, service)
	}
	for _, s := range flows {
		flow := catalog.Flow{Slug: s, Name: s}
		for i := range 1 + r.IntN(4) {
			flow.Steps = append(flow.Steps, catalog.FlowStep{Name: fmt.Sprint("step ", i), Service: pick(r, services), Criticality: pick(r, []catalog.Criticality{catalog.StepCritical, catalog.StepDegradable, catalog.StepDeferrable})})
		}
		c.Flows = append(c.Flows, flow)
	}
	for i, s := range names("outlet", 5) {
		c.Outlets = append(c.Outlets, catalog.Outlet{Slug: s, Name: s, Tenant: tenants[i%4], Flows: some(r, flows, 2)})
	}
	return c
}

func randomFailure(r *rand.Rand, c catalog.Catalog) catalog.Failure {
	f := catalog.Failure{At: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	slugs := func(k catalog.Kind) (all []string) {
		for e := range c.Of(k) {
			all = append(all, e.Slug)
		}
		return all
	}
	switch r.IntN(6) {
	case 0:
		f.Sites = some(r, slugs(catalog.KindSite), 2)
	case 1:
		f.DataSets = some(r, slugs(catalog.KindDataSet), 2)
	case 2:
		f.ThirdParties = some(r, slugs(catalog.KindThirdParty), 2)
	case 3:
		f.Tenants = some(r, slugs(catalog.KindTenant), 3)
	case 4:
		f.Services = some(r, slugs(catalog.KindService), 2)
	default:
		f.Services, f.Sites, f.ThirdParties = some(r, slugs(catalog.KindService), 1), some(r, slugs(catalog.KindSite), 1), some(r, slugs(catalog.KindThirdParty), 1)
	}
	return f
}

func TestOnlyWhatCanMoveIsPutInOrder(t *testing.T) {
	c := sound()
	c.Services[1].Deployments = []catalog.Deployment{{Site: "north", Role: catalog.Active}}
	i := catalog.New(c).Impact(catalog.Failure{Sites: []string{"north"}})
	if got := i.FailedServices(); !slices.Equal(got, []string{"pay", "report"}) {
		t.Fatalf("failed: %v", got)
	}
	if got := i.Movable(); !slices.Equal(got, []string{"pay"}) {
		t.Errorf("movable: %v, although report is deployed nowhere else", got)
	}
}
