package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

func factLines(sheet failover.FactSheet, now time.Time) []view.FactLine {
	lines := make([]view.FactLine, 0, len(sheet.Facts))
	for _, f := range sheet.Facts {
		line := view.FactLine{Fact: f}
		if f.At.Unix() > 0 {
			line.Ago = catalog.Lasting(max(0, now.Sub(f.At))) + " ago"
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
		steps = append(steps, view.PlanStep{Name: s.Name, Meaning: meanings[s.Purpose], Expected: catalog.Lasting(s.Expected.D())})
	}
	return steps
}

// asked is one request with all that its page and its votes are made from.
type asked struct {
	failover.Request
	catalog catalog.Catalog
	ballot  approval.Ballot
	plan    failover.Plan
	sheet   store.KeptSheet
	now     time.Time
	impact  catalog.Impact // of the services that would move
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
	if a.ballot, err = s.store.Ballot(ctx, a.Request); err != nil {
		return a, err
	}
	plan, err := s.store.Plan(ctx, a.Terms.Plan, a.Terms.PlanVersion)
	if err != nil {
		return a, err
	}
	a.catalog, a.plan = version.Catalog, plan.What
	a.impact = a.catalog.ImpactOf(a.Terms.Services, a.now)
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
	page := s.page(c, a.Code+": "+ask(a.catalog, a.Terms))
	p := a.approval(page)
	p.Problem = typed.problem
	if p.Standing, err = s.withdrawnWords(ctx, a.Question, p.Standing); err != nil {
		return err
	}
	if err := s.surroundings(ctx, a, &p); err != nil {
		return err
	}
	if p.Change, err = s.change(ctx, a, who); err != nil {
		return err
	}
	if err := s.whoStillCan(ctx, a, &p); err != nil {
		return err
	}
	if p.Told, err = s.toldWords(ctx, a.catalog, a.Code); err != nil {
		return err
	}
	p.Action = a.action(who, typed)
	p.Typing = p.Action.Vote != nil
	return s.render(c, status, view.ApprovalPage(p))
}

// approval is the page as everybody sees it.
func (a asked) approval(page view.Page) view.Approval {
	situation := failover.Situation{Catalog: a.catalog, Plan: a.plan, Terms: a.Terms, Now: a.now}
	p := view.Approval{
		Page: page, Code: a.Code, Ask: sentence(ask(a.catalog, a.Terms)), Mode: a.Terms.Mode, State: a.Standing(a.now),
		With:     companions(a.catalog, a.Terms.Services),
		Standing: a.standingWords(), Requester: a.Requester.Name, Reason: a.Reason, Cause: a.Terms.Cause.Title(),
		Filed: a.FiledAt, Expires: a.ExpiresAt, Left: catalog.Lasting(max(0, a.ExpiresAt.Sub(a.now))), Waiting: a.waitingWords(),
		Ceiling: ceilingWords(a.Terms.Ceiling), Undo: "until " + a.catalog.SiteName(a.Terms.To) + " accepts its first order; then by a planned move back",
		Needs: ballotWords(a.ballot), Who: access.Titles(a.ballot.Rules.Voters()) + " other than " + a.Requester.Name,
		Blast: blast(a.catalog, a.Terms.Services, a.impact),
		Steps: planSteps(situation.Plan, a.Terms.Mode), Sheet: sheetOf(a.sheet, a.now), Audit: view.AuditOfPath(a.Code),
	}
	for _, f := range p.Sheet.Facts {
		if f.Slug == "loss" {
			p.Loss = f
			p.Loss.Text = strings.TrimSuffix(f.Text, ", accepted: "+a.Terms.Ceiling.String()) // which stands above it
		}
	}
	for _, d := range a.Votes() {
		p.Votes = append(p.Votes, voteLine(a.Question, d))
		if d.Verdict == approval.Approve {
			p.Have++
		}
	}
	if p.Want = p.Have; p.Have == 0 && a.State == approval.Approved {
		p.Advance = &view.Link{Path: view.RecordPath(catalog.Ref{Kind: catalog.KindStandingOrder, Slug: a.Order.Slug}), Text: a.Requester.Name}
	}
	if p.State == failover.Requested {
		p.Wanted, p.Want = wantedBy(a.ballot, p.Have)
	}
	return p
}

// waitingWords says what it costs to wait for a decision, and has cost since the start of impact.
func (a asked) waitingWords() string {
	soFar := waitCost(a.catalog, a.Terms, a.now) * max(0, a.now.Sub(a.Impact)).Minutes()
	if soFar == 0 {
		return costWords(a.catalog, a.Terms, a.now)
	}
	return costWords(a.catalog, a.Terms, a.now) + ", " + failover.Money(soFar, a.catalog.Currency) + " so far"
}

func sheetOf(kept store.KeptSheet, now time.Time) view.Sheet {
	return view.Sheet{Digest: kept.Digest, MadeAt: kept.MadeAt, Facts: factLines(kept.FactSheet, now), Options: kept.Options}
}

func voteLine(q approval.Question, d approval.Decision) view.VoteLine {
	return view.VoteLine{
		Name: d.By.Name, Roles: access.Principal{Roles: d.Roles}.Title(), Verdict: d.Verdict, Comment: d.Comment, At: d.At,
		Void: !q.Counts(d),
	}
}

// standingWords says what became of a request that nobody can vote on any more.
func (a asked) standingWords() string {
	if a.Standing(a.now) == failover.Requested {
		return ""
	}
	if a.State == approval.Approved && len(a.Votes()) == 0 {
		return "Approved in advance, by a standing order."
	}
	nobody := access.Principal{}
	if f := fault.As(a.MayDecide(nobody, a.ballot, a.now)); f != nil {
		return f.Message
	}
	return ""
}

// withdrawnWords names the person who withdrew a request for somebody else.
func (s *Server) withdrawnWords(ctx context.Context, q approval.Question, otherwise string) (string, error) {
	if q.State != approval.Withdrawn {
		return otherwise, nil
	}
	by, err := s.store.WithdrawnBy(ctx, q.Code)
	if err != nil || by.ID == "" || by.ID == q.Requester.ID {
		return otherwise, err
	}
	return fmt.Sprintf("%s withdrew this request at %s.", by.Name, approval.Clock(*q.DecidedAt)), nil
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
	if a.State == approval.Approved {
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
		line := voteLine(a.Question, d)
		if seen, ok := kept[d.Sheet]; ok {
			sheet := sheetOf(seen, d.At)
			line.Sheet = &sheet
		}
		p.Decisions = append(p.Decisions, line)
	}
	return nil
}

// whoStillCan names people who can still decide, and says when nobody can any more.
func (s *Server) whoStillCan(ctx context.Context, a asked, p *view.Approval) error {
	if p.State != failover.Requested {
		return nil
	}
	hopes, err := s.store.Hopes(ctx, a.Request)
	if err != nil {
		return err
	}
	var names []string
	passed := map[string]bool{}
	for _, one := range a.Passed() {
		passed[one.By.ID] = true
		p.Passed = append(p.Passed, view.PassLine{Name: one.By.Name, At: one.At})
	}
	for _, v := range hopes.Able {
		if !passed[v.ID] {
			names = append(names, v.Name)
		}
	}
	p.Able, p.NobodyElse = joined(names), len(names) == 0
	p.Nobody = wantedWords(hopes.Wanting)
	p.AskWho = view.WhoPath(url.Values{
		"action": {string(catalog.ActMove)}, "service": a.Terms.Services, "site": {a.Terms.From, a.Terms.To},
		"cause": {string(a.Terms.Cause)}, "mode": {string(a.Terms.Mode)}, "requester": {a.Requester.ID},
	})
	return nil
}

// change is what the requester must confirm before anyone votes, or nil.
func (s *Server) change(ctx context.Context, a asked, who access.Principal) (*view.Change, error) {
	if !a.MustConfirm(a.now) {
		return nil, nil
	}
	terms, err := s.store.TermsNow(ctx, a.Terms, a.FiledAt)
	if err != nil {
		return nil, err
	}
	plan, err := s.store.Plan(ctx, terms.Plan, terms.PlanVersion)
	if err != nil {
		return nil, err
	}
	change := &view.Change{Who: a.Owner()}
	if terms.PlanDigest != a.Terms.PlanDigest {
		change.What = append(change.What, fmt.Sprintf("Plan %s: version %d became %d", plan.What.Name, a.Terms.PlanVersion, terms.PlanVersion))
	}
	if terms.Ground != a.Terms.Ground || terms.Rules != a.Terms.Rules {
		before, err := s.store.CatalogAt(ctx, a.Terms.Catalog)
		if err != nil {
			return nil, err
		}
		change.What = append(change.What, fmt.Sprintf("Catalogue: version %d became %d", a.Terms.Catalog, terms.Catalog))
		change.Lines = a.Terms.DiffGrounds(before.Catalog, a.catalog)
		if terms.Rules != a.Terms.Rules {
			lines, err := a.rulesChanged()
			if err != nil {
				return nil, err
			}
			change.Lines = append(change.Lines, lines...)
		}
	}
	change.Lines = append(change.Lines, failover.DiffPlans(a.plan, plan.What, a.Terms.Mode)...)
	if a.owns(who) {
		shown, err := terms.Digest()
		if err != nil {
			return nil, err
		}
		change.Form = &view.Amend{Path: view.ConfirmRequestPath(a.Code), Act: store.NewID(), Shown: shown}
	}
	return change, nil
}

// rulesChanged says who decided before, and who decides now.
func (a asked) rulesChanged() ([]string, error) {
	now, err := approval.RulesOf(a.catalog, a.Terms.Decided(a.FiledAt))
	if err != nil && fault.As(err) == nil {
		return nil, err
	}
	was, is := policyWords(a.ballot.Rules), policyWords(now)
	if was == is {
		return []string{"What the policies apply to is described otherwise"}, nil
	}
	return []string{"Who decides was: " + was, "Who decides now: " + is}, nil
}

// owns says whether this person withdraws the request and confirms what changed in it.
func (a asked) owns(who access.Principal) bool {
	return a.ballot.As(who, access.Request).ID == a.Requester.ID
}

// action is what this person may do: the rule that answers the form and decides in the database draws the buttons.
func (a asked) action(who access.Principal, typed typedVote) view.Action {
	err := a.MayDecide(who, a.ballot, a.now)
	act := view.Action{}
	switch {
	case a.MayWithdraw(a.ballot.As(who, access.Request), a.now):
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
	if a.MayPass(who, a.ballot, a.now) == nil {
		act.Pass = &view.Amend{Path: view.PassPath(a.Code), Act: store.NewID()}
	}
	return act
}

// runOrComing is the run of an approved request, or as it will begin where the engine has not taken it yet.
func (s *Server) runOrComing(ctx context.Context, a asked) (failover.Run, error) {
	run, err := s.store.Run(ctx, a.Code)
	if fault.KindOf(err) == fault.NotFound {
		return failover.NewRun("", a.Request, a.plan, a.now)
	}
	return run, err
}
