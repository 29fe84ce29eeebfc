package web_test

import (
	"net/url"
	"testing"
)

func TestAProposedPolicySaysWhichDecisionsWouldNotHaveBeenOnes(t *testing.T) {
	p, bea, hal, ada := governed(t)
	ivy := p.someone(t, "Ivy", "incident-commanders")
	code := p.running(t, ivy, bea).Code
	at := proposed(t, bea, "Carla")
	hal.submit(t, hal.get(t, at), "Approve it", nil).want(t, 303)
	ada.submit(t, ada.get(t, "/catalog/policy/tier-1-move/edit").want(t, 200), "Save", url.Values{"needs[0].persons": {"3"}, "needs[1].persons": {"3"}}).want(t, 303)
	page := ada.get(t, draftPath).want(t, 200)
	page.says(t, "past", code+" would have wanted")
	page.says(t, "past", "1 other approval is decided on as before")
	bea.submit(t, bea.get(t, ownerForm).want(t, 200), "Save", url.Values{"business_owner": {"Dora"}}).want(t, 303)
	if n := bea.get(t, draftPath).want(t, 200).Find("[data-field=past]").Length(); n != 0 {
		t.Error("what changes nothing in who decides is held against the past")
	}
}
