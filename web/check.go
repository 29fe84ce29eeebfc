package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

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
	text(wrong, "reason", f.Reason, "Say why; the approver and the auditor read it.", approval.MaxText)
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
	if b.incident != nil {
		if f := fault.As(t.Cause.Follows(b.incident.Code, b.incident.Cause)); f != nil {
			wrong.Add("cause", "%s", f.Message)
		}
	}
	t.Ceiling = ceilingOf(wrong, t.Mode, f.Ceiling, f.Most)
	b.checkSites(wrong, p.What, t)
	if err := wrong.Err(); err != nil {
		return t, err
	}
	return s.store.TermsNow(ctx, t, s.store.Now())
}

// stated is the cause that the incident states; empty where there is none or it is not known.
func (b begin) stated() failover.Cause {
	if b.incident == nil || b.incident.Cause == failover.CauseUnknown {
		return ""
	}
	return b.incident.Cause
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

// impact is the start of impact: the incident's in an emergency, none in a planned move. Where the incident has been
// recovered from since, what is bad now began later.
func (b begin) impact(t failover.Terms) time.Time {
	switch {
	case t.Mode == failover.Planned || b.incident == nil:
		return time.Time{}
	case !b.recovered.After(b.incident.ImpactAt):
		return b.incident.ImpactAt
	}
	if since, _, ok := earliestBad(b.catalog, b.readings); ok && since.After(b.recovered) {
		return since
	}
	return b.now
}

func (s *Server) drawCheck(c echo.Context, status int, b begin, f view.StartForm, t failover.Terms, refused error) error {
	ctx := c.Request().Context()
	rules, err := approval.RulesOf(b.catalog, t.Decided(b.now))
	if err != nil && fault.As(err) == nil {
		return err
	}
	situation, err := s.store.Situation(ctx, t, b.impact(t))
	if err != nil {
		return err
	}
	if f.Checked, err = t.Digest(); err != nil {
		return err
	}
	page := s.page(c, "Check: "+ask(b.catalog, t))
	form, _ := b.paths()
	p := view.Check{
		Page: page, Form: f, About: b.about(), Sentence: fmt.Sprintf("%s (%s)", sentence(ask(b.catalog, t)), t.Mode),
		Button: "Request approval: " + ask(b.catalog, t), Back: form + "?" + startQuery(f).Encode(), File: view.RequestsPath(),
		Steps: planSteps(situation.Plan, t.Mode), Policy: policyWords(rules), MadeAt: situation.Now,
		With: companions(b.catalog, t.Services), Blast: blast(b.catalog, t.Services, b.catalog.ImpactOf(t.Services, situation.Now)),
		Waiting: costWords(b.catalog, t, situation.Now), Options: situation.Facts("").Options, Offer: true,
	}
	fillFacts(&p, situation.Facts(""), b.now)
	if why := situation.Hopeless(); why != "" {
		p.Refusal = &view.Refusal{Title: "As things are this would not start", Message: why}
	}
	if err := cmp.Or(t.Cause.MoveHelps(), situation.Sensible()); err != nil {
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

// file files a request with its first fact sheet.
func (s *Server) file(ctx context.Context, who access.Principal, b begin, f view.StartForm, t failover.Terms) (failover.Request, error) {
	if refused := b.open(); refused != nil {
		actor := who.Person()
		if err := s.store.Refused(ctx, actor, "request.file", f.Incident, refused); err != nil {
			return failover.Request{}, err
		}
		return failover.Request{}, refused
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
		ID: actID(f.Act), Incident: f.Incident, Terms: t, Reason: text(wrong, "reason", f.Reason, "", approval.MaxText),
		Impact: impact, Sheet: situation.Facts(""), Checked: f.Checked,
	})
}
