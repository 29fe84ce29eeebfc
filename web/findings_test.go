package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"keyholder/internal/store"
)

// unowned takes the technical owner from a service, which is a finding of its own.
func unowned(t *testing.T, by visitor, slug string) {
	t.Helper()
	form := by.get(t, "/catalog/service/"+slug+"/edit").want(t, 200)
	by.submit(t, form, "Save", url.Values{"technical_owner": {""}}).want(t, 303)
}

const unownedCheckout = "[data-finding='no-owner/service/checkout/technical']"

func TestAFindingIsRaisedByAChangeAndMendedByAnother(t *testing.T) {
	_, bea, pat := describing(t)
	if bea.get(t, "/findings").want(t, 200).Find(unownedCheckout).Length() != 0 {
		t.Fatal("checkout has no owner to begin with")
	}
	unowned(t, bea, "checkout")
	page := pat.get(t, "/findings").want(t, 200)
	one := page.Find(unownedCheckout)
	for _, want := range []string{"Checkout has no technical owner.", "In an incident there is nobody to ask.", "Name who runs it."} {
		if !strings.Contains(squeezed(one), want) {
			t.Errorf("the finding does not say %q: %s", want, squeezed(one))
		}
	}
	if text := squeezed(pat.get(t, "/catalog/service/checkout").Find("main")); !strings.Contains(text, "Checkout has no technical owner.") {
		t.Error("the record's page does not show its finding")
	}
	mend := pat.get(t, one.Find("a.btn").AttrOr("href", "")).want(t, 200)
	pat.submit(t, mend, "Save", url.Values{"technical_owner": {"Pat"}}).want(t, 303)
	if pat.get(t, "/findings").Find(unownedCheckout).Length() != 0 {
		t.Error("it is mended, and still found")
	}
}

func TestAnAcceptedFindingIsNotCountedUntilItRunsOut(t *testing.T) {
	p, bea, _ := describing(t)
	unowned(t, bea, "checkout")
	const button = "Accept: Checkout has no technical owner."
	bea.get(t, "/").says(t, "findings", "open")
	open := bea.get(t, "/findings").field("total")
	page := bea.get(t, "/findings?rule=no-owner").want(t, 200)
	for typed, field := range map[[2]string]string{
		{"", "2026-05-01"}: "reason", {"We hire", "soon"}: "until", {"We hire", "2026-02-01"}: "until", {"We hire", "2031-01-01"}: "until",
	} {
		again := bea.submit(t, page, button, url.Values{"reason": {typed[0]}, "until": {typed[1]}}).want(t, 422)
		if again.wrong(field) == "" {
			t.Errorf("%v: no message at %s", typed, field)
		}
		if got := again.Find(unownedCheckout+" [name=reason]").AttrOr("value", ""); got != typed[0] {
			t.Errorf("what was typed is now %q", got)
		}
	}
	bea.submit(t, page, button, url.Values{"reason": {"We hire"}, "until": {"2026-04-01"}}).want(t, 303)
	if bea.get(t, "/findings").field("total") == open || bea.get(t, "/findings").Find(unownedCheckout).Length() != 0 {
		t.Error("it is accepted, and still counted")
	}
	accepted := bea.get(t, "/findings?state=accepted").want(t, 200)
	accepted.says(t, "accepted", "Accepted by Bea until 2026-04-01: We hire")
	if lines, err := p.Record(p.ctx, store.Filter{Action: "finding.accept", Limit: 5}); err != nil || len(lines) != 1 || lines[0].Object != "catalog/service/checkout" {
		t.Errorf("the record has %+v, %v", lines, err)
	}
	p.clock.Add(40 * 24 * time.Hour)
	if later := p.someone(t, "Bea", "business-owners").get(t, "/findings"); later.Find(unownedCheckout).Length() != 1 {
		t.Error("it ran out, and is not counted again")
	}
}

func TestAFindingThatWasMendedMeanwhileIsNotAccepted(t *testing.T) {
	_, bea, pat := describing(t)
	unowned(t, bea, "checkout")
	page := bea.get(t, "/findings?rule=no-owner").want(t, 200)
	form := pat.get(t, "/catalog/service/checkout/edit").want(t, 200)
	pat.submit(t, form, "Save", url.Values{"technical_owner": {"Pat"}}).want(t, 303)
	late := bea.submit(t, page, "Accept: Checkout has no technical owner.", url.Values{"reason": {"We hire"}}).want(t, 409)
	late.says(t, "problem", "somebody has mended it")
}

func TestFindingsAreChosenByTierCapabilityAndOwner(t *testing.T) {
	_, bea, _ := describing(t)
	unowned(t, bea, "checkout")
	for query, there := range map[string]bool{
		"tier=tier-1": true, "tier=tier-2": false, "capability=checkout": true, "capability=fulfilment": false, "rule=no-owner": true, "owner=nobody": false,
	} {
		if got := bea.get(t, "/findings?"+query).want(t, 200).Find(unownedCheckout).Length() == 1; got != there {
			t.Errorf("%s: %v", query, got)
		}
	}
	if ada := bea.portal.someone(t, "Ada", "auditors").get(t, "/findings").want(t, 200); ada.Find("main form[method=post]").Length() != 0 {
		t.Error("an auditor is offered to accept findings")
	}
}
