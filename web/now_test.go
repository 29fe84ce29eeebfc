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

// actions are the buttons of the first card on Now, in their order.
func (v visitor) actions(t *testing.T) []string {
	t.Helper()
	var all []string
	v.get(t, "/").want(t, 200).Find("[data-field=proposal]").First().Find("a.btn").Each(func(_ int, s *selection) { all = append(all, squeezed(s)) })
	return all
}

// TestWhatIsNewOnACardMovesNothingThatWasThere: a further signal, an incident that somebody opens, a mode that is asked for, a failover.
func TestWhatIsNewOnACardMovesNothingThatWasThere(t *testing.T) {
	p, ines, bea := degradable(t)
	volume := catalog.DegradedModeRule{
		Slug: "a-first", Name: "Another way", Instead: "Otherwise.", Services: []string{"checkout"}, Signals: []string{"checkout-success", "checkout-volume"},
	}
	testkit.Change(t, p.Store, store.Bundle{Records: []catalog.Entry{{Ref: catalog.Ref{Kind: catalog.KindRule, Slug: volume.Slug}, Record: volume}}}, store.Manner{})
	p.calm(t)
	first := p.Now()
	p.clock.Add(30 * time.Second)
	p.sees(t, signal("checkout-success", 0.03, p.Now(), &first))
	keeps := func(want ...string) {
		t.Helper()
		if got := ines.actions(t); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the card offers\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	const opens, paper, other = "Open incident: Checkout success has collapsed", "Run degraded: Write orders on paper", "Run degraded: Another way"
	keeps(opens, paper)
	second := p.Now()
	p.clock.Add(5 * time.Second)
	p.sees(t, signal("checkout-success", 0.03, p.Now(), &first), signal("checkout-volume", 0.2, p.Now(), &second))
	keeps(opens, paper, other)
	p.clock.Add(5 * time.Second)
	in := p.opened(t, ines)
	already := "Open already: " + in.Code + " Checkout success has collapsed"
	moves, another := "Request a failover for "+in.Code, "Open another incident, if this is something else"
	keeps(already, paper, other, moves, another)
	code := codeOf(t, ines.submit(t, ines.get(t, "/degraded/new?rule=paper"), "Ask for approval: Write orders on paper", nil))
	keeps(already, "Write orders on paper: asked for", other, moves, another)
	bea.submit(t, bea.get(t, "/degraded/"+code), "Approve: Write orders on paper", nil).want(t, 303)
	keeps(already, "Write orders on paper: being switched on", other, moves, another)
	r := p.requested(t, ines) // in an incident of its own
	keeps("Open already: "+r.Incident+" Checkout success has collapsed", "Write orders on paper: being switched on", other, "Failover "+r.Code+": "+r.State.Words(), another)
}

// TestWhatGrowsOnACardStandsBelowItsButtons: other signals and what they stop are told after what can be done.
func TestWhatGrowsOnACardStandsBelowItsButtons(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	text := p.someone(t, "Ivy", "incident-commanders").get(t, "/").want(t, 200).field("proposal")
	button := strings.Index(text, "Open incident")
	for _, below := range []string{"Checkout volume is", "Checkout and Storefront stop", "a minute"} {
		if at := strings.Index(text, below); at < button {
			t.Errorf("%q stands at %d, the button at %d: %s", below, at, button, text)
		}
	}
}

// TestAFlashStaysTrueWhileThePageGoesOn: it says what was asked for; how that stands is the page's to say.
func TestAFlashStaysTrueWhileThePageGoesOn(t *testing.T) {
	_, ines, bea := degradable(t)
	code := codeOf(t, ines.submit(t, ines.get(t, "/degraded/new?rule=paper"), "Ask for approval: Write orders on paper", nil))
	bea.submit(t, bea.get(t, "/degraded/"+code), "Approve: Write orders on paper", nil).want(t, 303)
	if said := bea.get(t, "/degraded/"+code).field("flash"); !strings.Contains(said, code+" is approved.") || strings.Contains(said, "being switched on") {
		t.Errorf("the flash says %q", said)
	}
}
