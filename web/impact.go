package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/web/view"
)

// The bounds of what a page of an impact shows.
const (
	treeShown    = 150
	flowsShown   = 12
	linesShown   = 20
	costsShown   = 12
	pictureShown = 42
	orderShown   = 40
)

// failing are the kinds of what can be down.
func failing() []catalog.Kind {
	return []catalog.Kind{catalog.KindSite, catalog.KindService, catalog.KindDataSet, catalog.KindThirdParty, catalog.KindTenant}
}

// failingFields are the fields of the form that asks what is down; each is named by its kind.
func failingFields() []catalog.Field {
	var fields []catalog.Field
	for _, k := range failing() {
		fields = append(fields, catalog.Field{Key: string(k), Label: catalog.Words(k.Many()), Form: catalog.List, Leads: []catalog.Kind{k}, Optional: true})
	}
	return fields
}

// showImpact draws what stops when what the address names is down.
func (s *Server) showImpact(c echo.Context) error {
	page := s.page(c, "What stops when something fails")
	version, asOf, err := s.catalogOf(c)
	wrongDay := fieldsOf(err)
	if wrongDay != nil {
		version, err = s.store.Catalog(c.Request().Context())
	}
	if err != nil {
		return err
	}
	sent := c.Request().URL.Query()
	p := view.ImpactPage{Page: page, AsOf: asOf, At: sent.Get("at"), On: sent.Get("on")}
	p.Live = false // it is a form and an answer to it
	failure, wrong := failureOf(version.Catalog, sent, s.store.Now())
	maps.Copy(wrong, wrongDay)
	form := recordForm{catalog: version.Catalog}
	p.Form = form.again(failingFields(), sent, "", "", true)
	p.Wrong, p.Asked = wrong, len(wrong) == 0 && !nothingFails(failure)
	status := http.StatusOK
	if len(wrong) > 0 {
		status = http.StatusUnprocessableEntity
	}
	if p.Asked {
		impact := version.Impact(failure)
		p.Impact = impactView(version.Catalog, impact)
		p.Impact.Down, p.Impact.At = downWords(version.Catalog, failure), failure.At
		if asOf == nil {
			here, err := s.degraded(c.Request().Context(), version.Catalog)
			if err != nil {
				return err
			}
			rules := version.RulesAgainst(append(impact.FailedServices(), failure.ThirdParties...), impact, here.readings.Bad)
			p.Impact.Degraded = here.degradedBy(rules, "", principal(c))
		}
	}
	return s.render(c, status, view.ImpactPageOf(p))
}

// failureOf reads what is down, and when.
func failureOf(c catalog.Catalog, sent url.Values, now time.Time) (catalog.Failure, fault.Wrong) {
	f, wrong := catalog.Failure{At: now}, fault.Wrong{}
	into := map[catalog.Kind]*[]string{
		catalog.KindSite: &f.Sites, catalog.KindService: &f.Services, catalog.KindDataSet: &f.DataSets,
		catalog.KindThirdParty: &f.ThirdParties, catalog.KindTenant: &f.Tenants,
	}
	for _, k := range failing() {
		*into[k] = slugsSent(c, k, sent, wrong)
	}
	if typed := strings.TrimSpace(sent.Get("at")); typed != "" {
		at, ok := parseTime(typed)
		if !ok {
			wrong.Add("at", "Type a date and a time, such as %s (UTC).", now.Format(formTime))
		}
		f.At = at
	}
	return f, wrong
}

// slugsSent are the short names of one kind in a question; each is of a record that there is.
func slugsSent(c catalog.Catalog, k catalog.Kind, sent url.Values, wrong fault.Wrong) []string {
	var slugs []string
	for _, line := range sent[string(k)] {
		for slug := range strings.FieldsSeq(line) {
			if !c.Has(k, slug) {
				wrong.Add(string(k), "There is no %s %q.", k.One(), slug)
			} else if !slices.Contains(slugs, slug) {
				slugs = append(slugs, slug)
			}
		}
	}
	return slugs
}

// downWords says what has failed: "Leeds and Tax office are down,".
func downWords(c catalog.Catalog, f catalog.Failure) string {
	var names []string
	for k, slugs := range map[catalog.Kind][]string{
		catalog.KindSite: f.Sites, catalog.KindService: f.Services, catalog.KindDataSet: f.DataSets,
		catalog.KindThirdParty: f.ThirdParties, catalog.KindTenant: f.Tenants,
	} {
		for _, slug := range slugs {
			names = append(names, c.NameOf(k, slug))
		}
	}
	slices.Sort(names)
	if more := len(names) - linesShown; more > 0 {
		names = append(names[:linesShown], fmt.Sprintf("%d more", more))
	}
	return verb(names, "is", "are") + " down,"
}

