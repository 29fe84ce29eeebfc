package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// subject is what a request moves, as people say it: the plan's first service. The others move with it.
func subject(c catalog.Catalog, services []string) string {
	if len(services) == 0 {
		return "nothing"
	}
	return c.ServiceName(services[0])
}

// companions says which services move with the first, or nothing.
func companions(c catalog.Catalog, services []string) string {
	if len(services) < 2 {
		return ""
	}
	return verb(serviceNames(c, services[1:]), "moves", "move") + " with it: they share its data."
}

// ask is what a request asks for: "move Checkout from Leeds to Dublin".
func ask(c catalog.Catalog, t failover.Terms) string {
	return fmt.Sprintf("move %s from %s to %s", subject(c, t.Services), c.SiteName(t.From), c.SiteName(t.To))
}

// moveTitle names a request or run in a list: "Checkout: Leeds → Dublin".
func moveTitle(c catalog.Catalog, t failover.Terms) string {
	return fmt.Sprintf("%s: %s → %s", subject(c, t.Services), c.SiteName(t.From), c.SiteName(t.To))
}

// sentence begins with a capital letter.
func sentence(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[size:]
}

// policyWords says in sentences what a policy asks for.
func policyWords(p failover.Policy, cause failover.Cause) string {
	approvals := "One approval is needed"
	if p.Approvals > 1 {
		approvals = fmt.Sprintf("%d approvals are needed", p.Approvals)
	}
	words := fmt.Sprintf("%s, from somebody other than the requester: %s. A vote needs a sign-in of the last %s. The request expires after %s.",
		approvals, access.Titles(p.Roles), failover.Span(p.RecentSignIn.D()), failover.Span(p.Lifetime.D()))
	if cause == failover.CauseCompromise {
		words += " After a compromise one vote must come from a " + access.SecurityOfficer.Title() + "."
	}
	return words
}

func factLines(sheet failover.FactSheet, now time.Time) []view.FactLine {
	lines := make([]view.FactLine, 0, len(sheet.Facts))
	for _, f := range sheet.Facts {
		line := view.FactLine{Fact: f}
		if f.At.Unix() > 0 {
			line.Ago = failover.Span(max(0, now.Sub(f.At))) + " ago"
		}
		lines = append(lines, line)
	}
	return lines
}

var meanings = map[failover.Purpose]string{
	failover.GatesStep: "must hold before anything is touched", failover.DrainStep: "the old site stops accepting",
	failover.CatchUpStep: "waits until the target has everything", failover.FenceStep: "the old site is proved unable to write",
	failover.LossStep:    "the loss is compared with what was accepted; beyond it a person is asked again",
	failover.PromoteStep: "the target accepts writes: from its first one on there is no undo",
	failover.VerifyStep:  "success, volume and silence at the old site must hold",
}

func planSteps(p failover.Plan, m failover.Mode) []view.PlanStep {
	var steps []view.PlanStep
	for _, s := range p.StepsIn(m) {
		steps = append(steps, view.PlanStep{Name: s.Name, Meaning: meanings[s.Purpose], Expected: failover.Span(s.Expected.D())})
	}
	return steps
}

// asked is one request with all that its page and its votes are made from.
type asked struct {
	failover.Request
	catalog catalog.Catalog
	policy  failover.Policy
	plan    failover.Plan
	sheet   store.KeptSheet
	now     time.Time
}

func (s *Server) asked(ctx context.Context, code string) (a asked, err error) {
	a.now = s.store.Now()
	if a.Request, err = s.store.Request(ctx, code); err != nil {
		return a, err
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return a, err
	}
	policy, err := s.store.Policy(ctx, a.Terms.Policy, a.Terms.PolicyVer)
	if err != nil {
		return a, err
	}
	plan, err := s.store.Plan(ctx, a.Terms.Plan, a.Terms.PlanVersion)
	if err != nil {
		return a, err
	}
	a.catalog, a.policy, a.plan = version.Catalog, policy.What, plan.What
	a.sheet, err = s.store.NewestSheet(ctx, a.ID)
	return a, err
}

// typedVote is what a vote's form brings back when it is drawn again.
type typedVote struct {
	act     string // kept where nobody knows what became of the act, so that a repetition is the same act
	comment string
	wrong   map[string]string
	problem *view.Refusal
}

func (s *Server) showRequest(c echo.Context) error {
	return s.approvalPage(c, http.StatusOK, typedVote{})
}

// approvalPage draws a request for this person, with what they typed and what was refused.
func (s *Server) approvalPage(c echo.Context, status int, typed typedVote) error {
	ctx, who := c.Request().Context(), principal(c)
	a, err := s.asked(ctx, c.Param("code"))
	if err != nil {
		return err
	}
	page, err := s.page(c, a.Code+": "+ask(a.catalog, a.Terms))
	if err != nil {
		return err
	}
	p := a.approval(page)
	p.Problem = typed.problem
	if err := s.surroundings(ctx, a, &p); err != nil {
		return err
	}
	if p.Change, err = s.change(ctx, a, who); err != nil {
		return err
	}
	p.Action = a.action(who, typed)
	return s.render(c, status, view.ApprovalPage(p))
}

