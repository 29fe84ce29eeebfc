package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/degrade"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// commandModeForm is what every form of a degraded mode's page posts.
type commandModeForm struct {
	Act       string `form:"act"`
	Verb      string `form:"verb"`
	Extension string `form:"extension"`
	Time      string `form:"limit_time"`
	Orders    string `form:"limit_orders"`
	Money     string `form:"limit_money"`
	Reason    string `form:"reason"`
	Refusal   string `form:"refusal"`
	Evidence  string `form:"evidence"`
	Saw       string `form:"saw"`
	Note      string `form:"note"`
}

// modeWays draws a form for everything that this person may do to a mode.
func (s *Server) modeWays(ctx context.Context, p *view.DegradedPage, m degrade.Mode, who access.Principal, typed typedMode) error {
	form := func(verb store.ModeVerb, label, field, note, hint string) *view.ModeForm {
		f := &view.ModeForm{Path: view.CommandModePath(m.Code), Act: store.NewID(), Verb: string(verb), Saw: string(m.Phase), Label: label, Field: field, Note: note, Hint: hint}
		if typed.form.Verb == string(verb) {
			f.Typed, f.Wrong = map[string]string{"evidence": typed.form.Evidence, "note": typed.form.Note}[field], fieldsOf(typed.err)
		}
		return f
	}
	objects, err := s.store.ModeObjects(ctx, m)
	if err != nil {
		return err
	}
	if m.MaySign(who, objects) {
		p.Sign = form(store.SignMode, "Sign: the books agree again", "note", "What was compared, and what was put right", "It stays with your signature.")
	}
	if !who.May(access.RunDegraded) {
		return nil
	}
	name := m.Terms.Rule.Name
	switch {
	case m.ByHand() && m.Phase == degrade.SwitchingOn:
		p.ByHand = form(store.ByHandMode, "It is on: "+name, "evidence", "What shows that it is on", handHint(m.Terms.Rule.SwitchOn, m.Terms.Drill))
	case m.ByHand() && m.Phase == degrade.SwitchingOff:
		p.ByHand = form(store.ByHandMode, "It is off: "+name, "evidence", "What shows that it is off", handHint(m.Terms.Rule.SwitchOff, m.Terms.Drill))
	case m.Drift != nil && m.Phase == degrade.On:
		p.Again = form(store.AgainMode, "Switch on again: "+name, "", "", "")
	}
	if m.Phase == degrade.On || m.Phase == degrade.SwitchingOn || m.Phase == degrade.Stopping {
		p.Ends = form(store.EndMode, "End: "+name, "", "", "")
	}
	if m.MayResume() && m.Off != nil {
		p.Resume = form(store.ResumeMode, "Start selling again", "", "", "")
	}
	if m.Phase == degrade.On {
		p.Extend = extendForm(m, typed)
	}
	return s.pendingExtension(ctx, p, m, who, typed)
}

func handHint(how string, drill bool) string {
	if how == "" {
		how = "The rule does not say how it is switched."
	}
	if drill {
		how += " This is a drill: for the test tenant only."
	}
	return how
}

func extendForm(m degrade.Mode, typed typedMode) *view.ExtendForm {
	f := &view.ExtendForm{
		Path: view.CommandModePath(m.Code), Act: store.NewID(), Time: m.Limits.Time.String(), Orders: strconv.Itoa(m.Limits.Orders),
		Money: strconv.FormatFloat(m.Limits.Money, 'f', -1, 64), HasOrders: m.Limits.Orders > 0, HasMoney: m.Limits.Money > 0,
	}
	if typed.form.Verb == string(store.ExtendMode) {
		f.Time, f.Orders, f.Money, f.Reason, f.Wrong = typed.form.Time, typed.form.Orders, typed.form.Money, typed.form.Reason, fieldsOf(typed.err)
	}
	return f
}

