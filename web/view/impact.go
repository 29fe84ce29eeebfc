package view

import (
	"net/url"
	"time"

	"keyholder/internal/catalog"
)

// ImpactPage is what stops when something fails.
type ImpactPage struct {
	Page
	Form   []FormField // what is down
	Wrong  map[string]string
	At     string
	On     string
	AsOf   *AsOf
	Asked  bool // something is down
	Impact Impact
}

// Impact is what a failure does to the rest, as people read it.
type Impact struct {
	Down         string // what has failed: "Leeds is down,"
	At           time.Time
	Headline     string
	Cost         string
	Flows        []FlowEffect
	FlowsMore    int
	Degraded     Degraded
	GoOn         string // the flows that are not touched
	Tree         []ImpactNode
	More         int // services that are not shown in the tree
	Notes        []ImpactNote
	Capabilities []string
	Tenants      []string
	Outlets      []string
	Order        []string
	OrderMore    int
	Cycles       []string
	Picture      Picture
}

// FlowEffect is what happens to a flow, with the steps that are touched.
type FlowEffect struct {
	Path, Name string
	Effect     catalog.Effect
	Steps      []string
}

// ImpactNode is a thing that is down with everything that it takes with it.
type ImpactNode struct {
	Path, Name string
	State      string // "is down", "stops", "falls behind"
	Why        string
	Taken      []ImpactNode
}

// ImpactNote is a heading with the services that it is about.
type ImpactNote struct {
	Title string
	Links []Link
}

// ImpactPath is what stops when something fails.
func ImpactPath(failed ...catalog.Ref) string {
	q := url.Values{}
	for _, r := range failed {
		q.Add(string(r.Kind), r.Slug)
	}
	if len(q) == 0 {
		return "/impact"
	}
	return "/impact?" + q.Encode()
}

// effectClass is the colour of a badge; only what stops has one.
func effectClass(e catalog.Effect) string {
	switch e {
	case catalog.Stops:
		return "badge bad"
	case catalog.Degrades:
		return "badge warn"
	case catalog.GoesOn:
	}
	return "badge"
}
