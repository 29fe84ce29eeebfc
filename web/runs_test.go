package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// moving is a portal with a run that has just been claimed.
func moving(t *testing.T) (p *portal, code string, ivy, owen visitor) {
	t.Helper()
	p = newPortal(t)
	p.outage(t)
	ivy, owen = p.someone(t, "Ivy", "incident-commanders"), p.someone(t, "Owen", "business-owners")
	return p, p.running(t, ivy, owen).Code, ivy, owen
}

func (p page) hasWay(t *testing.T, way failover.Steering, want bool) {
	t.Helper()
	if got := p.Find("[data-way='"+string(way)+"']").Length() > 0; got != want {
		t.Errorf("%s: offers %q: %v, want %v", p.path, way, got, want)
	}
}

func TestTheRunShowsEachStepWithItsTimes(t *testing.T) {
	p, code, _, owen := moving(t)
	p.perform(t, code)
	p.clock.Add(3 * time.Second)
	p.begin(t, code)
	p.clock.Add(2 * time.Second)
	page := owen.get(t, "/runs/"+code).want(t, 200)
	page.says(t, "sentence", "At work on: Fence the old writer.")
	page.says(t, "clock", "projected finish")
	page.says(t, "clock", "RTO of 15 min")
	steps := page.Find("[data-step]")
	if steps.Length() != 7 {
		t.Fatalf("%d steps are shown", steps.Length())
	}
	for i, want := range []string{"1. Check the gates done · 0 s of 1 s", "2. Fence the old writer at work · 2 s of 4 s", "3. Compare the loss with what was accepted to do · about 1 s"} {
		if got := squeezed(steps.Eq(i)); !strings.HasPrefix(got, want) {
			t.Errorf("step %d: %q; want it to begin with %q", i+1, got, want)
		}
	}
	if current := page.Find("[aria-current=step]"); current.AttrOr("data-step", "") != "2" {
		t.Errorf("the current step is %q", current.AttrOr("data-step", ""))
	}
	p.clock.Add(20 * time.Second)
	if got := squeezed(owen.get(t, "/runs/"+code).Find("[data-step='2']")); !strings.Contains(got, "(late)") {
		t.Errorf("a step that takes five times as long as expected: %q", got)
	}
}

func TestOnlyThoseInCommandSteer(t *testing.T) {
	p, code, ivy, owen := moving(t)
	p.perform(t, code)
	ivy.get(t, "/runs/"+code).hasWay(t, failover.SteerPause, true)
	page := owen.get(t, "/runs/"+code)
	page.hasWay(t, failover.SteerPause, false)
	page.says(t, "not-you", "Runs are steered by: Incident commander.")
	owen.post(t, "/runs/"+code+"/steer", url.Values{"way": {"pause"}}).want(t, 403)
}

func TestPauseAndGoOn(t *testing.T) {
	p, code, ivy, _ := moving(t)
	p.perform(t, code)
	ivy.submit(t, ivy.get(t, "/runs/"+code), "Pause before the next step", nil).want(t, 303)
	ivy.get(t, "/runs/"+code).says(t, "sentence", "It pauses before the next step.")
	p.perform(t, code)
	page := ivy.get(t, "/runs/"+code).want(t, 200)
	page.says(t, "sentence", "It waits for a person.")
	ivy.submit(t, page, "Go on with: Compare the loss with what was accepted", nil).want(t, 303)
	if got := p.run(t, code).State; got != failover.Running {
		t.Errorf("it is %s", got)
	}
}

