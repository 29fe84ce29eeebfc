package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// governed is a portal in which changes take two people.
func governed(t *testing.T) (p *portal, bea, hal, ada visitor) {
	t.Helper()
	p = newPortal(t)
	var b store.Bundle
	for _, policy := range catalog.ShippedPolicies() {
		if policy.Action == catalog.ActChange || policy.Action == catalog.ActChangeRules {
			b.Records = append(b.Records, catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindPolicy, Slug: policy.Slug}, Record: policy})
		}
	}
	testkit.Change(t, p.Store, b, store.Manner{})
	return p, p.someone(t, "Bea", "business-owners"), p.someone(t, "Hal", "business-owners"), p.someone(t, "Ada", "administrators")
}

const (
	draftPath = "/change-requests/draft"
	ownerForm = "/catalog/service/checkout/edit"
)

// proposed is a change of the owner of Checkout that somebody has asked for; it returns the address of the request.
func proposed(t *testing.T, by visitor, owner string) string {
	t.Helper()
	saved := by.submit(t, by.get(t, ownerForm).want(t, 200), "Save", url.Values{"business_owner": {owner}}).want(t, 303)
	if saved.location != draftPath {
		t.Fatalf("saving leads to %s", saved.location)
	}
	return by.submit(t, by.get(t, draftPath).want(t, 200), "Propose it", url.Values{"why": {"They left"}}).want(t, 303).location
}

func TestWhatIsSavedForASecondPersonIsInForceOnlyWhenTheyApproved(t *testing.T) {
	p, bea, hal, _ := governed(t)
	before := p.service(t, "checkout").BusinessOwner
	at := proposed(t, bea, "Carla")
	if p.service(t, "checkout").BusinessOwner != before {
		t.Fatal("what was only proposed is in force")
	}
	own := bea.get(t, at).want(t, 200)
	own.hasButton(t, "Approve it", false)
	own.says(t, "not-you", "Nobody decides on their own request")
	own.says(t, "difference", "Business owner: Carla, was "+before)
	if now := squeezed(hal.get(t, "/").want(t, 200).Find("[data-field=needs-you]")); !strings.Contains(now, "Decide: Change service") || !strings.Contains(now, "They left") {
		t.Errorf("Now does not ask for the vote: %s", now)
	}
	page := hal.get(t, at).want(t, 200)
	hal.submit(t, page, "Approve it", nil).want(t, 303)
	if p.service(t, "checkout").BusinessOwner != "Carla" {
		t.Error("what was approved is not in force")
	}
	hal.submit(t, page, "Approve it", nil).want(t, 303) // pressed twice
	done := bea.get(t, at).want(t, 200)
	done.says(t, "standing", "Already approved by Hal")
	done.hasButton(t, "Withdraw this request", false)
	if text := squeezed(done.Find("[data-field=difference]")); !strings.Contains(text, "was "+before) {
		t.Errorf("what it changed is not shown any more: %s", text)
	}
	version := done.Find("[data-field=made] a").AttrOr("href", "")
	if text := squeezed(bea.get(t, version).want(t, 200).Find("main")); !strings.Contains(text, "by Bea, approved by Hal") {
		t.Errorf("the version does not say who made it: %s", text)
	}
}

func TestAVoteOnWhatHasChangedMeanwhileIsRefusedAndBothAreShown(t *testing.T) {
	p, bea, hal, ada := governed(t)
	at := proposed(t, bea, "Carla")
	page := hal.get(t, at).want(t, 200)
	ada.submit(t, ada.get(t, ownerForm).want(t, 200), "Save", url.Values{"about": {"Takes the money"}}).want(t, 303)
	late := hal.submit(t, page, "Approve it", url.Values{"comment": {"Fine"}}).want(t, 403)
	late.says(t, "problem", "Bea must confirm the difference")
	late.hasButton(t, "Approve it", false)
	asks := bea.get(t, at).want(t, 200)
	asks.says(t, "meanwhile", "Takes the money")
	asks.says(t, "difference", "Business owner: Carla")
	bea.submit(t, asks, "Confirm it and reopen the voting", nil).want(t, 303)
	hal.submit(t, hal.get(t, at).want(t, 200), "Approve it", nil).want(t, 303)
	if now := p.service(t, "checkout"); now.BusinessOwner != "Carla" || now.About != "Takes the money" {
		t.Errorf("in force is %+v", now)
	}
}

func TestWhatCannotBeProposedIsSaidAndNothingTypedIsLost(t *testing.T) {
	_, bea, _, ada := governed(t)
	bea.submit(t, bea.get(t, ownerForm), "Save", url.Values{"business_owner": {"Carla"}}).want(t, 303)
	missing := bea.submit(t, bea.get(t, draftPath), "Propose it", nil).want(t, 422)
	if text := squeezed(missing.Find("main")); !strings.Contains(text, "Say why") || !strings.Contains(text, "Carla") {
		t.Errorf("without a reason: %s", text)
	}
	page := bea.get(t, draftPath)
	bea.submit(t, bea.get(t, "/catalog/service/checkout/edit"), "Save", url.Values{"business_owner": {"Dora"}}).want(t, 303)
	late := bea.submit(t, page, "Propose it", url.Values{"why": {"They left"}}).want(t, 409)
	late.says(t, "problem", "changed while you were reading")
	late.says(t, "difference", "Dora")
	if typed := late.Find("[name=why]").AttrOr("value", ""); typed != "They left" {
		t.Errorf("the reason that was typed is now %q", typed)
	}
	wrong := bea.submit(t, bea.get(t, ownerForm), "Save", url.Values{"tier": {"tier-9"}, "business_owner": {"Eve"}}).want(t, 422)
	if wrong.Find("[name=business_owner]").AttrOr("value", "") != "Eve" {
		t.Error("what was typed is lost")
	}
	ada.submit(t, ada.get(t, "/catalog/policy/tier-1-move/edit"), "Save", url.Values{"mode": {"emergency"}}).want(t, 303)
	ada.get(t, draftPath).want(t, 200).says(t, "errors", "no policy fits")
}

