package web

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// runWays draws a form for everything that this person may do to the run.
func runWays(p *view.Run, r failover.Run, plan failover.Plan, who access.Principal, typed typedCommand) {
	if !who.May(access.Steer) {
		if !r.State.Final() {
			p.NotYou = "Runs are steered by: " + access.Titles(access.Holders(access.Steer)) + "."
		}
		return
	}
	step, _ := r.At()
	now := p.Now
	for _, way := range r.Steerable() {
		p.Steer = append(p.Steer, steerForm(r, way, step.Name, typed))
	}
	for _, kind := range r.Proposable() {
		if kind == failover.Waive {
			for _, o := range r.Owes(now) {
				p.Propose = append(p.Propose, proposeForm(r.Code, kind, string(o.Kind), "Waive: "+o.Kind.Title(), typed))
			}
		} else if r.Unproposed(kind, now) && (kind != failover.OverrideGate || r.GatesYield(plan) == nil) {
			p.Propose = append(p.Propose, proposeForm(r.Code, kind, "", kind.Title()+": "+step.Name, typed))
		}
	}
}

func steerForm(r failover.Run, way failover.Steering, step string, typed typedCommand) view.SteerForm {
	f := view.SteerForm{Path: view.SteerPath(r.Code), Act: store.NewID(), Way: way}
	switch way {
	case failover.SteerPause:
		f.Label = "Pause before the next step"
	case failover.SteerResume:
		f.Label = "Go on with: " + step
	case failover.SteerRetry:
		f.Label = retryLabel(r, step)
	case failover.SteerMarkDone:
		f.Label, f.Note = "Mark done by hand: "+step, "What shows that it is done"
		f.Hint = "You did it outside Keyholder. The run goes on with the next step."
	case failover.SteerAbort:
		f.Label, f.Note, f.Grave = "Abort and undo what was done", "Why it is aborted", true
		f.Hint = "Possible until the target accepts its first write. Completed steps are undone, the newest first."
	case failover.SteerStop:
		f.Label, f.Note, f.Grave = "Stop: nothing has been touched", "Why it is stopped", true
		f.Hint = "The run ends. A new failover needs a new request."
	case failover.SteerGiveUp:
		f.Label, f.Note, f.Grave = "Give up this run as it stands", "Why it is given up", true
		f.Hint = "Nothing is undone, for the target may have accepted writes. What is left is done by hand, or by a run in the other direction."
	}
	if typed.form == string(way) {
		f.Typed, f.Wrong, f.Act = typed.note, typed.wrong, actID(typed.act)
	}
	return f
}

func retryLabel(r failover.Run, step string) string {
	switch r.Wait {
	case failover.WaitGates:
		return "Check the gates again"
	case failover.WaitVerify:
		return "Verify again"
	case failover.WaitNoReturn:
		return "Go on with: " + step
	default:
		return "Retry: " + step
	}
}

func proposeForm(code string, kind failover.ExceptionKind, target, label string, typed typedCommand) view.ProposeForm {
	f := view.ProposeForm{Path: view.ProposePath(code), Act: store.NewID(), Kind: kind, Target: target, Label: label}
	if typed.form == string(kind)+"/"+target {
		f.Typed, f.Wrong, f.Act = typed.note, typed.wrong, actID(typed.act)
	}
	return f
}

func pendingLine(r failover.Run, x failover.Exception, who access.Principal, b approval.Ballot, now time.Time, typed typedCommand) view.PendingLine {
	line := view.PendingLine{
		ExceptionLine: exceptionLine(r, x), Code: x.Code(),
		Who: access.Titles(b.Rules.Voters()) + " other than " + x.By.Name,
	}
	err := r.MayConfirm(x, who, b, now)
	switch {
	case err == nil:
		line.Form = &view.ConfirmForm{
			Path: view.ConfirmExceptionPath(r.Code), Act: store.NewID(), ID: x.ID, RefusePath: view.RefuseExceptionPath(r.Code), RefuseAct: store.NewID(),
		}
		switch typed.form {
		case x.ID:
			line.Form.Typed, line.Form.Wrong, line.Form.Act = typed.note, typed.wrong, actID(typed.act)
		case refuseForm(x.ID):
			line.Form.Refusal, line.Form.Wrong, line.Form.RefuseAct = typed.note, typed.wrong, actID(typed.act)
		}
	case fault.KindOf(err) == fault.SignInAgain:
		line.Again = view.SignInAgainPath(view.RunPath(r.Code))
		line.Why = fault.As(err).Message
	default:
		if f := fault.As(err); f != nil {
			line.Why = f.Message
		}
	}
	return line
}

