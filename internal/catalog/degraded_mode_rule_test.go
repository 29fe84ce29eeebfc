package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"keyholder/internal/catalog"
)

// twoFlows is the sound catalogue with a second flow over the same services, and a rule that is for the first only.
func twoFlows() catalog.Catalog {
	c := sound()
	second := c.Flows[0]
	second.Slug, second.Name = "return", "Return"
	second.Steps = slices.Clone(second.Steps)
	second.Steps[1].Rule = ""
	c.Flows = append(c.Flows, second)
	c.Rules[0].Trigger, c.Rules[0].Flows = []string{"report"}, []string{"buy"}
	return c
}

func problems(c catalog.Catalog) (all []string) {
	for p := range catalog.New(c).Problems() {
		all = append(all, p.String())
	}
	return all
}

func TestARuleHoldsForTheFlowsItNamesOnly(t *testing.T) {
	c := catalog.New(twoFlows())
	if wrong := problems(twoFlows()); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	rule := c.Rules[0]
	for flow, is := range map[string]bool{"buy": true, "return": false} {
		if got := c.About(rule, catalog.Ref{Kind: catalog.KindFlow, Slug: flow}); got != is {
			t.Errorf("it is about %s: %v", flow, got)
		}
	}
	never := func(string) bool { return false }
	offered := func(c catalog.Catalog) bool {
		return len(c.RulesAgainst([]string{"report"}, c.Impact(catalog.Failure{Services: []string{"report"}}), never)) == 1
	}
	if !offered(c) {
		t.Error("it is not offered though its flow is touched")
	}
	elsewhere := twoFlows()
	elsewhere.Flows[0].Steps = elsewhere.Flows[0].Steps[:1]
	if offered(catalog.New(elsewhere)) {
		t.Error("it is offered though its flow does not go over what is down")
	}
}

func TestAStepThatNamesARuleForOtherFlowsIsFoundAtBothEnds(t *testing.T) {
	c := twoFlows()
	c.Flows[1].Steps[1].Rule = "later"
	got := strings.Join(problems(c), "\n")
	for _, want := range []string{
		"flow return: steps[1].rule: Later is not for this flow: it is for Buy",
		`degraded mode rule later: flows: Return is not among them, and its step "Count" names this rule`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
	for _, f := range catalog.New(c).Impact(catalog.Failure{Services: []string{"report"}}).Flows {
		if name := f.Steps[0].RuleName; (name == "Later") != (f.Slug == "buy") {
			t.Errorf("%s goes on under %q", f.Slug, name)
		}
	}
	c.Rules[0].Flows = append(c.Rules[0].Flows, "no-such")
	if got := strings.Join(problems(c), "\n"); !strings.Contains(got, `flows[1]: there is no flow "no-such"`) {
		t.Errorf("a flow that is not there: %s", got)
	}
}

func TestTwoRulesContradictEachOtherOnlyWhereBothCanHoldForAFlow(t *testing.T) {
	for name, one := range map[string]struct {
		reads, queues []string
		contradict    bool
	}{
		"both for all":         {nil, nil, true},
		"one for all":          {[]string{"buy"}, nil, true},
		"the other for all":    {nil, []string{"return"}, true},
		"one flow shared":      {[]string{"buy"}, []string{"buy", "return"}, true},
		"each for another one": {[]string{"buy"}, []string{"return"}, false},
	} {
		c := twoFlows()
		c.Flows[0].Steps[1].Rule = ""
		c.Rules[0].Does, c.Rules[0].Flows = catalog.ReadOnly, one.reads
		c.Rules = append(c.Rules, catalog.DegradedModeRule{Slug: "queued", Name: "Queued", Instead: "Queue it", Trigger: []string{"report"}, Does: catalog.QueueIt, Flows: one.queues})
		if got := strings.Contains(strings.Join(problems(c), "\n"), "it cannot be both"); got != one.contradict {
			t.Errorf("%s: they contradict each other: %v", name, got)
		}
	}
}

func TestAChannelHasSomethingToPostAndTheAllClearSomewhereToGo(t *testing.T) {
	for want, change := range map[string]func(*catalog.DegradedModeRule){
		"outlet_channel: there is nothing to post on it: what outlets should be told is missing": func(r *catalog.DegradedModeRule) {
			r.Message, r.MessageChannel, r.OutletChannel, r.OutletMessage = "Later.", "chat", "chat", " "
		},
		"all_clear: it is posted where people were told that it began, and no channel is named for that": func(r *catalog.DegradedModeRule) {
			r.Message, r.AllClear = "Later.", "All is as before."
		},
		`call_centre_channel: there is no channel "pager"`: func(r *catalog.DegradedModeRule) {
			r.CallCentreMessage, r.CallCentreChannel = "Later.", "pager"
		},
		"": func(r *catalog.DegradedModeRule) {
			r.Message, r.MessageChannel, r.AllClear = "Later.", "chat", "All is as before."
		},
	} {
		c := sound()
		c.Channels = []catalog.Channel{{Slug: "chat", Name: "Chat", Address: "env:CHAT"}}
		change(&c.Rules[0])
		if want != "" {
			want = "degraded mode rule later: " + want
		}
		if got := strings.Join(problems(c), "\n"); got != want {
			t.Errorf("said is %q, not %q", got, want)
		}
	}
}
