package web_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
	"keyholder/web"
)

// groupOf is the group of the shop's provider that a role comes from.
var groupOf = map[access.Role]string{
	access.IncidentCommander: "incident-commanders", access.BusinessOwner: "business-owners",
	access.PlatformEngineer: "platform-engineers", access.Responder: "responders",
	access.SecurityOfficer: "security-officers", access.Auditor: "auditors", access.Administrator: "administrators",
	access.OutletGateway: "outlet-gateways",
}

// withRoles is a portal in which each group gives its role, also that of programs.
func withRoles(t *testing.T) *portal {
	t.Helper()
	p := newPortal(t)
	p.withGateways(t)
	return p
}

// withGateways gives the role of programs to its group.
func (p *portal) withGateways(t *testing.T) {
	t.Helper()
	gateways := catalog.Assignment{Slug: "outlet-gateways", Name: "Outlet gateways", Role: access.OutletGateway, Group: groupOf[access.OutletGateway]}
	testkit.Change(t, p.Store, store.Bundle{Records: []catalog.Entry{{Ref: catalog.Ref{Kind: catalog.KindAssignment, Slug: gateways.Slug}, Record: gateways}}}, store.Manner{})
}

func TestEveryRoleIsTriedOnEveryRoute(t *testing.T) {
	for _, role := range access.Roles() {
		if groupOf[role] == "" {
			t.Errorf("%s is tried on no route", role)
		}
	}
}

// concrete puts something in the place of a route's parameters.
func concrete(path string) string {
	return strings.NewReplacer(":code", "FO-NONE22", ":kind", "service", ":version", "1", ":id", "00000000-0000-0000-0000-000000000000", ":slug", "move-checkout", "*", "nothing.css").Replace(path)
}

func TestEveryRouteHasAPermissionAndAnonymousGoesToSignIn(t *testing.T) {
	p := newPortal(t)
	for _, r := range web.RoutesForTest() {
		if r.Needs == "" {
			t.Errorf("%s %s has no permission", r.Method, r.Path)
		}
		if r.Needs == access.Anyone {
			continue
		}
		answer := p.stranger().do(t, r.Method, concrete(r.Path), nil)
		if answer.status != http.StatusSeeOther || !strings.HasPrefix(answer.location, "/sign-in?return=") {
			t.Errorf("%s %s: %d %s", r.Method, r.Path, answer.status, answer.location)
		}
	}
}

// do sends a request of any method, from the portal's own pages.
func (v visitor) do(t *testing.T, method, path string, form url.Values) page {
	t.Helper()
	if method == http.MethodPost {
		return v.post(t, path, form)
	}
	return v.get(t, path)
}

func TestAWrongRoleIsRefusedAndRecordedOnEveryRoute(t *testing.T) {
	p := withRoles(t)
	for role, group := range groupOf {
		v := p.someone(t, "One "+string(role), group)
		for _, r := range web.RoutesForTest() {
			if r.Needs == access.Anyone || r.Needs == access.SignedIn || r.Path == "/events" || role.May(r.Needs) {
				continue
			}
			path := concrete(r.Path)
			before := len(p.refusals(t, path))
			answer := v.do(t, r.Method, path, url.Values{}).want(t, http.StatusForbidden)
			if got := answer.field("rule"); got != "permission:"+string(r.Needs) {
				t.Errorf("%s %s as %s names the rule %q", r.Method, path, role, got)
			}
			if after := len(p.refusals(t, path)); after != before+1 {
				t.Errorf("%s %s as %s: %d refusals on record, then %d", r.Method, path, role, before, after)
			}
		}
	}
}

// votesAt is where people vote on an action.
func votesAt(a catalog.Action) string {
	switch a {
	case catalog.ActOverride, catalog.ActWaiver:
		return "/runs/:code/confirm"
	case catalog.ActChange, catalog.ActChangeRules:
		return "/change-requests/:code/decide"
	case catalog.ActBreakGlass:
		return "/access/:code/decide"
	default:
		return "/a/:code/decide"
	}
}

