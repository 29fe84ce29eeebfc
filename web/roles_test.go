package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/store"
)

func TestWhoHoldsWhichRoleIsReviewedSignedAndDueAgain(t *testing.T) {
	p := newPortal(t)
	p.someone(t, "Ines", "incident-commanders")
	sven, ada := p.someone(t, "Sven", "security-officers"), p.someone(t, "Ada", "auditors")
	if due := squeezed(sven.get(t, "/").Find("[data-field=needs-you]")); !strings.Contains(due, "Review who holds which role") {
		t.Errorf("nobody asks for a review: %s", due)
	}
	if seen := ada.get(t, "/roles").want(t, 200); seen.Find("form[method=post][action='/roles/review']").Length() != 0 {
		t.Error("an auditor may sign")
	}
	ada.post(t, "/roles/review", nil).want(t, 403)
	page := sven.get(t, "/roles").want(t, 200)
	if text := squeezed(page.Find("main")); !strings.Contains(text, "the group incident-commanders, everywhere") || !strings.Contains(text, "Ines") {
		t.Errorf("the page says %s", text)
	}
	const sign = "Sign: I have read who holds which role"
	sven.submit(t, page, sign, url.Values{"note": {"Rosa has left"}}).want(t, 303)
	sven.submit(t, page, sign, url.Values{"note": {"Rosa has left"}}).want(t, 303) // pressed twice
	if reviews, err := p.Reviews(p.ctx, 10); err != nil || len(reviews) != 1 || reviews[0].Due.Sub(reviews[0].At) != store.ReviewEvery {
		t.Fatalf("%+v, %v", reviews, err)
	}
	after := ada.get(t, "/roles").want(t, 200)
	after.says(t, "reviews", "Rosa has left")
	after.says(t, "due", "The next review is due on")
	if due := squeezed(sven.get(t, "/").Find("[data-field=needs-you]")); strings.Contains(due, "Review who holds") {
		t.Error("it is signed, and still asked for")
	}
	p.clock.Add(store.ReviewEvery + time.Hour)
	sven = p.someone(t, "Sven", "security-officers")
	sven.get(t, "/roles").says(t, "due", "was due on")
}

func TestAReviewIsSignedAsItWasShown(t *testing.T) {
	p := newPortal(t)
	sven := p.someone(t, "Sven", "security-officers")
	page := sven.get(t, "/roles").want(t, 200)
	p.someone(t, "Mallory", "administrators")
	refused := sven.submit(t, page, "Sign: I have read who holds which role", url.Values{"note": {"All well"}}).want(t, 409)
	refused.says(t, "problem", store.RuleSignedAsShown)
	if got := refused.Find("#note").AttrOr("value", ""); got != "All well" {
		t.Errorf("what was typed is now %q", got)
	}
	p.clock.Add(time.Hour)
	fresh := sven.get(t, "/roles").want(t, 200)
	sven.submit(t, fresh, "Sign: I have read who holds which role", nil).want(t, 303)
	if reviews, err := p.Reviews(p.ctx, 1); err != nil || len(reviews) != 0 {
		t.Errorf("an old sign-in signed: %+v, %v", reviews, err)
	}
}

func TestWhoHeldWhatIsShownAsOfAnyDay(t *testing.T) {
	p := newPortal(t)
	before := p.clock.Now().Format(time.RFC3339Nano)
	p.clock.Add(time.Hour)
	root := p.someone(t, "Root", "administrators")
	form := root.get(t, "/catalog/assignment/new").want(t, 200)
	root.submit(t, form, "Save", url.Values{"name": {"Rosa"}, "role": {string(access.BusinessOwner)}, "person": {"rosa@example.com"}}).want(t, 303)
	if now := squeezed(root.get(t, "/roles").Find("main")); !strings.Contains(now, "rosa@example.com") {
		t.Errorf("now: %s", now)
	}
	if then := squeezed(root.get(t, "/roles?on="+url.QueryEscape(before)).want(t, 200).Find("main")); strings.Contains(then, "rosa@example.com") {
		t.Errorf("then: %s", then)
	}
}

func TestTwoAccountsWithOneVerifiedAddressAreFlagged(t *testing.T) {
	p := newPortal(t)
	root := p.someone(t, "Root", "administrators")
	for _, subject := range []string{"one", "two"} {
		_, err := p.SignIn(p.ctx, store.Identity{
			Issuer: "i", Subject: subject, Name: "Twin " + subject, Email: "Twin@example.com", Verified: true, SignedInAt: p.clock.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	root.get(t, "/roles").says(t, "shared", "Twin one and Twin two: 2 accounts with one verified address")
}
