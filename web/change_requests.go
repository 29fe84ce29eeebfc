package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// decidedListed bounds how many decided requests are listed.
const decidedListed = 25

// listChangeRequests draws what waits to be changed.
func (s *Server) listChangeRequests(c echo.Context) error {
	ctx, now := c.Request().Context(), s.store.Now()
	p := view.ChangeRequests{Page: s.page(c, "Change requests")}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	p.Alone = !approval.Governed(version.Catalog, now)
	draft, err := s.store.Draft(ctx, principal(c).ID)
	if err != nil {
		return err
	}
	p.Draft = len(draft.Terms.Records)
	open, err := s.store.OpenChangeRequests(ctx)
	if err != nil {
		return err
	}
	decided, err := s.store.DecidedChangeRequests(ctx, decidedListed)
	if err != nil {
		return err
	}
	for _, r := range append(open, decided...) {
		line := view.ChangeLine{
			Path: view.ChangeRequestPath(r.Code), Code: r.Code, Title: changeTitle(version.Catalog, r.Terms), State: r.Standing(now), By: r.Requester.Name,
			Why: r.Why, At: r.FiledAt,
		}
		if line.State == approval.Requested {
			p.Open = append(p.Open, line)
		} else {
			p.Decided = append(p.Decided, line)
		}
	}
	return s.render(c, http.StatusOK, view.ChangeRequestsPage(p))
}

// changeTitle says in a line what would be changed.
func changeTitle(now catalog.Catalog, t change.Terms) string { return sentence(t.Words(now)) }

// showChangeRequest draws a change request for this person.
func (s *Server) showChangeRequest(c echo.Context) error {
	return s.changeRequestPage(c, http.StatusOK, typedVote{})
}

func (s *Server) changeRequestPage(c echo.Context, status int, typed typedVote) error {
	ctx, who, now := c.Request().Context(), principal(c), s.store.Now()
	r, err := s.store.ChangeRequest(ctx, c.Param("code"))
	if err != nil {
		return err
	}
	ballot, err := s.store.ChangeBallot(ctx, r)
	if err != nil {
		return err
	}
	shown, err := s.shownChange(ctx, r, now)
	if err != nil {
		return err
	}
	p := view.ChangeRequest{
		Page: s.page(c, changeTitle(shown.Now.Catalog, r.Terms)), Code: r.Code, Why: r.Why, Source: r.Source, State: r.Standing(now), Requester: r.Requester.Name,
		Filed: r.FiledAt, Expires: r.ExpiresAt, Left: catalog.Lasting(max(0, r.ExpiresAt.Sub(now))), Problem: typed.problem, Made: r.Applied,
		Needs: ballotWords(ballot), Who: access.Titles(ballot.Rules.Voters()) + " other than " + r.Requester.Name,
		MustConfirm: r.MustConfirm(now), Audit: view.AuditOfPath(r.Code),
	}
	if p.Proposed, err = s.proposed(ctx, shown.Now.Catalog, shown.Terms); err != nil {
		return err
	}
	if p.Told, err = s.toldWords(ctx, shown.Now.Catalog, r.Code); err != nil {
		return err
	}
	p.All, p.Undoes, p.Meanwhile = view.ChangeTermsPath(r.Code), r.Undoes, meanwhile(shown.Meanwhile)
	for _, d := range r.Decisions {
		p.Votes = append(p.Votes, voteLine(r.Question, d))
	}
	if err := s.whereItStands(ctx, &p, r, ballot, shown); err != nil {
		return err
	}
	p.Owner = r.Owner()
	if p.MustConfirm && ballot.As(who, access.ProposeChange).ID == r.Requester.ID {
		digest, err := shown.Terms.Digest()
		if err != nil {
			return err
		}
		p.Confirm = &view.Amend{Path: view.ConfirmChangePath(r.Code), Act: store.NewID(), Shown: digest}
	}
	if r.State == approval.Approved && who.May(access.ProposeChange) {
		p.TakeBack = view.TakeBackRequestPath(r.Code)
	}
	p.Action = changeAction(r, who, ballot, typed, now)
	p.Typing = p.Action.Vote != nil
	return s.render(c, status, view.ChangeRequestPage(p))
}