// TestWhoeverAPolicyMayNameIsLetInToVote: who is asked to decide is not kept out by the table.
func TestWhoeverAPolicyMayNameIsLetInToVote(t *testing.T) {
	field, ok := reflect.TypeFor[catalog.Need]().FieldByName("Role")
	if !ok {
		t.Fatal("a need names no role")
	}
	roles := strings.Split(field.Tag.Get("enum"), ",")
	if len(roles) < 4 {
		t.Fatalf("a policy may name %v: nothing is tried", roles)
	}
	p := newPortal(t)
	for _, role := range roles {
		v := p.someone(t, "One "+role, groupOf[access.Role(role)])
		for _, action := range catalog.Actions() {
			if answer := v.post(t, concrete(votesAt(action)), url.Values{}); answer.status != http.StatusNotFound {
				t.Errorf("%s, who may be asked to decide on %s, is answered %d, not that there is no such request", role, action, answer.status)
			}
		}
	}
}

// TestARoleThatMayIsNotRefusedByTheTable: to look, and to act. What a form without anything in it meets after that is another rule's.
func TestARoleThatMayIsNotRefusedByTheTable(t *testing.T) {
	p := withRoles(t)
	for role, group := range groupOf {
		v := p.someone(t, "One "+string(role), group)
		if !slices.Contains(v.Roles, role) {
			t.Errorf("nobody holds %s: nothing is tried", role)
		}
		for _, r := range web.RoutesForTest() {
			if !role.May(r.Needs) || r.Path == "/events" || r.Path == "/readyz" {
				continue
			}
			answer := v.do(t, r.Method, concrete(r.Path), url.Values{})
			anyKind := strings.Contains(r.Path, ":kind") // some roles change records of some kinds only
			byTable := answer.field("rule") == "permission:"+string(r.Needs) || r.Method == http.MethodGet && !anyKind
			if answer.status == http.StatusForbidden && byTable || answer.status >= http.StatusInternalServerError {
				t.Errorf("%s %s as %s: %d %s", r.Method, r.Path, role, answer.status, answer.field("rule"))
			}
		}
	}
}

func TestCrossSitePostsAreRefused(t *testing.T) {
	p := newPortal(t)
	v := p.someone(t, "Ines", "incident-commanders")
	for _, r := range web.RoutesForTest() {
		if r.Method != http.MethodPost {
			continue
		}
		for name, headers := range map[string][2]string{"fetch metadata": {"Sec-Fetch-Site", "cross-site"}, "origin": {"Origin", "https://evil.example"}} {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, concrete(r.Path), strings.NewReader("a=b"))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set(headers[0], headers[1])
			if answer := v.send(t, request); answer.status != http.StatusForbidden {
				t.Errorf("%s by %s: %d", r.Path, name, answer.status)
			}
		}
	}
}

func TestSomebodyWithoutARoleIsToldWhoCanHelp(t *testing.T) {
	p := newPortal(t)
	nina := p.someone(t, "Nina", "nobody-knows")
	if answer := nina.get(t, "/"); answer.status != http.StatusSeeOther || answer.location != "/me" {
		t.Fatalf("%d %s", answer.status, answer.location)
	}
	nina.get(t, "/me").want(t, http.StatusOK).says(t, "no-role", "administrator")
}

