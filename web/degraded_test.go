package web_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// byHand is a rule that people switch by hand.
var byHand = catalog.DegradedModeRule{
	Slug: "paper", Name: "Write orders on paper", Trigger: []string{"checkout"}, Instead: "Take orders on paper.", Effect: "Queues are longer.",
	LimitTime: catalog.Duration(2 * time.Hour), AtLimit: catalog.GoOnAndPage, CostPerMinute: 250, SwitchOn: "Hand out the pads.", SwitchOff: "Collect the pads.",
	Message: "We take your order by hand.", Reconcile: "Enter every order.",
}

// degradable is a portal with that rule.
func degradable(t *testing.T) (p *portal, ines, bea visitor) {
	t.Helper()
	p = newPortal(t)
	b := store.Bundle{Records: []catalog.Entry{{Ref: catalog.Ref{Kind: catalog.KindRule, Slug: byHand.Slug}, Record: byHand}}}
	for _, policy := range catalog.ShippedPolicies() {
		if policy.Action == catalog.ActDegrade {
			b.Records = append(b.Records, catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindPolicy, Slug: policy.Slug}, Record: policy})
		}
	}
	testkit.Change(t, p.Store, b, store.Manner{})
	return p, p.someone(t, "Ines", "incident-commanders"), p.someone(t, "Bea", "business-owners")
}

func TestWhatRunsDegradedIsShownWhereverItMatters(t *testing.T) {
	p, ines, bea := degradable(t)
	testkit.Change(t, p.Store, store.Bundle{Records: []catalog.Entry{
		{Ref: catalog.Ref{Kind: catalog.KindFlow, Slug: "buy"}, Record: catalog.Flow{
			Slug: "buy", Name: "Buy", Steps: []catalog.FlowStep{{Name: "Pay", Service: "checkout", Criticality: catalog.StepDegradable, Rule: "paper"}},
		}},
		{Ref: catalog.Ref{Kind: catalog.KindOutlet, Slug: "leeds-1"}, Record: catalog.Outlet{Slug: "leeds-1", Name: "Leeds 1", Type: "store", Flows: []string{"buy"}}},
		{Ref: catalog.Ref{Kind: catalog.KindOutlet, Slug: "depot"}, Record: catalog.Outlet{Slug: "depot", Name: "Depot", Type: "warehouse"}},
	}}, store.Manner{})
	p.outage(t)
	in := p.opened(t, ines)
	for _, path := range []string{"/incidents/" + in.Code, "/impact?service=checkout"} {
		ines.get(t, path).want(t, 200).says(t, "degraded", "Run degraded: Write orders on paper")
		if said := p.someone(t, "Ada", "auditors").get(t, path).want(t, 200).field("degraded"); said != "" {
			t.Errorf("%s offers an auditor: %s", path, said)
		}
	}
	offer := ines.get(t, "/incidents/"+in.Code).Find("[data-field=degraded] a").First().AttrOr("href", "")
	code := codeOf(t, ines.submit(t, ines.get(t, offer), "Ask for approval: Write orders on paper", nil))
	if m, err := p.Mode(p.ctx, code); err != nil || m.Terms.Incident != in.Code {
		t.Fatalf("it belongs to %q, %v", m.Terms.Incident, err)
	}
	ines.get(t, "/incidents/"+in.Code).says(t, "cant-close", code+" waits for a decision.")
	bea.submit(t, bea.get(t, "/degraded/"+code), "Approve: Write orders on paper", nil).want(t, 303)
	ines.submit(t, ines.get(t, "/degraded/"+code), "It is on: Write orders on paper", url.Values{"evidence": {"seen"}}).want(t, 303)
	moves := p.running(t, ines, bea)
	for _, path := range []string{
		"/incidents/" + in.Code, "/runs/" + moves.Code, "/impact?service=checkout", "/catalog/service/checkout", "/catalog/flow/buy", "/catalog/outlet/leeds-1",
		"/catalog/degraded-mode-rule/paper",
	} {
		ines.get(t, path).want(t, 200).says(t, "degraded", "Write orders on paper on")
	}
	if said := ines.get(t, "/catalog/outlet/depot").want(t, 200).field("degraded"); said != "" {
		t.Errorf("an outlet that works by no flow: %s", said)
	}
}

