package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// modesListed bounds how many degraded modes of before are listed.
const modesListed = 25

// listModes draws what runs degraded, what may, and what did.
func (s *Server) listModes(c echo.Context) error {
	ctx, now, who := c.Request().Context(), s.store.Now(), principal(c)
	p := view.Modes{Page: s.page(c, "Running degraded")}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	all, err := s.store.Modes(ctx, "", "", modesListed)
	if err != nil {
		return err
	}
	open, err := s.store.OpenModes(ctx)
	if err != nil {
		return err
	}
	on := map[string]bool{}
	for _, m := range open {
		on[m.Terms.Rule.Slug] = on[m.Terms.Rule.Slug] || m.Phase.Open() && !m.Terms.Drill
		if m.Standing(now) != approval.Expired {
			p.Lasting = append(p.Lasting, modeLine(version.Catalog, m, now))
		}
	}
	for _, m := range all {
		if !slices.ContainsFunc(open, func(o degrade.Mode) bool { return o.Code == m.Code }) {
			p.Past = append(p.Past, modeLine(version.Catalog, m, now))
		}
	}
	for _, r := range version.Rules {
		line := view.RuleLine{Path: view.RecordPath(catalog.Ref{Kind: catalog.KindRule, Slug: r.Slug}), Name: r.Name, Instead: r.Instead}
		if who.May(access.RunDegraded) && !on[r.Slug] {
			line.Start = view.StartModePath(r.Slug, "")
		}
		p.Rules = append(p.Rules, line)
	}
	return s.render(c, http.StatusOK, view.ModesPage(p))
}

// modeForm is what the check page of a degraded mode posts.
type modeForm struct {
	Act      string `form:"act"`
	Rule     string `form:"rule" query:"rule"`
	Incident string `form:"incident" query:"incident"`
	Reason   string `form:"reason"`
	Drill    string `form:"drill"`
}

// newMode draws the check page before anything is asked for.
func (s *Server) newMode(c echo.Context) error {
	form := modeForm{}
	if err := bindQuery(c, &form); err != nil {
		return err
	}
	return s.startModePage(c, http.StatusOK, form, nil)
}

func (s *Server) startModePage(c echo.Context, status int, form modeForm, refused error) error {
	ctx := c.Request().Context()
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	rule, ok := version.Rule(form.Rule)
	if !ok {
		return fault.Missing("degraded-mode rule", form.Rule)
	}
	p := view.StartMode{
		Page: s.page(c, "Switch on: "+rule.Name), Preview: modePreview(version.Catalog, rule, degrade.LimitsOf(rule)), Rule: rule.Slug, Name: rule.Name, Instead: rule.Instead,
		RulePath: view.RecordPath(catalog.Ref{Kind: catalog.KindRule, Slug: rule.Slug}), Act: actID(form.Act), Reason: form.Reason, Drill: form.Drill != "",
		Wrong: fieldsOf(refused), Problem: refusal("It was not asked for", refused), Button: "Ask for approval: " + rule.Name,
	}
	if rule.GoAhead.Approved() {
		p.Button = "Switch on: " + rule.Name
	}
	incidents, err := s.store.OpenIncidents(ctx)
	if err != nil {
		return err
	}
	p.Incidents = []view.Choice{{Label: "None"}}
	found := false
	for i := range incidents {
		in := &incidents[i]
		chosen := in.Code == form.Incident || form.Incident == "" && form.Act == "" && !found && slices.ContainsFunc(in.Services, func(slug string) bool { return version.About(rule, catalog.Ref{Kind: catalog.KindService, Slug: slug}) })
		found = found || chosen
		p.Incidents = append(p.Incidents, view.Choice{Value: in.Code, Label: in.Code + " " + in.Title, Chosen: chosen})
	}
	p.Typing = true
	return s.render(c, status, view.StartModePage(p))
}