// approval is the page as everybody sees it.
func (a asked) approval(page view.Page) view.Approval {
	situation := failover.Situation{Catalog: a.catalog, Plan: a.plan, Terms: a.Terms, Now: a.now}
	p := view.Approval{
		Page: page, Code: a.Code, Ask: sentence(ask(a.catalog, a.Terms)), Mode: a.Terms.Mode, State: a.Standing(a.now),
		With:     companions(a.catalog, a.Terms.Services),
		Standing: a.standingWords(), Requester: a.Requester.Name, Reason: a.Reason, Cause: a.Terms.Cause.Title(),
		Filed: a.FiledAt, Expires: a.ExpiresAt, Left: failover.Span(max(0, a.ExpiresAt.Sub(a.now))), Waiting: a.waitingWords(),
		Ceiling: ceilingWords(a.Terms.Ceiling), Undo: "until " + a.catalog.SiteName(a.Terms.To) + " accepts its first order; then by a planned move back",
		Want: a.policy.Approvals, Needs: policyWords(a.policy, a.Terms.Cause), Who: access.Titles(a.Voters(a.policy)) + " other than " + a.Requester.Name,
		Steps: planSteps(situation.Plan, a.Terms.Mode), Sheet: sheetOf(a.sheet, a.now), Audit: view.AuditOfPath(a.Code),
	}
	for _, f := range p.Sheet.Facts {
		if f.Slug == "loss" {
			p.Loss = f
			p.Loss.Text = strings.TrimSuffix(f.Text, ", accepted: "+a.Terms.Ceiling.String()) // which stands above it
		}
	}
	for _, d := range a.Votes() {
		p.Votes = append(p.Votes, voteLine(a.Request, d))
		if d.Verdict == failover.Yes {
			p.Have++
		}
	}
	p.Want = max(p.Want, p.Have+a.Missing(a.policy))
	return p
}

// waitingWords says what it costs to wait for a decision, and has cost since the start of impact.
func (a asked) waitingWords() string {
	soFar := waitCost(a.catalog, a.Terms) * max(0, a.now.Sub(a.Impact)).Minutes()
	if soFar == 0 {
		return costWords(a.catalog, a.Terms)
	}
	return costWords(a.catalog, a.Terms) + ", " + failover.Money(soFar, a.catalog.Currency) + " so far"
}

// waitCost is what waiting costs a minute. A planned move begins from what works, so waiting costs nothing.
func waitCost(c catalog.Catalog, t failover.Terms) float64 {
	if t.Mode == failover.Planned {
		return 0
	}
	return c.Impact(t.Services).RevenuePerMinute
}

func costWords(c catalog.Catalog, t failover.Terms) string {
	if t.Mode == failover.Planned {
		return "costs nothing while " + c.SiteName(t.From) + " works"
	}
	return "costs " + failover.Money(waitCost(c, t), c.Currency) + " a minute"
}

// ceilingWords says what loss is accepted: "up to 500 orders accepted".
func ceilingWords(c failover.Ceiling) string {
	return strings.TrimSuffix(c.String(), " accepted") + " accepted"
}

func sheetOf(kept store.KeptSheet, now time.Time) view.Sheet {
	return view.Sheet{Digest: kept.Digest, MadeAt: kept.MadeAt, Facts: factLines(kept.FactSheet, now), Options: kept.Options}
}

func voteLine(r failover.Request, d failover.Decision) view.VoteLine {
	return view.VoteLine{
		Name: d.By.Name, Roles: access.Principal{Roles: d.Roles}.Title(), Verdict: d.Verdict, Comment: d.Comment, At: d.At,
		Void: !r.Counts(d),
	}
}

// standingWords says what became of a request that nobody can vote on any more.
func (a asked) standingWords() string {
	if a.Standing(a.now) == failover.Requested {
		return ""
	}
	nobody := access.Principal{}
	if f := fault.As(a.MayDecide(nobody, a.policy, a.now)); f != nil {
		return f.Message
	}
	return ""
}

// surroundings loads the incident, the run and what every voter saw.
func (s *Server) surroundings(ctx context.Context, a asked, p *view.Approval) error {
	if a.Incident != "" {
		in, err := s.store.Incident(ctx, a.Incident)
		switch {
		case err == nil:
			line := incidentLine(a.catalog, in)
			p.About = &line
		case fault.KindOf(err) != fault.NotFound:
			return err
		}
	}
	if a.State == failover.Approved {
		run, err := s.runOrComing(ctx, a)
		if err != nil {
			return err
		}
		line := runLine(a.catalog, run, a.now)
		p.Run = &line
	}
	kept, err := s.store.SheetsOf(ctx, a.Request)
	if err != nil {
		return err
	}
	for _, d := range a.Decisions {
		line := voteLine(a.Request, d)
		if seen, ok := kept[d.Sheet]; ok {
			sheet := sheetOf(seen, d.At)
			line.Sheet = &sheet
		}
		p.Decisions = append(p.Decisions, line)
	}
	return nil
}