func TestADraftIsItsOwnersAndCanBeTakenApart(t *testing.T) {
	p, bea, hal, _ := governed(t)
	bea.submit(t, bea.get(t, ownerForm), "Save", url.Values{"business_owner": {"Carla"}}).want(t, 303)
	hal.get(t, draftPath).want(t, 200).says(t, "empty", "not put anything together")
	if again := bea.get(t, ownerForm); again.Find("[name=business_owner]").AttrOr("value", "") != "Carla" {
		t.Error("the form does not go on from the draft")
	}
	bea.submit(t, bea.get(t, draftPath), "Take out service Checkout", nil).want(t, 303)
	bea.get(t, draftPath).want(t, 200).says(t, "empty", "not put anything together")
	if p.service(t, "checkout").BusinessOwner == "Carla" {
		t.Error("it is in force")
	}
}

func TestAChangeIsTakenBackFromItsPage(t *testing.T) {
	p, bea, hal, _ := governed(t)
	before := p.service(t, "checkout").BusinessOwner
	at := proposed(t, bea, "Carla")
	hal.submit(t, hal.get(t, at), "Approve it", nil).want(t, 303)
	back := hal.submit(t, hal.get(t, at), "Put together what takes this back", nil).want(t, 303)
	if back.location != draftPath {
		t.Fatalf("it leads to %s", back.location)
	}
	draft := hal.get(t, draftPath).want(t, 200)
	draft.says(t, "difference", "Business owner: "+before+", was Carla")
	again := hal.submit(t, draft, "Propose it", url.Values{"why": {"It was wrong"}}).want(t, 303).location
	bea.submit(t, bea.get(t, again), "Approve it", nil).want(t, 303)
	if now := p.service(t, "checkout").BusinessOwner; now != before {
		t.Errorf("the owner is %q", now)
	}
}

func TestARejectionSaysWhyAndEndsIt(t *testing.T) {
	p, bea, hal, _ := governed(t)
	at := proposed(t, bea, "Carla")
	hal.submit(t, hal.get(t, at), "Reject", nil).want(t, 422)
	hal.submit(t, hal.get(t, at), "Reject", url.Values{"comment": {"Carla left too"}}).want(t, 303)
	if text := squeezed(bea.get(t, at).Find("main")); !strings.Contains(text, "Already rejected by Hal") || !strings.Contains(text, "Carla left too") {
		t.Errorf("its page: %s", text)
	}
	if p.service(t, "checkout").BusinessOwner == "Carla" {
		t.Error("it is in force")
	}
}

func TestFilesThatTakeTwoAreProposed(t *testing.T) {
	p, bea, _, ada := governed(t)
	const file = "kind: third-party\nslug: tax-office\nname: Tax office\n"
	planned := ada.submit(t, ada.get(t, "/catalog-files"), "Show what would change", url.Values{"body": {file}, "why": {"A new one"}}).want(t, 200)
	planned.says(t, "by-two", "a second person must approve it")
	asked := ada.submit(t, planned, "Propose this", nil).want(t, 303)
	if !strings.HasPrefix(asked.location, "/change-requests/CH-") {
		t.Fatalf("it leads to %s", asked.location)
	}
	bea.submit(t, bea.get(t, asked.location), "Approve it", nil).want(t, 303)
	if stands, err := p.Standing(p.ctx, catalog.Ref{Kind: catalog.KindThirdParty, Slug: "tax-office"}); err != nil || stands == nil || !stands.Managed {
		t.Errorf("%+v, %v", stands, err)
	}
}

// TestAForgedVoteIsRefusedByTheRule: a button that is not drawn is not enough.
func TestAForgedVoteIsRefusedByTheRule(t *testing.T) {
	p, bea, hal, _ := governed(t)
	at := proposed(t, bea, "Carla")
	forged := url.Values{}
	hal.get(t, at).Find("form[action$=decide] input[type=hidden]").Each(func(_ int, i *selection) { forged.Set(i.AttrOr("name", ""), i.AttrOr("value", "")) })
	forged.Set("verdict", string(approval.Approve))
	refused := bea.post(t, at+"/decide", forged).want(t, http.StatusForbidden)
	if text := squeezed(refused.Find("main")); !strings.Contains(text, approval.RuleTwoPeople) {
		t.Errorf("the rule is not named: %s", text)
	}
	said, err := p.Record(p.ctx, store.Filter{Action: "change.decide", Outcome: "refused"})
	if err != nil || len(said) != 1 {
		t.Errorf("it is on record %d times: %v", len(said), err)
	}
}
