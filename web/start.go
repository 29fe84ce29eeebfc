package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
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
	} else if _, ok := b.published(plan); !ok {
		return b, fault.Missing("plan", plan)
	}
	return b, nil
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
	page, err := s.page(c, title)
	if err != nil {
		return err
	}
	page.Live = false // it is all a form: a page that asks for itself again would take it out of somebody's hands
	_, check := b.paths()
	p := view.Start{
		Page: page, Form: f, Wrong: wrong, Check: check, About: b.about(), Causes: causes(f.Cause),
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
	return fmt.Sprintf("%s was last seen to accept writes, %s ago.", b.catalog.SiteName(site), failover.Span(b.now.Sub(r.At)))
}

func (s *Server) checkRecovery(c echo.Context) error { return s.checkForm(c, c.Param("code"), "") }
func (s *Server) checkMove(c echo.Context) error     { return s.checkForm(c, "", c.Param("slug")) }

// checkForm draws what the request would do, or the form again with what is wrong in it.
func (s *Server) checkForm(c echo.Context, code, plan string) error {
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
	form.Act = store.NewID()
	return s.checkOr422(c, b, form)
}

func (s *Server) checkOr422(c echo.Context, b begin, form view.StartForm) error {
	terms, err := s.terms(c.Request().Context(), b, form)
	if fields := fieldsOf(err); fields != nil {
		return s.drawStart(c, http.StatusUnprocessableEntity, b, form, fields)
	}
	if err != nil {
		return err
	}
	return s.drawCheck(c, http.StatusOK, b, form, terms, nil)
}

// terms makes of what was typed what would run, with the plan and policy in force, or says what is wrong with it.
func (s *Server) terms(ctx context.Context, b begin, f view.StartForm) (failover.Terms, error) {
	wrong := fault.Wrong{}
	t := failover.Terms{Plan: f.Plan, From: f.From, To: f.To, Mode: failover.Mode(f.Mode), Cause: failover.Cause(f.Cause)}
	text(wrong, "reason", f.Reason, "Say why; the approver and the auditor read it.", failover.MaxText)
	p, ok := b.published(f.Plan)
	if !ok {
		wrong.Add("plan", "Choose a plan.")
	}
	if !t.Mode.Known() {
		wrong.Add("mode", "Choose emergency or planned.")
	}
	if b.incident == nil && t.Mode == failover.Emergency {
		wrong.Add("mode", "An emergency begins from an incident. Open one first.")
	}
	if !t.Cause.Known() {
		wrong.Add("cause", "Choose a cause; \"%s\" is one.", failover.CauseUnknown.Title())
	}
	t.Ceiling = ceilingOf(wrong, t.Mode, f.Ceiling, f.Most)
	b.checkSites(wrong, p.What, t)
	if err := wrong.Err(); err != nil {
		return t, err
	}
	return s.store.TermsNow(ctx, t)
}

func (b begin) checkSites(wrong fault.Wrong, p failover.Plan, t failover.Terms) {
	for field, site := range map[string]string{"from": t.From, "to": t.To} {
		if !slices.Contains(p.Sites, site) {
			wrong.Add(field, "Choose a site of the plan.")
		}
	}
	if t.From == t.To {
		wrong.Add("to", "Choose another site than the one to move from.")
	}
}

// impact is the start of impact: the incident's in an emergency, none in a planned move.
func (b begin) impact(t failover.Terms) time.Time {
	if t.Mode == failover.Planned || b.incident == nil {
		return time.Time{}
	}
	return b.incident.ImpactAt
}

