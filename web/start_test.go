package web_test

import (
	"net/url"
	"strings"
	"testing"

	"keyholder/internal/failover"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

func TestTheStartFormKnowsTheDirectionAwayFromTheWriter(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	form := ivy.get(t, "/incidents/"+p.opened(t, ivy).Code+"/recover").want(t, 200)
	for field, want := range map[string]string{
		"plan": "move-checkout", "mode": "emergency", "from": "leeds", "to": "dublin", "cause": "site", "ceiling": "orders",
	} {
		if got := form.Find("input[name="+field+"][checked], select[name="+field+"] option[selected]").AttrOr("value", ""); got != want {
			t.Errorf("%s is prefilled with %q, want %q", field, got, want)
		}
	}
}

func TestTheCheckPageSaysWhatTheMoveWouldDo(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	form := ivy.get(t, "/incidents/"+p.opened(t, ivy).Code+"/recover")
	check := ivy.submit(t, form, "Check what this would do", url.Values{"reason": {"Leeds is dark"}, "most": {"500"}}).want(t, 200)
	text := squeezed(check.Find("main"))
	for _, want := range []string{
		"Move Checkout from Leeds to Dublin (emergency)", "Order posting moves with it", "9,000 GBP a minute",
		"Flow Customer order stops", "of 15 min (RTO)", "follows 0.4 s behind", "3 to 41 orders", "(estimate)", "up to 500 orders",
		"Fence the old writer", "Move to Dublin", "Wait for Leeds", "one incident commander, or one business owner must approve, other than the requester", "“Leeds is dark”",
	} {
		if !strings.Contains(text, strings.Trim(want, "“”")) {
			t.Errorf("the check page does not say %q", want)
		}
	}
	if open, err := p.OpenRequests(p.ctx); err != nil || len(open) != 0 {
		t.Errorf("looking filed %d requests, %v", len(open), err)
	}
	filed := ivy.submit(t, check, "Request approval: move Checkout from Leeds to Dublin", nil).want(t, 303)
	again := ivy.submit(t, check, "Request approval: move Checkout from Leeds to Dublin", nil).want(t, 303)
	if filed.location != again.location {
		t.Errorf("a doubled click filed %s and %s", filed.location, again.location)
	}
	ivy.get(t, filed.location).want(t, 200)
}

func TestWrongInputToARequestIsShownAtItsFieldAndKept(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	in := p.opened(t, ivy)
	for name, tc := range map[string]struct {
		typed url.Values
		field string
	}{
		"no reason":         {url.Values{"reason": {" \n "}}, "reason"},
		"endless reason":    {url.Values{"reason": {strings.Repeat("é", 2001)}}, "reason"},
		"unknown plan":      {url.Values{"plan": {"'; drop table plans"}}, "plan"},
		"unknown mode":      {url.Values{"mode": {"yolo"}}, "mode"},
		"same site":         {url.Values{"to": {"leeds"}}, "to"},
		"unknown site":      {url.Values{"from": {"atlantis"}}, "from"},
		"unknown cause":     {url.Values{"cause": {"<b>"}}, "cause"},
		"no ceiling":        {url.Values{"ceiling": {""}}, "ceiling"},
		"no number":         {url.Values{"most": {""}}, "most"},
		"word for a number": {url.Values{"most": {"many"}}, "most"},
		"negative":          {url.Values{"most": {"-1"}}, "most"},
		"beyond all":        {url.Values{"most": {"99999999999999999999"}}, "most"},
		"fraction":          {url.Values{"most": {"1.5"}}, "most"},
	} {
		t.Run(name, func(t *testing.T) {
			form := wish()
			form.Set("incident", in.Code)
			for field, values := range tc.typed {
				form[field] = values
			}
			for _, p := range []page{ivy.get(t, "/incidents/"+in.Code+"/check?"+form.Encode()), ivy.post(t, "/requests", form)} {
				p.want(t, 422)
				if p.wrong(tc.field) == "" {
					t.Errorf("%s: no message at %s: %q", p.path, tc.field, squeezed(p.Find("main")))
				}
				if tc.field != "reason" && p.Find("#reason").Text() != "Leeds is dark" {
					t.Errorf("%s: the reason that was typed is now %q", p.path, p.Find("#reason").Text())
				}
			}
		})
	}
	if open, err := p.OpenRequests(p.ctx); err != nil || len(open) != 0 {
		t.Errorf("wrong input filed %d requests, %v", len(open), err)
	}
}

func TestAMoveThatCannotHelpIsRefusedByName(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	in, err := p.OpenIncident(p.ctx, ivy.Principal, store.Incident{
		ID: store.NewID(), Title: "Orders are wrong", Cause: failover.CauseCorruption, Services: []string{"checkout"}, ImpactAt: p.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	form := wish()
	form.Set("incident", in.Code)
	other := ivy.post(t, "/requests", form).want(t, 422)
	if got := other.wrong("cause"); !strings.Contains(got, "A request follows its incident") {
		t.Errorf("at cause: %q", got)
	}
	form.Set("cause", "corruption")
	check := ivy.get(t, "/incidents/"+in.Code+"/check?"+form.Encode()).want(t, 200)
	check.hasButton(t, "Request approval: move Checkout from Leeds to Dublin", false)
	check.says(t, "problem", "Restore a clean point from backup instead")
	forged := ivy.post(t, "/requests", form).want(t, 403)
	forged.says(t, "problem", failover.RuleCauseFirst)
	if lines := p.refusals(t, in.Code); len(lines) != 1 || lines[0].Rule != failover.RuleCauseFirst {
		t.Errorf("the record has %v", lines)
	}
}

func TestAnEmergencyNeedsAnIncident(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	again := ivy.post(t, "/requests", wish()).want(t, 422)
	if got := again.wrong("mode"); !strings.Contains(got, "begins from an incident") {
		t.Errorf("at mode: %q", got)
	}
	form := wish()
	form.Set("incident", "IN-NOSUCH")
	ivy.post(t, "/requests", form).want(t, 404)
}

func TestAPlannedMoveBeginsFromItsPlan(t *testing.T) {
	p := newPortal(t)
	p.calm(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	plan := ivy.get(t, "/plans/move-checkout").want(t, 200)
	move := plan.Find("a").FilterFunction(func(_ int, a *selection) bool { return squeezed(a) == "Plan a move" })
	form := ivy.get(t, move.AttrOr("href", "")).want(t, 200)
	check := ivy.submit(t, form, "Check what this would do", url.Values{"reason": {"Back to normal"}}).want(t, 200)
	filed := ivy.submit(t, check, "Request approval: move Checkout from Leeds to Dublin", nil).want(t, 303)
	r, err := p.Request(p.ctx, strings.TrimPrefix(filed.location, "/a/"))
	if err != nil {
		t.Fatal(err)
	}
	none := failover.Ceiling{Kind: failover.CeilingOrders}
	if r.Terms.Mode != failover.Planned || r.Terms.Ceiling != none || r.Incident != "" {
		t.Errorf("filed %+v for incident %q", r.Terms, r.Incident)
	}
	if d := r.FiledAt.Sub(r.Impact); d < 0 || d > 1e9 {
		t.Errorf("a planned move counts from its filing, not from %v", r.Impact)
	}
	asked := ivy.get(t, filed.location).want(t, 200)
	asked.says(t, "loss", "none")
	asked.says(t, "cost", "costs nothing while Leeds works")
}

func TestTheSameDataIsNotAskedForTwice(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy, pat := p.someone(t, "Ivy", "incident-commanders"), p.someone(t, "Pat", "platform-engineers")
	r := p.requested(t, ivy)
	form := wish()
	form.Set("incident", r.Incident)
	second := pat.post(t, "/requests", form).want(t, 409)
	second.says(t, "problem", r.Code+" already asks to move the same data; Ivy requested it.")
}

func TestThoseWhoMayNotRequestAreNotOfferedIt(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy, owen := p.someone(t, "Ivy", "incident-commanders"), p.someone(t, "Owen", "business-owners")
	in := p.opened(t, ivy)
	seen := owen.get(t, "/incidents/"+in.Code).want(t, 200)
	if seen.Find("a[href$='/recover']").Length() != 0 {
		t.Error("a business owner is offered to request a failover")
	}
	owen.get(t, "/incidents/"+in.Code+"/recover").want(t, 403)
	if owen.get(t, "/plans/move-checkout").want(t, 200).Find("a[href$='/move']").Length() != 0 {
		t.Error("a business owner is offered to plan a move")
	}
}

func TestPlansTellTheirVersions(t *testing.T) {
	p := newPortal(t)
	ada := p.someone(t, "Ada", "auditors")
	next := p.bundle.Plans[0]
	next.Name = "Move Checkout, more carefully"
	testkit.Change(t, p.Store, store.Bundle{Plans: []failover.Plan{next}}, store.Manner{})
	if text := squeezed(ada.get(t, "/plans").want(t, 200).Find("main")); !strings.Contains(text, "Move Checkout, more carefully") {
		t.Errorf("the list: %s", text)
	}
	old := squeezed(ada.get(t, "/plans/move-checkout?version=1").want(t, 200).Find("main"))
	if !strings.Contains(old, "Version 2 is in force") {
		t.Errorf("an old version does not say so: %s", old)
	}
	ada.get(t, "/plans/move-checkout?version=x").want(t, 404)
	ada.get(t, "/plans/no-such").want(t, 404)
}

func TestARequestIsNotFiledWithAPlanThatItsCheckPageDidNotShow(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	form := wish()
	form.Set("incident", p.opened(t, ivy).Code)
	check := ivy.get(t, "/incidents/"+form.Get("incident")+"/check?"+form.Encode()).want(t, 200)
	plan := p.bundle.Plans[0]
	plan.Verify.Hold *= 2
	testkit.Change(t, p.Store, store.Bundle{Plans: []failover.Plan{plan}}, store.Manner{})
	const file = "Request approval: move Checkout from Leeds to Dublin"
	again := ivy.submit(t, check, file, nil).want(t, 409)
	again.says(t, "problem", "published anew while you were reading")
	ivy.submit(t, again, file, nil).want(t, 303)
}

func TestAMoveAgainstTheDataIsRefusedOnThePageAndInAForgedPost(t *testing.T) {
	for name, tc := range map[string]struct {
		seen  func(*portal, *testing.T)
		typed url.Values
		rule  string
	}{
		"away from where nobody writes": {(*portal).outage, url.Values{"from": {"dublin"}, "to": {"leeds"}}, failover.RuleFromTheWriter},
		"planned, from a silent site":   {(*portal).outage, url.Values{"mode": {"planned"}, "most": {"0"}}, failover.RuleOldSiteDrains},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPortal(t)
			tc.seen(p, t)
			ivy := p.someone(t, "Ivy", "incident-commanders")
			form := wish()
			form.Set("incident", p.opened(t, ivy).Code)
			for field, value := range tc.typed {
				form[field] = value
			}
			check := ivy.get(t, "/incidents/"+form.Get("incident")+"/check?"+form.Encode()).want(t, 200)
			check.says(t, "problem", tc.rule)
			for _, button := range check.buttons() {
				if strings.HasPrefix(button, "Request approval") {
					t.Errorf("it offers %q", button)
				}
			}
			form.Set("checked", check.Find("input[name=checked]").AttrOr("value", ""))
			ivy.post(t, "/requests", form).want(t, 403).says(t, "problem", tc.rule)
			if open, err := p.OpenRequests(p.ctx); err != nil || len(open) != 0 {
				t.Errorf("it filed %d requests, %v", len(open), err)
			}
			if lines := p.refusals(t, form.Get("incident")); len(lines) != 1 || lines[0].Rule != tc.rule {
				t.Errorf("the record has %v", lines)
			}
		})
	}
}

func TestAMoveToASilentTargetIsOfferedWithAWarning(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	p.sees(t, copyAt("dublin", 4997, false, p.Now()).Silence("connection refused", "http://dublin/status", p.Now()))
	ivy := p.someone(t, "Ivy", "incident-commanders")
	form := wish()
	check := ivy.get(t, "/incidents/"+p.opened(t, ivy).Code+"/check?"+form.Encode()).want(t, 200)
	check.says(t, "problem", "Dublin, where this would move to, does not answer")
	check.hasButton(t, "Request approval: move Checkout from Leeds to Dublin", true)
}
