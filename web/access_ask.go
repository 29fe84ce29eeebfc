package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// usualLength is what a form proposes.
const usualLength = catalog.Duration(15 * time.Minute)

// askAccess draws what somebody may ask for, or the form once that is chosen.
func (s *Server) askAccess(c echo.Context) error {
	form := view.AccessForm{}
	if err := bindQuery(c, &form); err != nil {
		return err
	}
	return s.askPage(c, http.StatusOK, form, nil)
}

// eligible is an eligibility with what it is about and who decides, and whether somebody may ask.
type eligible struct {
	catalog.Eligibility
	system catalog.System
	rules  approval.Rules
	no     error
}

// eligibilities are all that is agreed on, as far as this person goes.
func eligibilities(c catalog.Catalog, who access.Principal, now time.Time) ([]eligible, error) {
	var all []eligible
	for _, e := range c.Eligibilities {
		one := eligible{Eligibility: e}
		one.system, _ = c.System(e.System)
		var err error
		if one.rules, err = approval.RulesOf(c, breakglass.Asking(one.system, now)); err != nil {
			if fault.As(err) == nil {
				return nil, err
			}
			one.no = err // nobody decides on it
		} else {
			one.no = breakglass.MayAsk(who, e, one.rules.Objects())
		}
		all = append(all, one)
	}
	return all, nil
}

// mayAskAccess says whether there is anything that somebody may ask for.
func (s *Server) mayAskAccess(ctx context.Context, who access.Principal, now time.Time) (bool, error) {
	version, err := s.store.Catalog(ctx)
	if err != nil || !who.May(access.AskAccess) {
		return false, err
	}
	all, err := eligibilities(version.Catalog, who, now)
	return slices.ContainsFunc(all, func(e eligible) bool { return e.no == nil }), err
}

func (e eligible) line(incident string) view.EligibilityLine {
	l := view.EligibilityLine{
		Name: e.Name, What: joined(e.Roles) + " on " + e.system.Name, Longest: catalog.Lasting(e.Longest.D()), Path: view.AskAccessPath(e.Slug, incident),
	}
	if f := fault.As(e.no); f != nil {
		l.Who = f.Who
	}
	return l
}

// askPage draws the form with what was typed and what was refused.
func (s *Server) askPage(c echo.Context, status int, form view.AccessForm, refused error) error {
	ctx, who := c.Request().Context(), principal(c)
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	now, err := s.store.AccessNow(ctx)
	if err != nil {
		return err
	}
	all, err := eligibilities(version.Catalog, who, now)
	if err != nil {
		return err
	}
	p := view.AskAccess{Page: s.page(c, "Ask for access"), Form: form, Wrong: fieldsOf(refused), Problem: refusal("It was not asked for", refused)}
	if p.Wrong != nil {
		p.Problem = nil
	}
	var chosen *eligible
	for i, e := range all {
		if e.no != nil {
			p.MayNot = append(p.MayNot, e.line(form.Incident))
		} else {
			p.May = append(p.May, e.line(form.Incident))
		}
		if e.Slug == form.Eligibility || form.Eligibility == "" && e.no == nil {
			chosen = &all[i]
		}
	}
	if form.Eligibility == "" && len(p.May) != 1 {
		chosen = nil // there is something to choose, or nothing
	}
	switch {
	case chosen == nil && form.Eligibility != "":
		return fault.Missing("eligibility", form.Eligibility)
	case chosen == nil:
	case chosen.no != nil:
		p.Problem = refusal("This cannot be asked for", chosen.no)
	default:
		if err := s.askAbout(ctx, &p, version.Catalog, *chosen, who, now); err != nil {
			return err
		}
	}
	p.Typing = p.Chosen
	return s.render(c, status, view.AskAccessPage(p))
}

// askAbout fills the form in for what was chosen.
func (s *Server) askAbout(ctx context.Context, p *view.AskAccess, c catalog.Catalog, e eligible, who access.Principal, now time.Time) error {
	p.Chosen, p.Form.Eligibility, p.Form.Act = true, e.Slug, actID(p.Form.Act)
	p.Title, p.System, p.About = "Ask for access: "+e.system.Name, e.system.Name, e.system.About
	p.Button, p.Terms, p.Needs = "Ask for access to "+e.system.Name, agreedWords(c, e.Eligibility), policyWords(e.rules)
	for _, r := range e.system.Roles {
		if slices.Contains(e.Roles, r.Role) {
			p.Roles = append(p.Roles, view.Choice{Value: r.Role, Label: r.Role, Hint: r.Does, Chosen: r.Role == p.Form.Role || len(e.Roles) == 1})
		}
	}
	p.Lengths = lengths(e.Longest, p.Form.Length)
	if e.Ahead > 0 {
		p.Ahead = "Such as " + now.Add(time.Hour).Format("2006-01-02 15:04") + ", at most " + catalog.Lasting(e.Ahead.D()) + " ahead."
	}
	if err := s.occasions(ctx, p); err != nil {
		return err
	}
	if p.Problem == nil && len(p.Wrong) == 0 {
		if err := s.store.MayAskAccess(ctx, who, e.System, e.Roles[0]); err != nil {
			if !refusedHere(err) {
				return err
			}
			p.Problem = refusal("This would be refused now", err)
		}
	}
	if !e.Bypass {
		return nil
	}
	return s.bypassWords(ctx, p, e, who)
}

