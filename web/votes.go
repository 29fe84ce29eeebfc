package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// voteForm is what a vote's form posts.
type voteForm struct {
	Act     string `form:"act"`
	Verdict string `form:"verdict"`
	Comment string `form:"comment"`
	Digest  string `form:"digest"`
	Sheet   string `form:"sheet"`
}

// decideRequest posts a vote to the process of the request and shows what became of it.
func (s *Server) decideRequest(c echo.Context) error {
	form, wrong := voteForm{}, fault.Wrong{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx, code, who := c.Request().Context(), c.Param("code"), principal(c)
	r, err := s.store.Request(ctx, code)
	if err != nil {
		return err
	}
	comment := text(wrong, "comment", form.Comment, "", approval.MaxText)
	if v := approval.Verdict(form.Verdict); v != approval.Approve && v != approval.Reject {
		wrong.Add("comment", "Press Approve or Reject.")
	}
	if wrong.Err() != nil {
		return s.approvalPage(c, http.StatusUnprocessableEntity, typedVote{comment: form.Comment, wrong: wrong})
	}
	out, err := s.process.Decide(ctx, store.Vote{
		ID: actID(form.Act), Code: code, By: who, Verdict: approval.Verdict(form.Verdict), Comment: comment,
		Digest: form.Digest, Sheet: form.Sheet, Origin: audit.OriginOf(ctx),
	})
	if err == nil {
		err = out.Err()
	}
	if err != nil {
		return s.voteRefused(c, r, form, err)
	}
	s.flash(c, voted(form.Verdict, code, out.State))
	if out.State == failover.Approved {
		return c.Redirect(http.StatusSeeOther, view.RunPath(code))
	}
	return c.Redirect(http.StatusSeeOther, view.RequestPath(code))
}

func voted(verdict, code string, state failover.State) string {
	return fmt.Sprintf("Your vote to %s %s is recorded. It is now %s.", verdict, code, state.Words())
}

// voteRefused shows the page again with why the vote did not count and with all that was typed. While the engine is
// away the rules can still say no, and an expired request says so.
func (s *Server) voteRefused(c echo.Context, r failover.Request, form voteForm, err error) error {
	ctx, who := c.Request().Context(), principal(c)
	if fault.KindOf(err) == fault.Unavailable {
		no, ruleErr := s.ruledOut(ctx, r, who)
		if ruleErr != nil {
			return ruleErr
		}
		if no != nil {
			err = no
		}
	}
	f := fault.As(err)
	if f == nil || f.Kind == fault.Internal || f.Kind == fault.NotFound {
		return err
	}
	typed := typedVote{comment: form.Comment, wrong: fieldsOf(err)}
	if typed.wrong == nil {
		typed.problem = refusal("Your vote was not counted", err)
	}
	if f.Kind == fault.Unavailable {
		typed.act = form.Act
	}
	if f.Rule == approval.RuleBound {
		changed, err := s.changedSince(ctx, r, form.Sheet)
		if err != nil {
			return err
		}
		typed.problem.Title = "This changed while you were reading. Your vote was not counted"
		typed.problem.Changed = changed
	}
	return s.approvalPage(c, statusOf(err), typed)
}

// ruledOut is the rule's no to a vote that could not be posted to the process; it is recorded as any refusal is.
func (s *Server) ruledOut(ctx context.Context, r failover.Request, who access.Principal) (error, error) {
	ballot, err := s.store.Ballot(ctx, r)
	if err != nil {
		return nil, err
	}
	no := r.MayDecide(who, ballot, s.store.Now())
	return no, s.store.Refused(ctx, who.Person(), "request.decide", r.Code, no)
}

// changedSince makes a new fact sheet and tells what is different in it from the one that was shown.
func (s *Server) changedSince(ctx context.Context, r failover.Request, shown string) ([]string, error) {
	then, err := s.store.SheetOf(ctx, r.ID, shown)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	if err := s.store.RefreshSheet(ctx, r); err != nil {
		return nil, err
	}
	now, newestErr := s.store.NewestSheet(ctx, r.ID)
	if newestErr != nil || err != nil {
		return nil, newestErr // without the old sheet there is nothing to compare
	}
	return now.Material(then.FactSheet), nil
}

// amendForm is what the requester's forms post.
type amendForm struct {
	Act   string `form:"act"`
	Shown string `form:"shown"`
}

func (s *Server) passRequest(c echo.Context) error {
	return s.amend(c, s.store.Pass, "It was not passed on", "You have passed %s on. The others who can decide are told now. You may still vote.")
}

func (s *Server) withdrawRequest(c echo.Context) error {
	return s.amend(c, s.process.Withdraw, "The request was not withdrawn", "%s is withdrawn.")
}

func (s *Server) confirmRequest(c echo.Context) error {
	return s.amend(c, s.process.Confirm, "The difference was not confirmed", "The difference is confirmed; %s can be voted on again.")
}

// amend posts what somebody does to a request besides voting.
func (s *Server) amend(c echo.Context, do func(context.Context, store.Amend) (store.Outcome, error), no, yes string) error {
	form := amendForm{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx, code := c.Request().Context(), c.Param("code")
	if _, err := s.store.Request(ctx, code); err != nil {
		return err // no process is started for what does not exist
	}
	out, err := do(ctx, store.Amend{ID: actID(form.Act), Code: code, By: principal(c), Shown: form.Shown, Origin: audit.OriginOf(ctx)})
	if err == nil {
		err = out.Err()
	}
	if f := fault.As(err); f != nil && f.Kind != fault.Internal && f.Kind != fault.NotFound {
		return s.approvalPage(c, statusOf(err), typedVote{problem: refusal(no, err)})
	}
	if err != nil {
		return err
	}
	s.flash(c, fmt.Sprintf(yes, code))
	return c.Redirect(http.StatusSeeOther, view.RequestPath(code))
}
