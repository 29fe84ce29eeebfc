package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
	"keyholder/web"
)

// whoMay is a question about a move of Checkout.
func whoMay(more url.Values) string {
	q := url.Values{"action": {"move"}, "service": {"checkout"}, "site": {"leeds", "dublin"}, "cause": {"site"}, "mode": {"emergency"}}
	for k, v := range more {
		q[k] = v
	}
	return "/who?" + q.Encode()
}

// mailed is somebody whose address is verified.
func mailed(t *testing.T, p *portal, name string, groups ...string) string {
	t.Helper()
	id, err := p.SignIn(p.ctx, store.Identity{
		Issuer: issuer, Subject: name, Name: name, Email: strings.ToLower(name) + "@example.com", Verified: true, Groups: groups, SignedInAt: p.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestWhoMayIsAnsweredWithThePathThroughRolesScopesDeputiesAndPolicies(t *testing.T) {
	p := newPortal(t)
	today := p.Now().Format(time.DateOnly)
	owner := catalog.Assignment{Slug: "carla", Name: "Carla", Role: access.BusinessOwner, Person: "carla@example.com", Capabilities: []string{"checkout"}}
	deputy := catalog.Deputy{Slug: "away", Name: "While Carla is away", For: "carla@example.com", Person: "dora@example.com", From: today, Until: today}
	testkit.Change(t, p.Store, store.Bundle{Records: []catalog.Entry{
		{Ref: catalog.Ref{Kind: catalog.KindAssignment, Slug: owner.Slug}, Name: owner.Name, Record: owner},
		{Ref: catalog.Ref{Kind: catalog.KindDeputy, Slug: deputy.Slug}, Name: deputy.Name, Record: deputy},
	}}, store.Manner{})
	ada := p.someone(t, "Ada", "auditors")
	dora := mailed(t, p, "Dora")

	yes := ada.get(t, whoMay(url.Values{"person": {dora}})).want(t, 200)
	for _, part := range []string{"Yes: Dora may", "Business owner for checkout", "by the assignment carla", "standing in for carla@example.com", "Their sign-in must be of the last 15 min"} {
		yes.says(t, "person", part)
	}
	yes.says(t, "policies", "One approver besides the requester")
	yes.says(t, "able", "carla@example.com")
	if about := yes.field("about"); !strings.Contains(about, "Checkout") || !strings.Contains(about, "cause: site") {
		t.Errorf("it is about %q", about)
	}
	later := ada.get(t, whoMay(url.Values{"person": {dora}, "at": {p.Now().AddDate(0, 0, 2).Format("2006-01-02 15:04")}})).want(t, 200)
	later.says(t, "person", "No: Dora may not")
}

func TestWhoMayNotIsToldTheRuleAndWhoCan(t *testing.T) {
	p := newPortal(t)
	ada := p.someone(t, "Ada", "auditors")
	ines, bea := mailed(t, p, "Ines", "incident-commanders"), mailed(t, p, "Bea", "business-owners")
	for name, c := range map[string]struct{ person, rule string }{
		"the requester": {ines, approval.RuleTwoPeople}, "an auditor": {ada.ID, approval.RuleRole},
	} {
		no := ada.get(t, whoMay(url.Values{"person": {c.person}, "requester": {ines}})).want(t, 200)
		no.says(t, "person", "may not")
		if got := no.field("rule"); got != c.rule {
			t.Errorf("%s: the rule is %q, not %q", name, got, c.rule)
		}
		no.says(t, "person", "Incident commander or Business owner other than Ines")
		no.says(t, "able", "Bea")
	}
	ada.get(t, whoMay(url.Values{"person": {bea}, "requester": {ines}})).want(t, 200).says(t, "person", "Yes: Bea may")
	none := ada.get(t, "/who?"+url.Values{"action": {"break-glass"}}.Encode()).want(t, 200)
	if got := none.field("rule"); got != approval.RuleNoGap {
		t.Errorf("what has no policy is refused by %q", got)
	}
}

func TestAQuestionThatCannotBeAnsweredKeepsWhatWasTyped(t *testing.T) {
	p := newPortal(t)
	ada := p.someone(t, "Ada", "auditors")
	for field, sent := range map[string]url.Values{
		"at": {"at": {"next tuesday"}}, "action": {"action": {"dance"}}, "cause": {"cause": {"weather"}}, "mode": {"mode": {"soon"}},
		"person": {"person": {"nobody@example.com"}}, "requester": {"requester": {"nobody@example.com"}},
	} {
		page := ada.get(t, whoMay(sent)).want(t, 422)
		if page.wrong(field) == "" {
			t.Errorf("%s: nothing is said of it", field)
		}
		if field == "at" && page.Find("[name=at]").AttrOr("value", "") != "next tuesday" {
			t.Errorf("%s: what was typed is gone", field)
		}
		if field != "mode" && page.Find("[name=mode] option[selected]").AttrOr("value", "") != "emergency" {
			t.Errorf("%s: what was chosen besides is gone", field)
		}
	}
}

func TestWhoIsStillWantedNamesEveryWay(t *testing.T) {
	t.Parallel()
	officer, owner := access.SecurityOfficer, access.BusinessOwner
	choice := approval.Want{Policy: "P", Roles: []access.Role{officer}, Or: [][]access.Role{{owner, owner}}}
	for words, wants := range map[string][]approval.Want{
		"":                     nil,
		"a policy":             {{Policy: "a policy"}},
		"one security officer": {{Policy: "P", Roles: []access.Role{officer}}},
		"one security officer or two business owners":                                {choice},
		"two business owners and either one security officer or two business owners": {{Policy: "Q", Roles: []access.Role{owner, owner}}, choice},
	} {
		if got := web.WantedWordsForTest(wants); got != words {
			t.Errorf("%+v: %q, want %q", wants, got, words)
		}
	}
}