// commandForm is what every form of the run page posts.
type commandForm struct {
	Act    string `form:"act"`
	Way    string `form:"way"`
	Kind   string `form:"kind"`
	Target string `form:"target"`
	ID     string `form:"exception"`
	Digits string `form:"code"`
	Note   string `form:"note"`
	Why    string `form:"refusal"`
}

// refuseForm names the form that refuses an exception.
func refuseForm(id string) string { return "refuse " + id }

func (s *Server) steerRun(c echo.Context) error {
	return s.command(c, func(f commandForm, cmd *store.Command) typedCommand {
		cmd.Steer = failover.Steering(f.Way)
		return typedCommand{form: f.Way, note: f.Note}
	})
}

func (s *Server) proposeException(c echo.Context) error {
	return s.command(c, func(f commandForm, cmd *store.Command) typedCommand {
		cmd.Propose, cmd.Target = failover.ExceptionKind(f.Kind), f.Target
		return typedCommand{form: f.Kind + "/" + f.Target, note: f.Note}
	})
}

func (s *Server) confirmException(c echo.Context) error {
	return s.command(c, func(f commandForm, cmd *store.Command) typedCommand {
		cmd.Confirm, cmd.Digits = f.ID, f.Digits
		return typedCommand{form: f.ID, note: f.Digits}
	})
}

func (s *Server) refuseException(c echo.Context) error {
	return s.command(c, func(f commandForm, cmd *store.Command) typedCommand {
		cmd.Refuse = f.ID
		return typedCommand{form: refuseForm(f.ID), note: f.Why}
	})
}

// command posts what a person does to a run to its process and shows what became of it.
func (s *Server) command(c echo.Context, fill func(commandForm, *store.Command) typedCommand) error {
	form, wrong := commandForm{}, fault.Wrong{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx, code := c.Request().Context(), c.Param("code")
	if _, err := s.store.Run(ctx, code); err != nil {
		return err
	}
	cmd := store.Command{
		ID: actID(form.Act), Code: code, By: principal(c), Note: text(wrong, "note", form.Note, "", approval.MaxText),
		Origin: audit.OriginOf(ctx),
	}
	if form.Why != "" {
		cmd.Note = text(wrong, "refusal", form.Why, "", approval.MaxText)
	}
	typed := fill(form, &cmd)
	if err := knownCommand(form, cmd); err != nil {
		return err
	}
	err := wrong.Err()
	if err == nil {
		var out store.Outcome
		if out, err = s.process.Command(ctx, cmd); err == nil {
			err = out.Err()
		}
	}
	if err != nil {
		return s.commandRefused(c, typed, cmd.ID, err)
	}
	s.flash(c, "Done: it is recorded.")
	return c.Redirect(http.StatusSeeOther, view.RunPath(code))
}

// knownCommand refuses words that no form of ours sends.
func knownCommand(f commandForm, cmd store.Command) error {
	switch {
	case cmd.Confirm != "" || cmd.Refuse != "":
		return nil
	case cmd.Propose != "" && cmd.Propose.Title() != "":
		return nil
	case cmd.Steer.Known():
		return nil
	case cmd.Propose != "":
		return fault.Missing("kind of exception", f.Kind)
	case f.Way != "":
		return fault.Missing("way to steer", f.Way)
	}
	return fault.Missing("act on a run", "")
}

// commandRefused shows the page again with why nothing was done and with all that was typed.
func (s *Server) commandRefused(c echo.Context, typed typedCommand, act string, err error) error {
	f := fault.As(err)
	if f == nil || f.Kind == fault.Internal || f.Kind == fault.NotFound {
		return err
	}
	typed.wrong = f.Fields
	if f.Kind == fault.Unavailable {
		typed.act = act
	}
	if f.Kind != fault.Invalid {
		typed.problem = refusal("Nothing was done", err)
	}
	return s.runPage(c, statusOf(err), typed)
}
