package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
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

// The bounds of what pages of changes show.
const (
	proposalShown   = 200 // records
	linesOfProposal = 40  // of one record
	decidedListed   = 25
	effectsShown    = 20
	mostTakenBack   = 100_000 // records
	pastLooked      = 500
	pastSince       = 91 * 24 * time.Hour // a quarter
)

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
func changeTitle(now catalog.Catalog, t change.Terms) string {
	var names []string
	for _, r := range t.Records {
		verb := "change "
		if len(r.Body) == 0 {
			verb = "retire "
		} else if r.Base == 0 {
			verb = "add "
		}
		names = append(names, verb+r.Kind.One()+" "+nameIn(now, r))
	}
	for _, p := range t.Plans {
		names = append(names, "publish plan "+p.Slug)
	}
	if len(names) == 0 {
		return "Change nothing"
	}
	if more := len(names) - 1; more > 0 {
		return sentence(fmt.Sprintf("%s and %d more", names[0], more))
	}
	return sentence(names[0])
}

// nameIn is what a record is called, in force or as it would be.
func nameIn(now catalog.Catalog, r change.Record) string {
	if e, ok := now.Entry(r.Ref); ok {
		return e.Name
	}
	if len(r.Body) > 0 {
		if e, err := catalog.Read(r.Kind, r.Body); err == nil {
			return e.Name
		}
	}
	return r.Slug
}

// proposed shows what terms would change, on what was in force when they were made.
func (s *Server) proposed(ctx context.Context, before catalog.Catalog, t change.Terms) (view.Proposed, error) {
	var p view.Proposed
	for _, r := range t.Records[:min(len(t.Records), proposalShown)] {
		c, err := r.Change()
		if err != nil {
			return p, err
		}
		old, there := before.Entry(r.Ref)
		line := view.RecordChange{Kind: r.Kind.One(), KindKey: string(r.Kind), Slug: r.Slug, Name: nameIn(before, r), Verb: "is changed", Path: view.RecordPath(r.Ref)}
		switch {
		case !there:
			line.Verb, line.Path = "is added", ""
		case c.Record == nil:
			line.Verb = "is retired"
		}
		if c.Record != nil {
			differences := r.Kind.Differences(old.Record, c.Record)
			for _, d := range differences[:min(len(differences), linesOfProposal)] {
				line.Lines = append(line.Lines, d.String())
			}
			if more := len(differences) - len(line.Lines); more > 0 {
				line.Lines = append(line.Lines, fmt.Sprintf("and %d more", more))
			}
			if len(differences) == 0 {
				line.Lines = []string{"Files keep it from now on, as it is"}
			}
		}
		p.Changes = append(p.Changes, line)
	}
	p.More = len(t.Records) - len(p.Changes)
	for _, plan := range t.Plans {
		lines, err := s.planLines(ctx, plan)
		if err != nil {
			return p, err
		}
		p.Plans = append(p.Plans, lines...)
	}
	return p, nil
}

