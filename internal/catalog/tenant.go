package catalog

import (
	"slices"

	"keyholder/internal/access"
)

// Segment is a group of tenants by geography, brand or criticality. What it says holds for each of its tenants that does
// not say otherwise.
type Segment struct {
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	By        string    `json:"by,omitempty" enum:"geography,brand,criticality" doc:"What groups them."`
	Priority  int       `json:"priority,omitempty" doc:"Who is recovered first: 1 goes before 2."`
	Target    Duration  `json:"target,omitempty" doc:"The recovery time that the contract promises."`
	Isolation Isolation `json:"isolation,omitempty" enum:"shared,dedicated" doc:"Whether they have a data path of their own."`
	Sites     []string  `json:"sites,omitempty" ref:"site" doc:"Where their data may be. Anywhere, where none is named."`
}

// Tenant is a brand, region or business unit that shares the platform.
type Tenant struct {
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	Segment   string    `json:"segment,omitempty" ref:"segment"`
	Owner     string    `json:"owner,omitempty" doc:"Who speaks for it."`
	Priority  int       `json:"priority,omitempty" doc:"Who is recovered first: 1 goes before 2. As its segment, where there is none."`
	Target    Duration  `json:"target,omitempty" doc:"The recovery time that its contract promises. As its segment, where there is none."`
	Isolation Isolation `json:"isolation,omitempty" enum:"shared,dedicated" doc:"Whether it has a data path of its own. As its segment, where there is none."`
	Sites     []string  `json:"sites,omitempty" ref:"site" doc:"Where its data may be. As its segment, where none is named."`
}

// Isolation says whether a tenant has a data path of its own.
type Isolation string

// The isolations.
const (
	Shared    Isolation = "shared"
	Dedicated Isolation = "dedicated"
)

// Outlet is a store, warehouse or call centre.
type Outlet struct {
	Slug         string   `json:"slug"`
	Name         string   `json:"name"`
	Type         string   `json:"type" enum:"store,warehouse,call-centre"`
	Tenant       string   `json:"tenant,omitempty" ref:"tenant"`
	Owner        string   `json:"owner,omitempty" doc:"Who answers for it; a franchisee may."`
	Franchise    bool     `json:"franchise,omitempty" doc:"It belongs to a franchisee."`
	Flows        []string `json:"flows,omitempty" ref:"flow" doc:"What it works by. When one of them stops, it works offline."`
	OfflineFor   Duration `json:"offline_for,omitempty" doc:"How long it can work offline."`
	OfflineValue float64  `json:"offline_value,omitempty" unit:"money" doc:"For how much it may sell offline."`
}

// Whole is the tenant with what it takes over from its segment.
func (c Catalog) Whole(t Tenant) Tenant {
	s, ok := c.Segment(t.Segment)
	if !ok {
		return t
	}
	if t.Priority == 0 {
		t.Priority = s.Priority
	}
	if t.Target == 0 {
		t.Target = s.Target
	}
	if t.Isolation == "" {
		t.Isolation = s.Isolation
	}
	if len(t.Sites) == 0 {
		t.Sites = s.Sites
	}
	return t
}

// Served are the tenants that a service serves: all of them, where it names none.
func (c Catalog) Served(s Service) []access.Tenant {
	served := make([]access.Tenant, 0, len(c.Tenants))
	for _, t := range c.Tenants {
		if len(s.Tenants) == 0 || slices.Contains(s.Tenants, t.Slug) {
			served = append(served, access.Tenant{Slug: t.Slug, Segment: t.Segment})
		}
	}
	return served
}