func TestHostileInputIsRefusedOnEveryPostAndNothingIsSaved(t *testing.T) {
	p := newPortal(t)
	v := p.someone(t, "Ines", "incident-commanders")
	lines := func() int {
		all, err := p.Record(context.Background(), store.Filter{Action: "incident.open", Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	for name, body := range map[string]struct {
		body   string
		status int
	}{
		"invalid UTF-8": {"title=%ff%fe", http.StatusUnprocessableEntity},
		"a NUL":         {"title=a%00b", http.StatusUnprocessableEntity},
		"an escape":     {"title=%1b%5b31m", http.StatusUnprocessableEntity},
		"a bad escape":  {"title=%zz", http.StatusUnprocessableEntity},
		"1 MiB":         {"title=" + strings.Repeat("a", 1<<20), http.StatusRequestEntityTooLarge},
	} {
		for _, r := range web.RoutesForTest() {
			if r.Method != http.MethodPost || !access.IncidentCommander.May(r.Needs) {
				continue
			}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, concrete(r.Path), strings.NewReader(body.body))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if answer := v.send(t, request); answer.status != body.status {
				t.Errorf("%s to %s: %d", name, r.Path, answer.status)
			}
		}
	}
	if n := lines(); n != 0 {
		t.Errorf("%d incidents were opened", n)
	}
	if strings.Contains(p.log.String(), "level=ERROR") {
		t.Errorf("logged as an error: %s", p.log.String())
	}
}

func TestUnknownAddressesAreNotFound(t *testing.T) {
	p := newPortal(t)
	v := p.someone(t, "Ines", "incident-commanders")
	for _, path := range []string{"/nothing", "/a/FO-NONE22", "/runs/FO-NONE22", "/incidents/IN-NONE22", "/plans/none", "/a/%ff", "/runs/..%2f..%2fetc", "/static/app.css"} {
		if answer := v.get(t, path); answer.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, answer.status)
		}
	}
}

func TestTheProviderMayBeAwayForWhoeverIsSignedIn(t *testing.T) {
	p := newPortal(t)
	p.someone(t, "Ines", "incident-commanders").get(t, "/").want(t, http.StatusOK)
	p.stranger().get(t, "/sign-in").want(t, http.StatusServiceUnavailable).says(t, "problem", "sign-in provider")
}

func TestReadyNamesWhatIsMissing(t *testing.T) {
	p := newPortal(t)
	p.engine.away = true
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	var answer struct {
		Ready             bool
		Missing, Warnings []string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusServiceUnavailable || answer.Ready || len(answer.Missing) != 1 || len(answer.Warnings) != 1 {
		t.Errorf("%d %+v", w.Code, answer)
	}
}

func TestTheRecordIsFilteredPagedAndExported(t *testing.T) {
	p := newPortal(t)
	ada := p.someone(t, "=Ada", "auditors")
	for range 60 {
		p.someone(t, "Ines", "incident-commanders")
	}
	first := ada.get(t, "/audit?action=session.sign-in").want(t, http.StatusOK)
	if n := first.Find("[data-line]").Length(); n != 50 {
		t.Fatalf("%d lines on the first page", n)
	}
	older, _ := first.Find("a:contains('Older lines')").Attr("href")
	if n := ada.get(t, older).want(t, http.StatusOK).Find("[data-line]").Length(); n != 11 {
		t.Errorf("%d lines on the second page at %s", n, older)
	}
	ada.get(t, "/audit?object=FO-NONE").want(t, http.StatusOK).says(t, "empty", "No line")
	ada.get(t, "/audit?before=x").want(t, http.StatusUnprocessableEntity)
	w := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/audit.csv?actor="+ada.ID, nil)
	ada.enter(request)
	p.handler.ServeHTTP(w, request)
	rows, err := csv.NewReader(bytes.NewReader(w.Body.Bytes())).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%v, %d rows", err, len(rows))
	}
	if name := rows[1][slices.Index(rows[0], "actor")]; name != "'=Ada" {
		t.Errorf("a spreadsheet would run %q", name)
	}
}

func TestPagesForbidWhatTheyDoNotUse(t *testing.T) {
	p := newPortal(t)
	w := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	p.someone(t, "Ines", "incident-commanders").enter(request)
	p.handler.ServeHTTP(w, request)
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "form-action 'self' " + issuer, "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(w.Body.String(), "<script>") || strings.Contains(w.Body.String(), " style=") {
		t.Error("the page has something inline")
	}
}
