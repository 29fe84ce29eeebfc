package web

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// showNow draws the page that everybody lands on.
func (s *Server) showNow(c echo.Context) error {
	page := s.page(c, "Now")
	p, err := s.now(c.Request().Context(), page, principal(c))
	if err != nil {
		return err
	}
	return s.render(c, 200, view.NowPage(p))
}

// situation is what the lists of the pages are made from, loaded once.
type situation struct {
	catalog   catalog.Catalog
	readings  failover.Readings
	incidents []store.Incident
	requests  []failover.Request // that are not decided
	runs      []failover.Run
	modes     []degrade.Mode // that wait for people, last, or are owed something
	access    accessSituation
	now       time.Time
}

func (s *Server) situation(ctx context.Context) (here situation, err error) {
	here.now = s.store.Now()
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return here, err
	}
	here.catalog = version.Catalog
	if here.readings, err = s.store.Readings(ctx); err != nil {
		return here, err
	}
	if here.incidents, err = s.store.OpenIncidents(ctx); err != nil {
		return here, err
	}
	if here.requests, err = s.store.OpenRequests(ctx); err != nil {
		return here, err
	}
	if here.modes, err = s.store.OpenModes(ctx); err != nil {
		return here, err
	}
	if here.access, err = s.accessSituation(ctx); err != nil {
		return here, err
	}
	here.runs, err = s.store.OpenRuns(ctx)
	return here, err
}

func (s *Server) now(ctx context.Context, page view.Page, who access.Principal) (view.Now, error) {
	p := view.Now{Page: page}
	here, err := s.situation(ctx)
	if err != nil {
		return p, err
	}
	if p.Waiting, err = s.waiting(ctx, here, who); err != nil {
		return p, err
	}
	changes, err := s.changesWaiting(ctx, here, who)
	if err != nil {
		return p, err
	}
	modes, err := s.modesWaiting(ctx, here, who)
	if err != nil {
		return p, err
	}
	waits, err := s.accessWaiting(ctx, here.access, who)
	if err != nil {
		return p, err
	}
	p.Waiting = slices.Concat(p.Waiting, waits, modes, changes)
	p.Access = here.access.live(who)
	p.Modes, p.MoreModes = here.modesNow()
	if err := s.reviewDue(ctx, &p, who, here.now); err != nil {
		return p, err
	}
	for _, r := range here.runs {
		p.Runs = append(p.Runs, runLine(here.catalog, r, here.now))
	}
	if len(p.Waiting) == 0 && len(p.Runs) == 0 {
		last, err := s.store.LastRuns(ctx, 1)
		if err != nil {
			return p, err
		}
		for _, r := range last {
			line := runLine(here.catalog, r, here.now)
			p.LastRun = &line
		}
	}
	if p.Called, err = s.calledOrders(ctx, here, who); err != nil {
		return p, err
	}
	for _, from := range here.readings.Proposals(here.catalog) {
		in, err := s.episode(ctx, here, from)
		if err != nil {
			return p, err
		}
		p.Proposals = append(p.Proposals, here.proposal(from, in, who))
	}
	for _, in := range here.incidents {
		p.Incidents = append(p.Incidents, incidentLine(here.catalog, in))
	}
	p.Signals, p.Copies = here.signals(), here.copies()
	p.Findings, err = s.findingCounts(ctx, here.catalog, who)
	return p, err
}

// waiting lists what this person is asked to do: votes, confirmations, and runs that stopped for someone to steer them.
func (s *Server) waiting(ctx context.Context, here situation, who access.Principal) ([]view.Waiting, error) {
	var waiting []view.Waiting
	for _, r := range here.requests {
		ballot, err := s.store.Ballot(ctx, r)
		if err != nil {
			return nil, err
		}
		if w, ok := here.asks(r, ballot, who); ok {
			waiting = append(waiting, w)
		}
	}
	for _, r := range here.runs {
		due, err := s.confirmable(ctx, r, who, here.now)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, here.stops(r, due, who)...)
	}
	return waiting, nil
}

// asks says what an open request wants of this person, if anything.
func (here situation) asks(r failover.Request, b approval.Ballot, who access.Principal) (view.Waiting, bool) {
	w := view.Waiting{Path: view.RequestPath(r.Code), Since: r.FiledAt, Until: r.ExpiresAt}
	switch {
	case r.MayDecideAfterSignIn(who, b, here.now):
		w.Title = "Decide: " + ask(here.catalog, r.Terms)
		w.Why = fmt.Sprintf("%s asks for it. Waiting %s.", r.Requester.Name, costWords(here.catalog, r.Terms, here.now))
		return w, true
	case b.As(who, access.Request).ID == r.Requester.ID && r.MustConfirm(here.now):
		w.Title = "Confirm what changed: " + ask(here.catalog, r.Terms)
		w.Why = "The plan, the policy or where it acts was published anew. Nobody can vote until you confirm the difference."
		return w, true
	}
	return w, false
}

