package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"keyholder/internal/failover"
)

func TestAnIncidentBeginsWhenTheSignalsSay(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	form := ivy.get(t, "/incidents/new?title=Checkout+is+down&services=checkout").want(t, 200)
	filed := ivy.submit(t, form, "Open the incident", nil).want(t, 303)
	in, err := p.Incident(p.ctx, strings.TrimPrefix(filed.location, "/incidents/"))
	if err != nil {
		t.Fatal(err)
	}
	readings, err := p.Readings(p.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if began := *readings["signal/checkout-success"].BadSince; !in.ImpactAt.Equal(began) || in.ImpactSource != "the signal Checkout success" {
		t.Errorf("impact at %v from %q; want %v from the signal", in.ImpactAt, in.ImpactSource, began)
	}
	again := ivy.submit(t, form, "Open the incident", nil).want(t, 303)
	if again.location != filed.location {
		t.Errorf("a doubled click opened %s and %s", filed.location, again.location)
	}
}

func TestAPersonMayCorrectTheStartOfImpact(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	form := ivy.get(t, "/incidents/new?title=Checkout+is+down&services=checkout")
	filed := ivy.submit(t, form, "Open the incident", url.Values{"impact": {"2026-03-01T02:00:00"}}).want(t, 303)
	in, err := p.Incident(p.ctx, strings.TrimPrefix(filed.location, "/incidents/"))
	if err != nil {
		t.Fatal(err)
	}
	if in.ImpactSource != "Ivy" || in.ImpactAt.Hour() != 2 || in.ImpactAt.Minute() != 0 {
		t.Errorf("impact at %v from %q", in.ImpactAt, in.ImpactSource)
	}
}

func TestWrongInputToAnIncidentIsShownAtItsFieldAndKept(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	for name, tc := range map[string]struct {
		typed url.Values
		field string
		says  string
	}{
		"no title":         {url.Values{"title": {"  "}}, "title", "Say in a few words"},
		"long title":       {url.Values{"title": {strings.Repeat("x", 5000)}}, "title", "at most 120"},
		"unknown cause":    {url.Values{"cause": {"aliens"}}, "cause", "Choose a cause"},
		"no service":       {url.Values{"services": nil}, "services", "at least one"},
		"unknown service":  {url.Values{"services": {"../../etc"}}, "services", "no such service"},
		"future":           {url.Values{"impact": {"2026-03-01T09:00:00"}}, "impact", "in the future"},
		"too long ago":     {url.Values{"impact": {"1970-01-01T00:00:00"}}, "impact", "7 days"},
		"absurd time":      {url.Values{"impact": {"99999-99-99T99:99"}}, "impact", "Type a date"},
		"time left out":    {url.Values{"impact": {""}}, "impact", "Type a date"},
		"markup for title": {url.Values{"title": {"<script>alert(1)</script>"}, "services": nil}, "services", "at least one"},
	} {
		t.Run(name, func(t *testing.T) {
			form := ivy.get(t, "/incidents/new?title=Kept+as+typed&services=checkout").want(t, 200)
			again := ivy.submit(t, form, "Open the incident", tc.typed).want(t, 422)
			if got := again.wrong(tc.field); !strings.Contains(got, tc.says) {
				t.Errorf("at %s: %q; want it to hold %q", tc.field, got, tc.says)
			}
			want := "Kept as typed"
			if typed, ok := tc.typed["title"]; ok {
				want = typed[0]
			}
			if got := again.Find("#title").AttrOr("value", ""); got != want {
				t.Errorf("the title that was typed is now %q", got)
			}
			if again.Find("script:not([src])").Length() != 0 {
				t.Error("what was typed became markup")
			}
		})
	}
	open, err := p.OpenIncidents(p.ctx)
	if err != nil || len(open) != 0 {
		t.Errorf("wrong input opened %d incidents, %v", len(open), err)
	}
}

func TestAnIncidentClosesOnlyWhenNothingOfItIsOpen(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	r := p.requested(t, ivy)
	path := "/incidents/" + r.Incident
	closeIt := "Close " + r.Incident + ": Checkout success has collapsed"
	ivy.get(t, path).want(t, 200).hasButton(t, closeIt, false)
	forged := ivy.post(t, path+"/close", nil).want(t, 409)
	forged.says(t, "problem", r.Code+" still waits")
	if len(p.refusals(t, r.Incident)) != 1 {
		t.Error("the refusal is not in the record")
	}
	ivy.submit(t, ivy.get(t, "/a/"+r.Code), "Withdraw this request", nil).want(t, 303)
	ivy.submit(t, ivy.get(t, path), closeIt, nil).want(t, 303)
	list := ivy.get(t, "/incidents").want(t, 200)
	if text := squeezed(list.Find("main")); !strings.Contains(text, "No incident is open.") {
		t.Errorf("the list still shows it as open: %s", text)
	}
}

func TestAClosedIncidentBeginsNothing(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	in := p.opened(t, ivy)
	if err := p.CloseIncident(p.ctx, ivy.Principal, in.Code); err != nil {
		t.Fatal(err)
	}
	ivy.get(t, "/incidents/"+in.Code+"/recover").want(t, 409)
	form := wish()
	form.Set("incident", in.Code)
	ivy.post(t, "/requests", form).want(t, 409)
}

func TestListsOfIncidentsGoOnByKey(t *testing.T) {
	p := newPortal(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	for range 27 {
		in := p.opened(t, ivy)
		if err := p.CloseIncident(p.ctx, ivy.Principal, in.Code); err != nil {
			t.Fatal(err)
		}
		p.clock.Add(time.Second)
	}
	first := ivy.get(t, "/incidents").want(t, 200)
	if n := first.Find(".list-group-item").Length(); n != 25 {
		t.Errorf("the first page lists %d", n)
	}
	older := first.Find("a").FilterFunction(func(_ int, a *selection) bool { return squeezed(a) == "Older incidents" })
	second := ivy.get(t, older.AttrOr("href", "")).want(t, 200)
	if n := second.Find(".list-group-item").Length(); n != 2 {
		t.Errorf("the second page lists %d", n)
	}
	ivy.get(t, "/incidents?before=yesterday").want(t, 422)
}

func TestAnIncidentCostsUntilItIsRecoveredOrClosed(t *testing.T) {
	p, code, ivy, _ := moving(t)
	path := "/incidents/" + p.run(t, code).Incident
	ivy.get(t, path).want(t, 200).says(t, "cost", "9,000 GBP a minute, 13,500 GBP so far")
	p.until(t, code, failover.VerifyStep)
	p.clock.Add(30 * time.Second)
	p.perform(t, code)
	p.clock.Add(time.Hour)
	ivy.get(t, path).want(t, 200).says(t, "cost", "18,000 GBP in all, until it was recovered")

	other := p.opened(t, ivy)
	p.clock.Add(90 * time.Second)
	if err := p.CloseIncident(p.ctx, ivy.Principal, other.Code); err != nil {
		t.Fatal(err)
	}
	p.clock.Add(time.Hour)
	ivy.get(t, "/incidents/"+other.Code).want(t, 200).says(t, "cost", "27,000 GBP in all, until it was closed")
}

func TestTheFormNamesIncidentsThatAreOpenAlready(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	in := p.opened(t, ivy)
	form := ivy.get(t, "/incidents/new?title=Again&services=checkout").want(t, 200)
	if text := squeezed(form.Find("main")); !strings.Contains(text, "Open already") || !strings.Contains(text, in.Code) {
		t.Errorf("it does not warn of %s: %s", in.Code, text)
	}
	if text := squeezed(ivy.get(t, "/incidents/new?services=reporting").want(t, 200).Find("main")); strings.Contains(text, in.Code) {
		t.Errorf("it warns of an incident of other services: %s", text)
	}
}
