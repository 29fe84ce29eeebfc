package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/auditevent"
	"keyholder/ent/decision"
	"keyholder/ent/request"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// The rules of standing orders.
const (
	RuleOrderFits  = "order-fits-its-plan" // an order names what its plan does, and ends within a year
	RuleOrderGone  = "order-in-force"      // an order that was revoked or has run out starts nothing
	orderPerson    = "order:"              // begins the id of an order as whoever asks
	longestOrder   = 366 * 24 * time.Hour
	orderUsesShown = 20
)

// faceless says whether whoever asks is no person that signs in, so that two others must agree.
func faceless(p access.Person) bool {
	return strings.HasPrefix(p.ID, CommandLine) || strings.HasPrefix(p.ID, orderPerson)
}

// actorOf is a standing order as whoever acts.
func actorOf(o catalog.StandingOrder) access.Person {
	return access.Person{ID: orderPerson + o.Slug, Name: "Standing order " + o.Name}
}

// FollowOrders lets the standing orders act whose signals have been bad for long enough. One that may not act by itself asks people.
func (s *Store) FollowOrders(ctx context.Context) error {
	called, err := s.CalledOrders(ctx)
	if err != nil {
		return err
	}
	var failed error // of one order is no reason to leave the others
	for _, c := range called {
		if s.Now().Before(c.Due) {
			continue
		}
		if err := s.followOrder(ctx, c); err != nil {
			failed = errors.Join(failed, fmt.Errorf("follow standing order %s: %w", c.Order.Slug, err))
		}
	}
	return failed
}

// CalledOrder is a standing order whose signals are bad.
type CalledOrder struct {
	Order catalog.StandingOrder
	Since time.Time // all of them together
	Due   time.Time // when it acts
}

// CalledOrders are the orders in force whose signals are bad and that have not acted on it, in the order of their names.
func (s *Store) CalledOrders(ctx context.Context) ([]CalledOrder, error) {
	version, err := s.Catalog(ctx)
	if err != nil || len(version.StandingOrders) == 0 {
		return nil, err
	}
	readings, err := s.Readings(ctx)
	if err != nil {
		return nil, err
	}
	var called []CalledOrder
	for _, o := range version.StandingOrders {
		if _, lasts := version.Lasts(o, s.Now()); !lasts {
			continue
		}
		since, bad := failover.Called(o, readings, s.Now())
		if !bad {
			continue
		}
		acted, err := s.client.Request.Query().Where(request.ByOrder(o.Slug), request.FiledAtGTE(since)).Exist(ctx)
		if err != nil {
			return nil, fmt.Errorf("look what order %s has done: %w", o.Slug, err)
		}
		if !acted {
			called = append(called, CalledOrder{o, since, since.Add(o.BadFor.D())})
		}
	}
	return called, nil
}

// followOrder files the request of a standing order: approved, or for people to decide.
func (s *Store) followOrder(ctx context.Context, c CalledOrder) error {
	return s.act(ctx, actorOf(c.Order), func(t *tx) error {
		if err := t.turn(); err != nil { // first, so that it and people who ask at once see each other
			return err
		}
		o, stands, err := s.orderNow(t, c.Order.Slug)
		if err != nil || stands == nil {
			return err
		}
		readings, err := readingsOf(ctx, t.Client())
		if err != nil {
			return err
		}
		since, called := failover.Called(o, readings, t.now)
		if !called || t.now.Before(since.Add(o.BadFor.D())) { // it is not as it was when somebody looked; the next look tells
			return nil
		}
		acted, err := t.Request.Query().Where(request.ByOrder(o.Slug), request.FiledAtGTE(since)).Exist(ctx)
		if err != nil || acted {
			return err
		}
		now, err := s.orderCase(ctx, t.Client(), o, stands.Since, since, t.now)
		if err != nil {
			return err
		}
		if err := cmp.Or(t.alone(now.Situation.Terms.DataSet, ""), now.Yields()); err != nil {
			return t.yield(o, since, err)
		}
		why, err := now.Obstacle()
		if err != nil {
			return err
		}
		_, err = s.fileByOrder(t, now, stands.Since, why)
		return err
	})
}

