package catalog

import (
	"errors"
	"slices"
	"strings"

	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"
)

// Order says in which order services move: what others need goes first, and what shares data moves together.
type Order struct {
	Groups []MoveGroup
	Cycles [][]string // slugs of services whose groups need each other, so that none can go first; they stand as one group
}

// MoveGroup is services that move together.
type MoveGroup struct {
	Services []string
	DataSets []string // that they share
}

// Order puts services in the order in which they must move.
func (c Catalog) Order(services []string) Order {
	groups, of := c.moveGroups(services)
	needs := simple.NewDirectedGraph()
	for i := range groups {
		needs.AddNode(simple.Node(i))
	}
	for _, slug := range services {
		s, _ := c.Service(slug)
		for _, d := range s.Dependencies {
			if on, among := of[d.On]; among && d.Coupling == Synchronous && on != of[slug] {
				needs.SetEdge(needs.NewEdge(simple.Node(on), simple.Node(of[slug])))
			}
		}
	}
	return inOrder(groups, needs)
}

// inOrder sorts the groups; those in a cycle become one.
func inOrder(groups []MoveGroup, needs *simple.DirectedGraph) (o Order) {
	sorted, err := topo.SortStabilized(needs, nil)
	var cycles topo.Unorderable
	errors.As(err, &cycles)
	for _, node := range sorted {
		if node != nil {
			o.Groups = append(o.Groups, groups[node.ID()])
			continue
		}
		var one MoveGroup
		for _, in := range cycles[len(o.Cycles)] {
			one.Services = append(one.Services, groups[in.ID()].Services...)
			one.DataSets = append(one.DataSets, groups[in.ID()].DataSets...)
		}
		slices.Sort(one.Services)
		slices.Sort(one.DataSets)
		o.Groups, o.Cycles = append(o.Groups, one), append(o.Cycles, one.Services)
	}
	return o
}

// moveGroups joins the services that share a data set, or data sets of one consistency group.
func (c Catalog) moveGroups(services []string) ([]MoveGroup, map[string]int) {
	bound := map[string]string{} // by data set: what stands for everything that is recovered with it
	for _, d := range c.DataSets {
		bound[d.Slug] = d.Slug
	}
	for _, g := range c.ConsistencyGroups {
		for _, d := range g.DataSets {
			rename(bound, bound[d], bound[g.DataSets[0]])
		}
	}
	unit := map[string]string{} // by service: what stands for everything that moves with it
	by := map[string]string{}   // by what stands for data: the same
	for _, slug := range services {
		unit[slug] = slug
		s, _ := c.Service(slug)
		for _, d := range s.DataSets {
			data := bound[d]
			if other, ok := by[data]; ok {
				rename(unit, unit[slug], other)
				rename(by, unit[slug], other)
			}
			by[data] = unit[slug]
		}
	}
	return c.collect(services, unit)
}

// rename lets everything that stands for one stand for another.
func rename(names map[string]string, from, to string) {
	for key, name := range names {
		if name == from {
			names[key] = to
		}
	}
}

func (c Catalog) collect(services []string, unit map[string]string) ([]MoveGroup, map[string]int) {
	var groups []MoveGroup
	place, of := map[string]int{}, map[string]int{}
	sorted := slices.Clone(services)
	slices.Sort(sorted)
	for _, slug := range slices.Compact(sorted) {
		i, ok := place[unit[slug]]
		if !ok {
			i = len(groups)
			place[unit[slug]] = i
			groups = append(groups, MoveGroup{})
		}
		of[slug] = i
		groups[i].Services = append(groups[i].Services, slug)
		s, _ := c.Service(slug)
		groups[i].DataSets = append(groups[i].DataSets, s.DataSets...)
	}
	for i := range groups {
		slices.Sort(groups[i].DataSets)
		groups[i].DataSets = slices.Compact(groups[i].DataSets)
	}
	return groups, of
}

// Cycles lists the services that need each other synchronously, so that none can start without the others, by slug.
func (c Catalog) Cycles() [][]string {
	needs := simple.NewDirectedGraph()
	g := c.graph()
	for node, all := range g.dependants {
		for _, e := range all {
			if e.coupling == Synchronous && int32(node) != e.to {
				needs.SetEdge(needs.NewEdge(simple.Node(node), simple.Node(e.to)))
			}
		}
	}
	var cycles [][]string
	for _, together := range topo.TarjanSCC(needs) {
		if len(together) < 2 {
			continue
		}
		var slugs []string
		for _, node := range together {
			slugs = append(slugs, g.slugs[node.ID()])
		}
		slices.Sort(slugs)
		cycles = append(cycles, slugs)
	}
	slices.SortFunc(cycles, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return cycles
}