// confirmable are the exceptions to a run that wait for this person's confirmation.
func (s *Server) confirmable(ctx context.Context, r failover.Run, who access.Principal, now time.Time) ([]failover.Exception, error) {
	var due []failover.Exception
	for _, x := range r.PendingExceptions(now) {
		ballot, err := s.store.BallotOn(ctx, r, x)
		if err != nil {
			return nil, err
		}
		if r.MayConfirmAfterSignIn(x, who, ballot, now) {
			due = append(due, x)
		}
	}
	return due, nil
}

// stops says what a run wants of this person.
func (here situation) stops(r failover.Run, due []failover.Exception, who access.Principal) []view.Waiting {
	var waiting []view.Waiting
	for _, x := range due {
		waiting = append(waiting, view.Waiting{
			Title: "Second person: " + x.Kind.Title() + ", " + moveTitle(here.catalog, r.Terms),
			Why:   x.By.Name + ": " + x.Reason, Path: view.RunPath(r.Code), Since: x.At,
		})
	}
	if who.May(access.Steer) && len(waiting) == 0 && stands(r) {
		waiting = append(waiting, view.Waiting{
			Title: "Choose how to go on: " + moveTitle(here.catalog, r.Terms),
			Why:   runSentence(r), Path: view.RunPath(r.Code), Since: stoodSince(r),
		})
	}
	if owed := owedWords(r, here.now); owed != "" && who.May(access.Steer) && len(waiting) == 0 {
		waiting = append(waiting, view.Waiting{
			Title: "Not closed yet: " + moveTitle(here.catalog, r.Terms), Why: owed, Path: view.RunPath(r.Code), Since: *r.Times.Recovered,
		})
	}
	return waiting
}

// owedWords says what a run that has recovered still owes; nothing where it owes nothing.
func owedWords(r failover.Run, now time.Time) string {
	if r.State != failover.Recovered {
		return ""
	}
	var owed []string
	for _, o := range r.Owes(now) {
		owed = append(owed, o.Kind.Title())
	}
	if len(owed) == 0 {
		return ""
	}
	return "Still owed: " + joined(owed) + "."
}

// stands says that a run waits for a person.
func stands(r failover.Run) bool {
	return (r.State == failover.Paused || r.State == failover.Blocked) && r.Wait != failover.WaitNone
}

// stoodSince is when the last step that was touched ended.
func stoodSince(r failover.Run) time.Time {
	since := r.Times.Started
	for _, step := range r.Steps {
		if step.EndedAt != nil && step.EndedAt.After(since) {
			since = *step.EndedAt
		}
	}
	return since
}

// episode is the open incident that bad signals belong to, if one does: one about these services from which nobody has
// recovered before the signals turned bad.
func (s *Server) episode(ctx context.Context, here situation, from failover.Proposal) (*store.Incident, error) {
	services := from.Impact.Down()
	for _, in := range here.incidents {
		if !slices.ContainsFunc(in.Services, func(slug string) bool { return slices.Contains(services, slug) }) {
			continue
		}
		if !from.Since.After(in.ImpactAt) {
			return &in, nil // nobody recovered between two moments of which the later comes first
		}
		recovered, err := s.recoveredAt(ctx, in.Code)
		if err != nil {
			return nil, err
		}
		if !recovered.After(in.ImpactAt) || !recovered.Before(from.Since) {
			return &in, nil
		}
	}
	return nil, nil
}

func (here situation) proposal(from failover.Proposal, in *store.Incident, who access.Principal) view.Proposal {
	first := from.Signals[0]
	p := view.Proposal{
		Headline: first.Signal.Name + " is " + amount(first), Since: from.Since, Effects: effects(here.catalog, from.Impact),
		Cost: failover.Money(from.Impact.RevenuePerMinute(), here.catalog.Currency),
	}
	for _, other := range from.Signals[1:] {
		p.Also = append(p.Also, other.Signal.Name+" is "+amount(other))
	}
	p.SoFar = failover.Money(from.Impact.RevenuePerMinute()*max(0, here.now.Sub(from.Since)).Minutes(), here.catalog.Currency)
	p.For = catalog.Lasting(here.now.Sub(from.Since))
	called := from.CalledRules(here.catalog, here.readings)
	rules := make([]catalog.DegradedModeRule, len(called))
	for i := range called {
		rules[i] = called[i].Rule
	}
	p.Runs = here.runsDegraded(rules)
	incident := ""
	if in != nil {
		incident = in.Code
	}
	p.Actions = append(here.incidentActions(from, in, who), here.degradeActions(called, incident, who)...)
	slices.SortStableFunc(p.Actions, func(a, b view.CardAction) int { return a.Since.Compare(b.Since) })
	return p
}