// yield puts on record that an order leaves what called it to people, once for each reason. What is no refusal goes on.
func (t *tx) yield(o catalog.StandingOrder, since time.Time, why error) error {
	f := fault.As(why)
	if f == nil {
		return why
	}
	object := recordObject(catalog.Ref{Kind: catalog.KindStandingOrder, Slug: o.Slug})
	text := fmt.Sprintf("%s does nothing by itself: %s", t.actor.Name, f.Message)
	last, err := t.AuditEvent.Query().Where(auditevent.Object(object), auditevent.Action("order.yield"), auditevent.AtGTE(since)).
		Order(auditevent.ByID(sql.OrderDesc())).First(t.ctx)
	if err != nil && !ent.IsNotFound(err) {
		return fmt.Errorf("look what was said of order %s: %w", o.Slug, err)
	}
	if err == nil {
		said, err := audit.Read(last.Body)
		if err != nil || said.Text == text {
			return err
		}
	}
	t.record(audit.Event{Action: "order.yield", Object: object, Outcome: audit.Refused, Rule: f.Rule, Text: text})
	return nil
}

// orderNow is a standing order as it stands, unless it has been revoked or has run out: then nothing stands.
func (s *Store) orderNow(t *tx, slug string) (o catalog.StandingOrder, stands *Standing, err error) {
	stands, err = standing(t.ctx, t.Client(), catalog.Ref{Kind: catalog.KindStandingOrder, Slug: slug})
	if err != nil || stands == nil {
		return o, nil, err
	}
	version, err := s.Catalog(t.ctx)
	if err != nil {
		return o, nil, err
	}
	o = stands.Record.(catalog.StandingOrder)
	if _, lasts := version.Lasts(o, t.now); !lasts {
		return o, nil, nil
	}
	return o, stands, nil
}

// fileByOrder writes the request of an order with its incident, its fact sheet and the outbox row: approved in advance, unless
// something says that people are to be asked. The order is whoever acts.
func (s *Store) fileByOrder(t *tx, c failover.OrderCase, since int, why string) (code string, err error) {
	situation, terms := c.Situation, c.Situation.Terms
	digest, err := terms.Digest()
	if err != nil {
		return "", err
	}
	in, err := t.incidentFor(c)
	if err != nil {
		return "", err
	}
	_, approved, err := s.orderBallot(t.ctx, t.Client(), c.Order, since)
	if err != nil {
		return "", err
	}
	reason := calledWords(c)
	state, expires := approval.Approved, t.now
	if why == "" {
		reason += fmt.Sprintf(" Approved in advance as %s, proposed by %s and approved by %s.", approved.Code, approved.Requester.Name, joined(approved.Approvers()))
	} else {
		reason += " It does not act by itself: " + strings.TrimSuffix(why, ".") + "."
		state = approval.Requested
		rules, err := approval.RulesOf(situation.Catalog, terms.Decided(t.now))
		if err != nil && fault.As(err) == nil {
			return "", err
		}
		expires = t.now.Add(rules.Lifetime())
	}
	create := t.Request.Create().SetID(NewID()).SetCode(newCode("FO")).SetIncident(in).SetTerms(terms).SetDigest(digest).SetReason(reason).
		SetRequesterID(t.actor.ID).SetRequesterName(t.actor.Name).SetState(state).SetFiledAt(t.now).SetExpiresAt(expires).SetImpactAt(situation.Impact).
		SetByOrder(c.Order.Slug).SetOrderSince(since)
	if state == approval.Approved {
		create.SetDecidedAt(t.now)
	}
	row, err := create.Save(t.ctx)
	if err != nil {
		return "", fmt.Errorf("save request: %w", err)
	}
	if err := t.saveSheet(row.ID, situation.Facts(row.Code)); err != nil {
		return "", err
	}
	if err := t.Outbox.Create().SetRequestID(row.ID).SetCode(row.Code).SetCreatedAt(t.now).Exec(t.ctx); err != nil {
		return "", fmt.Errorf("save outbox: %w", err)
	}
	action, text := "order.start", fmt.Sprintf("%s started %s by itself: from %s to %s. %s", t.actor.Name, row.Code, terms.From, terms.To, reason)
	if why != "" {
		action, text = "order.ask", fmt.Sprintf("%s asks people for %s: from %s to %s. %s", t.actor.Name, row.Code, terms.From, terms.To, reason)
	}
	t.record(audit.Event{Action: action, Object: row.Code, Text: text, Detail: detail(map[string]any{
		"order": c.Order.Slug, "order_since": since, "approved_by": approved.Code, "terms": terms, "digest": digest, "obstacle": why, "incident": in,
	})})
	return row.Code, nil
}

