package web_test

import (
	"net/url"
	"testing"
)

const passOn = "I cannot decide: pass to the next eligible"

func TestTheApprovalSaysWhoPassedAndWhoStillCan(t *testing.T) {
	p, r, ivy, owen := asking(t)
	p.someone(t, "Hal", "business-owners")
	at := "/a/" + r.Code
	ivy.get(t, at).want(t, 200).hasButton(t, passOn, false)
	ivy.post(t, at+"/pass", url.Values{}).want(t, 403).says(t, "problem", "two-people")
	page := owen.get(t, at).want(t, 200)
	page.says(t, "able", "Owen")
	owen.submit(t, page, passOn, nil).want(t, 303)
	after := owen.get(t, at).want(t, 200)
	after.says(t, "passed", "Passed on by Owen")
	after.says(t, "able", "Hal")
	after.hasButton(t, passOn, false)
	after.hasButton(t, approve, true)
	owen.submit(t, after, approve, nil).want(t, 303)
}
