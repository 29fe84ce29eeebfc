package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

func (a *API) addImpact() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: v1 + "/impact", Summary: "What stops when something fails",
		Description: "Follows a failure through sites, data and dependencies to services, flows, tenants, outlets and revenue.",
	}, access.See, a.impact)
}

type impactIn struct {
	AsOf
	Sites        []string  `query:"site,explode" doc:"Sites that are down, by short name."`
	Services     []string  `query:"service,explode" doc:"Services that are down."`
	DataSets     []string  `query:"data-set,explode" doc:"Data sets that are lost."`
	ThirdParties []string  `query:"third-party,explode" doc:"Third parties that are down."`
	Tenants      []string  `query:"tenant,explode" doc:"Tenants that are cut off."`
	At           time.Time `query:"at" doc:"When; peaks and offline limits count from there. Now, where nothing is said."`
}

type touched struct {
	Service  string      `json:"service"`
	Because  catalog.Ref `json:"because" doc:"What is down, that takes it with it."`
	Coupling string      `json:"coupling,omitempty"`
	Path     []string    `json:"path,omitempty" doc:"From what failed to this service, by name."`
}

type flowImpact struct {
	Flow   string     `json:"flow"`
	Effect string     `json:"effect" enum:"stops,degrades,goes on"`
	Steps  []stepHurt `json:"steps"`
}

type stepHurt struct {
	Step        string `json:"step"`
	Service     string `json:"service"`
	Criticality string `json:"criticality"`
	Rule        string `json:"rule,omitempty" doc:"The degraded-mode rule that it goes on by."`
}

type tenantHurt struct {
	Tenant   string           `json:"tenant"`
	Services int              `json:"services" doc:"How many of those that serve it are down."`
	Priority int              `json:"priority,omitempty"`
	Target   catalog.Duration `json:"target,omitempty"`
}

type outletHurt struct {
	Outlet string     `json:"outlet"`
	Until  *time.Time `json:"until,omitempty" doc:"How long it can work offline; it cannot, where nothing is said."`
	Value  float64    `json:"value,omitempty" doc:"For how much it may sell offline."`
}

type capabilityHurt struct {
	Capability string  `json:"capability"`
	PerMinute  float64 `json:"per_minute"`
	Peak       string  `json:"peak,omitempty"`
}

type moveGroup struct {
	Services []string `json:"services"`
	DataSets []string `json:"data_sets,omitempty" doc:"What they share, so that they move together."`
}

type impactOut struct {
	Body struct {
		Version          int              `json:"version" doc:"Of the catalogue that it was read from."`
		At               time.Time        `json:"at"`
		Failed           []touched        `json:"failed" doc:"Services that are down by themselves."`
		Stopped          []touched        `json:"stopped" doc:"Services that stop with what they need."`
		Delayed          []touched        `json:"delayed" doc:"Services that go on and fall behind."`
		Reduced          []touched        `json:"reduced" doc:"Services that go on at fewer sites."`
		Unprotected      []touched        `json:"unprotected" doc:"Services that go on, with nothing left to move to."`
		DataSets         []string         `json:"data_sets" doc:"That accept no writes."`
		SingleHomed      []string         `json:"single_homed" doc:"Of those that failed: deployed nowhere else."`
		Platform         []string         `json:"platform" doc:"Services of the platform itself in what failed."`
		Flows            []flowImpact     `json:"flows" doc:"The worst first."`
		FlowsGoOn        int              `json:"flows_go_on" doc:"How many are not touched."`
		Tenants          []tenantHurt     `json:"tenants" doc:"The first to be recovered first."`
		Outlets          []outletHurt     `json:"outlets" doc:"That work offline."`
		Capabilities     []capabilityHurt `json:"capabilities"`
		RevenuePerMinute float64          `json:"revenue_per_minute"`
		Currency         string           `json:"currency"`
		Order            []moveGroup      `json:"order" doc:"In which order what is down must move, and what together."`
		Cycles           [][]string       `json:"cycles" doc:"Services that need each other: none can go first."`
	}
}

