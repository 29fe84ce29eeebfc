package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// closedIncidents is how many closed incidents a page lists.
const closedIncidents = 25

// oldestImpact is how far back a start of impact may lie.
const oldestImpact = 7 * 24 * time.Hour

// longestTitle bounds an incident's title, in characters.
const longestTitle = 120

func (s *Server) listIncidents(c echo.Context) error {
	page := s.page(c, "Incidents")
	ctx := c.Request().Context()
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	before, ok := parseTime(c.QueryParam("before"))
	if !ok && c.QueryParam("before") != "" {
		return fault.Wrong{"before": "This is not a time."}.Err()
	}
	open, err := s.store.OpenIncidents(ctx)
	if err != nil {
		return err
	}
	closed, err := s.store.ClosedIncidents(ctx, before, closedIncidents)
	if err != nil {
		return err
	}
	p := view.Incidents{Page: page, MayOpen: principal(c).May(access.OpenIncident)}
	for _, in := range open {
		p.Open = append(p.Open, incidentLine(version.Catalog, in))
	}
	for _, in := range closed {
		p.Closed = append(p.Closed, incidentLine(version.Catalog, in))
	}
	if len(closed) == closedIncidents {
		p.Next = view.IncidentsPath() + "?before=" + closed[len(closed)-1].OpenedAt.Format(time.RFC3339Nano)
	}
	return s.render(c, http.StatusOK, view.IncidentsPage(p))
}

func incidentLine(c catalog.Catalog, in store.Incident) view.IncidentLine {
	line := view.IncidentLine{
		Code: in.Code, Path: view.IncidentPath(in.Code), Title: in.Title, Cause: in.Cause.Title(),
		Services: joined(serviceNames(c, in.Services)), Impact: in.ImpactAt,
	}
	if in.ClosedAt != nil {
		line.Closed = *in.ClosedAt
	}
	return line
}

