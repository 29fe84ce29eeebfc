package catalog

import (
	"strings"
	"sync"
	"time"
)

// ImpactOf is Impact of some services. It is remembered but for what depends on the time: every page that shows an outage
// asks for the same, many times a second.
func (c Catalog) ImpactOf(services []string, at time.Time) Impact {
	if c.index == nil {
		return c.Impact(Failure{Services: services, At: at})
	}
	impact := c.index.impacts.of(strings.Join(services, " "), func() Impact { return c.Impact(Failure{Services: services}) })
	return c.timed(impact, at)
}

// timed is an impact at some moment: peaks and offline limits count from there.
func (c Catalog) timed(i Impact, at time.Time) Impact {
	zone := c.Zone()
	taken := make([]CapabilityTaken, len(i.Capabilities))
	for n, one := range i.Capabilities {
		capability, _ := c.Capability(one.Slug)
		perHour, peak := capability.PerHour(at, zone)
		taken[n] = CapabilityTaken{one.Slug, one.Name, perHour / 60, peak}
	}
	outlets := make([]OutletImpact, len(i.Outlets))
	for n, o := range i.Outlets {
		if o.OfflineFor > 0 {
			o.Until = at.Add(o.OfflineFor.D())
		}
		outlets[n] = o
	}
	i.Capabilities, i.Outlets = taken, outlets
	return i
}

// mostRemembered bounds what is remembered of one state of the catalogue.
const mostRemembered = 200

// impacts are those that were asked for, by services. Nobody writes to what they hold.
type impacts struct {
	mu  sync.Mutex
	all map[string]Impact
}

func (r *impacts) of(key string, work func() Impact) Impact {
	r.mu.Lock()
	known, ok := r.all[key]
	r.mu.Unlock()
	if ok {
		return known
	}
	known = work()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil || len(r.all) >= mostRemembered {
		r.all = map[string]Impact{}
	}
	r.all[key] = known
	return known
}