func TestAFailedStepOffersWhatFits(t *testing.T) {
	p, code, ivy, owen := moving(t)
	p.until(t, code, failover.ActStep)
	p.failing(t, code, failover.WaitStep, "the traffic manager answered 500")
	page := ivy.get(t, "/runs/"+code).want(t, 200)
	page.says(t, "sentence", "The traffic manager answered 500")
	for _, way := range []failover.Steering{failover.SteerRetry, failover.SteerMarkDone, failover.SteerAbort} {
		page.hasWay(t, way, true)
	}
	page.hasWay(t, failover.SteerGiveUp, true) // the target may write, and may not say so
	page.hasButton(t, "Retry: Move the traffic", true)
	empty := ivy.submit(t, page, "Mark done by hand: Move the traffic", nil).want(t, 422)
	if empty.wrong("note") == "" || empty.Find("details[open][data-way=mark-done]").Length() != 1 {
		t.Error("a missing note is not shown at its open form")
	}
	kept := ivy.submit(t, empty, "Mark done by hand: Move the traffic", url.Values{"note": {strings.Repeat("x", 3000)}}).want(t, 422)
	if kept.Find("details[open] textarea").Text() != strings.Repeat("x", 3000) {
		t.Error("the note that was typed is lost")
	}
	ivy.submit(t, kept, "Mark done by hand: Move the traffic", url.Values{"note": {"Set by hand, seen in the panel"}}).want(t, 303)
	after := owen.get(t, "/runs/"+code).want(t, 200)
	after.says(t, "exceptional", "with exceptions")
	if got := squeezed(after.Find("[data-state=marked]")); !strings.Contains(got, "Set by hand, seen in the panel") {
		t.Errorf("the step that was marked: %q", got)
	}
}

func TestAbortIsNotOfferedAfterTheFirstWriteAtTheTarget(t *testing.T) {
	p, code, ivy, _ := moving(t)
	p.until(t, code, failover.ActStep)
	before := ivy.get(t, "/runs/"+code)
	before.hasWay(t, failover.SteerAbort, true)
	if _, err := p.SawWrite(p.ctx, code, nil); err != nil {
		t.Fatal(err)
	}
	page := ivy.get(t, "/runs/"+code).want(t, 200)
	page.hasWay(t, failover.SteerAbort, false)
	page.hasWay(t, failover.SteerGiveUp, true)
	page.says(t, "no-return", "Point of no return")
	forged := ivy.submit(t, before, "Abort and undo what was done", url.Values{"note": {"Stop it"}}).want(t, 403)
	forged.says(t, "problem", failover.RuleNoReturn)
	if lines := p.refusals(t, code); len(lines) != 1 || lines[0].Rule != failover.RuleNoReturn {
		t.Errorf("the record has %+v", lines)
	}
}

func TestAnExceptionIsConfirmedByASecondPersonWithFourDigits(t *testing.T) {
	p, code, ivy, owen := moving(t)
	p.until(t, code, failover.FenceStep)
	p.failing(t, code, failover.WaitFence, "the lease service does not answer")
	label := "Promote without proof of the fence: Fence the old writer"
	page := ivy.get(t, "/runs/"+code).want(t, 200)
	ivy.submit(t, page, "Propose: "+label, nil).want(t, 422)
	ivy.submit(t, page, "Propose: "+label, url.Values{"note": {"Leeds has no power; seen on site"}}).want(t, 303)
	own := ivy.get(t, "/runs/"+code).want(t, 200)
	own.says(t, "pending", "Nobody decides on their own request")
	own.hasButton(t, "Propose: "+label, false)
	id := p.run(t, code).Exceptions[0].ID
	digits := own.field("digits")
	ivy.post(t, "/runs/"+code+"/confirm", url.Values{"exception": {id}, "code": {digits}}).want(t, 403).says(t, "problem", approval.RuleTwoPeople)

	confirm := "Confirm as second person: Promote without proof of the fence"
	owen.get(t, "/").says(t, "needs-you", "Second person: Promote without proof of the fence")
	second := owen.get(t, "/runs/"+code).want(t, 200)
	wrong := owen.submit(t, second, confirm, url.Values{"code": {"12"}}).want(t, 422)
	if wrong.wrong("code") == "" || wrong.Find("input[name=code]").AttrOr("value", "") != "12" {
		t.Error("wrong digits are not shown at their field")
	}
	owen.submit(t, wrong, confirm, url.Values{"code": {second.field("digits")}}).want(t, 303)
	after := owen.get(t, "/runs/"+code).want(t, 200)
	after.says(t, "exceptions", "Leeds has no power; seen on site")
	after.says(t, "exceptions", "confirmed by Owen")
	if got := p.run(t, code); got.State != failover.Running || got.Times.Fenced == nil {
		t.Errorf("it is %s", got.State)
	}
}

