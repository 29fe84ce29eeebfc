package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// begin is what a request begins from: an incident, or a plan whose move is planned.
type begin struct {
	incident *store.Incident
	plan     string // slug; of a planned move without an incident
	catalog  catalog.Catalog
	plans    []store.Published[failover.Plan]
	readings failover.Readings
	now      time.Time

	recovered time.Time // when a run of the incident last recovered; zero where none has
}

// begins loads what a request begins from. code is an incident's; where it is empty, plan is a plan's slug.
func (s *Server) begins(ctx context.Context, code, plan string) (begin, error) {
	b := begin{plan: plan, now: s.store.Now()}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return b, err
	}
	b.catalog = version.Catalog
	if b.plans, err = s.store.Plans(ctx); err != nil {
		return b, err
	}
	if b.readings, err = s.store.Readings(ctx); err != nil {
		return b, err
	}
	if code != "" {
		in, err := s.store.Incident(ctx, code)
		if err != nil {
			return b, err
		}
		b.incident = &in
		if b.recovered, err = s.recoveredAt(ctx, code); err != nil {
			return b, err
		}
	} else if _, ok := b.published(plan); !ok {
		return b, fault.Missing("plan", plan)
	}
	return b, nil
}

// recoveredAt is when a run of an incident last recovered; zero where none has.
func (s *Server) recoveredAt(ctx context.Context, incident string) (last time.Time, err error) {
	runs, err := s.store.RunsOf(ctx, incident)
	for _, r := range runs {
		if r.Times.Recovered != nil && r.Times.Recovered.After(last) {
			last = *r.Times.Recovered
		}
	}
	return last, err
}

func (b begin) published(slug string) (store.Published[failover.Plan], bool) {
	i := slices.IndexFunc(b.plans, func(p store.Published[failover.Plan]) bool { return p.Slug == slug })
	if i < 0 {
		return store.Published[failover.Plan]{}, false
	}
	return b.plans[i], true
}

// paths of the form, of its check page, and of the page that the form belongs to.
func (b begin) paths() (form, check string) {
	if b.incident != nil {
		return view.RecoverPath(b.incident.Code), view.CheckPath(b.incident.Code)
	}
	return view.MovePath(b.plan), view.MoveCheckPath(b.plan)
}

// open refuses to begin from an incident that is closed.
func (b begin) open() error {
	if b.incident != nil && b.incident.ClosedAt != nil {
		return fault.Late("state", "%s was closed at %s. Open a new incident first.", b.incident.Code, b.incident.ClosedAt.Format("15:04:05 UTC"))
	}
	return nil
}

func (s *Server) startRecovery(c echo.Context) error { return s.startForm(c, c.Param("code"), "") }
func (s *Server) startMove(c echo.Context) error     { return s.startForm(c, "", c.Param("slug")) }

// startForm draws the form, prefilled from the incident, the readings and the address.
func (s *Server) startForm(c echo.Context, code, plan string) error {
	b, err := s.begins(c.Request().Context(), code, plan)
	if err == nil {
		err = b.open()
	}
	if err != nil {
		return err
	}
	form := view.StartForm{}
	if err := bindQuery(c, &form); err != nil {
		return err
	}
	return s.drawStart(c, http.StatusOK, b, b.prefilled(form), nil)
}

// prefilled fills in what the form leaves open: the likely plan, the direction away from the present writer.
func (b begin) prefilled(f view.StartForm) view.StartForm {
	fill := func(field *string, with string) {
		if *field == "" {
			*field = with
		}
	}
	if b.incident == nil {
		fill(&f.Plan, b.plan)
		fill(&f.Mode, string(failover.Planned))
		fill(&f.Cause, string(failover.CauseUnknown))
	} else {
		fill(&f.Mode, string(failover.Emergency))
		fill(&f.Cause, string(b.incident.Cause))
		fill(&f.Plan, b.likelyPlan())
	}
	if p, ok := b.published(f.Plan); ok {
		writer, seen := b.readings.Writer(p.What.DataSet, p.What.Sites)
		if seen {
			fill(&f.From, writer)
		}
		for _, site := range p.What.Sites {
			if f.From != "" && site != f.From {
				fill(&f.To, site)
			}
		}
	}
	fill(&f.Ceiling, string(failover.CeilingOrders))
	return f
}