// calledWords says what called an order: "Checkout success bad for 31 s."
func calledWords(c failover.OrderCase) string {
	var signals []string
	for _, slug := range c.Order.Signals {
		signals = append(signals, c.Situation.Catalog.NameOf(catalog.KindSignal, slug))
	}
	if _, called := failover.Called(c.Order, c.Situation.Readings, c.Situation.Now); !called {
		return fmt.Sprintf("%s bad since %s, and not seen to be so now.", joined(signals), approval.Clock(c.Situation.Impact))
	}
	return fmt.Sprintf("%s bad for %s.", joined(signals), catalog.Lasting(c.Situation.Now.Sub(c.Situation.Impact)))
}

// incidentFor is the open incident that bad signals belong to, or a new one. One that states another cause than the order comes first.
func (t *tx) incidentFor(c failover.OrderCase) (string, error) {
	if c.Stated.Incident != "" {
		return c.Stated.Incident, nil
	}
	situation := c.Situation
	open, err := openIncidentsOf(t.ctx, t.Client(), situation.Terms.Services)
	if err != nil {
		return "", err
	}
	if len(open) > 0 {
		return open[0].Code, nil
	}
	signal := situation.Catalog.NameOf(catalog.KindSignal, c.Order.Signals[0])
	row, err := t.Incident.Create().SetID(NewID()).SetCode(newCode("IN")).SetTitle(signal + " has collapsed").SetCause(situation.Terms.Cause).
		SetServices(situation.Terms.Services).SetImpactAt(situation.Impact).SetImpactSource(signal).
		SetCommanderID(t.actor.ID).SetCommanderName(t.actor.Name).SetOpenedAt(t.now).Save(t.ctx)
	if err != nil {
		return "", fmt.Errorf("save incident: %w", err)
	}
	t.record(audit.Event{
		Action: "incident.open", Object: row.Code, Detail: detail(incidentOf(row)),
		Text: fmt.Sprintf("%s opened %s: %s. Impact since %s, from %s.", t.actor.Name, row.Code, row.Title, situation.Impact.Format(time.RFC3339), signal),
	})
	return row.Code, nil
}

// orderStands withdraws an approved request that must not start by itself any more, and says whether it may: its standing order has
// been revoked, changed or run out since, or what it was approved for is over. In the latter case people are
// asked instead, unless it is theirs already.
func (s *Store) orderStands(t *tx, r failover.Request) (failover.Request, bool, error) {
	if r.Order.Slug == "" || len(r.Votes()) > 0 { // people approved it
		return r, true, nil
	}
	if r.State != approval.Approved { // it was looked at before
		return r, false, nil
	}
	o, stands, err := s.orderNow(t, r.Order.Slug)
	if err != nil {
		return r, false, err
	}
	if stands == nil || stands.Since != r.Order.Since {
		return t.takenBack(r, "order.gone", RuleOrderGone, fmt.Sprintf("%s does not start: %s has been revoked, changed or has run out.", r.Code, r.Requester.Name))
	}
	now, err := s.orderCase(t.ctx, t.Client(), o, stands.Since, r.Impact, t.now)
	if err != nil {
		return r, false, err
	}
	if f := fault.As(now.Yields()); f != nil {
		return t.takenBack(r, "order.late", f.Rule, fmt.Sprintf("%s does not start by itself: %s", r.Code, f.Message))
	}
	late, err := now.Late(r.FiledAt)
	if err != nil || late == "" {
		return r, err == nil, err
	}
	t.actor = actorOf(o)
	asks, err := s.fileByOrder(t, now, stands.Since, late)
	if err != nil {
		return r, false, err
	}
	return t.takenBack(r, "order.late", failover.RuleOrderFresh,
		fmt.Sprintf("%s does not start by itself: %s. People are asked by %s instead.", r.Code, strings.TrimSuffix(late, "."), asks))
}