func TestAnIncidentIsNotClosedBeforeWhatRanDegradedInItIsSigned(t *testing.T) {
	p, ines, bea := degradable(t)
	p.outage(t)
	in := p.opened(t, ines)
	code := codeOf(t, ines.submit(t, ines.get(t, "/degraded/new?rule=paper&incident="+in.Code), "Ask for approval: Write orders on paper", nil))
	path := "/degraded/" + code
	bea.submit(t, bea.get(t, path), "Approve: Write orders on paper", nil).want(t, 303)
	ines.submit(t, ines.get(t, path), "It is on: Write orders on paper", url.Values{"evidence": {"seen"}}).want(t, 303)
	closing := "/incidents/" + in.Code + "/close"
	ines.post(t, closing, url.Values{"act": {store.NewID()}}).want(t, 409)
	ines.submit(t, ines.get(t, path), "End: Write orders on paper", nil).want(t, 303)
	ines.submit(t, ines.get(t, path), "It is off: Write orders on paper", url.Values{"evidence": {"seen"}}).want(t, 303)
	ines.get(t, "/incidents/"+in.Code).says(t, "cant-close", code+" is over, to be reconciled.")
	ines.post(t, closing, url.Values{"act": {store.NewID()}}).want(t, 409)
	bea.submit(t, bea.get(t, path), "Sign: the books agree again", url.Values{"note": {"All are entered"}}).want(t, 303)
	ines.post(t, closing, url.Values{"act": {store.NewID()}}).want(t, 303)
	ines.get(t, "/incidents/"+in.Code).says(t, "degraded", "closed")
}

func TestWhatNoConnectorUnderstandsIsFoundWhenTheRuleIsSaved(t *testing.T) {
	_, _, bea := degradable(t)
	form := bea.get(t, "/catalog/degraded-mode-rule/paper/edit").want(t, 200)
	typed := func(connector, params string) url.Values {
		return url.Values{"switch.connector": {connector}, "switch.params": {params}}
	}
	for params, says := range map[string]string{
		`{"observ":{}}`: "observ",
		`{"observe":{"url":"http://flags.example/paper"}}`: "done_when is missing: what cannot be read back is not on",
		`{"observe":{"url":"http://flags.example/paper"},"done_when":[{"pointer":"/on","is":"eq","value":true}],"apply":{"method":"PUT","url":"http://flags.example/paper","body":{"on":true}}}`: "undo is missing",
		`{"observe":{"url":"http://flags.example/${mode.cod}"}}`: "mode.cod",
	} {
		answer := bea.submit(t, form, "Save", typed("http", params)).want(t, 422)
		if got := answer.wrong("switch.params"); !strings.Contains(got, says) {
			t.Errorf("%s: %q; want it to say %q", params, got, says)
		}
		if kept := answer.Find("[name='switch.params']").Text(); kept != params {
			t.Errorf("what was typed came back as %q", kept)
		}
	}
	answer := bea.submit(t, form, "Save", typed("telnet", `{}`)).want(t, 422)
	if got := answer.wrong("switch.connector"); !strings.Contains(got, "the kinds are: dns, http") {
		t.Errorf("an unknown connector: %q", got)
	}
}