// likelyPlan is the first that moves one of the incident's services, or the only one.
func (b begin) likelyPlan() string {
	for _, p := range b.plans {
		if slices.ContainsFunc(p.What.Services, func(slug string) bool { return slices.Contains(b.incident.Services, slug) }) {
			return p.Slug
		}
	}
	if len(b.plans) == 1 {
		return b.plans[0].Slug
	}
	return ""
}

func (s *Server) drawStart(c echo.Context, status int, b begin, f view.StartForm, wrong map[string]string) error {
	title := "Request a failover"
	if b.incident == nil {
		title = "Plan a move"
	}
	page := s.page(c, title)
	page.Live = false // it is all a form: a page that asks for itself again would take it out of somebody's hands
	_, check := b.paths()
	p := view.Start{
		Page: page, Form: f, Wrong: wrong, Check: check, About: b.about(), Causes: b.causes(f.Cause),
		Plans: b.planChoices(f.Plan), From: b.siteChoices(f.From), To: b.siteChoices(f.To), Writer: b.writerWords(f.Plan),
		Modes: []view.Choice{
			{Value: string(failover.Emergency), Label: "Emergency", Hint: "the old site is given up; data up to the ceiling may be lost", Chosen: f.Mode == string(failover.Emergency)},
			{Value: string(failover.Planned), Label: "Planned", Hint: "drains, waits until the target has everything, loses nothing", Chosen: f.Mode == string(failover.Planned)},
		},
		Ceilings: []view.Choice{
			{Value: string(failover.CeilingOrders), Label: "Orders", Chosen: f.Ceiling == string(failover.CeilingOrders)},
			{Value: string(failover.CeilingSeconds), Label: "Seconds of data", Chosen: f.Ceiling == string(failover.CeilingSeconds)},
			{Value: string(failover.CeilingUnknown), Label: "Any loss, also one that is not known", Chosen: f.Ceiling == string(failover.CeilingUnknown)},
		},
	}
	return s.render(c, status, view.StartPage(p))
}

func (b begin) about() *view.IncidentLine {
	if b.incident == nil {
		return nil
	}
	line := incidentLine(b.catalog, *b.incident)
	return &line
}

func (b begin) planChoices(chosen string) []view.Choice {
	var all []view.Choice
	for _, p := range b.plans {
		all = append(all, view.Choice{
			Value: p.Slug, Label: fmt.Sprintf("%s, version %d", p.What.Name, p.Version), Chosen: p.Slug == chosen,
			Hint: "moves " + subject(b.catalog, p.What.Services),
		})
	}
	return all
}

// siteChoices lists every site that a plan works between.
func (b begin) siteChoices(chosen string) []view.Choice {
	var all []view.Choice
	for _, site := range b.catalog.Sites {
		if slices.ContainsFunc(b.plans, func(p store.Published[failover.Plan]) bool { return slices.Contains(p.What.Sites, site.Slug) }) {
			all = append(all, view.Choice{Value: site.Slug, Label: site.Name, Chosen: site.Slug == chosen})
		}
	}
	return all
}

// writerWords says where the plan's data was last seen to be written.
func (b begin) writerWords(slug string) string {
	p, ok := b.published(slug)
	if !ok {
		return ""
	}
	site, ok := b.readings.Writer(p.What.DataSet, p.What.Sites)
	if !ok {
		return "No site is known to accept writes."
	}
	r := b.readings[failover.PositionKey(p.What.DataSet, site)]
	return fmt.Sprintf("%s was last seen to accept writes, %s ago.", b.catalog.SiteName(site), catalog.Lasting(b.now.Sub(r.At)))
}

// causes are the choices of a request: the incident's cause, where it states one.
func (b begin) causes(chosen string) []view.Choice {
	all := causes(chosen)
	if stated := b.stated(); stated != "" {
		return slices.DeleteFunc(all, func(c view.Choice) bool { return c.Value != string(stated) })
	}
	return all
}
