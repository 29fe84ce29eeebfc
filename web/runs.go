package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/web/view"
)

func runLine(c catalog.Catalog, r failover.Run, now time.Time) view.RunLine {
	line := view.RunLine{
		Code: r.Code, Path: view.RunPath(r.Code), Title: moveTitle(c, r.Terms), State: r.State, Sentence: runSentence(r),
		Started: r.Times.Started,
	}
	past, all := r.Progress()
	if step, ok := r.At(); ok && !r.State.Final() {
		line.Progress = fmt.Sprintf("Step %d of %d: %s", past+1, all, step.Name)
	}
	clock := clockOf(c, r, now)
	line.Late = clock.Missed
	switch {
	case clock.RTA != "":
		line.Clock = "RTA " + clock.RTA
	default:
		line.Clock = clock.Elapsed + " " + clock.Since
	}
	if clock.RTO != "" {
		line.Clock += ", RTO " + clock.RTO
	}
	if clock.Projected != "" {
		line.Finish = "Projected finish after " + clock.Projected
	}
	return line
}

// runSentence says what is happening, or why it waits.
func runSentence(r failover.Run) string {
	step, _ := r.At()
	switch r.State {
	case failover.Checking:
		return "The gates are being checked; nothing has been touched."
	case failover.Blocked:
		if r.Wait == failover.WaitNone {
			return "The gates are being checked again; nothing has been touched."
		}
		return "A gate does not hold, so nothing has been touched. " + sentence(r.Why)
	case failover.Running:
		if r.PauseWanted {
			return "At work on: " + step.Name + ". It pauses before the next step."
		}
		return "At work on: " + step.Name + "."
	case failover.Paused:
		return "It waits for a person. " + sentence(r.Why)
	case failover.Verifying:
		return "Everything has moved. Watching that customers can buy, and that nothing reaches the old site."
	case failover.Undoing:
		return "What was done is being undone, the newest step first."
	default:
		return endSentence(r)
	}
}

func endSentence(r failover.Run) string {
	switch r.State {
	case failover.Recovered:
		owed := 0
		for _, o := range r.Obligations {
			if o.State == failover.Owed {
				owed++
			}
		}
		verb := "are"
		if owed == 1 {
			verb = "is"
		}
		return fmt.Sprintf("Customers can buy again. It is not closed: %d of %d obligations %s owed.", owed, len(r.Obligations), verb)
	case failover.Closed:
		if r.WithExceptions() {
			return "Closed with exceptions, which stay listed below."
		}
		return "Closed: all obligations are met."
	case failover.Undone:
		return "Everything that was done has been undone."
	case failover.NotFullyUndone:
		return "Something could not be undone. See the steps that are marked."
	case failover.Stopped:
		return "Stopped before anything was touched."
	case failover.Failed:
		return "Given up by a person. Nothing was undone, for the target may have accepted writes."
	default:
		return sentence(r.State.Words()) + "."
	}
}

// clockOf compares the time since the start of impact with the RTO.
func clockOf(c catalog.Catalog, r failover.Run, now time.Time) view.Clock {
	elapsed := r.Elapsed(now)
	rto, _, hasRTO := c.Objectives(r.Terms.Services)
	projected, foreseen := r.Projected(now)
	clock := view.Clock{Elapsed: catalog.Lasting(elapsed), Since: "since the start of impact"}
	if r.Terms.Mode == failover.Planned {
		clock.Since = "since it was requested"
	}
	furthest := max(elapsed, projected)
	if rta, ok := r.RTA(); ok {
		clock.RTA, furthest = catalog.Lasting(rta), rta
	}
	if foreseen {
		clock.Projected = catalog.Lasting(projected)
	}
	scale := furthest
	if hasRTO {
		clock.RTO, clock.Missed, scale = catalog.Lasting(rto), furthest > rto, max(scale, rto)
	}
	if scale > 0 {
		share := func(d time.Duration) int { return int(1000 * d / (scale + scale/20)) }
		clock.Bar = []view.Segment{{From: 0, Width: share(elapsed), Opacity: "1"}}
		if foreseen {
			clock.Bar = append(clock.Bar, view.Segment{From: share(elapsed), Width: share(projected) - share(elapsed), Opacity: "0.4"})
		}
		if hasRTO {
			clock.Limit = share(rto)
		}
	}
	return clock
}

// typedCommand is what a form of the run page brings back when it is drawn again.
type typedCommand struct {
	form    string // which form: the way to steer, the kind and target to propose, the exception to confirm
	note    string
	act     string // kept where nobody knows what became of the act
	wrong   map[string]string
	problem *view.Refusal
}

func (s *Server) showRun(c echo.Context) error {
	return s.runPage(c, http.StatusOK, typedCommand{})
}

// runOf loads a run, or, while the engine has not taken an approved request yet, the run as it will begin.
func (s *Server) runOf(ctx context.Context, code string) (r failover.Run, coming bool, err error) {
	r, err = s.store.Run(ctx, code)
	if fault.KindOf(err) != fault.NotFound {
		return r, false, err
	}
	request, requestErr := s.store.Request(ctx, code)
	if requestErr != nil || request.State != approval.Approved {
		return r, false, err
	}
	plan, err := s.store.Plan(ctx, request.Terms.Plan, request.Terms.PlanVersion)
	if err != nil {
		return r, false, err
	}
	r, err = failover.NewRun("", request, plan.What, s.store.Now())
	return r, true, err
}