// fileMode asks to run degraded.
func (s *Server) fileMode(c echo.Context) error {
	form, wrong := modeForm{}, fault.Wrong{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx := c.Request().Context()
	form.Reason = text(wrong, "reason", form.Reason, "", approval.MaxText)
	err := wrong.Err()
	if err == nil && form.Incident != "" {
		if _, err = s.store.Incident(ctx, form.Incident); fault.KindOf(err) == fault.NotFound {
			err = fault.Wrong{"incident": "There is no such incident."}.Err()
		}
	}
	var m degrade.Mode
	if err == nil {
		m, err = s.store.FileMode(ctx, principal(c), store.ModeFile{ID: actID(form.Act), Rule: form.Rule, Incident: form.Incident, Reason: form.Reason, Drill: form.Drill != ""})
	}
	if f := fault.As(err); f != nil && f.Kind != fault.Internal && f.Kind != fault.NotFound {
		return s.startModePage(c, statusOf(err), form, err)
	}
	if err != nil {
		return err
	}
	said := m.Code + " waits for approval."
	if m.State == approval.Approved {
		said = "You asked to switch on " + m.Code + ", which was approved in advance. How it stands is said below."
	}
	s.flash(c, said)
	return c.Redirect(http.StatusSeeOther, view.ModePath(m.Code))
}

// typedMode is what was typed into a form of a mode's page that was refused.
type typedMode struct {
	typedVote
	form commandModeForm
	err  error
}

func (s *Server) showMode(c echo.Context) error { return s.modePage(c, http.StatusOK, typedMode{}) }

func (s *Server) modePage(c echo.Context, status int, typed typedMode) error {
	ctx, who, now := c.Request().Context(), principal(c), s.store.Now()
	m, err := s.store.Mode(ctx, c.Param("code"))
	if err != nil {
		return err
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	ballot, err := s.store.ModeBallot(ctx, m)
	if err != nil {
		return err
	}
	p := modeDrawn(version.Catalog, m, now)
	p.Page, p.Problem = s.page(c, m.Terms.Rule.Name+" ("+m.Code+")"), typed.problem
	p.Needs, p.Who = policyWords(ballot.Rules), access.Titles(ballot.Rules.Voters())+" other than "+m.Requester.Name
	if p.Told, err = s.toldWords(ctx, version.Catalog, m.Code); err != nil {
		return err
	}
	messages, err := s.store.MessagesAbout(ctx, m.Code)
	if err != nil {
		return err
	}
	p.Preview.Told = announced(version.Catalog, m, messages)
	if m.Standing(now) == approval.Requested {
		p.Wanted, p.Want = wantedBy(ballot, p.Have)
		hopes, err := s.store.HopesOfMode(ctx, m)
		if err != nil {
			return err
		}
		names := make([]string, len(hopes.Able))
		for i, v := range hopes.Able {
			names[i] = v.Name
		}
		p.Able = joined(names)
	}
	if m.InAdvance == "" {
		p.Action = modeAction(m, who, ballot, typed.typedVote, now)
	}
	if err := s.modeWays(ctx, &p, m, who, typed); err != nil {
		return err
	}
	p.Typing = p.Action.Vote != nil || p.Ends != nil || p.Sign != nil
	return s.render(c, status, view.DegradedModePage(p))
}

func modeAction(m degrade.Mode, who access.Principal, ballot approval.Ballot, typed typedVote, now time.Time) view.Action {
	paths := questionPaths{decide: view.DecideModePath(m.Code), withdraw: view.WithdrawModePath(m.Code), page: view.ModePath(m.Code)}
	return questionAction(m.Question, who, who, ballot, typed, paths, "Approve: "+m.Terms.Rule.Name, now)
}

// modesWaiting are the wishes to run degraded, and for wider limits, that this person can decide on, and what waits for a signature.
func (s *Server) modesWaiting(ctx context.Context, here situation, who access.Principal) ([]view.Waiting, error) {
	var waiting []view.Waiting
	for _, m := range here.modes {
		var w *view.Waiting
		var err error
		switch {
		case m.Standing(here.now) == approval.Requested:
			w, err = s.modeToDecide(ctx, m, who, here.now)
		case m.Phase == degrade.On:
			w, err = s.limitsToDecide(ctx, m, who, here.now)
		case m.Phase == degrade.Over && who.Has(access.BusinessOwner):
			w, err = s.modeToSign(ctx, m, who)
		}
		if err != nil {
			return nil, err
		}
		if w != nil {
			waiting = append(waiting, *w)
		}
	}
	return waiting, nil
}

func (s *Server) modeToSign(ctx context.Context, m degrade.Mode, who access.Principal) (*view.Waiting, error) {
	objects, err := s.store.ModeObjects(ctx, m)
	if err != nil || !m.MaySign(who, objects) {
		return nil, err
	}
	_, until, _ := m.Window()
	return &view.Waiting{Title: "Sign: " + m.Terms.Rule.Name + " is reconciled", Why: m.Terms.Rule.Reconcile, Path: view.ModePath(m.Code), Since: until}, nil
}

func (s *Server) modeToDecide(ctx context.Context, m degrade.Mode, who access.Principal, now time.Time) (*view.Waiting, error) {
	ballot, err := s.store.ModeBallot(ctx, m)
	if err != nil || !m.MayDecideAfterSignIn(who, ballot, now) {
		return nil, err
	}
	return &view.Waiting{
		Title: "Decide: run degraded, " + m.Terms.Rule.Name, Why: m.Requester.Name + " asks for it. " + m.Terms.Rule.Instead,
		Path: view.ModePath(m.Code), Since: m.FiledAt, Until: m.ExpiresAt,
	}, nil
}

func (s *Server) limitsToDecide(ctx context.Context, m degrade.Mode, who access.Principal, now time.Time) (*view.Waiting, error) {
	e, ok := m.Pending(now)
	if !ok {
		return nil, nil
	}
	ballot, err := s.store.ExtensionBallot(ctx, m, e)
	if err != nil || ballot.MayVote(who) != nil {
		return nil, err
	}
	return &view.Waiting{
		Title: "Decide: wider limits for " + m.Terms.Rule.Name, Why: e.By.Name + ": " + e.Reason, Path: view.ModePath(m.Code), Since: e.At, Until: e.Until,
	}, nil
}

// decideMode takes a vote on running degraded.
func (s *Server) decideMode(c echo.Context) error {
	return s.voteOn(c, voting{
		decide: s.store.DecideMode, path: view.ModePath(c.Param("code")), approved: "approved. How it stands is said below",
		page: func(status int, typed typedVote) error { return s.modePage(c, status, typedMode{typedVote: typed}) },
	})
}

// withdrawMode takes a wish to run degraded back.
func (s *Server) withdrawMode(c echo.Context) error {
	form := amendForm{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx, code := c.Request().Context(), c.Param("code")
	out, err := s.store.WithdrawMode(ctx, store.Amend{ID: actID(form.Act), Code: code, By: principal(c), Origin: audit.OriginOf(ctx)})
	if err == nil {
		err = out.Err()
	}
	if f := fault.As(err); f != nil && f.Kind != fault.Internal && f.Kind != fault.NotFound {
		return s.modePage(c, statusOf(err), typedMode{typedVote: typedVote{problem: refusal("It was not withdrawn", err)}})
	}
	if err != nil {
		return err
	}
	s.flash(c, fmt.Sprintf("%s is withdrawn.", code))
	return c.Redirect(http.StatusSeeOther, view.ModePath(code))
}
