package web

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// The bounds of what a page of the catalogue lists.
const (
	recordsListed   = 50
	changesListed   = 25
	recordsOfChange = 200
	referrersListed = 50
	notesOfRecord   = 4
)

// catalogOf is the catalogue that the address asks for: the one in force, or as it was at the end of a day, or at a
// moment. The latter comes with what the page says of that.
func (s *Server) catalogOf(c echo.Context) (store.CatalogVersion, *view.AsOf, error) {
	ctx, on := c.Request().Context(), strings.TrimSpace(c.QueryParam("on"))
	if on == "" {
		version, err := s.store.Catalog(ctx)
		return version, nil, err
	}
	at, ok := parseTime(on)
	if day, err := time.Parse(time.DateOnly, on); err == nil {
		at, ok = day.Add(24*time.Hour-time.Nanosecond), true
	}
	now := s.store.Now()
	if !ok || at.Truncate(24*time.Hour).After(now) {
		return store.CatalogVersion{}, nil, fault.Wrong{"on": "Type a date up to today, such as " + now.Format(time.DateOnly) + "."}.Err()
	}
	version, err := s.store.CatalogOn(ctx, at)
	today, query := *c.Request().URL, c.Request().URL.Query()
	query.Del("on")
	today.RawQuery = query.Encode()
	return version, &view.AsOf{On: on, At: at, Version: version.Version, Now: today.RequestURI()}, err
}

// mayEdit says whether somebody may change records of a kind.
func mayEdit(who access.Principal, k catalog.Kind) bool { return who.May(k.EditedBy()) }

// showCatalog draws what the catalogue holds.
func (s *Server) showCatalog(c echo.Context) error {
	page := s.page(c, "Catalogue")
	version, asOf, err := s.catalogOf(c)
	if err != nil {
		return err
	}
	changes, err := s.store.CatalogChanges(c.Request().Context(), 0, 5)
	if err != nil {
		return err
	}
	p := view.CatalogHome{Page: page, AsOf: asOf, Changes: changeLines(changes)}
	for _, k := range catalog.Kinds() {
		line := view.KindLine{Path: view.KindPath(k, view.ListFilter{On: c.QueryParam("on")}), Name: catalog.Words(k.Many()), Count: version.Count(k)}
		p.Kinds = append(p.Kinds, line)
	}
	return s.render(c, http.StatusOK, view.CatalogHomePage(p))
}

func changeLines(changes []store.CatalogChange) []view.CatalogChange {
	lines := make([]view.CatalogChange, len(changes))
	for i, change := range changes {
		lines[i] = changeLine(change)
	}
	return lines
}

func changeLine(change store.CatalogChange) view.CatalogChange {
	return view.CatalogChange{
		Version: change.Version, Path: view.CatalogChangePath(change.Version), By: change.By, At: change.At, Why: change.Why,
		Source: change.Source, Records: change.Records,
	}
}

// kindOf is the kind that the address names.
func kindOf(c echo.Context) (catalog.Kind, error) {
	k := catalog.Kind(c.Param("kind"))
	if !k.Known() {
		return k, fault.Missing("kind of record", string(k))
	}
	return k, nil
}

// listRecords draws the records of one kind.
func (s *Server) listRecords(c echo.Context) error {
	k, err := kindOf(c)
	if err != nil {
		return err
	}
	page := s.page(c, catalog.Words(k.Many()))
	version, asOf, err := s.catalogOf(c)
	if err != nil {
		return err
	}
	p := view.RecordList{
		Page: page, Kind: k, Title: page.Title, AsOf: asOf, MayEdit: mayEdit(principal(c), k),
		Filter: view.ListFilter{Text: strings.TrimSpace(c.QueryParam("text")), After: c.QueryParam("after"), On: c.QueryParam("on")},
	}
	holds := strings.ToLower(p.Filter.Text)
	for e := range version.Of(k) {
		if holds != "" && !strings.Contains(strings.ToLower(e.Name), holds) && !strings.Contains(e.Slug, holds) {
			continue
		}
		p.Total++
		if e.Slug <= p.Filter.After {
			continue
		}
		if len(p.Lines) == recordsListed {
			if p.Next == "" {
				next := p.Filter
				next.After = p.Lines[recordsListed-1].Slug
				p.Next = view.KindPath(k, next)
			}
			continue
		}
		p.Lines = append(p.Lines, view.RecordLine{
			Path: view.RecordOnPath(e.Ref, p.Filter.On), Name: e.Name, Slug: e.Slug, Notes: notes(version.Catalog, e),
		})
	}
	return s.render(c, http.StatusOK, view.RecordListPage(p))
}

