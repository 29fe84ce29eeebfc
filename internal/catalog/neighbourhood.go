package catalog

import "slices"

// Neighbourhood is the services and third parties around one of them.
type Neighbourhood struct {
	Layers [][]Ref // what needs it above, the farthest first; itself; what it needs below
	Edges  []NeedEdge
	More   int // how many more there are, beyond the bound
}

// NeedEdge says that one needs another.
type NeedEdge struct {
	From, On Ref
	Coupling Coupling
}

// aroundSteps is how far a neighbourhood reaches: what is farther off is somebody else's neighbourhood.
const aroundSteps = 2

// Around is the neighbourhood of a service or third party: what it needs and what needs it, over one other at most, the
// nearest first, at most most of them.
func (c Catalog) Around(slug string, most int) Neighbourhood {
	g := c.graph()
	centre, ok := g.node[slug]
	if !ok {
		return Neighbourhood{}
	}
	level := map[int32]int{centre: 0}
	more := 0
	up, down := []int32{centre}, []int32{centre}
	for n := 1; n <= aroundSteps; n++ {
		up = g.next(up, level, -n, most, &more, g.needers)
		down = g.next(down, level, n, most, &more, func(node int32) []int32 { return c.needs(g, node) })
	}
	return c.neighbourhood(g, level, more)
}

// next is what is one step farther than some nodes; what is beyond the bound is only counted.
func (g *graph) next(from []int32, level map[int32]int, at, most int, more *int, step func(int32) []int32) []int32 {
	var found []int32
	for _, node := range from {
		for _, other := range step(node) {
			if _, seen := level[other]; seen {
				continue
			}
			if len(level) >= most {
				*more++
				continue
			}
			level[other] = at
			found = append(found, other)
		}
	}
	if len(level) >= most {
		return nil
	}
	return found
}

func (g *graph) needers(node int32) []int32 {
	all := make([]int32, len(g.dependants[node]))
	for i, e := range g.dependants[node] {
		all[i] = e.to
	}
	return all
}

// needs are the nodes that a service depends on.
func (c Catalog) needs(g *graph, node int32) []int32 {
	if int(node) >= g.services {
		return nil
	}
	var all []int32
	for _, d := range c.Services[node].Dependencies {
		if on, ok := g.node[d.On]; ok {
			all = append(all, on)
		}
	}
	return all
}

func (c Catalog) neighbourhood(g *graph, level map[int32]int, more int) Neighbourhood {
	n := Neighbourhood{More: more}
	var nodes []int32
	top := 0
	for node, at := range level {
		nodes = append(nodes, node)
		top = min(top, at)
	}
	slices.Sort(nodes)
	for _, node := range nodes {
		at := level[node] - top
		for len(n.Layers) <= at {
			n.Layers = append(n.Layers, nil)
		}
		n.Layers[at] = append(n.Layers[at], g.refOf(node))
		if int(node) >= g.services {
			continue
		}
		for _, d := range c.Services[node].Dependencies {
			on, ok := g.node[d.On]
			if _, shown := level[on]; ok && shown {
				n.Edges = append(n.Edges, NeedEdge{g.refOf(node), g.refOf(on), d.Coupling})
			}
		}
	}
	return n
}

// refOf is what a node stands for.
func (g *graph) refOf(node int32) Ref {
	if int(node) < g.services {
		return Ref{KindService, g.slugs[node]}
	}
	return Ref{KindThirdParty, g.slugs[node]}
}
