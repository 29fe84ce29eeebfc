package catalog

import (
	"strings"
	"sync"
	"time"
)

// ImpactOf is Impact of some services. It is remembered but for what depends on the time: every page that shows an outage
// asks for the same, many times a second.
func (c Catalog) ImpactOf(services []string, at time.Time) Impact {
	i := c.remembered(services)
	i.At, i.Capabilities = at, c.taken(i, at)
	return i
}

// CostPerMinute is what is not earned at some moment while services are down.
func (c Catalog) CostPerMinute(services []string, at time.Time) float64 {
	return Impact{Capabilities: c.taken(c.remembered(services), at)}.RevenuePerMinute()
}

// DownWith are services that are down, with all that stops with them.
func (c Catalog) DownWith(services ...string) []string { return c.remembered(services).Down() }

// OrderOf is Order, remembered.
func (c Catalog) OrderOf(services []string) Order {
	work := func() Order { return c.Order(services) }
	if c.index == nil {
		return work()
	}
	return c.index.orders.of(strings.Join(services, " "), work)
}

// remembered is the impact of services at no moment in particular.
func (c Catalog) remembered(services []string) Impact {
	work := func() Impact { return c.Impact(Failure{Services: services}) }
	if c.index == nil {
		return work()
	}
	return c.index.impacts.of(strings.Join(services, " "), work)
}

// taken is what capabilities that are down earn at some moment, peaks included.
func (c Catalog) taken(i Impact, at time.Time) []CapabilityTaken {
	all, zone := make([]CapabilityTaken, len(i.Capabilities)), c.Zone()
	for n, one := range i.Capabilities {
		capability, _ := c.Capability(one.Slug)
		perHour, peak := capability.PerHour(at, zone)
		all[n] = CapabilityTaken{one.Slug, one.Name, perHour / 60, peak}
	}
	return all
}

// mostRemembered bounds what is remembered of one state of the catalogue.
const mostRemembered = 200

// memory remembers what was worked out once, by what it was worked out of. Nobody writes to what it holds.
type memory[T any] struct {
	mu  sync.Mutex
	all map[string]T
}

func (m *memory[T]) of(key string, work func() T) T {
	m.mu.Lock()
	known, ok := m.all[key]
	m.mu.Unlock()
	if ok {
		return known
	}
	known = work()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil || len(m.all) >= mostRemembered {
		m.all = map[string]T{}
	}
	m.all[key] = known
	return known
}