// planLines say what another version of a plan changes.
func (s *Server) planLines(ctx context.Context, p change.Plan) ([]string, error) {
	var next failover.Plan
	if err := json.Unmarshal(p.Body, &next); err != nil {
		return nil, fmt.Errorf("read plan %s: %w", p.Slug, err)
	}
	if p.Base == 0 {
		return []string{next.Name + " is a new plan with " + counted(len(next.Steps), "step", "steps")}, nil
	}
	old, err := s.store.Plan(ctx, p.Slug, p.Base)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, mode := range []failover.Mode{failover.Emergency, failover.Planned} {
		for _, line := range failover.DiffPlans(old.What, next, mode) {
			if line = next.Name + ": " + line; !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) == 0 {
		lines = []string{next.Name + ": described otherwise; it would run as before"}
	}
	return lines, nil
}

// effect fills in what terms would do to who decides.
func (s *Server) effect(ctx context.Context, p *view.Proposed, before catalog.Catalog, t change.Terms) error {
	after, err := t.On(before)
	if err != nil {
		return err
	}
	for _, shift := range change.Shifts(before, after) {
		p.Effect = append(p.Effect, shiftLine(after, shift))
	}
	had, err := s.store.ElectorateUnder(ctx, before)
	if err != nil {
		return err
	}
	have, err := s.store.ElectorateUnder(ctx, after)
	if err != nil {
		return err
	}
	for _, g := range change.Gains(had, have) {
		line := view.EffectLine{Title: g.Who.Name}
		for _, grant := range g.Gets {
			line.Lines = append(line.Lines, "gets "+roleWords(grant))
		}
		for _, grant := range g.Loses {
			line.Lines = append(line.Lines, "no longer has "+roleWords(grant))
		}
		p.Effect = append(p.Effect, line)
	}
	orders, err := s.orderEffects(ctx, before, after)
	if err != nil {
		return err
	}
	p.Effect = append(p.Effect, orders...)
	found, err := s.foundBy(ctx, before, after)
	if err != nil {
		return err
	}
	p.Effect = append(p.Effect, found...)
	if more := len(p.Effect) - effectsShown; more > 0 {
		p.Effect = append(p.Effect[:effectsShown], view.EffectLine{Title: fmt.Sprintf("and %d more effects", more)})
	}
	return s.past(ctx, p, after)
}

// foundBy says which findings a change would begin and end.
func (s *Server) foundBy(ctx context.Context, before, after catalog.Catalog) ([]view.EffectLine, error) {
	was, err := s.store.FindingsUnder(ctx, before)
	if err != nil {
		return nil, err
	}
	is, err := s.store.FindingsUnder(ctx, after)
	if err != nil {
		return nil, err
	}
	var lines []view.EffectLine
	for _, l := range []view.EffectLine{{Title: "Findings that begin", Lines: beyond(is, was)}, {Title: "Findings that end", Lines: beyond(was, is)}} {
		if len(l.Lines) > 0 {
			lines = append(lines, l)
		}
	}
	return lines, nil
}

// beyond are the findings that are not among others, as people read them.
func beyond(some, others []catalog.Finding) []string {
	known := map[string]bool{}
	for _, f := range others {
		known[f.Key()] = true
	}
	var lines []string
	for _, f := range some {
		if !known[f.Key()] {
			lines = append(lines, f.What)
		}
	}
	if more := len(lines) - effectsShown; more > 0 {
		lines = append(lines[:effectsShown], fmt.Sprintf("and %d more", more))
	}
	return lines
}

// roleWords says a role with where and until when it holds.
func roleWords(g access.Grant) string {
	words := strings.ToLower(g.Role.Title())
	if !g.Scope.Everywhere() {
		words += " for " + g.Scope.String()
	}
	if g.For != "" {
		words += ", standing in for " + g.For
	}
	if g.Until != nil {
		words += ", until " + g.Until.Format("2 January 2006")
	}
	return words
}

// firstFew are the first names, and how many more there are.
func firstFew(names []string) []string {
	const few = 5
	if len(names) <= few+1 {
		return names
	}
	return append(slices.Clone(names[:few]), fmt.Sprintf("%d more", len(names)-few))
}

// shiftLine says who decides instead: "To move Checkout, at peak".
func shiftLine(c catalog.Catalog, shift change.Shift) view.EffectLine {
	title := strings.ReplaceAll(catalog.Words(string(shift.Action)), "-", " ")
	if len(shift.Services) > 0 {
		title += ": " + joined(firstFew(serviceNames(c, shift.Services)))
	}
	line := view.EffectLine{Title: title}
	if len(shift.When) > 0 {
		line.Title += " (" + strings.Join(shift.When, "; ") + ")"
	}
	line.Lines = instead(shift.Before, shift.After)
	return line
}

// instead says what another policy asks for instead, as far as it differs.
func instead(was, is *catalog.Policy) []string {
	switch {
	case is == nil:
		return []string{"nobody could approve it"}
	case was == nil:
		return []string{needWords(*is) + " Nobody can approve it now."}
	}
	var lines []string
	add := func(what, before, after string) {
		if before != after {
			lines = append(lines, fmt.Sprintf("%s%s instead of %s", what, after, before))
		}
	}
	add("", waysWords(*was), waysWords(*is))
	add("whose no ends it: ", vetoWords(*was), vetoWords(*is))
	add("sign-in of the last ", catalog.Lasting(was.RecentSignIn.D()), catalog.Lasting(is.RecentSignIn.D()))
	add("expires after ", catalog.Lasting(was.Lifetime.D()), catalog.Lasting(is.Lifetime.D()))
	add("standing orders: ", allowed(was.InAdvance), allowed(is.InAdvance))
	return lines
}

func vetoWords(p catalog.Policy) string {
	if len(p.Veto) == 0 {
		return "anybody's who may vote"
	}
	return strings.ToLower(access.Titles(p.Veto))
}

func allowed(yes bool) string {
	if yes {
		return "allowed"
	}
	return "not allowed"
}

// past says which approvals of the last quarter would not have been enough.
func (s *Server) past(ctx context.Context, p *view.Proposed, after catalog.Catalog) error {
	approved, err := s.store.ApprovedSince(ctx, s.store.Now().Add(-pastSince).Truncate(24*time.Hour), pastLooked)
	if err != nil || len(approved) == 0 {
		return err
	}
	var past []change.Past
	for _, r := range approved {
		if r.Order.Slug != "" && len(r.Votes()) == 0 {
			continue // it was approved in advance
		}
		one := change.Past{Code: r.Code, About: r.Terms.Decided(r.FiledAt)}
		for _, d := range r.Votes() {
			if d.Verdict == approval.Approve {
				one.Votes = append(one.Votes, approval.Vote{Person: d.By.ID, Roles: d.Roles})
			}
		}
		past = append(past, one)
	}
	short, err := change.Shortfalls(after, past)
	if err != nil {
		return err
	}
	if len(short) == 0 && len(past) > 0 {
		p.Past = []string{fmt.Sprintf("All of %s would have been approved by those who approved them.", counted(len(past), "approved request", "approved requests"))}
		return nil
	}
	for _, one := range short {
		line := one.Code + " would have been refused: no policy would have said who decides"
		if !one.Nobody {
			line = fmt.Sprintf("%s would have wanted %s besides (%s)", one.Code, wantedWords([]approval.Want{{Roles: one.Wanted}}), one.Waiting)
		}
		p.Past = append(p.Past, line)
	}
	if rest := len(past) - len(short); rest > 0 {
		p.Past = append(p.Past, counted(rest, "other request", "other requests")+" would have been approved as before.")
	}
	return nil
}

// meanwhile says what others have done to what somebody would change.
func meanwhile(all []store.Meanwhile) []view.RecordChange {
	lines := make([]view.RecordChange, len(all))
	for i, m := range all {
		lines[i] = view.RecordChange{Name: m.Name, Lines: m.Lines}
	}
	return lines
}

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
		Needs: policyWords(ballot.Rules), Who: access.Titles(ballot.Rules.Voters()) + " other than " + r.Requester.Name,
		MustConfirm: r.MustConfirm(now), Audit: view.AuditOfPath(r.Code),
	}
	if p.Proposed, err = s.proposed(ctx, shown.Now.Catalog, shown.Terms); err != nil {
		return err
	}
	p.All, p.Undoes, p.Meanwhile = view.ChangeTermsPath(r.Code), r.Undoes, meanwhile(shown.Meanwhile)
	for _, d := range r.Decisions {
		p.Votes = append(p.Votes, voteLine(r.Question, d))
	}
	if err := s.whereItStands(ctx, &p, r, ballot, shown); err != nil {
		return err
	}
	if p.MustConfirm && r.Requester.ID == who.ID {
		digest, err := shown.Terms.Digest()
		if err != nil {
			return err
		}
		p.Confirm = &view.Amend{Path: view.ConfirmChangePath(r.Code), Act: store.NewID(), Shown: digest}
	}
	if r.Applied > 0 && who.May(access.EditCatalog) {
		p.TakeBack = view.TakeBackPath(r.Applied)
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
		return nil
	}
	missing := ballot.Missing()
	p.Wanted = wantedWords(missing)
	for _, w := range missing {
		p.Want = max(p.Want, p.Have+max(1, len(w.Roles)))
	}
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
	act := view.Action{}
	if r.MayWithdraw(who, now) {
		act.Withdraw = &view.Amend{Path: view.WithdrawChangePath(r.Code), Act: store.NewID()}
	} else if r.Standing(now) != approval.Requested {
		return act
	}
	err := r.MayDecide(who, ballot, now)
	switch {
	case err == nil:
		act.Vote = &view.VoteForm{
			Path: view.DecideChangePath(r.Code), Act: actID(typed.act), Digest: r.Digest, Comment: typed.comment, Wrong: typed.wrong,
			Approve: "Approve it", Reject: "Reject",
		}
	case fault.KindOf(err) == fault.SignInAgain:
		act.Again, act.NotYou = view.SignInAgainPath(view.ChangeRequestPath(r.Code)), refusal("Sign in again to vote", err)
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
		return s.changeRequestPage(c, http.StatusUnprocessableEntity, typedVote{comment: form.Comment, wrong: wrong})
	}
	out, err := s.store.DecideChange(ctx, store.Vote{
		ID: actID(form.Act), Code: code, By: principal(c), Verdict: approval.Verdict(form.Verdict), Comment: comment,
		Digest: form.Digest, Origin: audit.OriginOf(ctx),
	})
	if err == nil {
		err = out.Err()
	}
	if f := fault.As(err); f != nil && f.Kind != fault.Internal && f.Kind != fault.NotFound {
		typed := typedVote{comment: form.Comment, wrong: fieldsOf(err), problem: refusal("Your vote was not counted", err)}
		return s.changeRequestPage(c, statusOf(err), typed)
	}
	if err != nil {
		return err
	}
	done := voted(form.Verdict, code, out.State)
	if out.State == failover.Approved {
		done = code + " is approved, and in force."
	}
	s.flash(c, done)
	return c.Redirect(http.StatusSeeOther, view.ChangeRequestPath(code))
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
	for _, one := range changed {
		if err := s.mustEdit(c, one.Kind); err != nil {
			return err
		}
	}
	if err := s.store.DraftTakingBack(ctx, who.Person(), version, changed); err != nil {
		if f := fault.As(err); f != nil && f.Kind == fault.Conflict {
			return s.draftPage(c, statusOf(err), draftAct{refused: err})
		}
		return err
	}
	return c.Redirect(http.StatusSeeOther, view.ChangeDraftPath())
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
