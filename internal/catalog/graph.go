package catalog

import "slices"

// graph is who depends on what, by numbers: services first, then third parties, each in the order of its slugs.
type graph struct {
	slugs      []string
	services   int // how many of the nodes are services
	node       map[string]int32
	dependants [][]edge // by node: who is touched when it is down
	writers    map[string][]int32
	deployed   map[string][]int32 // by site: who has any deployment there
}

// edge leads from what is needed to who needs it.
type edge struct {
	to       int32
	coupling Coupling
	at       int32 // which of its dependencies
}

func newGraph(c Catalog) *graph {
	nodes := len(c.Services) + len(c.ThirdParties)
	g := &graph{
		slugs: make([]string, 0, nodes), services: len(c.Services), node: make(map[string]int32, nodes),
		dependants: make([][]edge, nodes), writers: map[string][]int32{}, deployed: map[string][]int32{},
	}
	for _, s := range c.Services {
		g.add(s.Slug)
	}
	for _, t := range c.ThirdParties {
		g.add(t.Slug)
	}
	for i, s := range c.Services {
		for _, d := range s.DataSets {
			g.writers[d] = append(g.writers[d], int32(i))
		}
		for _, d := range s.Deployments {
			g.deployed[d.Site] = append(g.deployed[d.Site], int32(i))
		}
		for at, d := range s.Dependencies {
			if on, ok := g.node[d.On]; ok {
				g.dependants[on] = append(g.dependants[on], edge{int32(i), d.Coupling, int32(at)})
			}
		}
	}
	return g
}

func (g *graph) add(slug string) {
	if _, taken := g.node[slug]; !taken { // a reference that may lead to either leads to the service
		g.node[slug] = int32(len(g.slugs))
	}
	g.slugs = append(g.slugs, slug)
}

// graph is the index's, or one made for the moment.
func (c Catalog) graph() *graph {
	if c.index != nil {
		return c.index.graph()
	}
	return newGraph(c)
}

// at are the services with a deployment at any of some sites, each once, in their order.
func (g *graph) at(sites map[string]bool) []int32 {
	var all []int32
	for site := range sites {
		all = append(all, g.deployed[site]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