// TestTheModesPageSaysWhoOutsideWasToldWhatAndWhen: on the rule, before it is on, while a post fails, once it is posted, and once it is over.
func TestTheModesPageSaysWhoOutsideWasToldWhatAndWhen(t *testing.T) {
	p, ines, bea := degradable(t)
	rule := byHand
	rule.MessageChannel, rule.OutletMessage, rule.AllClear = "operations-room", "Use the pads.", "All is as before."
	testkit.Change(t, p.Store, store.Bundle{Records: []catalog.Entry{{Ref: catalog.Ref{Kind: catalog.KindRule, Slug: "paper"}, Record: rule}}}, store.Manner{})
	ines.get(t, "/catalog/degraded-mode-rule/paper").says(t, "told-customers", "Operations room: posted once it is on")
	path := "/degraded/" + codeOf(t, ines.submit(t, ines.get(t, "/degraded/new?rule=paper"), "Ask for approval: Write orders on paper", nil))
	shows := func(customers, over string) {
		t.Helper()
		page := ines.get(t, path).want(t, 200)
		page.says(t, "told-customers", "“We take your order by hand.” Operations room: "+customers)
		page.says(t, "told-outlets", "“Use the pads.” nobody is told: no channel is set")
		page.says(t, "told-all-clear", "“All is as before.” "+over)
	}
	post := func(failed error) {
		t.Helper()
		due, err := p.MessagesDue(p.ctx, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range due {
			if one.Public() {
				if err := p.Sent(p.ctx, one, store.Delivery{Via: "operations-room", Name: "Operations room", Last: true, Failed: failed}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	shows("not yet: it is not on", "not yet: it is not over")
	bea.submit(t, bea.get(t, path), "Approve: Write orders on paper", nil).want(t, 303)
	ines.submit(t, ines.get(t, path), "It is on: Write orders on paper", url.Values{"evidence": {"seen"}}).want(t, 303)
	shows("not yet: it is on its way", "not yet: it is not over")
	post(errors.New("it is away"))
	shows("not yet: 1 attempt failed. Operations room: it is away", "not yet: it is not over")
	p.clock.Add(time.Minute)
	post(nil)
	shows("posted "+approval.Clock(p.Now()), "not yet: it is not over")
	posted := approval.Clock(p.Now())
	ines.get(t, "/messages").says(t, "messages", "Customers")
	p.clock.Add(time.Minute)
	ines.submit(t, ines.get(t, path), "End: Write orders on paper", nil).want(t, 303)
	ines.submit(t, ines.get(t, path), "It is off: Write orders on paper", url.Values{"evidence": {"seen"}}).want(t, 303)
	shows("posted "+posted, "Operations room: not yet: it is on its way")
	post(nil)
	shows("posted "+posted, "Operations room: posted "+approval.Clock(p.Now()))
	if said := ines.get(t, "/messages").field("messages"); !strings.Contains(said, "all-clear") || !strings.Contains(said, "All is as before.") {
		t.Errorf("Messages leaves out the all-clear: %s", said)
	}
}

func TestNobodyOutsideIsToldOfADrillAndThePageSaysSo(t *testing.T) {
	p, ines, _ := degradable(t)
	rule := byHand
	rule.MessageChannel = "operations-room"
	testkit.Change(t, p.Store, store.Bundle{Records: []catalog.Entry{{Ref: catalog.Ref{Kind: catalog.KindRule, Slug: "paper"}, Record: rule}}}, store.Manner{})
	answer := ines.submit(t, ines.get(t, "/degraded/new?rule=paper"), "Ask for approval: Write orders on paper", url.Values{"drill": {"yes"}})
	page := ines.get(t, "/degraded/"+codeOf(t, answer)).want(t, 200)
	page.says(t, "told-customers", "nobody is told: it is a drill")
	page.says(t, "told-all-clear", "nobody is told: no text is set")
}

func TestAChannelWithoutATextIsSaidAtItsPlace(t *testing.T) {
	_, _, bea := degradable(t)
	form := bea.get(t, "/catalog/degraded-mode-rule/paper/edit").want(t, 200)
	answer := bea.submit(t, form, "Save", url.Values{"outlet_channel": {"operations-room"}}).want(t, 422)
	if got := answer.wrong("outlet_channel"); !strings.Contains(got, "what outlets should be told is missing") {
		t.Errorf("a channel without a text: %q", got)
	}
	answer = bea.submit(t, form, "Save", url.Values{"all_clear": {"All is as before."}}).want(t, 422)
	if got := answer.wrong("all_clear"); !strings.Contains(got, "no channel is named") {
		t.Errorf("an all-clear without a channel: %q", got)
	}
}

// TestARuleForSomeFlowsIsShownAndNamedByTheirStepsOnly: on the pages of flows, in the preview, and where a step is saved.
func TestARuleForSomeFlowsIsShownAndNamedByTheirStepsOnly(t *testing.T) {
	p, ines, bea := degradable(t)
	rule := byHand
	rule.Flows = []string{"buy"}
	flow := func(slug, name, rule string) catalog.Entry {
		return catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindFlow, Slug: slug}, Record: catalog.Flow{
			Slug: slug, Name: name, Steps: []catalog.FlowStep{{Name: "Pay", Service: "checkout", Criticality: catalog.StepDegradable, Rule: rule}},
		}}
	}
	testkit.Change(t, p.Store, store.Bundle{Records: []catalog.Entry{
		flow("buy", "Buy", "paper"), flow("give-back", "Give back", ""), {Ref: catalog.Ref{Kind: catalog.KindRule, Slug: "paper"}, Record: rule},
	}}, store.Manner{})
	page := ines.get(t, "/catalog/degraded-mode-rule/paper").want(t, 200)
	page.says(t, "for-flows", "Only for Buy.")
	page.says(t, "preview", "Without it: Buy degrades")
	if said := page.field("preview"); strings.Contains(said, "Give back") {
		t.Errorf("the preview speaks of a flow that the rule is not for: %s", said)
	}
	ines.submit(t, ines.get(t, "/degraded/new?rule=paper"), "Ask for approval: Write orders on paper", nil).want(t, 303)
	ines.get(t, "/catalog/flow/buy").says(t, "degraded", "Write orders on paper")
	if said := ines.get(t, "/catalog/flow/give-back").want(t, 200).field("degraded"); said != "" {
		t.Errorf("a flow that the rule is not for: %s", said)
	}
	form := bea.get(t, "/catalog/flow/give-back/edit").want(t, 200)
	answer := bea.submit(t, form, "Save", url.Values{"steps[0].rule": {"paper"}}).want(t, 422)
	if got := answer.wrong("steps[0].rule"); !strings.Contains(got, "Write orders on paper is not for this flow: it is for Buy") {
		t.Errorf("a step that names it: %q", got)
	}
}

func codeOf(t *testing.T, answer page) string {
	t.Helper()
	return strings.TrimPrefix(answer.want(t, 303).location, "/degraded/")
}

func TestRunningDegradedByHandFromTheWishToTheSignature(t *testing.T) {
	p, ines, bea := degradable(t)
	rule := ines.get(t, "/catalog/degraded-mode-rule/paper").want(t, 200)
	rule.says(t, "preview", "Running so costs 250")
	rule.says(t, "limits", "At most 2 h. At the limit it goes on, and people are told.")
	check := ines.get(t, "/degraded/new?rule=paper").want(t, 200)
	check.says(t, "go-ahead", "People decide each time")
	code := codeOf(t, ines.submit(t, check, "Ask for approval: Write orders on paper", url.Values{"reason": {"Checkout is down"}}))
	again := ines.submit(t, check, "Ask for approval: Write orders on paper", url.Values{"reason": {"Checkout is down"}})
	if got := codeOf(t, again); got != code {
		t.Errorf("pressed twice it is %s and %s", code, got)
	}
	path := "/degraded/" + code
	ines.get(t, path).says(t, "not-you", "Nobody decides on their own request")
	bea.get(t, "/").says(t, "needs-you", "Decide: run degraded, Write orders on paper")
	bea.submit(t, bea.get(t, path), "Approve: Write orders on paper", nil).want(t, 303)
	waiting := ines.get(t, path).want(t, 200)
	ines.submit(t, waiting, "It is on: Write orders on paper", nil).want(t, 422)
	ines.submit(t, waiting, "It is on: Write orders on paper", url.Values{"evidence": {"Every store has its pads"}}).want(t, 303)
	ines.get(t, "/").says(t, "degraded", "Write orders on paper on")
	p.outage(t)
	if said := ines.get(t, "/").field("proposal"); !strings.Contains(said, "Without that:") || !strings.Contains(said, "It would cost") || strings.Contains(said, "so far") {
		t.Errorf("what goes on degraded is said to stop: %s", said)
	}
	p.clock.Add(30*time.Minute - 90*time.Second) // which the outage took
	ines.get(t, path).says(t, "projection", "is reached in 1 h 30 min")
	ines.submit(t, ines.get(t, path), "End: Write orders on paper", nil).want(t, 303)
	ines.submit(t, ines.get(t, path), "It is off: Write orders on paper", url.Values{"evidence": {"The pads are in"}}).want(t, 303)
	ines.get(t, path).hasButton(t, "Sign: the books agree again", false)
	owing := bea.get(t, path)
	owing.says(t, "reconcile", "Enter every order.")
	bea.submit(t, owing, "Sign: the books agree again", nil).want(t, 422)
	bea.submit(t, owing, "Sign: the books agree again", url.Values{"note": {"All 40 are entered"}}).want(t, 303)
	ines.get(t, path).says(t, "signed", "Signed by Bea")
	if m, err := p.Mode(p.ctx, code); err != nil || m.Phase != degrade.Closed {
		t.Errorf("%s, %v", m.Phase, err)
	}
}

func TestWiderLimitsAreAskedForAndGivenByAnother(t *testing.T) {
	p, ines, bea := degradable(t)
	code := codeOf(t, ines.submit(t, ines.get(t, "/degraded/new?rule=paper"), "Ask for approval: Write orders on paper", nil))
	path := "/degraded/" + code
	bea.submit(t, bea.get(t, path), "Approve: Write orders on paper", nil).want(t, 303)
	ines.submit(t, ines.get(t, path), "It is on: Write orders on paper", url.Values{"evidence": {"seen"}}).want(t, 303)
	on := ines.get(t, path)
	wrong := ines.submit(t, on, "Ask for wider limits", url.Values{"limit_time": {"soon"}, "reason": {"It takes longer"}}).want(t, 422)
	if wrong.wrong("limit_time") == "" || wrong.Find("#reason").AttrOr("value", "") != "It takes longer" {
		t.Error("what is wrong is not said at its place, or what was typed is lost")
	}
	ines.submit(t, on, "Ask for wider limits", url.Values{"limit_time": {"5h"}, "reason": {"It takes longer"}}).want(t, 303)
	ines.get(t, path).says(t, "pending", "Nobody decides on their own request")
	bea.get(t, "/").says(t, "needs-you", "Decide: wider limits for Write orders on paper")
	bea.submit(t, bea.get(t, path), "Widen the limits: At most 5 h", nil).want(t, 303)
	if m, err := p.Mode(p.ctx, code); err != nil || m.Limits.Time.D() != 5*time.Hour {
		t.Errorf("%+v, %v", m.Limits, err)
	}
	ines.get(t, path).says(t, "extension", "Approved by Bea")
}

func TestOnlyWhoMayRunsDegradedAndAForgedFormIsRefusedOnRecord(t *testing.T) {
	p, ines, _ := degradable(t)
	ada := p.someone(t, "Ada", "auditors")
	ada.get(t, "/degraded").want(t, 200)
	ada.get(t, "/degraded/new?rule=paper").want(t, 403)
	ada.post(t, "/degraded", url.Values{"rule": {"paper"}}).want(t, 403).says(t, "rule", "permission:"+string(access.RunDegraded))
	ines.post(t, "/degraded", url.Values{"rule": {"no-such"}}).want(t, 404)
	ines.get(t, "/degraded/new?rule=no-such").want(t, 404)
	ines.get(t, "/degraded/DG-NONE").want(t, 404)
	ines.post(t, "/degraded/DG-NONE/do", url.Values{"verb": {"end"}}).want(t, 404)
	code := codeOf(t, ines.submit(t, ines.get(t, "/degraded/new?rule=paper"), "Ask for approval: Write orders on paper", nil))
	ines.post(t, "/degraded/"+code+"/do", url.Values{"verb": {"explode"}}).want(t, 404)
	ines.post(t, "/degraded/"+code+"/do", url.Values{"verb": {"end"}}).want(t, 409).says(t, "problem", degrade.RulePhase)
	ines.submit(t, ines.get(t, "/degraded/"+code), "Withdraw this request", nil).want(t, 303)
}
