package web_test

import (
	"strings"
	"testing"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/failover"
)

func TestNowSaysThatNothingNeedsYou(t *testing.T) {
	p := newPortal(t)
	p.calm(t)
	now := p.someone(t, "Owen", "business-owners").get(t, "/").want(t, 200)
	now.says(t, "needs-you", "Nothing needs you.")
	if now.Find("[data-field=proposal]").Length() != 0 {
		t.Error("all signals are good, yet an incident is proposed")
	}
}

func TestBadSignalsMakeOneProposalWithWhatItCosts(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	now := p.someone(t, "Ivy", "incident-commanders").get(t, "/").want(t, 200)
	if n := now.Find("[data-field=proposal]").Length(); n != 1 {
		t.Fatalf("two bad signals of one cause make %d proposals", n)
	}
	for _, want := range []string{
		"Checkout success is 3.0 %", "Checkout and Storefront stop", "Flow Customer order stops", "9,000 GBP a minute",
		"Open incident: Checkout success has collapsed", "Order posting goes on and falls behind",
	} {
		now.says(t, "proposal", want)
	}
	form := now.Find("[data-field=proposal] a.btn").AttrOr("href", "")
	opened := p.someone(t, "Ivy", "incident-commanders").get(t, form).want(t, 200)
	if got := opened.Find("#title").AttrOr("value", ""); got != "Checkout success has collapsed" {
		t.Errorf("the form is prefilled with the title %q", got)
	}
	if got := opened.Find("input[name=services][checked]").AttrOr("value", ""); got != "checkout" {
		t.Errorf("the form is prefilled with the service %q", got)
	}
}

func TestOnlyThoseWhoMayOpenAnIncidentAreOfferedIt(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	now := p.someone(t, "Ada", "auditors").get(t, "/").want(t, 200)
	if text := now.field("proposal"); strings.Contains(text, "Open incident") || text == "" {
		t.Errorf("an auditor sees: %q", text)
	}
}

func TestAnOpenIncidentTakesThePlaceOfTheProposal(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	in := p.opened(t, ivy)
	ivy.get(t, "/").want(t, 200).says(t, "proposal", "Open already: "+in.Code)
}

func TestASourceThatDoesNotAnswerLeavesItsLastValue(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	now := p.someone(t, "Ivy", "incident-commanders").get(t, "/").want(t, 200)
	now.says(t, "Copies of the data", "does not answer since")
	now.says(t, "Copies of the data", "last value accepts writes, newest is 5000 of")
}

func TestTheVoteWaitsForThoseWhoMayCastIt(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy, owen := p.someone(t, "Ivy", "incident-commanders"), p.someone(t, "Owen", "business-owners")
	r := p.requested(t, ivy)
	owen.get(t, "/").says(t, "needs-you", "Decide: move Checkout from Leeds to Dublin")
	ivy.get(t, "/").says(t, "needs-you", "nothing waits for you.")
	p.someone(t, "Ada", "auditors").get(t, "/").says(t, "needs-you", "nothing waits for you.")
	p.clock.Add(16 * time.Minute) // beyond the recent sign-in: the vote still waits for them
	owen.get(t, "/").says(t, "needs-you", "Decide:")
	p.clock.Add(15 * time.Minute) // beyond the request's life
	owen.get(t, "/").says(t, "needs-you", "nothing waits for you.")
	if got, err := p.Request(p.ctx, r.Code); err != nil || got.State != approval.Requested {
		t.Errorf("a page must change nothing: %v, %v", got.State, err)
	}
}

func TestARunThatStopsWaitsForThoseWhoSteer(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy, owen := p.someone(t, "Ivy", "incident-commanders"), p.someone(t, "Owen", "business-owners")
	run := p.running(t, ivy, owen)
	p.until(t, run.Code, failover.FenceStep)
	p.failing(t, run.Code, failover.WaitFence, "the lease service does not answer")
	ivy.get(t, "/").says(t, "needs-you", "Choose how to go on: Checkout: Leeds → Dublin")
	owen.get(t, "/").says(t, "needs-you", "nothing waits for you.")
	owen.get(t, "/").says(t, "runs", "Step 2 of 7: Fence the old writer")
}

func TestAnOutageAfterTheRecoveryIsAnIncidentOfItsOwn(t *testing.T) {
	p, code, ivy, _ := moving(t)
	in := p.run(t, code).Incident
	p.until(t, code, failover.VerifyStep)
	p.perform(t, code)
	p.sees(t, signal("checkout-success", 0.999, p.Now(), nil), signal("checkout-volume", 9.8, p.Now(), nil))
	p.clock.Add(10 * time.Minute)
	began := p.Now()
	p.clock.Add(30 * time.Second)
	now := p.Now()
	p.sees(t, signal("checkout-success", 0.01, now, &began), copyAt("leeds", 5100, false, now), copyAt("dublin", 5100, true, now))

	page := ivy.get(t, "/").want(t, 200)
	page.says(t, "proposal", "Open incident: Checkout success has collapsed")
	if text := page.field("proposal"); strings.Contains(text, in) {
		t.Errorf("the outage is said to be the recovered one's: %s", text)
	}
	form := wish()
	form.Set("incident", in)
	form.Set("from", "dublin")
	form.Set("to", "leeds")
	filed := ivy.post(t, "/requests", form).want(t, 303)
	r, err := p.Request(p.ctx, strings.TrimPrefix(filed.location, "/a/"))
	if err != nil || !r.Impact.Equal(began) {
		t.Errorf("its impact starts at %v, %v; want the new outage's %v", r.Impact, err, began)
	}
}

func TestWhatARecoveredRunOwesWaitsForTheCommander(t *testing.T) {
	p, code, ivy, owen := moving(t)
	p.until(t, code, failover.VerifyStep)
	p.perform(t, code)
	ivy.get(t, "/").says(t, "needs-you", "Not closed yet: Checkout: Leeds → Dublin")
	owen.get(t, "/").says(t, "needs-you", "nothing waits for you.")
}