func (s *Server) drawCheck(c echo.Context, status int, b begin, f view.StartForm, t failover.Terms, refused error) error {
	ctx := c.Request().Context()
	policy, err := s.store.Policy(ctx, t.Policy, t.PolicyVer)
	if err != nil {
		return err
	}
	situation, err := s.store.Situation(ctx, t, b.impact(t))
	if err != nil {
		return err
	}
	page, err := s.page(c, "Check: "+ask(b.catalog, t))
	if err != nil {
		return err
	}
	form, _ := b.paths()
	p := view.Check{
		Page: page, Form: f, About: b.about(), Sentence: fmt.Sprintf("%s (%s)", sentence(ask(b.catalog, t)), t.Mode),
		Button: "Request approval: " + ask(b.catalog, t), Back: form + "?" + startQuery(f).Encode(), File: view.RequestsPath(),
		Steps: planSteps(situation.Plan, t.Mode), Policy: policyWords(policy.What, t.Cause), MadeAt: situation.Now,
		With: companions(b.catalog, t.Services), Blast: effects(b.catalog, b.catalog.Impact(t.Services)), Waiting: costWords(b.catalog, t), Options: situation.Facts("").Options, Offer: true,
	}
	fillFacts(&p, situation.Facts(""), b.now)
	if err := t.Cause.MoveHelps(); err != nil {
		p.Offer, p.Refusal = false, refusal("This move is not offered", err)
	}
	if refused != nil {
		p.Refusal = refusal("The request was not filed", refused)
	}
	return s.render(c, status, view.CheckPage(p))
}

// fillFacts puts what the move would take first, in the order in which people weigh it, and the rest apart. What waiting
// costs stands on top of the page.
func fillFacts(p *view.Check, sheet failover.FactSheet, now time.Time) {
	first := []string{"duration", "loss", "target-copy"}
	p.Takes = make([]view.FactLine, len(first))
	for _, f := range factLines(sheet, now) {
		if i := slices.Index(first, f.Slug); i >= 0 {
			p.Takes[i] = f
		} else if f.Slug != "cost" {
			p.Facts = append(p.Facts, f)
		}
	}
}

// startQuery is the form as an address, so that going back loses nothing.
func startQuery(f view.StartForm) url.Values {
	return url.Values{
		"plan": {f.Plan}, "mode": {f.Mode}, "from": {f.From}, "to": {f.To}, "cause": {f.Cause}, "reason": {f.Reason},
		"ceiling": {f.Ceiling}, "most": {f.Most},
	}
}

// fileRequest files what the check page showed.
func (s *Server) fileRequest(c echo.Context) error {
	form := view.StartForm{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx, who := c.Request().Context(), principal(c)
	b, err := s.begins(ctx, form.Incident, form.Plan)
	if err != nil {
		return err
	}
	terms, err := s.terms(ctx, b, form)
	if fields := fieldsOf(err); fields != nil {
		return s.drawStart(c, http.StatusUnprocessableEntity, b, form, fields)
	}
	if err != nil {
		return err
	}
	filed, err := s.file(ctx, who, b, form, terms)
	if kind := fault.KindOf(err); kind == fault.Conflict || kind == fault.Forbidden {
		return s.drawCheck(c, statusOf(err), b, form, terms, err)
	}
	if err != nil {
		return err
	}
	s.flash(c, filed.Code+" is requested. Send its link to someone who can decide.")
	return c.Redirect(http.StatusSeeOther, view.RequestPath(filed.Code))
}

// file refuses a move that cannot help, and files any other with its first fact sheet.
func (s *Server) file(ctx context.Context, who access.Principal, b begin, f view.StartForm, t failover.Terms) (failover.Request, error) {
	refused := t.Cause.MoveHelps()
	if refused == nil {
		refused = b.open()
	}
	if refused != nil {
		actor := failover.Person{ID: who.ID, Name: who.Name}
		if err := s.store.Refused(ctx, actor, "request.file", f.Incident, refused); err != nil {
			return failover.Request{}, err
		}
		return failover.Request{}, refused
	}
	policy, err := s.store.Policy(ctx, t.Policy, t.PolicyVer)
	if err != nil {
		return failover.Request{}, err
	}
	situation, err := s.store.Situation(ctx, t, b.impact(t))
	if err != nil {
		return failover.Request{}, err
	}
	impact := b.impact(t)
	if impact.IsZero() {
		impact = b.now
	}
	wrong := fault.Wrong{}
	return s.store.FileRequest(ctx, who, store.File{
		ID: actID(f.Act), Incident: f.Incident, Terms: t, Reason: text(wrong, "reason", f.Reason, "", failover.MaxText),
		Lifetime: policy.What.Lifetime.D(), Impact: impact, Sheet: situation.Facts(""),
	})
}
