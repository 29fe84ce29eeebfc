package catalog

import (
	"errors"
	"slices"
	"strings"

	gonum "gonum.org/v1/gonum/graph"
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

// moveGroups joins the services that share a data set, or data sets of one consistency group, and says which group each
// service is in.
func (c Catalog) moveGroups(services []string) ([]MoveGroup, map[string]int) {
	sorted := slices.Compact(slices.Sorted(slices.Values(services)))
	bonds := simple.NewUndirectedGraph()
	node := map[Ref]int64{}
	of := func(r Ref) simple.Node {
		n, ok := node[r]
		if !ok {
			n = int64(len(node))
			node[r] = n
			bonds.AddNode(simple.Node(n))
		}
		return simple.Node(n)
	}
	bind := func(a, b Ref) {
		if a != b {
			bonds.SetEdge(bonds.NewEdge(of(a), of(b)))
		}
	}
	for _, slug := range sorted { // services come first, so that their numbers are their places
		of(Ref{KindService, slug})
	}
	for _, slug := range sorted {
		s, _ := c.Service(slug)
		for _, d := range s.DataSets {
			bind(Ref{KindService, slug}, Ref{KindDataSet, d})
		}
	}
	for _, g := range c.ConsistencyGroups {
		for _, d := range g.DataSets {
			bind(Ref{KindDataSet, g.DataSets[0]}, Ref{KindDataSet, d})
		}
	}
	return c.collect(sorted, topo.ConnectedComponents(bonds))
}

// collect makes a group of the services in each component, in the order of their first services.
func (c Catalog) collect(services []string, components [][]gonum.Node) ([]MoveGroup, map[string]int) {
	var groups []MoveGroup
	for _, component := range components {
		var group MoveGroup
		for _, node := range component {
			if node.ID() >= int64(len(services)) {
				continue
			}
			s, _ := c.Service(services[node.ID()])
			group.Services = append(group.Services, services[node.ID()])
			group.DataSets = append(group.DataSets, s.DataSets...)
		}
		if len(group.Services) == 0 {
			continue
		}
		slices.Sort(group.Services)
		slices.Sort(group.DataSets)
		group.DataSets = slices.Compact(group.DataSets)
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b MoveGroup) int { return strings.Compare(a.Services[0], b.Services[0]) })
	in := map[string]int{}
	for i, group := range groups {
		for _, slug := range group.Services {
			in[slug] = i
		}
	}
	return groups, in
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