// runPage draws a run for this person, with what they typed and what was refused.
func (s *Server) runPage(c echo.Context, status int, typed typedCommand) error {
	ctx, who := c.Request().Context(), principal(c)
	r, coming, err := s.runOf(ctx, c.Param("code"))
	if err != nil {
		return err
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	page := s.page(c, r.Code+": "+moveTitle(version.Catalog, r.Terms))
	now := s.store.Now()
	p := drawnRun(version.Catalog, r, now)
	p.Page, p.Problem = page, typed.problem
	if coming {
		p.Sentence = "Approved. The engine has not taken it yet; nothing has been touched."
		return s.render(c, status, view.RunPage(p))
	}
	plan, err := s.store.Plan(ctx, r.Terms.Plan, r.Terms.PlanVersion)
	if err != nil {
		return err
	}
	runWays(&p, r, plan.What, who, typed)
	here, err := s.degraded(ctx, version.Catalog)
	if err != nil {
		return err
	}
	if !r.State.Final() {
		p.Degraded = here.degradedBy(version.RulesAgainst(r.Terms.Services, version.ImpactOf(r.Terms.Services, now), here.readings.Bad), r.Incident, who)
	}
	for _, x := range r.PendingExceptions(now) {
		ballot, err := s.store.BallotOn(ctx, r, x)
		if err != nil {
			return err
		}
		line := pendingLine(r, x, who, ballot, now, typed)
		if line.Told, err = s.toldWords(ctx, version.Catalog, r.Code+"/"+x.ID); err != nil {
			return err
		}
		p.Pending = append(p.Pending, line)
	}
	p.Typing = r.State == failover.Paused || r.State == failover.Blocked || len(p.Pending) > 0
	return s.render(c, status, view.RunPage(p))
}

// drawnRun is the page as everybody sees it.
func drawnRun(c catalog.Catalog, r failover.Run, now time.Time) view.Run {
	p := view.Run{
		Code: r.Code, Title: moveTitle(c, r.Terms), Mode: r.Terms.Mode, State: r.State, Sentence: runSentence(r),
		First: stands(r) || r.State == failover.Recovered, Exceptional: r.WithExceptions(), Clock: clockOf(c, r, now), Steps: stepLines(r, now),
		Request: view.Link{Path: view.RequestPath(r.Code), Text: "The request and what its approvers saw"},
		Audit:   view.Link{Path: view.AuditOfPath(r.Code), Text: "Every act on " + r.Code + " in the record"},
	}
	if r.Incident != "" {
		p.Incident = &view.Link{Path: view.IncidentPath(r.Incident), Text: "Incident " + r.Incident}
	}
	if since, ok := r.Unprotected(); ok {
		p.Unprotected = since
	}
	for _, phase := range r.Split(now) {
		p.Phases = append(p.Phases, phaseLine(phase, r))
	}
	if r.Loss != nil {
		p.Loss = &view.LossLine{Label: "Loss", Text: r.Loss.String(), Accepted: r.Terms.Ceiling.String(), Estimate: r.Loss.Estimate, Basis: r.Loss.Basis}
		if r.Times.Recovered != nil {
			p.Loss.Label = "RPA"
		}
	}
	for _, x := range r.DecidedExceptions() {
		p.Exceptions = append(p.Exceptions, exceptionLine(r, x))
	}
	for _, o := range r.Obligations {
		line := view.ObligationLine{Title: o.Kind.Title(), State: o.State, Detail: o.Detail, Since: o.Since}
		if o.MetAt != nil {
			line.Until = *o.MetAt
		}
		p.Obligations = append(p.Obligations, line)
	}
	return p
}

func phaseLine(phase failover.Phase, r failover.Run) view.PhaseLine {
	line := view.PhaseLine{Name: phase.Name, Took: catalog.Lasting(phase.Took)}
	switch {
	case !phase.Begun:
		line.Took, line.Note = "", "not begun"
	case !phase.Over && r.Times.Ended == nil:
		line.Note = "so far"
	case !phase.Over:
		line.Note = "not finished"
	}
	return line
}

func stepLines(r failover.Run, now time.Time) []view.StepLine {
	lines := make([]view.StepLine, len(r.Steps))
	at, _ := r.At()
	for i, s := range r.Steps {
		line := view.StepLine{
			Number: i + 1, Name: s.Name, State: s.State, Current: s.Slug == at.Slug && !r.State.Final(), Attempt: s.Attempt,
			Expected: catalog.Lasting(s.Expected.D()), Late: s.Late(now), Detail: s.Detail, Checks: s.Checks,
		}
		if s.StartedAt != nil {
			line.Started = *s.StartedAt
		}
		if took, ok := s.Took(now); ok {
			line.Took = catalog.Lasting(took)
		}
		lines[i] = line
	}
	if w := r.Times.FirstWrite; w != nil {
		for i := len(lines) - 1; i >= 0; i-- {
			if !lines[i].Started.IsZero() && !lines[i].Started.After(*w) {
				lines[i].NoReturn = *w
				break
			}
		}
	}
	return lines
}

func exceptionLine(r failover.Run, x failover.Exception) view.ExceptionLine {
	line := view.ExceptionLine{Title: x.Kind.Title(), Target: targetName(r, x.Target), Reason: x.Reason, By: x.By.Name, At: x.At, Until: x.Until}
	if x.Confirmed != nil && x.ConfirmedAt != nil {
		line.Confirmed, line.When = x.Confirmed.Name, *x.ConfirmedAt
	}
	if x.Refused != nil && x.RefusedAt != nil {
		line.Refused, line.When, line.Refusal = x.Refused.Name, *x.RefusedAt, x.Refusal
	}
	return line
}

// targetName names the step or obligation that an exception is about.
func targetName(r failover.Run, slug string) string {
	for _, s := range r.Steps {
		if s.Slug == slug {
			return s.Name
		}
	}
	if o, ok := r.Obligation(failover.ObligationKind(slug)); ok {
		return o.Kind.Title()
	}
	return slug
}