// lengths are the steps up to the longest.
func lengths(longest catalog.Duration, typed string) []view.Choice {
	if typed == "" {
		typed = min(usualLength, longest).String()
	}
	var all []view.Choice
	for d := catalog.Duration(catalog.Step); d <= longest; d += catalog.Duration(catalog.Step) {
		all = append(all, view.Choice{Value: d.String(), Label: catalog.Lasting(d.D()), Chosen: d.String() == typed})
	}
	return all
}

// occasions are the incidents and runs that access can be asked for.
func (s *Server) occasions(ctx context.Context, p *view.AskAccess) error {
	incidents, err := s.store.OpenIncidents(ctx)
	if err != nil {
		return err
	}
	runs, err := s.store.OpenRuns(ctx)
	if err != nil {
		return err
	}
	p.Incidents, p.Runs = []view.Choice{{Label: "Choose an open incident"}}, []view.Choice{{Label: "With none: it lasts as long as asked"}}
	for _, in := range incidents {
		alone := len(incidents) == 1 && p.Form.Incident == "" && len(p.Wrong) == 0
		p.Incidents = append(p.Incidents, view.Choice{Value: in.Code, Label: in.Code + " " + in.Title, Chosen: in.Code == p.Form.Incident || alone})
	}
	for _, r := range runs {
		if r.State != failover.Recovered {
			p.Runs = append(p.Runs, view.Choice{Value: r.Code, Label: "Run " + r.Code + ", " + r.State.Words(), Chosen: r.Code == p.Form.Run})
		}
	}
	return nil
}

// bypassWords says what it means to begin without approval, and names who would be asked.
func (s *Server) bypassWords(ctx context.Context, p *view.AskAccess, e eligible, who access.Principal) error {
	everybody, err := s.store.Electorate(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, v := range (approval.Ballot{Rules: e.rules, Requester: who}).Able(everybody) {
		if !approval.Stranger(v.Principal) {
			names = append(names, v.Name)
		}
	}
	whom := "all who would be asked"
	if len(names) > 0 {
		whom = strings.Join(names, ", ")
	}
	p.Bypass = "Nobody is asked first. " + sentence(whom) + " will be told at once, and named on it for ever as not asked. It is marked as an emergency for ever, and somebody else reviews what you did."
	return nil
}

// fileAccess asks for access.
func (s *Server) fileAccess(c echo.Context) error {
	form := view.AccessForm{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx := c.Request().Context()
	file, err := s.accessFile(ctx, &form)
	var r breakglass.Request
	if err == nil {
		r, err = s.store.FileAccess(ctx, principal(c), file)
	}
	if refusedHere(err) {
		return s.askPage(c, statusOf(err), form, err)
	}
	if err != nil {
		return err
	}
	said := r.Code + " waits for approval."
	if r.Terms.Bypass {
		said = r.Code + " has begun without approval. Those who were not asked are told now."
	}
	s.flash(c, said)
	return c.Redirect(http.StatusSeeOther, view.AccessPath(r.Code))
}

// accessFile reads what was typed. Where a part cannot be read, it says what else is wrong too.
func (s *Server) accessFile(ctx context.Context, form *view.AccessForm) (store.AccessFile, error) {
	wrong := fault.Wrong{}
	f := store.AccessFile{
		ID: actID(form.Act), Eligibility: form.Eligibility, Role: form.Role, Incident: form.Incident, Run: form.Run, Bypass: form.Bypass != "",
		Reason: text(wrong, "reason", form.Reason, "", approval.MaxText),
	}
	form.Act = f.ID
	if f.Role == "" {
		wrong.Add("role", "Choose a role.")
	}
	if err := f.Length.UnmarshalText([]byte(form.Length)); err != nil {
		wrong.Add("length", "Choose for how long.")
	}
	if strings.TrimSpace(form.Starts) != "" {
		at, ok := parseTime(form.Starts)
		if !ok {
			wrong.Add("starts", "Write a time such as 2026-03-01 14:30, in UTC.")
		}
		f.Starts = &at
	}
	if len(wrong) == 0 {
		return f, nil
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return f, err
	}
	e, ok := version.Eligibility(f.Eligibility)
	if !ok {
		return f, fault.Missing("eligibility", f.Eligibility)
	}
	w := breakglass.Wish{Reason: f.Reason, Terms: breakglass.Terms{Eligibility: e, Role: f.Role, Length: f.Length, Incident: f.Incident, Run: f.Run}}
	for field, message := range fieldsOf(w.Check(version.Catalog, s.store.Now())) {
		wrong.Add(field, "%s", message)
	}
	return f, wrong.Err()
}