// shownChange is how a request reads: while it waits for its requester, on what is in force now; what was decided, on what was in
// force then.
func (s *Server) shownChange(ctx context.Context, r change.Request, now time.Time) (store.Rebased, error) {
	if r.MustConfirm(now) {
		return s.store.Rebase(ctx, r.Terms, r.FiledAt)
	}
	shown := store.Rebased{Terms: r.Terms}
	var err error
	switch {
	case r.Applied > 1:
		shown.Now, err = s.store.CatalogAt(ctx, r.Applied-1)
	case r.Standing(now) == approval.Requested || r.DecidedAt == nil:
		shown.Now, err = s.store.Catalog(ctx)
	default:
		shown.Now, err = s.store.CatalogOn(ctx, *r.DecidedAt)
	}
	return shown, err
}

// whereItStands fills in what is still wanted of whom, and with what effect.
func (s *Server) whereItStands(ctx context.Context, p *view.ChangeRequest, r change.Request, ballot approval.Ballot, shown store.Rebased) error {
	for _, d := range r.Votes() {
		if d.Verdict == approval.Approve {
			p.Have++
		}
	}
	p.Want = p.Have
	if p.State != approval.Requested {
		if f := fault.As(r.StillOpen(s.store.Now())); f != nil {
			p.Standing = f.Message
		}
		var err error
		p.Standing, err = s.withdrawnWords(ctx, r.Question, p.Standing)
		return err
	}
	p.Wanted, p.Want = wantedBy(ballot, p.Have)
	hopes, err := s.store.HopesOfChange(ctx, r)
	if err != nil {
		return err
	}
	names := make([]string, len(hopes.Able))
	for i, v := range hopes.Able {
		names[i] = v.Name
	}
	p.Able, p.Nobody = joined(names), wantedWords(hopes.Wanting)
	return s.effect(ctx, &p.Proposed, shown.Now.Catalog, shown.Terms)
}

// changeAction is what this person may do: the rule that answers the form and decides in the database draws the buttons.
func changeAction(r change.Request, who access.Principal, ballot approval.Ballot, typed typedVote, now time.Time) view.Action {
	paths := questionPaths{decide: view.DecideChangePath(r.Code), withdraw: view.WithdrawChangePath(r.Code), page: view.ChangeRequestPath(r.Code)}
	return questionAction(r.Question, who, ballot.As(who, access.ProposeChange), ballot, typed, paths, "Approve it", now)
}

// questionPaths are where the forms of a question lead.
type questionPaths struct{ decide, withdraw, page string }

// questionAction is what somebody may do about a question: vote, sign in again to vote, or take it back, as whom they may.
func questionAction(q approval.Question, who, owner access.Principal, b approval.Ballot, typed typedVote, to questionPaths, yes string, now time.Time) view.Action {
	act := view.Action{}
	if q.MayWithdraw(owner, now) {
		act.Withdraw = &view.Amend{Path: to.withdraw, Act: store.NewID()}
	} else if q.Standing(now) != approval.Requested {
		return act
	}
	err := q.MayDecide(who, b, now)
	switch {
	case err == nil:
		act.Vote = &view.VoteForm{
			Path: to.decide, Act: actID(typed.act), Digest: q.Digest, Comment: typed.comment, Wrong: typed.wrong, Approve: yes, Reject: "Reject",
		}
	case fault.KindOf(err) == fault.SignInAgain:
		act.Again, act.NotYou = view.SignInAgainPath(to.page), refusal("Sign in again to vote", err)
	default:
		act.NotYou = refusal("You cannot decide this", err)
	}
	return act
}

// showTerms answers with all that a change request would change, as data.
func (s *Server) showTerms(c echo.Context) error {
	r, err := s.store.ChangeRequest(c.Request().Context(), c.Param("code"))
	if err != nil {
		return err
	}
	return c.JSONPretty(http.StatusOK, r.Terms, "  ")
}

// decideChange takes a vote on a change request.
func (s *Server) decideChange(c echo.Context) error {
	return s.voteOn(c, voting{
		decide: s.store.DecideChange, path: view.ChangeRequestPath(c.Param("code")), approved: "approved, and in force",
		page: func(status int, typed typedVote) error { return s.changeRequestPage(c, status, typed) },
	})
}

