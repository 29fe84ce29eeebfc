package web_test

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

const approve = "Approve: move Checkout from Leeds to Dublin"

// asking is a portal with an outage and a request that Ivy filed; Owen may vote.
func asking(t *testing.T) (p *portal, r failover.Request, ivy, owen visitor) {
	t.Helper()
	p = newPortal(t)
	p.outage(t)
	ivy, owen = p.someone(t, "Ivy", "incident-commanders"), p.someone(t, "Owen", "business-owners")
	return p, p.requested(t, ivy), ivy, owen
}

func (p *portal) state(t *testing.T, code string) failover.Request {
	t.Helper()
	r, err := p.Request(p.ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheApprovalSaysWhatTheVoterMustKnow(t *testing.T) {
	_, r, _, owen := asking(t)
	page := owen.get(t, "/a/"+r.Code).want(t, 200)
	if got := squeezed(page.Find("h1")); got != "Move Checkout from Leeds to Dublin" {
		t.Errorf("the title is %q", got)
	}
	for field, want := range map[string]string{
		"reason": "Leeds is dark", "cost": "9,000 GBP a minute", "ceiling": "up to 500 orders", "loss": "3 to 41 orders",
		"blast": "Flow Customer order stops", "votes": "0 of 1", "expires": "in 30 min, ", "who": "Incident commander or Business owner other than Ivy",
	} {
		page.says(t, field, want)
	}
	page.says(t, "blast", "They move in this order: Checkout and Order posting together: they share Orders")
	page.hasButton(t, approve, true)
	page.hasButton(t, "Reject", true)
	sheet, err := owen.portal.NewestSheet(owen.portal.ctx, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := page.Find("input[name=sheet]").AttrOr("value", ""); got != sheet.Digest {
		t.Errorf("the form names sheet %q, the page shows %q", got, sheet.Digest)
	}
	if n := page.Find("li[data-fact]").Length(); n != len(sheet.Facts) {
		t.Errorf("the page shows %d of %d facts", n, len(sheet.Facts))
	}
}

func TestASecondPersonsVoteDecides(t *testing.T) {
	p, r, ivy, owen := asking(t)
	page := owen.get(t, "/a/"+r.Code)
	voted := owen.submit(t, page, approve, url.Values{"comment": {"Go"}}).want(t, 303)
	if voted.location != "/runs/"+r.Code {
		t.Errorf("after the last vote the voter is led to %s", voted.location)
	}
	owen.get(t, voted.location).want(t, 200).says(t, "sentence", "The engine has not taken it yet")
	if again := owen.submit(t, page, approve, url.Values{"comment": {"Go"}}); again.status != 303 {
		t.Errorf("a doubled click answers %d", again.status)
	}
	if got := p.state(t, r.Code); got.State != approval.Approved || len(got.Decisions) != 1 {
		t.Errorf("it is %s with %d votes", got.State, len(got.Decisions))
	}
	after := ivy.get(t, "/a/"+r.Code).want(t, 200)
	after.says(t, "standing", "Already approved by Owen")
	after.says(t, "decisions", "What Owen saw")
	after.hasButton(t, approve, false)
}

func TestRequesterMayNotApproveOwnRequestOnThePageOrByAForgedPost(t *testing.T) {
	p, r, ivy, owen := asking(t)
	own := ivy.get(t, "/a/"+r.Code).want(t, 200)
	own.hasButton(t, approve, false)
	own.hasButton(t, "Reject", false)
	own.hasButton(t, "Withdraw this request", true)
	own.says(t, "not-you", approval.RuleTwoPeople)
	forged := ivy.post(t, "/a/"+r.Code+"/decide", ballot(owen.get(t, "/a/"+r.Code), approval.Approve)).want(t, 403)
	forged.says(t, "problem", "Nobody decides on their own request")
	forged.says(t, "problem", approval.RuleTwoPeople)
	forged.says(t, "problem", "Who can: Incident commander or Business owner other than Ivy")
	if lines := p.refusals(t, r.Code); len(lines) != 1 || lines[0].Rule != approval.RuleTwoPeople || lines[0].Actor.Name != "Ivy" {
		t.Errorf("the record has %+v", lines)
	}
	if got := p.state(t, r.Code); got.State != approval.Requested || len(got.Decisions) != 0 {
		t.Errorf("it is %s with %d votes", got.State, len(got.Decisions))
	}
}

// wantsApprovals makes the policy for moves ask for so many people.
func (p *portal) wantsApprovals(t *testing.T, n int) {
	t.Helper()
	b := store.Bundle{Records: []catalog.Entry{testkit.MovePolicy(t, p.bundle, n)}}
	testkit.Change(t, p.Store, b, store.Manner{})
}

// ballot is the form of a vote as the page made it.
func ballot(p page, v approval.Verdict) url.Values {
	return url.Values{
		"act": {store.NewID()}, "verdict": {string(v)}, "comment": {"forged"},
		"digest": {p.Find("input[name=digest]").AttrOr("value", "")}, "sheet": {p.Find("input[name=sheet]").AttrOr("value", "")},
	}
}

func TestARoleWithoutAVoteSeesWhoHasOne(t *testing.T) {
	p, r, _, owen := asking(t)
	sue := p.someone(t, "Sue", "security-officers") // may decide, but this policy does not name the role
	page := sue.get(t, "/a/"+r.Code).want(t, 200)
	page.hasButton(t, approve, false)
	page.says(t, "not-you", "Rule: role")
	forged := sue.post(t, "/a/"+r.Code+"/decide", ballot(owen.get(t, "/a/"+r.Code), approval.Approve)).want(t, 403)
	forged.says(t, "problem", "Who can: Incident commander or Business owner other than Ivy")
}

func TestARejectionNeedsAReasonAndKeepsTheVoteOnThePage(t *testing.T) {
	p, r, _, owen := asking(t)
	page := owen.get(t, "/a/"+r.Code)
	again := owen.submit(t, page, "Reject", nil).want(t, 422)
	if got := again.wrong("comment"); !strings.Contains(got, "Say why you reject") {
		t.Errorf("at the comment: %q", got)
	}
	long := strings.Repeat("é", approval.MaxText+1)
	kept := owen.submit(t, page, "Reject", url.Values{"comment": {long}}).want(t, 422)
	if kept.Find("#comment").Text() != long {
		t.Error("the comment that was typed is lost")
	}
	owen.submit(t, again, "Reject", url.Values{"comment": {"Leeds comes back in a minute"}}).want(t, 303)
	after := owen.get(t, "/a/"+r.Code).want(t, 200)
	after.says(t, "standing", "Already rejected by Owen")
	after.says(t, "decisions", "Leeds comes back in a minute")
	if got := p.state(t, r.Code).State; got != approval.Rejected {
		t.Errorf("it is %s", got)
	}
}

func TestAnUnknownVerdictIsNoVote(t *testing.T) {
	p, r, _, owen := asking(t)
	form := ballot(owen.get(t, "/a/"+r.Code), "maybe")
	owen.post(t, "/a/"+r.Code+"/decide", form).want(t, 422)
	form.Set("verdict", "")
	owen.post(t, "/a/"+r.Code+"/decide", form).want(t, 422)
	if n := len(p.state(t, r.Code).Decisions); n != 0 {
		t.Errorf("%d votes were counted", n)
	}
}

func TestAnExpiredRequestSaysSoWithoutTheEngine(t *testing.T) {
	p, r, ivy, owen := asking(t)
	form := ballot(owen.get(t, "/a/"+r.Code), approval.Approve)
	p.clock.Add(31 * time.Minute)
	p.engine.away = true
	page := owen.get(t, "/a/"+r.Code).want(t, 200)
	page.says(t, "standing", "expired at")
	page.hasButton(t, approve, false)
	ivy.get(t, "/a/"+r.Code).hasButton(t, "Withdraw this request", false)
	late := owen.post(t, "/a/"+r.Code+"/decide", form).want(t, 409)
	late.says(t, "problem", "Silence is no")
	if lines := p.refusals(t, r.Code); len(lines) != 1 || lines[0].Rule != approval.RuleExpiry {
		t.Errorf("the record has %+v", lines)
	}
}

func TestAVoteWithAnOldSignInIsSentToSignInAgain(t *testing.T) {
	p, r, _, owen := asking(t)
	form := ballot(owen.get(t, "/a/"+r.Code), approval.Approve)
	p.clock.Add(16 * time.Minute)
	page := owen.get(t, "/a/"+r.Code).want(t, 200)
	page.hasButton(t, approve, false)
	again := page.Find("a.btn").FilterFunction(func(_ int, a *selection) bool { return squeezed(a) == "Sign in again to vote" })
	href, err := url.Parse(again.AttrOr("href", ""))
	if err != nil || href.Path != "/sign-in/again" || href.Query().Get("return") != "/a/"+r.Code {
		t.Errorf("the way to sign in again is %v, %v", href, err)
	}
	refused := owen.post(t, "/a/"+r.Code+"/decide", form).want(t, 403)
	refused.says(t, "problem", approval.RuleRecentSignIn)
	if n := len(p.state(t, r.Code).Decisions); n != 0 {
		t.Errorf("%d votes were counted", n)
	}
}

func TestTwoVotesAreTwoPersons(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	p.wantsApprovals(t, 2)
	ivy, owen, cem := p.someone(t, "Ivy", "incident-commanders"), p.someone(t, "Owen", "business-owners"), p.someone(t, "Cem", "incident-commanders")
	r := p.requested(t, ivy)
	first := owen.submit(t, owen.get(t, "/a/"+r.Code), approve, nil).want(t, 303)
	page := owen.get(t, first.location).want(t, 200)
	page.says(t, "votes", "1 of 2")
	page.says(t, "not-you", "You voted to approve at")
	twice := owen.post(t, "/a/"+r.Code+"/decide", ballot(cem.get(t, "/a/"+r.Code), approval.Approve)).want(t, 409)
	twice.says(t, "problem", "One person has one vote")
	cem.submit(t, cem.get(t, "/a/"+r.Code), approve, nil).want(t, 303)
	if got := p.state(t, r.Code); got.State != approval.Approved || len(got.Decisions) != 2 {
		t.Errorf("it is %s with %d votes", got.State, len(got.Decisions))
	}
}

func TestTwoPeoplePressingAtOnceAreToldWhoWasFirst(t *testing.T) {
	p, r, _, owen := asking(t)
	cem := p.someone(t, "Cem", "incident-commanders")
	answers := make([]page, 2)
	var wg sync.WaitGroup
	for i, v := range []visitor{owen, cem} {
		form := ballot(v.get(t, "/a/"+r.Code), approval.Approve)
		wg.Go(func() { answers[i] = v.post(t, "/a/"+r.Code+"/decide", form) })
	}
	wg.Wait()
	counted, told := 0, 0
	for _, a := range answers {
		switch {
		case a.status == 303:
			counted++
		case a.status == 409 && strings.Contains(a.field("problem"), "Already approved by "):
			told++
		}
	}
	if counted != 1 || told != 1 {
		t.Errorf("%d votes counted, %d people told who was first", counted, told)
	}
}

func TestFactsThatChangedAreShownBeforeTheVoteCounts(t *testing.T) {
	p, r, _, owen := asking(t)
	page := owen.get(t, "/a/"+r.Code)
	p.sees(t, copyAt("leeds", 5900, true, p.Now())) // Leeds came back, with orders that Dublin lacks
	again := owen.submit(t, page, approve, url.Values{"comment": {"Looks fine"}}).want(t, 409)
	again.says(t, "problem", "This changed while you were reading")
	again.says(t, "problem", "Data that would be lost: 903 orders")
	if got := again.Find("#comment").Text(); got != "Looks fine" {
		t.Errorf("the comment that was typed is now %q", got)
	}
	if n := len(p.state(t, r.Code).Decisions); n != 0 {
		t.Fatalf("%d votes were counted on facts that nobody saw", n)
	}
	again.says(t, "loss", "903 orders")
	owen.submit(t, again, approve, nil).want(t, 303)
	if got := p.state(t, r.Code).State; got != approval.Approved {
		t.Errorf("after it was shown again the vote leaves it %s", got)
	}
}

func TestAPlanPublishedAnewVoidsVotesUntilTheRequesterConfirms(t *testing.T) {
	p := newPortal(t)
	p.outage(t)
	p.wantsApprovals(t, 2)
	ivy, owen := p.someone(t, "Ivy", "incident-commanders"), p.someone(t, "Owen", "business-owners")
	r := p.requested(t, ivy)
	owen.submit(t, owen.get(t, "/a/"+r.Code), approve, nil).want(t, 303)
	plan := p.bundle.Plans[0]
	plan.Steps = append([]failover.Step{}, plan.Steps...)
	plan.Steps[2].Expected = catalog.Duration(9 * time.Second)
	testkit.Change(t, p.Store, store.Bundle{Plans: []failover.Plan{plan}}, store.Manner{})
	seen := owen.get(t, "/a/"+r.Code).want(t, 200)
	seen.hasButton(t, approve, false)
	seen.says(t, "change", "Ivy must confirm this before anyone votes again")
	seen.says(t, "votes", "0 of 2")
	if seen.Find("[data-void]").Length() != 1 {
		t.Error("the vote of before is not marked as void")
	}
	ivy.get(t, "/").says(t, "needs-you", "Confirm what changed: move Checkout from Leeds to Dublin")
	own := ivy.get(t, "/a/"+r.Code).want(t, 200)
	own.says(t, "change", "version 1 became 2")
	own.says(t, "change", `"Fence the old writer" is expected to take 9 s instead of 4 s`)
	plan.Steps[2].Expected = catalog.Duration(20 * time.Second) // once more, while she reads
	testkit.Change(t, p.Store, store.Bundle{Plans: []failover.Plan{plan}}, store.Manner{})
	late := ivy.submit(t, own, "Confirm the difference and reopen the voting", nil).want(t, 409)
	late.says(t, "problem", "It changed once more while you were reading")
	late.says(t, "change", "20 s instead of 4 s")
	ivy.submit(t, late, "Confirm the difference and reopen the voting", nil).want(t, 303)
	owen.submit(t, owen.get(t, "/a/"+r.Code), approve, nil).want(t, 303)
	if got := p.state(t, r.Code); len(got.Votes()) != 1 || len(got.Decisions) != 2 {
		t.Errorf("%d of %d votes count", len(got.Votes()), len(got.Decisions))
	}
}

func TestAVoteForOtherTermsDoesNotCount(t *testing.T) {
	p, r, _, owen := asking(t)
	form := ballot(owen.get(t, "/a/"+r.Code), approval.Approve)
	form.Set("digest", "sha256:0000")
	owen.post(t, "/a/"+r.Code+"/decide", form).want(t, 409).says(t, "problem", approval.RuleBound)
	form = ballot(owen.get(t, "/a/"+r.Code), approval.Approve)
	form.Set("sheet", "<script>alert(1)</script>")
	form.Set("act", "not an id")
	owen.post(t, "/a/"+r.Code+"/decide", form).want(t, 409).says(t, "problem", "too old to vote on")
	if n := len(p.state(t, r.Code).Decisions); n != 0 {
		t.Errorf("%d votes were counted", n)
	}
}

func TestWhileTheEngineIsAwayNothingTypedIsLost(t *testing.T) {
	p, r, ivy, owen := asking(t)
	page := owen.get(t, "/a/"+r.Code)
	p.engine.away = true
	away := owen.submit(t, page, approve, url.Values{"comment": {"Go"}}).want(t, 503)
	away.says(t, "problem", "does not answer. Nothing was changed")
	if got := away.Find("#comment").Text(); got != "Go" {
		t.Errorf("the comment that was typed is now %q", got)
	}
	if was, is := page.Find(".actionbar input[name=act]").AttrOr("value", ""), away.Find(".actionbar input[name=act]").AttrOr("value", ""); was != is {
		t.Error("pressing again would be another act, although nobody knows what became of the first")
	}
	ivy.submit(t, ivy.get(t, "/a/"+r.Code), "Withdraw this request", nil).want(t, 503)
	p.engine.away = false
	owen.submit(t, away, approve, nil).want(t, 303)
}

func TestOnlyTheRequesterWithdraws(t *testing.T) {
	p, r, ivy, _ := asking(t)
	cem := p.someone(t, "Cem", "incident-commanders")
	cem.get(t, "/a/"+r.Code).hasButton(t, "Withdraw this request", false)
	cem.post(t, "/a/"+r.Code+"/withdraw", url.Values{"act": {store.NewID()}}).want(t, 403).says(t, "problem", approval.RuleOwner)
	page := ivy.get(t, "/a/"+r.Code)
	ivy.submit(t, page, "Withdraw this request", nil).want(t, 303)
	ivy.submit(t, page, "Withdraw this request", nil).want(t, 303) // a doubled click
	cem.get(t, "/a/"+r.Code).says(t, "standing", "Ivy withdrew this request at")
	if got := p.state(t, r.Code).State; got != approval.Withdrawn {
		t.Errorf("it is %s", got)
	}
}

func TestUnknownRequestsAreNotFound(t *testing.T) {
	p, _, ivy, owen := asking(t)
	for _, code := range []string{"FO-NOSUCH", "%3Cscript%3E", "..%2f..%2fetc"} {
		owen.get(t, "/a/"+code).want(t, 404)
		owen.post(t, "/a/"+code+"/decide", url.Values{"verdict": {"approve"}}).want(t, 404)
		ivy.post(t, "/a/"+code+"/withdraw", nil).want(t, 404)
		ivy.post(t, "/a/"+code+"/confirm", nil).want(t, 404)
	}
	if got := len(p.refusals(t, "FO-NOSUCH")); got != 0 {
		t.Errorf("%d refusals of what is not there", got)
	}
}