func (a *API) impact(ctx context.Context, in *impactIn) (*impactOut, error) {
	version, err := in.catalog(ctx, a.Store)
	if err != nil {
		return nil, err
	}
	f := catalog.Failure{Sites: in.Sites, Services: in.Services, DataSets: in.DataSets, ThirdParties: in.ThirdParties, Tenants: in.Tenants, At: in.At.UTC()}
	if in.At.IsZero() {
		f.At = a.Store.Now()
	}
	if err := known(version.Catalog, f); err != nil {
		return nil, err
	}
	i := version.Impact(f)
	out := &impactOut{}
	b := &out.Body
	b.Version, b.At, b.Currency, b.RevenuePerMinute, b.FlowsGoOn = version.Version, f.At, version.Currency, i.RevenuePerMinute(), i.FlowsGoOn
	b.Failed, b.Stopped, b.Delayed = touches(i.Failed), touches(i.Stopped), touches(i.Delayed)
	b.Reduced, b.Unprotected = touches(i.Reduced), touches(i.Unprotected)
	b.DataSets, b.SingleHomed, b.Platform = listOf(i.DataSets), listOf(i.SingleHomed), listOf(i.Platform)
	b.Flows, b.Tenants, b.Outlets, b.Capabilities = flows(i), tenants(i), outlets(i), capabilities(i)
	order := version.Order(i.Down())
	b.Order, b.Cycles = []moveGroup{}, listOf(order.Cycles)
	for _, g := range order.Groups {
		b.Order = append(b.Order, moveGroup{g.Services, g.DataSets})
	}
	return out, nil
}

// known refuses a failure of what is not in the catalogue.
func known(c catalog.Catalog, f catalog.Failure) error {
	wrong := fault.Wrong{}
	for kind, slugs := range map[catalog.Kind][]string{
		catalog.KindSite: f.Sites, catalog.KindService: f.Services, catalog.KindDataSet: f.DataSets,
		catalog.KindThirdParty: f.ThirdParties, catalog.KindTenant: f.Tenants,
	} {
		for _, slug := range slugs {
			if !c.Has(kind, slug) {
				wrong.Add(string(kind), "there is no %s %q", kind.One(), slug)
			}
		}
	}
	return wrong.Err()
}

func touches(all []catalog.Touched) []touched {
	out := make([]touched, len(all))
	for i, t := range all {
		out[i] = touched{t.Slug, t.Why, string(t.Coupling), t.Path}
	}
	return out
}

func flows(i catalog.Impact) []flowImpact {
	out := make([]flowImpact, len(i.Flows))
	for n, f := range i.Flows {
		out[n] = flowImpact{f.Slug, string(f.Effect), make([]stepHurt, len(f.Steps))}
		for m, s := range f.Steps {
			out[n].Steps[m] = stepHurt{s.Name, s.Service, string(s.Criticality), s.Rule}
		}
	}
	return out
}

func tenants(i catalog.Impact) []tenantHurt {
	out := make([]tenantHurt, len(i.Tenants))
	for n, t := range i.Tenants {
		out[n] = tenantHurt{t.Slug, t.Services, t.Priority, t.Target}
	}
	return out
}

func outlets(i catalog.Impact) []outletHurt {
	out := make([]outletHurt, len(i.Outlets))
	for n, o := range i.Outlets {
		out[n] = outletHurt{Outlet: o.Slug, Value: o.OfflineValue}
		if until := o.Until(i.At); !until.IsZero() {
			out[n].Until = &until
		}
	}
	return out
}

func capabilities(i catalog.Impact) []capabilityHurt {
	out := make([]capabilityHurt, len(i.Capabilities))
	for n, c := range i.Capabilities {
		out[n] = capabilityHurt{c.Slug, c.PerMinute, c.Peak}
	}
	return out
}
