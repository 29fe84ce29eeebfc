package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// mostTakenBack bounds how many records are taken back at once.
const mostTakenBack = 100_000

// draftAct is the form of a draft on its way.
type draftAct struct {
	act, why string
	wrong    map[string]string
	refused  error
}

// showDraft draws what this person has put together.
func (s *Server) showDraft(c echo.Context) error { return s.draftPage(c, http.StatusOK, draftAct{}) }

func (s *Server) draftPage(c echo.Context, status int, a draftAct) error {
	ctx, who := c.Request().Context(), principal(c)
	p := view.ChangeDraft{Page: s.page(c, "Your changes"), Act: actID(a.act), Why: a.why, Wrong: a.wrong, Problem: refusal("It was not proposed", a.refused)}
	p.Live = false
	draft, err := s.store.Draft(ctx, who.ID)
	if err != nil {
		return err
	}
	p.Droppable = !draft.Terms.Empty()
	based, err := s.store.Rebase(ctx, draft.Terms, s.store.Now())
	if err != nil {
		return err
	}
	if p.Proposed, err = s.proposed(ctx, based.Now.Catalog, based.Terms); err != nil {
		return err
	}
	p.Meanwhile, p.Undoes = meanwhile(based.Meanwhile), draft.Undoes
	for i, line := range p.Changes {
		p.Changes[i].Path = view.EditRecordPath(catalog.Ref{Kind: catalog.Kind(line.KindKey), Slug: line.Slug})
	}
	if p.Shown, err = store.ShownDigest(based.Terms); err != nil {
		return err
	}
	if based.Terms.Empty() {
		return s.render(c, status, view.ChangeDraftPage(p))
	}
	if p.Errors, err = s.whatIsWrong(ctx, who, based.Terms); err != nil {
		return err
	}
	if err := s.effect(ctx, &p.Proposed, based.Now.Catalog, based.Terms); err != nil {
		return err
	}
	rules, err := based.Terms.RulesOf(based.Now.Catalog, s.store.Now())
	if err != nil && fault.As(err) == nil {
		return err
	}
	p.Needs = policyWords(rules)
	return s.render(c, status, view.ChangeDraftPage(p))
}

// whatIsWrong says why terms cannot be proposed; nothing where they can.
func (s *Server) whatIsWrong(ctx context.Context, who access.Principal, t change.Terms) ([]string, error) {
	err := s.store.TryTerms(ctx, who.Person(), t)
	f := fault.As(err)
	switch {
	case f == nil || f.Kind == fault.Internal || f.Kind == fault.Unavailable:
		return nil, err
	case len(f.Fields) > 0:
		return fieldLines(err), nil
	}
	return []string{f.Message}, nil
}

// dropForm names what is taken out of a draft.
type dropForm struct {
	Kind string `form:"kind"`
	Slug string `form:"slug"`
}

// dropDraft takes one record out of what this person has put together, or drops all of it.
func (s *Server) dropDraft(c echo.Context) error {
	form := dropForm{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	var ref *catalog.Ref
	if form.Kind != "" {
		ref = &catalog.Ref{Kind: catalog.Kind(form.Kind), Slug: form.Slug}
	}
	if err := s.store.TakeFromDraft(c.Request().Context(), principal(c).Person(), ref); err != nil {
		return err
	}
	s.flash(c, "It is taken out. Nothing of it was in force.")
	return c.Redirect(http.StatusSeeOther, view.ChangeDraftPath())
}

// draftForm is what the form of a draft posts.
type draftForm struct {
	Act   string `form:"act"`
	Shown string `form:"shown"`
	Why   string `form:"why"`
}

// proposeDraft files what this person has put together.
func (s *Server) proposeDraft(c echo.Context) error {
	form, wrong := draftForm{}, fault.Wrong{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	a := draftAct{act: form.Act, why: text(wrong, "why", form.Why, "Say why: who approves it reads it first.", approval.MaxText), wrong: wrong}
	if wrong.Err() != nil {
		return s.draftPage(c, http.StatusUnprocessableEntity, a)
	}
	filed, err := s.store.ProposeDraft(c.Request().Context(), principal(c), actID(form.Act), form.Shown, a.why)
	if f := fault.As(err); f != nil && (f.Kind == fault.Invalid || f.Kind == fault.Conflict || f.Kind == fault.Forbidden) {
		if a.act = ""; f.Kind != fault.Invalid {
			a.refused = err
		}
		return s.draftPage(c, statusOf(err), a)
	}
	if err != nil {
		return err
	}
	s.flash(c, filed.Code+" is proposed. It is in force when enough others have approved it.")
	return c.Redirect(http.StatusSeeOther, view.ChangeRequestPath(filed.Code))
}

// takeBack puts together what takes a change of the catalogue back.
func (s *Server) takeBack(c echo.Context) error {
	ctx, who := c.Request().Context(), principal(c)
	version, err := strconv.Atoi(c.Param("version"))
	if err != nil || version < 1 {
		return fault.Missing("catalogue version", c.Param("version"))
	}
	changed, err := s.store.ChangedBy(ctx, version, mostTakenBack)
	if err == nil && len(changed) == 0 {
		err = fault.Missing("catalogue version", c.Param("version"))
	}
	if err != nil {
		return err
	}
	return s.takingBack(c, changed, func() error { return s.store.DraftTakingBack(ctx, who.Person(), version, changed) })
}

// takeBackRequest puts together what takes back all that a change request put in force: records and plans.
func (s *Server) takeBackRequest(c echo.Context) error {
	ctx, who := c.Request().Context(), principal(c)
	r, err := s.store.ChangeRequest(ctx, c.Param("code"))
	if err != nil {
		return err
	}
	if r.State != approval.Approved {
		return fault.Late(approval.RuleDecided, "%s is %s: it has put nothing in force that could be taken back.", r.Code, r.State.Words())
	}
	var changed []store.RecordChange
	if r.Applied > 0 {
		if changed, err = s.store.ChangedBy(ctx, r.Applied, mostTakenBack); err != nil {
			return err
		}
	}
	return s.takingBack(c, changed, func() error { return s.store.DraftTakingBackRequest(ctx, who.Person(), r, changed) })
}

// takingBack puts a draft together, for who may edit all that it would change back, and shows it.
func (s *Server) takingBack(c echo.Context, changed []store.RecordChange, draft func() error) error {
	for _, one := range changed {
		if err := s.mustEdit(c, one.Kind); err != nil {
			return err
		}
	}
	if err := draft(); err != nil {
		if f := fault.As(err); f != nil && f.Kind == fault.Conflict {
			return s.draftPage(c, statusOf(err), draftAct{refused: err})
		}
		return err
	}
	return c.Redirect(http.StatusSeeOther, view.ChangeDraftPath())
}