// takenBack withdraws an order's request whose run has not begun. What was approved is decided for good; whatever people are asked
// besides is another request, with its own time to answer.
func (t *tx) takenBack(r failover.Request, action, rule, text string) (failover.Request, bool, error) {
	r.State, r.DecidedAt = approval.Withdrawn, &t.now
	t.record(audit.Event{Action: action, Object: r.Code, Outcome: audit.Refused, Rule: rule, Text: text})
	return r, false, t.saveRequest(r)
}

// OrderUse is a standing order with what became of it.
type OrderUse struct {
	Approved *approval.Ballot   // nil where nobody has approved it as a second person
	By       approval.Question  // by which it was approved
	Filed    []failover.Request // as it stands, not what went by its name before; newest first
	Count    int                // how often it started something by itself
	Yields   string             // why it would do nothing at all now, not even ask
	Obstacle string             // why it would ask people now; nothing where it would act
}

// OrderUse says how a standing order was approved, what it did, and whether it would act by itself now.
func (s *Store) OrderUse(ctx context.Context, o catalog.StandingOrder, since int) (u OrderUse, err error) {
	if u.Approved, u.By, err = s.orderBallot(ctx, s.client, o, since); err != nil {
		return u, err
	}
	query := s.client.Request.Query().Where(request.ByOrder(o.Slug), request.OrderSince(since))
	if u.Count, err = query.Clone().Where(request.StateEQ(approval.Approved), unvoted).Count(ctx); err != nil {
		return u, fmt.Errorf("count the uses of order %s: %w", o.Slug, err)
	}
	rows, err := query.Order(request.ByFiledAt(sql.OrderDesc())).Limit(orderUsesShown).All(ctx)
	if err != nil {
		return u, fmt.Errorf("load the uses of order %s: %w", o.Slug, err)
	}
	for _, row := range rows {
		u.Filed = append(u.Filed, requestOf(row, nil))
	}
	u.Yields, u.Obstacle, err = s.orderWould(ctx, o, since)
	return u, err
}

// unvoted chooses the requests that nobody has voted on: approved, they were so in advance.
func unvoted(s *sql.Selector) {
	votes := sql.Table(decision.Table)
	s.Where(sql.NotExists(sql.Select(votes.C(decision.FieldID)).From(votes).
		Where(sql.And(sql.ColumnsEQ(votes.C(decision.FieldRequestID), s.C(request.FieldID)), sql.GT(votes.C(decision.FieldRound), 0)))))
}

// orderWould says what an order would do now: nothing, and why; or ask, and why. Neither is said where it would act.
func (s *Store) orderWould(ctx context.Context, o catalog.StandingOrder, since int) (yields, asks string, err error) {
	readings, err := s.Readings(ctx)
	if err != nil {
		return "", "", err
	}
	called, _ := failover.Called(o, readings, s.Now())
	now, err := s.orderCase(ctx, s.client, o, since, called, s.Now())
	if fault.KindOf(err) == fault.NotFound {
		return "", "there is no plan " + o.Plan, nil
	}
	if err != nil {
		return "", "", err
	}
	if err := cmp.Or(alone(ctx, s.client, s.Now(), now.Situation.Terms.DataSet, ""), now.Yields()); err != nil {
		if f := fault.As(err); f != nil {
			return f.Message, "", nil
		}
		return "", "", err
	}
	asks, err = now.Obstacle()
	return "", asks, err
}