// notes are the first things that a record says, for a line in a list.
func notes(c catalog.Catalog, e catalog.Entry) []string {
	var all []string
	for _, f := range e.Kind.Fields() {
		switch f.Form {
		case catalog.Text, catalog.Choice, catalog.Span, catalog.Number, catalog.Whole:
		default:
			continue
		}
		if f.Key == "slug" || f.Key == "name" || f.Words(e.Record) == "" {
			continue
		}
		if all = append(all, strings.ToLower(f.Label)+" "+valueWords(c, f, e.Record)); len(all) == notesOfRecord {
			break
		}
	}
	return all
}

// valueWords is the value of a field of one line as people read it.
func valueWords(c catalog.Catalog, f catalog.Field, record any) string {
	words := f.Words(record)
	switch {
	case len(f.Leads) > 0:
		return nameOf(c, f, words)
	case f.Unit == "money" && words != "":
		if amount, ok := f.In(record).(float64); ok && amount == math.Trunc(amount) {
			return failover.Money(amount, c.Currency)
		}
		return words + " " + c.Currency
	}
	return words
}

// nameOf is the name of what a field leads to.
func nameOf(c catalog.Catalog, f catalog.Field, slug string) string {
	if to, ok := c.Leads(catalog.Reference{To: slug, May: f.Leads}); ok {
		return to.Name
	}
	return slug
}

// showRecord draws one record.
func (s *Server) showRecord(c echo.Context) error { return s.recordPage(c, retirement{}) }

// refOf is the record that the address names.
func refOf(c echo.Context) (catalog.Ref, error) {
	k, err := kindOf(c)
	return catalog.Ref{Kind: k, Slug: c.Param("slug")}, err
}

// recordPage draws one record, with what was refused on top.
func (s *Server) recordPage(c echo.Context, r retirement) error {
	ref, err := refOf(c)
	if err != nil {
		return err
	}
	return s.recordPageOf(c, ref, r)
}