// voting is a question that the database decides by itself, without a process.
type voting struct {
	decide   func(context.Context, store.Vote) (store.Outcome, error)
	page     func(status int, typed typedVote) error // shows it again with what was typed
	path     string
	approved string // what it is once it has enough
}

// voteOn takes a vote, and shows what became of it.
func (s *Server) voteOn(c echo.Context, on voting) error {
	form, wrong := voteForm{}, fault.Wrong{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx, code := c.Request().Context(), c.Param("code")
	comment := text(wrong, "comment", form.Comment, "", approval.MaxText)
	if v := approval.Verdict(form.Verdict); v != approval.Approve && v != approval.Reject {
		wrong.Add("comment", "Press Approve or Reject.")
	}
	if wrong.Err() != nil {
		return on.page(http.StatusUnprocessableEntity, typedVote{comment: form.Comment, wrong: wrong})
	}
	out, err := on.decide(ctx, store.Vote{
		ID: actID(form.Act), Code: code, By: principal(c), Verdict: approval.Verdict(form.Verdict), Comment: comment,
		Digest: form.Digest, Origin: audit.OriginOf(ctx),
	})
	if err == nil {
		err = out.Err()
	}
	if f := fault.As(err); f != nil && f.Kind != fault.Internal && f.Kind != fault.NotFound {
		return on.page(statusOf(err), typedVote{comment: form.Comment, wrong: fieldsOf(err), problem: refusal("Your vote was not counted", err)})
	}
	if err != nil {
		return err
	}
	done := voted(form.Verdict, code, out.State)
	if out.State == failover.Approved {
		done = code + " is " + on.approved + "."
	}
	s.flash(c, done)
	return c.Redirect(http.StatusSeeOther, on.path)
}

func (s *Server) withdrawChange(c echo.Context) error {
	return s.amendChange(c, s.store.WithdrawChange, "It was not withdrawn", "%s is withdrawn.")
}

func (s *Server) confirmChange(c echo.Context) error {
	return s.amendChange(c, s.store.ConfirmChange, "It was not confirmed", "%s is confirmed as it reads now, and can be voted on again.")
}

// amendChange takes what the requester does to their own change request.
func (s *Server) amendChange(c echo.Context, do func(context.Context, store.Amend) (store.Outcome, error), no, yes string) error {
	form := amendForm{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx, code := c.Request().Context(), c.Param("code")
	out, err := do(ctx, store.Amend{ID: actID(form.Act), Code: code, By: principal(c), Shown: form.Shown, Origin: audit.OriginOf(ctx)})
	if err == nil {
		err = out.Err()
	}
	if f := fault.As(err); f != nil && f.Kind != fault.Internal && f.Kind != fault.NotFound {
		return s.changeRequestPage(c, statusOf(err), typedVote{problem: refusal(no, err)})
	}
	if err != nil {
		return err
	}
	s.flash(c, fmt.Sprintf(yes, code))
	return c.Redirect(http.StatusSeeOther, view.ChangeRequestPath(code))
}

// changesWaiting are the change requests that this person can decide on or must confirm.
func (s *Server) changesWaiting(ctx context.Context, here situation, who access.Principal) ([]view.Waiting, error) {
	open, err := s.store.OpenChangeRequests(ctx)
	if err != nil {
		return nil, err
	}
	var waiting []view.Waiting
	for _, r := range open {
		w := view.Waiting{Path: view.ChangeRequestPath(r.Code), Since: r.FiledAt, Until: r.ExpiresAt}
		if r.Requester.ID == who.ID {
			if r.MustConfirm(here.now) {
				w.Title, w.Why = "Confirm: "+changeTitle(here.catalog, r.Terms), "What it is about has changed meanwhile. Nobody can vote until you confirm how it reads now."
				waiting = append(waiting, w)
			}
			continue
		}
		ballot, err := s.store.ChangeBallot(ctx, r)
		if err != nil {
			return nil, err
		}
		if r.MayDecideAfterSignIn(who, ballot, here.now) {
			w.Title, w.Why = "Decide: "+changeTitle(here.catalog, r.Terms), r.Requester.Name+" proposed it: "+r.Why
			waiting = append(waiting, w)
		}
	}
	return waiting, nil
}