func nothingFails(f catalog.Failure) bool {
	return len(f.Sites)+len(f.Services)+len(f.DataSets)+len(f.ThirdParties)+len(f.Tenants) == 0
}

// impactView says in words what a failure does.
func impactView(c catalog.Catalog, i catalog.Impact) view.Impact {
	p := view.Impact{Headline: headline(i), Cost: impactCost(c, i)}
	p.Capabilities = costLines(c, i)
	for _, flow := range i.Flows[:min(len(i.Flows), flowsShown)] {
		p.Flows = append(p.Flows, flowEffect(c, flow))
	}
	p.FlowsMore = len(i.Flows) - len(p.Flows)
	p.GoOn = fmt.Sprintf("%s on untouched.", counted(i.FlowsGoOn, "flow goes", "flows go"))
	t := newTree(c, i)
	p.Tree, p.More = t.grown(treeShown)
	p.Tenants, p.Outlets = bounded(tenantLines(i)), bounded(outletLines(c, i))
	p.Notes = impactNotes(c, i)
	p.Order, p.OrderMore, p.Cycles = orderLines(c, c.Order(i.Movable()))
	p.Picture = t.picture(i)
	return p
}

// bounded keeps the first lines, and says how many there are besides.
func bounded(lines []string) []string {
	if more := len(lines) - linesShown; more > 0 {
		return append(lines[:linesShown:linesShown], fmt.Sprintf("and %d more", more))
	}
	return lines
}

// costLines are the capabilities that are down, what costs most first.
func costLines(c catalog.Catalog, i catalog.Impact) []string {
	taken := slices.Clone(i.Capabilities)
	slices.SortStableFunc(taken, func(a, b catalog.CapabilityTaken) int { return cmp.Compare(b.PerMinute, a.PerMinute) })
	var lines, free []string
	more, rest := 0, 0.0
	for _, one := range taken {
		switch {
		case one.PerMinute == 0:
			free = append(free, one.Name)
		case len(lines) == costsShown:
			more, rest = more+1, rest+one.PerMinute
		default:
			line := fmt.Sprintf("%s, %s a minute", one.Name, failover.Money(one.PerMinute, c.Currency))
			if one.Peak != "" {
				line += " (" + one.Peak + ")"
			}
			lines = append(lines, line)
		}
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more, %s a minute together", more, failover.Money(rest, c.Currency)))
	}
	if len(free) > 0 {
		lines = append(lines, verb(free, "is", "are")+" touched too, with no revenue named")
	}
	return lines
}

