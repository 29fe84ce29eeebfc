package catalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"keyholder/internal/catalog"
)

// needing makes services of words such as "till>pay,tax": till needs pay and tax; "till:orders" writes orders.
func needing(words ...string) catalog.Catalog {
	var c catalog.Catalog
	data := map[string]bool{}
	for _, word := range words {
		name, needs, _ := strings.Cut(word, ">")
		slug, writes, _ := strings.Cut(name, ":")
		s := catalog.Service{Slug: slug, Name: slug}
		for on := range strings.SplitSeq(needs, ",") {
			if on != "" {
				s.Dependencies = append(s.Dependencies, catalog.Dependency{On: on, Coupling: catalog.Synchronous})
			}
		}
		for d := range strings.SplitSeq(writes, "+") {
			if d != "" {
				s.DataSets = append(s.DataSets, d)
				data[d] = true
			}
		}
		c.Services = append(c.Services, s)
	}
	for d := range data {
		c.DataSets = append(c.DataSets, catalog.DataSet{Slug: d, Name: d})
	}
	return c
}

func slugs(c catalog.Catalog) []string {
	var all []string
	for _, s := range c.Services {
		all = append(all, s.Slug)
	}
	return all
}

func TestWhatOthersNeedMovesFirstAndWhatSharesDataMovesTogether(t *testing.T) {
	for name, c := range map[string]struct {
		catalog catalog.Catalog
		want    string
	}{
		"a chain":           {needing("till>pay", "pay>tax", "tax"), "[tax] [pay] [till]"},
		"shared data":       {needing("till:orders>pay", "pay", "post:orders"), "[pay] [post till]"},
		"through two data":  {needing("a:x", "b:x+y", "c:y", "d"), "[a b c] [d]"},
		"a cycle":           {needing("a>b", "b>a", "c>a"), "[a b] [c]"},
		"a cycle by data":   {needing("a:x>b", "b>c", "c:x"), "[a b c]"},
		"itself":            {needing("a>a"), "[a]"},
		"what is not moved": {needing("a>elsewhere"), "[a]"},
	} {
		order := catalog.New(c.catalog).Order(slugs(c.catalog))
		var got []string
		for _, g := range order.Groups {
			got = append(got, fmt.Sprint(g.Services))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestDataOfOneConsistencyGroupMovesTogether(t *testing.T) {
	c := needing("a:x", "b:y")
	c.ConsistencyGroups = []catalog.ConsistencyGroup{{Slug: "g", Name: "G", DataSets: []string{"x", "y"}}}
	if order := catalog.New(c).Order(slugs(c)); len(order.Groups) != 1 {
		t.Errorf("they move as %v", order.Groups)
	}
}

func TestCyclesAreNamed(t *testing.T) {
	c := catalog.New(needing("a>b", "b>c", "c>a", "d>a", "e>f", "f>e"))
	want := [][]string{{"a", "b", "c"}, {"e", "f"}}
	if got := c.Cycles(); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("cycles are %v, want %v", got, want)
	}
	order := c.Order(slugs(c))
	if len(order.Cycles) != 2 {
		t.Errorf("the order names %v", order.Cycles)
	}
}

func TestANeighbourhoodIsWhatNeedsItAndWhatItNeedsNearestFirst(t *testing.T) {
	c := catalog.New(needing("shop>till", "till>pay", "pay>card,tax", "card", "tax>rates", "rates", "other"))
	n := c.Around("pay", 100)
	var layers []string
	for _, layer := range n.Layers {
		var names []string
		for _, r := range layer {
			names = append(names, r.Slug)
		}
		layers = append(layers, strings.Join(names, " "))
	}
	if got := strings.Join(layers, " | "); got != "shop | till | pay | card tax | rates" || len(n.Edges) != 5 || n.More != 0 {
		t.Errorf("%q, %d edges, %d more", got, len(n.Edges), n.More)
	}
	if few := c.Around("pay", 4); len(few.Layers) != 3 || few.More == 0 {
		t.Errorf("of at most four: %+v", few)
	}
	if none := c.Around("nothing", 9); len(none.Layers) != 0 {
		t.Errorf("around nothing is %+v", none)
	}
}
