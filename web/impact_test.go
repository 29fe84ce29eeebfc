package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestImpactSaysWhatStopsThroughWhichPathAndWhatItCosts(t *testing.T) {
	p := newPortal(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	ivy.get(t, "/impact").want(t, 200)
	page := ivy.get(t, "/impact?site=leeds").want(t, 200)
	page.says(t, "headline", "1 flow stops")
	page.says(t, "down", "is down,")
	page.says(t, "cost", "9,000 GBP a minute")
	page.says(t, "flows", "Customer order")
	page.says(t, "tree", "Leeds is down")
	page.says(t, "order", "Checkout and Order posting together: they share Orders")
	picture := page.Find("svg[data-field=picture]")
	if picture.Length() != 1 || picture.Find("text").Length() == 0 {
		t.Error("there is no picture")
	}
	for _, name := range picture.Find("title").Map(func(_ int, s *selection) string { return squeezed(s) }) {
		if bare := strings.TrimSuffix(name, " stops"); !strings.Contains(squeezed(page.Find("[data-field=tree], [data-field=flows]")), bare) {
			t.Errorf("the picture shows %q, which the text does not say", name)
		}
	}
	one := ivy.get(t, "/impact?service=checkout").want(t, 200)
	one.says(t, "tree", "Storefront stops")
	one.says(t, "tree", "Order posting falls behind")
}

func TestImpactOfWhatIsNotThereIsRefusedAtItsField(t *testing.T) {
	p := newPortal(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	page := ivy.get(t, "/impact?service=nothing&at=soon").want(t, 422)
	if !strings.Contains(page.wrong("service"), `"nothing"`) || page.wrong("at") == "" {
		t.Errorf("messages: %q, %q", page.wrong("service"), page.wrong("at"))
	}
	if got := page.Find("#at").AttrOr("value", ""); got != "soon" {
		t.Errorf("what was typed is now %q", got)
	}
}

func TestADayThatIsNoneOrIsStillToComeIsRefusedAtItsField(t *testing.T) {
	p := newPortal(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	for _, day := range []string{"yesterday", p.clock.Now().Add(48 * time.Hour).Format(time.DateOnly)} {
		page := ivy.get(t, "/impact?service=checkout&on="+day).want(t, 422)
		if page.wrong("on") == "" || page.Find("#on").AttrOr("value", "") != day {
			t.Errorf("%s: message %q, typed %q", day, page.wrong("on"), page.Find("#on").AttrOr("value", ""))
		}
		ivy.get(t, "/catalog?on="+day).want(t, 422)
	}
	ivy.get(t, "/impact?service=checkout&on="+p.clock.Now().Format(time.DateOnly)).want(t, 200)
}

func TestATenantThatSharesAllItsServicesStopsNobodyElse(t *testing.T) {
	p := newPortal(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	bea := p.someone(t, "Bea", "business-owners")
	bea.submit(t, bea.get(t, "/catalog/tenant/new").want(t, 200), "Save", url.Values{"name": {"Northern brand"}}).want(t, 303)
	page := ivy.get(t, "/impact?tenant=northern-brand").want(t, 200)
	page.says(t, "headline", "Northern brand has no service alone: what is shared goes on for the others.")
	page.says(t, "tenants", "Northern brand: is down itself")
}

func TestAsItWasOnReproducesTheImpactOfThatDay(t *testing.T) {
	p := newPortal(t)
	p.clock.Add(30 * 24 * time.Hour)
	bea := p.someone(t, "Bea", "business-owners")
	const question, parts = "/impact?service=checkout&at=2026-03-01+12:00", "[data-field=flows], [data-field=tree], [data-field=cost]"
	before := squeezed(bea.get(t, question).Find(parts))
	form := bea.get(t, "/catalog/capability/checkout/edit").want(t, 200)
	bea.submit(t, form, "Save", url.Values{"revenue_per_hour": {"1"}}).want(t, 303)
	flow := bea.get(t, "/catalog/flow/customer-order/edit").want(t, 200)
	bea.submit(t, flow, "Save", url.Values{"steps[0].criticality": {"deferrable"}, "steps[1].criticality": {"deferrable"}}).want(t, 303)
	if now := squeezed(bea.get(t, question).Find(parts)); now == before {
		t.Error("the change changed nothing")
	}
	if then := squeezed(bea.get(t, question+"&on=2026-03-01").Find(parts)); then != before {
		t.Errorf("a month ago it was %q, now that day is %q", before, then)
	}
}