// pendingExtension draws the wish for wider limits that waits, and lets who may answer it.
func (s *Server) pendingExtension(ctx context.Context, p *view.DegradedPage, m degrade.Mode, who access.Principal, typed typedMode) error {
	e, ok := m.Pending(s.store.Now())
	if !ok {
		return nil
	}
	p.Extend = nil
	ballot, err := s.store.ExtensionBallot(ctx, m, e)
	if err != nil {
		return err
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	line := &view.ExtensionLine{
		By: e.By.Name, Reason: e.Reason, Limits: limitWords(version.Catalog, e.Limits), Who: access.Titles(ballot.Rules.Voters()) + " other than " + e.By.Name,
		At: e.At, Until: e.Until, Path: view.CommandModePath(m.Code), ID: e.ID, Act: store.NewID(), KeepAct: store.NewID(),
	}
	if typed.form.Verb == string(store.KeepMode) {
		line.Refusal, line.Wrong = typed.form.Refusal, fieldsOf(typed.err)
	}
	switch err := m.MayAnswer(e, who, ballot, s.store.Now()); {
	case err == nil:
		line.May = true
	case fault.KindOf(err) == fault.SignInAgain:
		line.Why, line.Again = fault.As(err).Message, view.SignInAgainPath(view.ModePath(m.Code))
	default:
		line.Why = fault.As(err).Message
	}
	p.Pending = line
	return nil
}

// commandMode does to a degraded mode what a person asks for, and shows what became of it.
func (s *Server) commandMode(c echo.Context) error {
	form, wrong := commandModeForm{}, fault.Wrong{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	cmd := store.ModeCommand{ID: actID(form.Act), Code: c.Param("code"), By: principal(c), Verb: store.ModeVerb(form.Verb), Extension: form.Extension, Saw: degrade.Phase(form.Saw)}
	for field, typed := range map[string]string{"reason": form.Reason, "refusal": form.Refusal, "evidence": form.Evidence, "note": form.Note} {
		if said := text(wrong, field, typed, "", approval.MaxText); said != "" {
			cmd.Note = said
		}
	}
	if cmd.Verb == store.ExtendMode {
		cmd.Limits = limitsTyped(wrong, form)
	}
	err := wrong.Err()
	if err == nil {
		var out store.Outcome
		if out, err = s.store.CommandMode(c.Request().Context(), cmd); err == nil {
			err = out.Err()
		}
	}
	if f := fault.As(err); f != nil && f.Kind != fault.Internal && f.Kind != fault.NotFound {
		typed := typedMode{form: form, err: err}
		if f.Kind == fault.SignInAgain {
			return c.Redirect(http.StatusSeeOther, view.SignInAgainPath(view.ModePath(cmd.Code)))
		}
		if f.Kind != fault.Invalid {
			typed.problem = refusal("Nothing was done", err)
		}
		return s.modePage(c, statusOf(err), typed)
	}
	if err != nil {
		return err
	}
	s.flash(c, "Done: it is recorded.")
	return c.Redirect(http.StatusSeeOther, view.ModePath(cmd.Code))
}

// limitsTyped reads limits as people write them.
func limitsTyped(wrong fault.Wrong, form commandModeForm) degrade.Limits {
	var l degrade.Limits
	if typed := strings.TrimSpace(form.Time); typed != "" {
		if err := l.Time.UnmarshalText([]byte(typed)); err != nil || l.Time < 0 {
			wrong.Add("limit_time", "Write a duration such as 6h or 90m.")
		}
	}
	if typed := strings.ReplaceAll(strings.TrimSpace(form.Orders), ",", ""); typed != "" {
		n, err := strconv.Atoi(typed)
		if l.Orders = n; err != nil || n < 0 {
			wrong.Add("limit_orders", "Write a whole number.")
		}
	}
	if typed := strings.ReplaceAll(strings.TrimSpace(form.Money), ",", ""); typed != "" {
		n, err := strconv.ParseFloat(typed, 64)
		if l.Money = n; err != nil || n < 0 || n > 1e12 {
			wrong.Add("limit_money", "Write a number.")
		}
	}
	return l
}
