package web_test

import (
	"strings"
	"testing"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

const orderPage = "/catalog/standing-order/collapse"

// ordered puts an order in force that nobody approved as a second person, so that it asks people.
func (p *portal) ordered(t *testing.T) {
	t.Helper()
	policy := testkit.MovePolicy(t, p.bundle, 1)
	move := policy.Record.(catalog.Policy)
	move.InAdvance = true
	policy.Record = move
	plan, err := p.Plan(p.ctx, "move-checkout", 0)
	if err != nil {
		t.Fatal(err)
	}
	o := catalog.StandingOrder{
		Slug: "collapse", Name: "Checkout collapses", Plan: plan.Slug, PlanVersion: plan.Version, Services: plan.What.Services,
		From: "leeds", To: "dublin", Cause: "site", Signals: []string{"checkout-success"}, BadFor: catalog.Duration(30 * time.Second),
		CeilingIn: "orders", Ceiling: 50, Apart: catalog.Duration(time.Hour), Until: "2026-08-31",
	}
	testkit.Change(t, p.Store, store.Bundle{Records: []catalog.Entry{policy, {Ref: catalog.Ref{Kind: catalog.KindStandingOrder, Slug: o.Slug}, Record: o}}}, store.Manner{})
}

// asks has the order ask people.
func (p *portal) asks(t *testing.T) failover.Request {
	t.Helper()
	if err := p.FollowOrders(p.ctx); err != nil {
		t.Fatal(err)
	}
	open, err := p.OpenRequests(p.ctx)
	if err != nil || len(open) != 1 {
		t.Fatalf("it asks for %+v, %v", open, err)
	}
	return open[0]
}

// TestWhatAnOrderAsksForSaysThatItTakesTwoPeople, and is confirmed and withdrawn by whoever may ask for the same.
func TestWhatAnOrderAsksForSaysThatItTakesTwoPeople(t *testing.T) {
	p := newPortal(t)
	p.ordered(t)
	p.outage(t)
	r := p.asks(t)
	ivy, owen := p.someone(t, "Ivy", "incident-commanders"), p.someone(t, "Owen", "business-owners")
	page := owen.get(t, "/a/"+r.Code).want(t, 200)
	page.says(t, "votes", "0 of 2")
	if said := squeezed(page.Find("main")); !strings.Contains(said, "Standing order Checkout collapses is nobody who signs in, so at least two people must approve") {
		t.Errorf("it does not say who must approve: %s", said)
	}
	page.hasButton(t, "Withdraw this request", false)
	owen.submit(t, page, approve, nil).want(t, 303)
	owen.get(t, "/a/"+r.Code).says(t, "votes", "1 of 2")

	plan := p.bundle.Plans[0]
	plan.Steps = append([]failover.Step{}, plan.Steps...)
	plan.Steps[2].Expected = catalog.Duration(9 * time.Second)
	testkit.Change(t, p.Store, store.Bundle{Plans: []failover.Plan{plan}}, store.Manner{})
	owen.get(t, "/a/"+r.Code).says(t, "change", "Somebody who may ask for the same must confirm this")
	ivy.get(t, "/").says(t, "needs-you", "Confirm what changed: move Checkout from Leeds to Dublin")
	own := ivy.get(t, "/a/"+r.Code).want(t, 200)
	ivy.submit(t, own, "Confirm the difference and reopen the voting", nil).want(t, 303)
	ivy.submit(t, ivy.get(t, "/a/"+r.Code), "Withdraw this request", nil).want(t, 303)
	if got := p.state(t, r.Code).State; got != approval.Withdrawn {
		t.Errorf("it is %s", got)
	}
	owen.get(t, "/a/"+r.Code).says(t, "standing", "Ivy withdrew this request at")
}

func TestAnOrdersPageSaysThatItLeavesToPeopleWhatTheyDecided(t *testing.T) {
	p := newPortal(t)
	p.ordered(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	r := p.requested(t, ivy)
	ivy.get(t, orderPage).says(t, "order-state", "It would do nothing now, not even ask: "+r.Code+" already asks to move the same data")
	ivy.submit(t, ivy.get(t, "/a/"+r.Code), "Withdraw this request", nil).want(t, 303)
	ivy.get(t, orderPage).says(t, "order-state", "It would do nothing now, not even ask: people decided against it at")
	ivy.get(t, orderPage).says(t, "uses", "It has never started anything by itself")
	ivy.get(t, "/").says(t, "yields", "It leaves this to people: people decided against it at")
	if err := p.FollowOrders(p.ctx); err != nil {
		t.Fatal(err)
	}
	if open, err := p.OpenRequests(p.ctx); err != nil || len(open) > 0 {
		t.Errorf("it asks all the same: %+v, %v", open, err)
	}
	if audit := squeezed(ivy.get(t, "/audit?action=order.yield").want(t, 200).Find("main")); !strings.Contains(audit, "people decided against it") {
		t.Errorf("the record says %s", audit)
	}
}