// newIncident draws the form, prefilled from the signals and from the address.
func (s *Server) newIncident(c echo.Context) error {
	form := view.IncidentForm{}
	if err := bindQuery(c, &form); err != nil {
		return err
	}
	form.Act = store.NewID()
	if form.Cause == "" {
		form.Cause = string(failover.CauseUnknown)
	}
	ctx := c.Request().Context()
	readings, err := s.store.Readings(ctx)
	if err != nil {
		return err
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	now := s.store.Now()
	form.Impact = now.Format(formTime)
	if since, _, ok := earliestBad(version.Catalog, readings); ok && now.Sub(since) < oldestImpact {
		form.Impact = since.Format(formTime)
	}
	return s.incidentForm(c, http.StatusOK, form, nil)
}

// incidentForm draws the form with what was typed and what is wrong with it.
func (s *Server) incidentForm(c echo.Context, status int, form view.IncidentForm, wrong map[string]string) error {
	page := s.page(c, "Open an incident")
	ctx := c.Request().Context()
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	readings, err := s.store.Readings(ctx)
	if err != nil {
		return err
	}
	page.Live = false // it is all a form
	already, err := s.openFor(ctx, version.Catalog, form.Services)
	if err != nil {
		return err
	}
	p := view.NewIncident{
		Page: page, Form: form, Wrong: wrong, Causes: causes(form.Cause), Already: already,
		Source: "No signal is bad now: state when it began.",
	}
	if _, source, ok := earliestBad(version.Catalog, readings); ok {
		p.Source = "Prefilled from the signal " + source + ", which has been bad for longest. Correct it if you know better."
	}
	for _, service := range version.Services {
		p.Services = append(p.Services, view.Choice{
			Value: service.Slug, Label: service.Name, Chosen: slices.Contains(form.Services, service.Slug),
		})
	}
	return s.render(c, status, view.NewIncidentPage(p))
}

// openFor lists the open incidents that are about some of the services.
func (s *Server) openFor(ctx context.Context, c catalog.Catalog, services []string) ([]view.IncidentLine, error) {
	incidents, err := s.store.OpenIncidents(ctx)
	var lines []view.IncidentLine
	for _, in := range incidents {
		if slices.ContainsFunc(in.Services, func(slug string) bool { return slices.Contains(services, slug) }) {
			lines = append(lines, incidentLine(c, in))
		}
	}
	return lines, err
}

func causes(chosen string) []view.Choice {
	var all []view.Choice
	for _, cause := range failover.Causes() {
		choice := view.Choice{Value: string(cause), Label: cause.Title(), Chosen: string(cause) == chosen}
		if cause.MoveHelps() != nil {
			choice.Hint = "moving does not help"
		}
		all = append(all, choice)
	}
	return all
}

// earliestBad is the start of impact as the signals have it, with the signal's name.
func earliestBad(c catalog.Catalog, readings failover.Readings) (since time.Time, source string, ok bool) {
	for _, seen := range readings.Seen(c) {
		r := seen.Reading
		if r.Bad && r.BadSince != nil && (!ok || r.BadSince.Before(since)) {
			since, source, ok = r.BadSince.UTC(), seen.Signal.Name, true
		}
	}
	return since, source, ok
}

func (s *Server) openIncident(c echo.Context) error {
	form := view.IncidentForm{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	in, err := s.checkIncident(c.Request().Context(), form, principal(c))
	if fields := fieldsOf(err); fields != nil {
		return s.incidentForm(c, http.StatusUnprocessableEntity, form, fields)
	}
	if err != nil {
		return err
	}
	opened, err := s.store.OpenIncident(c.Request().Context(), principal(c), in)
	if err != nil {
		return err
	}
	s.flash(c, opened.Code+" is open.")
	return c.Redirect(http.StatusSeeOther, view.IncidentPath(opened.Code))
}

// checkIncident makes an incident of what was typed, or says what is wrong with it.
func (s *Server) checkIncident(ctx context.Context, form view.IncidentForm, who access.Principal) (store.Incident, error) {
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return store.Incident{}, err
	}
	readings, err := s.store.Readings(ctx)
	if err != nil {
		return store.Incident{}, err
	}
	wrong := fault.Wrong{}
	in := store.Incident{
		ID: actID(form.Act), Cause: failover.Cause(form.Cause),
		Title: text(wrong, "title", form.Title, "Say in a few words what is wrong.", longestTitle),
	}
	if !in.Cause.Known() {
		wrong.Add("cause", "Choose a cause; \"%s\" is one.", failover.CauseUnknown.Title())
	}
	for _, slug := range form.Services {
		if _, ok := version.Service(slug); !ok {
			wrong.Add("services", "There is no such service any more. Choose again.")
		} else if !slices.Contains(in.Services, slug) {
			in.Services = append(in.Services, slug)
		}
	}
	if len(in.Services) == 0 {
		wrong.Add("services", "Choose at least one service.")
	}
	in.ImpactAt, in.ImpactSource = impactOf(wrong, form.Impact, version.Catalog, readings, who, s.store.Now())
	return in, wrong.Err()
}

// impactOf reads the start of impact and says where it comes from: a signal, where it is the one that the form was
// prefilled with, or the person.
func impactOf(wrong fault.Wrong, typed string, c catalog.Catalog, readings failover.Readings, who access.Principal, now time.Time) (time.Time, string) {
	at, ok := parseTime(typed)
	switch {
	case !ok:
		wrong.Add("impact", "Type a date and a time, such as %s (UTC).", now.Format(formTime))
	case at.After(now):
		wrong.Add("impact", "This lies in the future; it is now %s.", now.Format("2006-01-02 15:04:05 UTC"))
	case now.Sub(at) > oldestImpact:
		wrong.Add("impact", "This is more than 7 days ago.")
	}
	if since, source, ok := earliestBad(c, readings); ok && since.Truncate(time.Second).Equal(at) {
		return since, "the signal " + source
	}
	return at, who.Name
}

func (s *Server) showIncident(c echo.Context) error {
	return s.incidentPage(c, http.StatusOK, nil)
}

// incidentPage draws one incident, with what was refused on top.
func (s *Server) incidentPage(c echo.Context, status int, refused error) error {
	ctx, who := c.Request().Context(), principal(c)
	in, err := s.store.Incident(ctx, c.Param("code"))
	if err != nil {
		return err
	}
	page := s.page(c, in.Code+": "+in.Title)
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	now := s.store.Now()
	p := view.Incident{
		Page: page, Line: incidentLine(version.Catalog, in), Source: in.ImpactSource, Commander: in.Commander.Name,
		Opened: in.OpenedAt, Problem: refusal("The incident is not closed", refused),
	}
	perMinute := version.CostPerMinute(in.Services, now)
	recovered, err := s.recoveredAt(ctx, in.Code)
	if err != nil {
		return err
	}
	p.Cost = costOf(in, perMinute, recovered, now, version.Currency)
	open, err := s.incidentWork(ctx, &p, version.Catalog, now)
	if err != nil {
		return err
	}
	modes, err := s.incidentDegraded(ctx, &p, version.Catalog, in, who)
	if err != nil {
		return err
	}
	if err := s.incidentAccess(ctx, &p, in, who); err != nil {
		return err
	}
	s.incidentWays(&p, in, who, cmp.Or(open, modes))
	return s.render(c, status, view.IncidentPage(p))
}

// costOf says what an incident costs a minute, and in all until its last run recovered or it was closed.
func costOf(in store.Incident, perMinute float64, recovered, now time.Time, currency string) string {
	until, words := now, "so far"
	switch {
	case recovered.After(in.ImpactAt):
		until, words = recovered, "in all, until it was recovered"
	case in.ClosedAt != nil:
		until, words = *in.ClosedAt, "in all, until it was closed"
	}
	total := failover.Money(perMinute*max(0, until.Sub(in.ImpactAt)).Minutes(), currency)
	return fmt.Sprintf("%s a minute, %s %s", failover.Money(perMinute, currency), total, words)
}

// incidentWork lists the requests and runs, and says which of them are not over.
func (s *Server) incidentWork(ctx context.Context, p *view.Incident, c catalog.Catalog, now time.Time) (open string, err error) {
	requests, err := s.store.RequestsOf(ctx, p.Line.Code)
	if err != nil {
		return "", err
	}
	runs, err := s.store.RunsOf(ctx, p.Line.Code)
	if err != nil {
		return "", err
	}
	for _, r := range requests {
		line := requestLine(c, r, now)
		if line.State == failover.Requested {
			open = line.Code + " waits for a decision."
		}
		p.Requests = append(p.Requests, line)
	}
	for _, r := range runs {
		if !r.State.Final() {
			open = fmt.Sprintf("%s is %s.", r.Code, r.State.Words())
		}
		p.Runs = append(p.Runs, runLine(c, r, now))
	}
	return open, nil
}

// incidentDegraded lists what runs and ran degraded in an incident, or for what it is about, and says which of it is not over.
func (s *Server) incidentDegraded(ctx context.Context, p *view.Incident, c catalog.Catalog, in store.Incident, who access.Principal) (open string, err error) {
	mine, err := s.store.Modes(ctx, "", in.Code, modesListed)
	if err != nil {
		return "", err
	}
	here := situation{catalog: c, modes: mine, now: s.store.Now()}
	for _, m := range mine {
		switch {
		case m.Standing(here.now) == approval.Requested:
			open = m.Code + " waits for a decision."
		case m.Phase.Open() || m.Phase == degrade.Over:
			open = fmt.Sprintf("%s is %s.", m.Code, m.Phase.Words())
		}
	}
	var rules []catalog.DegradedModeRule
	if in.ClosedAt == nil {
		others, err := s.degraded(ctx, c)
		if err != nil {
			return "", err
		}
		rules = c.RulesAgainst(in.Services, c.ImpactOf(in.Services, here.now), others.readings.Bad)
		for _, m := range others.modes {
			if m.Terms.Incident != in.Code {
				here.modes = append(here.modes, m)
			}
		}
	}
	p.Degraded = here.degradedBy(rules, in.Code, who)
	return open, nil
}

// incidentWays says what this person may do with the incident.
func (s *Server) incidentWays(p *view.Incident, in store.Incident, who access.Principal, open string) {
	if in.ClosedAt != nil {
		return
	}
	switch {
	case who.May(access.Request) && in.Cause.MoveHelps() != nil:
		p.Moving = fault.As(in.Cause.MoveHelps()).Message
		p.Recover = view.RecoverPath(in.Code)
	case who.May(access.Request):
		p.Recover = view.RecoverPath(in.Code)
	default:
		p.Moving = "A failover is requested by: " + access.Titles(access.Holders(access.Request)) + "."
	}
	switch {
	case !who.May(access.OpenIncident):
	case open != "":
		p.CantClose = open
	default:
		p.CloseAct = store.NewID()
	}
}

func requestLine(c catalog.Catalog, r failover.Request, now time.Time) view.RequestLine {
	return view.RequestLine{
		Code: r.Code, Path: view.RequestPath(r.Code), Title: moveTitle(c, r.Terms), State: r.Standing(now),
		Requester: r.Requester.Name, Filed: r.FiledAt,
	}
}

func (s *Server) closeIncident(c echo.Context) error {
	code := c.Param("code")
	err := s.store.CloseIncident(c.Request().Context(), principal(c), code)
	if fault.KindOf(err) == fault.Conflict {
		return s.incidentPage(c, http.StatusConflict, err)
	}
	if err != nil {
		return err
	}
	s.flash(c, code+" is closed.")
	return c.Redirect(http.StatusSeeOther, view.IncidentPath(code))
}