func (s *Server) recordPageOf(c echo.Context, ref catalog.Ref, r retirement) error {
	version, asOf, err := s.catalogOf(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	history, err := s.store.History(ctx, ref)
	if err != nil {
		return err
	}
	e, there := version.Entry(ref)
	if !there && (asOf != nil || len(history) == 0) {
		return fault.Missing(ref.Kind.One(), ref.Slug)
	}
	p := view.Record{
		Kind: ref.Kind, Slug: ref.Slug, AsOf: asOf, Retired: !there, Problem: refusal(cmp.Or(r.title, "It was not retired"), r.refused), Why: r.why, Wrong: fieldsOf(r.refused),
		History: recordChanges(history),
	}
	if there {
		if slices.Contains(failing(), ref.Kind) {
			p.Impact = view.ImpactPath(ref)
			if asOf != nil {
				p.Impact += "&on=" + url.QueryEscape(c.QueryParam("on"))
			}
		}
		p.Around = around(version.Catalog, ref)
		p.Facts = factsOf(version.Catalog, ref.Kind.Fields(), e.Record, asOf)
		p.Referred, p.More = referrers(version.Catalog, ref, c.QueryParam("on"))
		if asOf == nil {
			if err := s.editable(ctx, &p, ref, principal(c)); err != nil {
				return err
			}
			if p.Findings, err = s.findingsOf(ctx, version.Catalog, ref); err != nil {
				return err
			}
			if p.Report, err = s.outletReport(ctx, version.Catalog, ref); err != nil {
				return err
			}
			if o, is := e.Record.(catalog.StandingOrder); is {
				if p.Order, err = s.orderPage(ctx, version.Catalog, o, principal(c)); err != nil {
					return err
				}
				p.MayRetire = false // it is revoked
			}
			if err := s.degradedHere(ctx, version.Catalog, e, principal(c), &p); err != nil {
				return err
			}
			if ref.Kind == catalog.KindService {
				p.Orders = ordersOn(version.Catalog, ref.Slug, s.store.Now())
			}
		}
	} else {
		e = history[0].Entry
	}
	p.Page = s.page(c, e.Name)
	p.Live = r.refused == nil && asOf == nil
	p.Typing = p.MayEdit
	p.Name = e.Name
	if r.refused != nil {
		return s.render(c, statusOf(r.refused), view.RecordPage(p))
	}
	return s.render(c, http.StatusOK, view.RecordPage(p))
}

// editable fills in what an edit of a record needs to know.
func (s *Server) editable(ctx context.Context, p *view.Record, ref catalog.Ref, who access.Principal) error {
	stands, err := s.store.Standing(ctx, ref)
	if err != nil || stands == nil {
		return err
	}
	p.Base, p.Managed, p.Locked = stands.Since, stands.Managed, stands.Locked
	p.MayEdit = mayEdit(who, ref.Kind) && !stands.Locked
	p.MayRetire = p.MayEdit && ref.Kind != catalog.KindSettings
	return nil
}

// outletReport is the last that an outlet said of itself; nil for any other record.
func (s *Server) outletReport(ctx context.Context, c catalog.Catalog, ref catalog.Ref) (*view.OutletReport, error) {
	if ref.Kind != catalog.KindOutlet {
		return nil, nil //nolint:nilnil // there is nothing to report, which is no failure
	}
	said, err := s.store.OutletReport(ctx, ref.Slug)
	if said == nil || err != nil {
		return &view.OutletReport{}, err
	}
	queued := fmt.Sprintf("%s in %s", failover.Money(said.QueuedValue, c.Currency), counted(said.QueuedOrders, "order", "orders"))
	return &view.OutletReport{Queued: queued, SynchronisedAt: said.SynchronisedAt, At: said.At}, nil
}

func recordChanges(history []store.RecordChange) []view.RecordChange {
	lines := make([]view.RecordChange, len(history))
	for i, h := range history {
		lines[i] = recordChange(h)
	}
	return lines
}

func recordChange(h store.RecordChange) view.RecordChange {
	line := view.RecordChange{
		Path: view.RecordPath(h.Ref), Kind: h.Kind.One(), Name: h.Name, Verb: "changed", By: h.By, At: h.At, Why: h.Why, Version: h.Version,
	}
	switch {
	case h.Before == nil:
		line.Verb = "added"
	case h.Record == nil:
		line.Verb = "retired"
	default:
		for _, d := range h.Differences() {
			line.Lines = append(line.Lines, d.String())
		}
	}
	return line
}

// factsOf are the things that a record says, with links to what it names.
func factsOf(c catalog.Catalog, fields []catalog.Field, record any, asOf *view.AsOf) []view.Fact {
	var facts []view.Fact
	on := ""
	if asOf != nil {
		on = asOf.On
	}
	for _, f := range fields {
		if f.Key == "slug" || f.Key == "name" {
			continue
		}
		if f.Form == catalog.Group {
			for _, inner := range factsOf(c, f.Columns, f.In(record), asOf) {
				facts = append(facts, view.Fact{Label: f.Label + ", " + strings.ToLower(inner.Label), Lines: inner.Lines})
			}
			continue
		}
		if lines := factLinesOf(c, f, record, on); len(lines) > 0 {
			facts = append(facts, view.Fact{Label: f.Label, Lines: lines})
		}
	}
	return facts
}

func factLinesOf(c catalog.Catalog, f catalog.Field, record any, on string) []view.FactText {
	var lines []view.FactText
	switch f.Form {
	case catalog.Rows:
		for _, row := range f.RowsIn(record) {
			lines = append(lines, rowLine(c, f.Columns, row, on))
		}
	case catalog.List, catalog.Choices:
		for _, text := range f.TextsIn(record) {
			lines = append(lines, linked(c, f, text, on))
		}
	case catalog.JSON:
		if text := yamlOf(f.In(record)); text != "" {
			lines = append(lines, view.FactText{Text: text})
		}
	case catalog.URL:
		if words := f.Words(record); words != "" {
			lines = append(lines, view.FactText{Text: words, Path: words})
		}
	case catalog.Text:
		if words := f.Words(record); words != "" {
			lines = append(lines, linked(c, f, words, on))
		}
	default:
		if words := valueWords(c, f, record); words != "" {
			lines = append(lines, view.FactText{Text: words})
		}
	}
	return lines
}

// linked is a text that leads to the record that it names, if it names one.
func linked(c catalog.Catalog, f catalog.Field, text, on string) view.FactText {
	if to, ok := c.Leads(catalog.Reference{To: text, May: f.Leads}); ok {
		return view.FactText{Text: to.Name, Path: view.RecordOnPath(to.Ref, on)}
	}
	return view.FactText{Text: text}
}

// rowLine is a row in one line, which leads to the first record that it names.
func rowLine(c catalog.Catalog, columns []catalog.Field, row any, on string) view.FactText {
	var line view.FactText
	var parts []string
	for _, f := range columns {
		words := f.Words(row)
		if words == "" {
			continue
		}
		if len(f.Leads) > 0 && line.Path == "" {
			line.Path = linked(c, f, words, on).Path
		}
		words = valueWords(c, f, row)
		if len(parts) > 0 && f.Form != catalog.Choice && len(f.Leads) == 0 {
			words = strings.ToLower(f.Label) + " " + words
		}
		parts = append(parts, words)
	}
	line.Text = strings.Join(parts, ", ")
	return line
}

// referrers lists where others refer to a record, each record once.
func referrers(c catalog.Catalog, to catalog.Ref, on string) (links []view.Link, more int) {
	seen := map[catalog.Ref]bool{}
	for _, r := range c.ReferredBy(to) {
		if seen[r.From] {
			continue
		}
		seen[r.From] = true
		if len(links) == referrersListed {
			more++
			continue
		}
		field, _, _ := strings.Cut(strings.Map(letters, r.Path), ".")
		links = append(links, view.Link{
			Path: view.RecordOnPath(r.From, on),
			Text: fmt.Sprintf("%s %s (%s)", catalog.Words(r.From.Kind.One()), c.NameOf(r.From.Kind, r.From.Slug), strings.ToLower(catalog.Words(field))),
		})
	}
	return links, more
}

// around draws what a service or third party needs and what needs it.
func around(c catalog.Catalog, ref catalog.Ref) view.Picture {
	if ref.Kind != catalog.KindService && ref.Kind != catalog.KindThirdParty {
		return view.Picture{}
	}
	n := c.Around(ref.Slug, pictureShown)
	layers := make([][]view.PictureNode, len(n.Layers))
	for i, layer := range n.Layers {
		for _, r := range layer {
			node := view.PictureNode{Key: r.String(), Name: c.NameOf(r.Kind, r.Slug), Path: view.RecordPath(r)}
			if r == ref {
				node.Class = "here"
			}
			layers[i] = append(layers[i], node)
		}
	}
	edges := make([]view.PictureEdge, len(n.Edges))
	for i, e := range n.Edges {
		edges[i] = view.PictureEdge{From: e.From.String(), To: e.On.String(), Class: string(e.Coupling)}
	}
	p := view.Draw("What needs "+c.NameOf(ref.Kind, ref.Slug)+", above it, and what it needs, below", layers, edges)
	p.More = n.More
	return p
}

// letters leaves out the numbers of rows.
func letters(r rune) rune {
	if r == '[' || r == ']' || r >= '0' && r <= '9' {
		return -1
	}
	return r
}

// listCatalogChanges draws who changed the catalogue when.
func (s *Server) listCatalogChanges(c echo.Context) error {
	page := s.page(c, "Changes of the catalogue")
	before := 0
	if text := c.QueryParam("before"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fault.Wrong{"before": "This is not the number of a version."}.Err()
		}
		before = n
	}
	changes, err := s.store.CatalogChanges(c.Request().Context(), before, changesListed)
	if err != nil {
		return err
	}
	older := ""
	if len(changes) == changesListed {
		older = view.CatalogChangesPath(changes[changesListed-1].Version)
	}
	return s.render(c, http.StatusOK, view.CatalogChangesPage(page, changeLines(changes), older))
}

// showCatalogChange draws what one change of the catalogue changed.
func (s *Server) showCatalogChange(c echo.Context) error {
	number, err := strconv.Atoi(c.Param("version"))
	if err != nil || number < 1 {
		return fault.Missing("catalogue version", c.Param("version"))
	}
	ctx := c.Request().Context()
	version, err := s.store.CatalogAt(ctx, number)
	if err != nil {
		return err
	}
	changed, err := s.store.ChangedBy(ctx, number, recordsOfChange)
	if err != nil {
		return err
	}
	p := changeLine(version.CatalogChange)
	p.Changed, p.Truncate = recordChanges(changed), len(changed) < p.Records
	slices.SortStableFunc(p.Changed, func(a, b view.RecordChange) int { return strings.Compare(a.Kind, b.Kind) })
	asked, was, err := s.store.QuestionOf(ctx, number)
	if err != nil {
		return err
	}
	if was {
		p.Request = asked.Code
	}
	if number > 1 && principal(c).May(access.ProposeChange) {
		p.TakeBack = view.TakeBackPath(number)
	}
	return s.render(c, http.StatusOK, view.CatalogChangePage(s.page(c, "Catalogue version "+strconv.Itoa(number)), p))
}