func TestAGateThatMayNotBeOverriddenStands(t *testing.T) {
	p, code, ivy, _ := moving(t)
	a := p.begin(t, code)
	_, err := p.Fail(p.ctx, a, store.Trouble{
		Wait: failover.WaitGates, Why: "the target does not follow",
		Also: func(r failover.Run) failover.Run {
			return r.WithChecks(0, []failover.Checked{
				{Slug: "target-follows", Name: "The target follows", Text: "state is \"lost\""}, {Slug: "name-server", Name: "DNS", Holds: true},
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	page := ivy.get(t, "/runs/"+code).want(t, 200)
	page.says(t, "sentence", "A gate does not hold")
	page.says(t, "checks", "does not hold: The target follows — state is \"lost\"")
	page.hasButton(t, "Check the gates again", true)
	page.hasButton(t, "Stop: nothing has been touched", true)
	page.hasButton(t, "Propose: Override the gates that do not hold: Check the gates", false)
	forged := ivy.post(t, "/runs/"+code+"/propose", url.Values{
		"kind": {string(failover.OverrideGate)}, "target": {string(failover.GatesStep)}, "note": {"I know better"},
	}).want(t, 403)
	forged.says(t, "problem", failover.RuleGateStands)
	ivy.submit(t, page, "Stop: nothing has been touched", url.Values{"note": {"Leeds is back"}}).want(t, 303)
	ivy.get(t, "/runs/"+code).says(t, "sentence", "Stopped before anything was touched.")
}

func TestARecoveredRunTellsWhatItOwesUntilItIsClosed(t *testing.T) {
	p, code, ivy, owen := moving(t)
	p.until(t, code, failover.VerifyStep)
	p.clock.Add(5 * time.Second)
	p.perform(t, code)
	page := ivy.get(t, "/runs/"+code).want(t, 200)
	page.says(t, "sentence", "3 of 3 obligations are owed")
	page.says(t, "unprotected", "Unprotected since")
	page.says(t, "rta", "against an RTO of 15 min")
	var phases []string
	page.Find("[data-phase]").Each(func(_ int, s *selection) { phases = append(phases, s.AttrOr("data-phase", "")) })
	if strings.Join(phases, " ") != "Notice Decide Execute Verify" {
		t.Errorf("the time is split into %q", phases)
	}
	ivy.submit(t, page, "Propose: Waive: Books reconciled and signed", url.Values{"note": {"Reconciled by hand"}}).want(t, 303)
	seen := owen.get(t, "/runs/"+code)
	owen.submit(t, seen, "Confirm as second person: Waive the obligation", url.Values{"code": {seen.field("digits")}}).want(t, 303)
	for _, kind := range []failover.ObligationKind{failover.Backlog, failover.Protection} {
		if _, err := p.Saw(p.ctx, code, kind, true, "seen", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	closed := ivy.get(t, "/runs/"+code).want(t, 200)
	closed.says(t, "sentence", "Closed with exceptions")
	closed.says(t, "exceptions", "Reconciled by hand")
	if closed.Find("[data-field=unprotected]").Length() != 0 {
		t.Error("protection is restored, yet it is called unprotected")
	}
	if n := closed.Find("form[action^='/runs/']").Length(); n != 0 {
		t.Errorf("a closed run offers %d forms", n)
	}
}

func TestHostileCommandsAreRefused(t *testing.T) {
	p, code, ivy, owen := moving(t)
	ivy.post(t, "/runs/"+code+"/steer", url.Values{"way": {"rm -rf"}}).want(t, 404)
	ivy.post(t, "/runs/"+code+"/steer", nil).want(t, 404)
	ivy.post(t, "/runs/"+code+"/propose", url.Values{"kind": {"<b>"}, "note": {"x"}}).want(t, 404)
	ivy.post(t, "/runs/"+code+"/propose", url.Values{"kind": {"waive"}, "target": {"nothing"}, "note": {"x"}}).want(t, 409)
	owen.post(t, "/runs/"+code+"/confirm", url.Values{"exception": {"no such"}, "code": {"0000"}}).want(t, 404)
	ivy.post(t, "/runs/FO-NOSUCH/steer", url.Values{"way": {"pause"}}).want(t, 404)
	ivy.get(t, "/runs/FO-NOSUCH").want(t, 404)
	if got := p.run(t, code); got.State != failover.Checking || len(got.Exceptions) != 0 {
		t.Errorf("it is %s with %d exceptions", got.State, len(got.Exceptions))
	}
}

func TestWhileTheEngineIsAwayACommandIsKept(t *testing.T) {
	p, code, ivy, _ := moving(t)
	p.until(t, code, failover.ActStep)
	page := ivy.get(t, "/runs/"+code)
	p.engine.away = true
	away := ivy.submit(t, page, "Abort and undo what was done", url.Values{"note": {"It is the wrong site"}}).want(t, 503)
	if got := away.Find("[data-way=abort] textarea").Text(); got != "It is the wrong site" {
		t.Errorf("the note that was typed is now %q", got)
	}
	if away.Find("details[open][data-way=abort]").Length() != 1 {
		t.Error("the form is closed over what was typed")
	}
}

func TestASecondPersonRefusesAnExceptionAndSaysWhy(t *testing.T) {
	p, code, ivy, owen := moving(t)
	p.until(t, code, failover.FenceStep)
	p.failing(t, code, failover.WaitFence, "the lease service does not answer")
	ivy.submit(t, ivy.get(t, "/runs/"+code), "Propose: Promote without proof of the fence: Fence the old writer", url.Values{"note": {"No power in Leeds"}}).want(t, 303)
	const refuse = "Refuse: Promote without proof of the fence"
	p.tell(t, owen, code+"/"+p.run(t, code).Exceptions[0].ID, nil)
	ivy.get(t, "/runs/"+code).says(t, "told", "Owen, asked")
	page := owen.get(t, "/runs/"+code)
	page.says(t, "pending", "waits for a second person until")
	owen.submit(t, page, refuse, url.Values{"refusal": {"   "}}).want(t, 422)
	owen.submit(t, page, refuse, url.Values{"refusal": {"Leeds still writes"}}).want(t, 303)
	after := ivy.get(t, "/runs/"+code)
	after.says(t, "exceptions", "refused by Owen")
	after.says(t, "exceptions", "Leeds still writes")
	after.hasButton(t, "Propose: Promote without proof of the fence: Fence the old writer", true)
	if got := p.run(t, code); got.State != failover.Paused || got.WithExceptions() {
		t.Errorf("it is %s, with exceptions: %v", got.State, got.WithExceptions())
	}
}

func TestAnExceptionThatRunsOutIsNotConfirmed(t *testing.T) {
	p, code, ivy, owen := moving(t)
	p.until(t, code, failover.FenceStep)
	p.failing(t, code, failover.WaitFence, "the lease service does not answer")
	ivy.submit(t, ivy.get(t, "/runs/"+code), "Propose: Promote without proof of the fence: Fence the old writer", url.Values{"note": {"No power in Leeds"}}).want(t, 303)
	page := owen.get(t, "/runs/"+code)
	x := p.run(t, code).Exceptions[0]
	if x.Until == nil {
		t.Fatal("it has no end")
	}
	p.clock.Add(x.Until.Sub(p.Now()))
	owen = p.someone(t, "Owen", "business-owners")
	owen.submit(t, page, "Confirm as second person: Promote without proof of the fence", url.Values{"code": {x.Code()}}).want(t, 409).says(t, "problem", approval.RuleExpiry)
}