// incidentActions are what a card offers of the incident. Once one is open, its page takes the place of opening it.
func (here situation) incidentActions(from failover.Proposal, in *store.Incident, who access.Principal) []view.CardAction {
	may := who.May(access.OpenIncident)
	title := from.Signals[0].Signal.Name + " has collapsed"
	query := url.Values{"title": {title}, "services": from.Impact.Down()}
	opens := view.CardAction{Link: view.Link{Path: view.NewIncidentPath() + "?" + query.Encode(), Text: "Open incident: " + title}, Since: from.Since, Primary: true}
	if in == nil {
		if !may {
			return nil
		}
		return []view.CardAction{opens}
	}
	open := view.CardAction{Link: view.Link{Path: view.IncidentPath(in.Code), Text: "Open already: " + in.Code + " " + in.Title}, Since: from.Since}
	if !may { // who was offered nothing in its place
		open.Since = in.OpenedAt
	}
	actions := []view.CardAction{open}
	if who.May(access.Request) {
		moves := view.CardAction{Link: view.Link{Path: view.RecoverPath(in.Code), Text: "Request a failover for " + in.Code}, Since: in.OpenedAt, Primary: true}
		if under, is := here.moving(in.Code); is {
			moves.Link, moves.Primary = under, false
		}
		actions = append(actions, moves)
	}
	if may {
		opens.Text, opens.Since, opens.Primary = "Open another incident, if this is something else", in.OpenedAt, false
		actions = append(actions, opens)
	}
	return actions
}

// moving is the failover for an incident that is asked for or under way.
func (here situation) moving(incident string) (view.Link, bool) {
	for i := range here.runs {
		if r := &here.runs[i]; r.Incident == incident && r.State != failover.Recovered {
			return view.Link{Path: view.RunPath(r.Code), Text: "Failover " + r.Code + ": " + r.State.Words()}, true
		}
	}
	for i := range here.requests {
		if r := &here.requests[i]; r.Incident == incident {
			return view.Link{Path: view.RequestPath(r.Code), Text: "Failover " + r.Code + ": " + r.State.Words()}, true
		}
	}
	return view.Link{}, false
}

func amount(seen failover.Seen) string {
	return failover.Amount(seen.Reading.Value, seen.Signal.Kind, seen.Signal.Unit)
}

// effects says what the failure of some services does to the rest, one sentence each.
func effects(c catalog.Catalog, i catalog.Impact) []string {
	var lines []string
	if down := i.Down(); len(down) > 0 {
		lines = append(lines, verb(serviceNames(c, down), "stops", "stop"))
	}
	if len(i.Delayed) > 0 {
		lines = append(lines, verb(touchedNames(i.Delayed), "goes on and falls behind", "go on and fall behind"))
	}
	for _, f := range i.Flows {
		var steps []string
		for _, step := range f.Steps {
			steps = append(steps, step.Name)
		}
		lines = append(lines, fmt.Sprintf("Flow %s %s (%s)", f.Name, f.Effect, strings.Join(steps, ", ")))
	}
	return lines
}

func (here situation) signals() []view.SignalLine {
	var lines []view.SignalLine
	for _, seen := range here.readings.Seen(here.catalog) {
		line := signalLine(seen.Signal.Name, seen.Reading)
		line.Text = amount(seen)
		lines = append(lines, line)
	}
	return lines
}

// copies lists where every site's copy of every data set stands.
func (here situation) copies() []view.SignalLine {
	var lines []view.SignalLine
	for n := range here.catalog.DataSets {
		d := &here.catalog.DataSets[n]
		if d.Position.IsZero() {
			continue // nobody reads where it stands
		}
		for _, site := range here.catalog.Sites {
			r, ok := here.readings[failover.PositionKey(d.Slug, site.Slug)]
			if !ok || r.Position == nil && !r.Stale() {
				continue
			}
			line := signalLine(d.Name+" at "+site.Name, r)
			if r.Position != nil {
				line.Text = standing(*r.Position)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func standing(p failover.Position) string {
	if p.Writer {
		return fmt.Sprintf("accepts writes, newest is %d", p.Newest)
	}
	return fmt.Sprintf("follows %.1f s behind (%d records)", p.LagSeconds, p.LagRecords)
}

func signalLine(name string, r failover.Reading) view.SignalLine {
	line := view.SignalLine{Name: name, At: r.At, State: failover.FactGood, Why: r.Error}
	switch {
	case r.Stale():
		line.State, line.Silent = failover.FactUnknown, *r.FailingAt
	case !r.Seen():
		line.State = failover.FactUnknown
	case r.Bad:
		line.State = failover.FactBad
	}
	if r.BadSince != nil {
		line.BadSince = *r.BadSince
	}
	return line
}

// refusal is a no in the shape that pages draw; nil where no rule or input was at fault.
func refusal(title string, err error) *view.Refusal {
	f := fault.As(err)
	if f == nil {
		return nil
	}
	return &view.Refusal{Title: title, Message: f.Message, Rule: f.Rule, Who: f.Who}
}