func headline(i catalog.Impact) string {
	effects := map[catalog.Effect]int{}
	for _, f := range i.Flows {
		effects[f.Effect]++
	}
	var apart []string
	for _, t := range i.Tenants {
		if t.Failed && t.Services == 0 {
			apart = append(apart, t.Name)
		}
	}
	words := fmt.Sprintf("%s, %s. %s down, %s behind.",
		counted(effects[catalog.Stops], "flow stops", "flows stop"), counted(effects[catalog.Degrades], "degrades", "degrade"),
		counted(len(i.Failed)+len(i.Stopped), "service is", "services are"), counted(len(i.Delayed), "falls", "fall"))
	if len(apart) > 0 {
		words += fmt.Sprintf(" %s no service alone: what is shared goes on for the others.", verb(apart, "has", "have"))
	}
	return words
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func impactCost(c catalog.Catalog, i catalog.Impact) string {
	if len(i.Capabilities) == 0 {
		return "No capability earns less."
	}
	return fmt.Sprintf("It costs %s a minute.", failover.Money(i.RevenuePerMinute(), c.Currency))
}

func flowEffect(c catalog.Catalog, flow catalog.FlowImpact) view.FlowEffect {
	e := view.FlowEffect{Path: view.RecordPath(catalog.Ref{Kind: catalog.KindFlow, Slug: flow.Slug}), Name: flow.Name, Effect: flow.Effect}
	for _, step := range flow.Steps {
		line := fmt.Sprintf("%s (%s, %s): ", step.Name, c.ServiceName(step.Service), step.Criticality)
		switch {
		case step.Criticality == catalog.StepCritical:
			line += "stops the flow"
		case step.Criticality == catalog.StepDeferrable:
			line += "is done later"
		case step.RuleName != "":
			line += "goes on under the rule " + step.RuleName
		default:
			line += "goes on, but no rule says how"
		}
		e.Steps = append(e.Steps, line)
	}
	return e
}

// tree is what is down with everything that it takes with it.
type tree struct {
	nodes map[catalog.Ref]*branch
	roots []*branch
}

type branch struct {
	ref      catalog.Ref
	node     view.ImpactNode
	coupling catalog.Coupling
	taken    []*branch
}

func newTree(c catalog.Catalog, i catalog.Impact) *tree {
	t := &tree{nodes: map[catalog.Ref]*branch{}}
	add := func(touched catalog.Touched, state, why string) {
		ref := catalog.Ref{Kind: catalog.KindService, Slug: touched.Slug}
		t.nodes[ref] = &branch{ref: ref, coupling: touched.Coupling, node: view.ImpactNode{Path: view.RecordPath(ref), Name: touched.Name, State: state, Why: why}}
	}
	for _, touched := range i.Failed {
		add(touched, "is down", "")
	}
	for _, touched := range i.Stopped {
		add(touched, "stops", "")
	}
	for _, touched := range i.Delayed {
		add(touched, "falls behind", delayWords(c, touched))
	}
	for _, all := range [][]catalog.Touched{i.Failed, i.Stopped, i.Delayed} {
		for _, touched := range all {
			t.hang(c, t.nodes[catalog.Ref{Kind: catalog.KindService, Slug: touched.Slug}], touched.Why)
		}
	}
	return t
}

// hang puts a branch under what is the reason for it.
func (t *tree) hang(c catalog.Catalog, b *branch, why catalog.Ref) {
	if why == b.ref {
		t.roots = append(t.roots, b)
		return
	}
	under, ok := t.nodes[why]
	if !ok {
		under = &branch{ref: why, node: view.ImpactNode{Path: view.RecordPath(why), Name: c.NameOf(why.Kind, why.Slug), State: "is down"}}
		t.nodes[why] = under
		t.roots = append(t.roots, under)
	}
	under.taken = append(under.taken, b)
}

func delayWords(c catalog.Catalog, t catalog.Touched) string {
	on := nameOf(c, catalog.Field{Leads: []catalog.Kind{catalog.KindService, catalog.KindThirdParty}}, t.Dependency.On)
	switch d := t.Dependency; {
	case t.Coupling == catalog.Asynchronous && d.Queue != "":
		return "what it sends to " + on + " waits in " + d.Queue
	case t.Coupling == catalog.Asynchronous:
		return "it sends to " + on + ", and no queue is named that keeps what it sends"
	case d.LongestDelay > 0:
		return fmt.Sprintf("it can do without %s for %s", on, d.LongestDelay)
	}
	return "it can do without " + on + ", nobody says how long"
}

// grown is the tree with at most some of its branches, the nearest first.
func (t *tree) grown(most int) (nodes []view.ImpactNode, more int) {
	shown, queue := map[*branch]bool{}, slices.Clone(t.roots)
	for len(queue) > 0 {
		b := queue[0]
		queue = append(queue[1:], b.taken...)
		if len(shown) < most {
			shown[b] = true
		} else {
			more++
		}
	}
	return grow(t.roots, shown), more
}

func grow(branches []*branch, shown map[*branch]bool) []view.ImpactNode {
	var nodes []view.ImpactNode
	for _, b := range branches {
		if shown[b] {
			node := b.node
			node.Taken = grow(b.taken, shown)
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// picture draws the tree by how far things are from what failed, with the flows below.
func (t *tree) picture(i catalog.Impact) view.Picture {
	var layers [][]view.PictureNode
	var edges []view.PictureEdge
	drawn, more := 0, 0
	for level := t.roots; len(level) > 0; {
		var layer []view.PictureNode
		var next []*branch
		for _, b := range level {
			if next = append(next, b.taken...); drawn == pictureShown {
				more++
				continue
			}
			drawn++
			layer = append(layer, view.PictureNode{Key: b.ref.String(), Name: b.node.Name, Class: classOf(b.node.State), Path: b.node.Path})
			for _, taken := range b.taken {
				edges = append(edges, view.PictureEdge{From: b.ref.String(), To: taken.ref.String(), Class: string(taken.coupling)})
			}
		}
		if len(layer) > 0 {
			layers = append(layers, layer)
		}
		level = next
	}
	var flows []view.PictureNode
	for _, f := range i.Flows {
		if len(flows) == 2*3 {
			more++
			continue
		}
		ref := catalog.Ref{Kind: catalog.KindFlow, Slug: f.Slug}
		flows = append(flows, view.PictureNode{Key: ref.String(), Name: f.Name + " " + string(f.Effect), Class: classOf(string(f.Effect)), Path: view.RecordPath(ref)})
		for _, step := range f.Steps {
			edges = append(edges, view.PictureEdge{From: catalog.Ref{Kind: catalog.KindService, Slug: step.Service}.String(), To: ref.String(), Class: "flow"})
		}
	}
	if len(flows) > 0 {
		layers = append(layers, flows)
	}
	p := view.Draw("What is down, what stops with it, and the flows that are touched", layers, edges)
	p.More = more
	return p
}

func classOf(state string) string {
	switch state {
	case "is down", "stops":
		return "down"
	case "falls behind", "degrades":
		return "behind"
	}
	return ""
}

func tenantLines(i catalog.Impact) []string {
	lines := make([]string, len(i.Tenants))
	for n, t := range i.Tenants {
		lines[n] = fmt.Sprintf("%s: %s down", t.Name, counted(t.Services, "service that serves it is", "services that serve it are"))
		if t.Failed {
			lines[n] = t.Name + ": is down itself"
		}
		if t.Priority > 0 {
			lines[n] += fmt.Sprintf("; recovered with priority %d", t.Priority)
		}
		if t.Target > 0 {
			lines[n] += "; its contract promises " + t.Target.String()
		}
	}
	return lines
}

// outletLines says together what is the same of several outlets.
func outletLines(c catalog.Catalog, i catalog.Impact) []string {
	type alike struct {
		kind  string
		until time.Time
		value float64
	}
	names := map[alike][]string{}
	for _, o := range i.Outlets {
		key := alike{o.Type, o.Until(i.At), o.OfflineValue}
		names[key] = append(names[key], o.Name)
	}
	keys := make([]alike, 0, len(names))
	for key := range names {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b alike) int {
		return cmp.Or(a.until.Compare(b.until), cmp.Compare(a.kind, b.kind), cmp.Compare(a.value, b.value))
	})
	lines := make([]string, len(keys))
	for n, key := range keys {
		all := names[key]
		who := all[0]
		if len(all) > 1 {
			who = fmt.Sprintf("%d outlets (%s)", len(all), strings.ToLower(catalog.Words(key.kind)))
		}
		switch {
		case key.until.IsZero():
			lines[n] = who + ": cannot work offline"
		case key.value > 0:
			lines[n] = fmt.Sprintf("%s: offline until %s or %s each", who, key.until.UTC().Format("15:04 UTC, 2 January"), failover.Money(key.value, c.Currency))
		default:
			lines[n] = fmt.Sprintf("%s: offline until %s", who, key.until.UTC().Format("15:04 UTC, 2 January"))
		}
	}
	return lines
}

// impactNotes are what else people must know: whom nothing can be moved to, what runs the platform itself.
func impactNotes(c catalog.Catalog, i catalog.Impact) []view.ImpactNote {
	var notes []view.ImpactNote
	note := func(title string, slugs []string) {
		if len(slugs) == 0 {
			return
		}
		n := view.ImpactNote{Title: title}
		for at, slug := range slugs {
			if at == linesShown {
				n.Links = append(n.Links, view.Link{Text: fmt.Sprintf("and %d more", len(slugs)-at)})
				break
			}
			n.Links = append(n.Links, view.Link{Path: view.RecordPath(catalog.Ref{Kind: catalog.KindService, Slug: slug}), Text: c.ServiceName(slug)})
		}
		notes = append(notes, n)
	}
	note("Single-homed: deployed nowhere else", i.SingleHomed)
	note("Run the platform itself, and are in what failed", i.Platform)
	note("Go on at fewer sites", slugsOf(i.Reduced))
	note("Go on, with nothing left to move to", slugsOf(i.Unprotected))
	return notes
}

func slugsOf(all []catalog.Touched) []string {
	slugs := make([]string, len(all))
	for i, t := range all {
		slugs[i] = t.Slug
	}
	return slugs
}

// orderLines says in which order services must move, and which together.
func orderLines(c catalog.Catalog, order catalog.Order) (lines []string, more int, cycles []string) {
	for _, group := range order.Groups {
		if len(lines) == orderShown {
			more++
			continue
		}
		line := joined(serviceNames(c, group.Services))
		if len(group.Services) > 1 && len(group.DataSets) > 0 {
			var data []string
			for _, slug := range group.DataSets {
				data = append(data, c.NameOf(catalog.KindDataSet, slug))
			}
			line += " together: they share " + joined(data)
		}
		lines = append(lines, line)
	}
	for _, cycle := range order.Cycles {
		cycles = append(cycles, joined(serviceNames(c, cycle))+" need each other: none can go first, so they move as one.")
	}
	return lines, more, cycles
}

// blast is what people who request or approve a move must know of what it is about.
func blast(c catalog.Catalog, services []string, i catalog.Impact) view.Blast {
	b := view.Blast{Effects: effects(c, i)}
	if lines, _, cycles := orderLines(c, c.OrderOf(services)); len(lines) > 1 || len(services) > 1 {
		b.Order, b.Cycles = lines, cycles
	}
	failed := make([]catalog.Ref, len(services))
	for n, slug := range services {
		failed[n] = catalog.Ref{Kind: catalog.KindService, Slug: slug}
	}
	b.Path = view.ImpactPath(failed...)
	return b
}