// OrderYields says why a called order does nothing at all; nothing where it acts or asks.
func (s *Store) OrderYields(ctx context.Context, slug string) (string, error) {
	stands, err := s.Standing(ctx, catalog.Ref{Kind: catalog.KindStandingOrder, Slug: slug})
	if err != nil || stands == nil {
		return "", err
	}
	yields, _, err := s.orderWould(ctx, stands.Record.(catalog.StandingOrder), stands.Since)
	return yields, err
}

// RevokeOrder takes a standing order back, alone and at once.
func (s *Store) RevokeOrder(ctx context.Context, by access.Principal, slug, why string) error {
	ref := catalog.Ref{Kind: catalog.KindStandingOrder, Slug: slug}
	return s.personal(ctx, by.Person(), "order.revoke", recordObject(ref), func(t *tx) error {
		stands, err := standing(t.ctx, t.Client(), ref)
		if err != nil {
			return err
		}
		if stands == nil {
			return fault.Late(RuleOrderGone, "This standing order is not in force any more.")
		}
		t.record(audit.Event{Action: "order.revoke", Object: recordObject(ref), Text: fmt.Sprintf("%s revoked standing order %s.%s", by.Name, stands.Name, spaced(why))})
		_, err = s.changeCatalog(t, "catalog.retire", CatalogChange{Why: why}, []newRecord{{Change: catalog.Change{Ref: ref}, stood: true}})
		return err
	})
}

// ordersFit refuses standing orders that say otherwise than the plans that they run, or that last for too long.
func (t *tx) ordersFit(after catalog.Catalog, changes []catalog.Change, plans []change.Plan) error {
	wrong := fault.Wrong{}
	for _, c := range changes {
		o, is := c.Record.(catalog.StandingOrder)
		if !is {
			continue
		}
		path := ""
		if len(changes) > 1 {
			path = c.String() + ": "
		}
		plan, err := t.planComing(o.Plan, plans)
		if fault.KindOf(err) == fault.NotFound {
			wrong.Add(path+"plan", "there is no plan %q", o.Plan)
			continue
		}
		if err != nil {
			return err
		}
		if plan.Version != o.PlanVersion {
			wrong.Add(path+"plan_version", "version %d is in force: an order names that", plan.Version)
		}
		if !failover.SameServices(plan.What.Services, o.Services) {
			wrong.Add(path+"services", "the plan moves %s", strings.Join(plan.What.Services, ", "))
		}
		for field, site := range map[string]string{"from": o.From, "to": o.To} {
			if !slices.Contains(plan.What.Sites, site) {
				wrong.Add(path+field, "the plan works between %s", strings.Join(plan.What.Sites, " and "))
			}
		}
		if until, _ := after.Lasts(o, t.now); until.After(t.now.Add(longestOrder)) {
			wrong.Add(path+"until", "must be within a year: an order is thought about again")
		} else if !until.After(t.now) {
			wrong.Add(path+"until", "is over")
		}
	}
	return wrong.Err()
}

// planComing is a plan as it will be in force: as some terms publish it, or as it is.
func (t *tx) planComing(slug string, plans []change.Plan) (Published[failover.Plan], error) {
	newest, err := t.newestPlan(slug)
	if err != nil {
		return Published[failover.Plan]{}, err
	}
	for _, p := range plans {
		if p.Slug == slug {
			newest = &ent.PlanVersion{Slug: slug, Version: p.Base + 1, Body: p.Body}
		}
	}
	if newest == nil {
		return Published[failover.Plan]{}, fault.Missing("plan", slug)
	}
	plan := Published[failover.Plan]{Slug: slug, Version: newest.Version}
	if err := json.Unmarshal(newest.Body, &plan.What); err != nil {
		return plan, fmt.Errorf("read plan %s: %w", slug, err)
	}
	return plan, nil
}