// change is what the requester must confirm before anyone votes, or nil.
func (s *Server) change(ctx context.Context, a asked, who access.Principal) (*view.Change, error) {
	if !a.MustConfirm(a.now) {
		return nil, nil
	}
	terms, err := s.store.TermsNow(ctx, a.Terms)
	if err != nil {
		return nil, err
	}
	plan, err := s.store.Plan(ctx, terms.Plan, terms.PlanVersion)
	if err != nil {
		return nil, err
	}
	policy, err := s.store.Policy(ctx, terms.Policy, terms.PolicyVer)
	if err != nil {
		return nil, err
	}
	change := &view.Change{Who: a.Requester.Name}
	if terms.PlanDigest != a.Terms.PlanDigest {
		change.What = append(change.What, fmt.Sprintf("Plan %s: version %d became %d", plan.What.Name, a.Terms.PlanVersion, terms.PlanVersion))
	}
	if terms.PolicyDigest != a.Terms.PolicyDigest {
		change.What = append(change.What, fmt.Sprintf("Policy %s: version %d became %d", policy.What.Name, a.Terms.PolicyVer, terms.PolicyVer))
	}
	change.Lines = append(failover.DiffPlans(a.plan, plan.What, a.Terms.Mode), failover.DiffPolicies(a.policy, policy.What)...)
	if a.Requester.ID == who.ID {
		shown, err := terms.Digest()
		if err != nil {
			return nil, err
		}
		change.Form = &view.Amend{Path: view.ConfirmRequestPath(a.Code), Act: store.NewID(), Shown: shown}
	}
	return change, nil
}

// action is what this person may do: the rule that answers the form and decides in the database draws the buttons.
func (a asked) action(who access.Principal, typed typedVote) view.Action {
	err := a.MayDecide(who, a.policy, a.now)
	act := view.Action{}
	switch {
	case a.MayWithdraw(who, a.now):
		act.Withdraw = &view.Amend{Path: view.WithdrawPath(a.Code), Act: store.NewID()}
	case a.Standing(a.now) != failover.Requested:
		return act
	}
	switch {
	case err == nil:
		act.Vote = &view.VoteForm{
			Path: view.DecidePath(a.Code), Act: actID(typed.act), Digest: a.Digest, Sheet: a.sheet.Digest, Comment: typed.comment,
			Wrong: typed.wrong, Approve: "Approve: " + ask(a.catalog, a.Terms), Reject: "Reject",
		}
	case fault.KindOf(err) == fault.SignInAgain:
		act.Again = view.SignInAgainPath(view.RequestPath(a.Code))
		act.NotYou = refusal("Sign in again to vote", err)
	default:
		act.NotYou = refusal("You cannot decide this", err)
	}
	return act
}

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
	comment := text(wrong, "comment", form.Comment, "", failover.MaxText)
	if v := failover.Verdict(form.Verdict); v != failover.Yes && v != failover.No {
		wrong.Add("comment", "Press Approve or Reject.")
	}
	if wrong.Err() != nil {
		return s.approvalPage(c, http.StatusUnprocessableEntity, typedVote{comment: form.Comment, wrong: wrong})
	}
	out, err := s.process.Decide(ctx, store.Vote{
		ID: actID(form.Act), Code: code, By: who, Verdict: failover.Verdict(form.Verdict), Comment: comment,
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
	if f.Rule == failover.RuleBound {
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
	policy, err := s.store.Policy(ctx, r.Terms.Policy, r.Terms.PolicyVer)
	if err != nil {
		return nil, err
	}
	no := r.MayDecide(who, policy.What, s.store.Now())
	return no, s.store.Refused(ctx, failover.Person{ID: who.ID, Name: who.Name}, "request.decide", r.Code, no)
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

func (s *Server) withdrawRequest(c echo.Context) error {
	return s.amend(c, s.process.Withdraw, "The request was not withdrawn", "%s is withdrawn.")
}

func (s *Server) confirmRequest(c echo.Context) error {
	return s.amend(c, s.process.Confirm, "The difference was not confirmed", "The difference is confirmed; %s can be voted on again.")
}

// amend posts what the requester does to their own request.
func (s *Server) amend(c echo.Context, do func(context.Context, store.Amend) (store.Outcome, error), no, yes string) error {
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
		return s.approvalPage(c, statusOf(err), typedVote{problem: refusal(no, err)})
	}
	if err != nil {
		return err
	}
	s.flash(c, fmt.Sprintf(yes, code))
	return c.Redirect(http.StatusSeeOther, view.RequestPath(code))
}

// runOrComing is the run of an approved request, or as it will begin where the engine has not taken it yet.
func (s *Server) runOrComing(ctx context.Context, a asked) (failover.Run, error) {
	run, err := s.store.Run(ctx, a.Code)
	if fault.KindOf(err) == fault.NotFound {
		return failover.NewRun("", a.Request, a.plan, a.now)
	}
	return run, err
}
