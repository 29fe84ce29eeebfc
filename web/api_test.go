package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
	"keyholder/web"
)

// program calls the API with a token.
type program struct {
	portal *portal
	token  string
}

// answer is what the API says.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

// serving is a portal with a provider that signs tokens.
func serving(t *testing.T) (*portal, *testkit.Issuer) {
	t.Helper()
	provider := testkit.NewIssuer(t)
	p := newPortal(t)
	p.serve(t, web.Config{PublicURL: "http://example.com", Issuer: provider.URL, Version: "test"})
	return p, provider
}

func (p *portal) program(t *testing.T, i *testkit.Issuer, group string) program {
	t.Helper()
	return program{p, i.Token(t, map[string]any{"sub": "program-" + group, "name": "Program of " + group, "groups": []string{group}})}
}

func (g program) ask(t *testing.T, method, path string, body any, headers ...string) answer {
	t.Helper()
	sent := []byte{}
	switch body := body.(type) {
	case nil:
	case string:
		sent = []byte(body)
	default:
		var err error
		if sent, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(sent))
	r.Header.Set("Content-Type", "application/json")
	if g.token != "" {
		r.Header.Set("Authorization", "Bearer "+g.token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	g.portal.handler.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), raw: w.Body.String()}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
			t.Fatalf("%s %s answered %d with what is not JSON: %.200s", method, path, w.Code, a.raw)
		}
	}
	return a
}

func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("answered %d, want %d: %s", a.status, status, a.raw)
	}
	return a
}

// at is a value within the answer: "record.name".
func (a answer) at(path string) string {
	var v any = a.body
	for key := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return fmt.Sprint(v)
}

func TestTheAPIReadsAndWritesTheSameRecords(t *testing.T) {
	p, provider := serving(t)
	pat := p.program(t, provider, "platform-engineers")
	tax := map[string]any{"slug": "tax-office", "name": "Tax office"}
	added := pat.ask(t, "PUT", "/api/v1/catalog/third-party/tax-office", map[string]any{"record": tax, "why": "They tax us"}, "If-None-Match", "*").want(t, 201)
	page := p.someone(t, "Bea", "business-owners").get(t, "/catalog/third-party/tax-office").want(t, 200)
	if text := squeezed(page.Find("main")); !strings.Contains(text, "They tax us") || !strings.Contains(text, "by Program of platform-engineers") {
		t.Errorf("its page says %s", text)
	}
	tax["owner"] = "Bea"
	changed := pat.ask(t, "PUT", "/api/v1/catalog/third-party/tax-office", map[string]any{"record": tax}, "If-Match", added.header.Get("ETag")).want(t, 200)
	if got := changed.at("record.owner"); got != "Bea" {
		t.Errorf("it belongs to %s", got)
	}
	read := pat.ask(t, "GET", "/api/v1/catalog/third-party/tax-office", nil).want(t, 200)
	if read.header.Get("ETag") != changed.header.Get("ETag") || read.at("record.name") != "Tax office" {
		t.Errorf("read as %s", read.raw)
	}
	list := pat.ask(t, "GET", "/api/v1/catalog/third-party?text=tax", nil).want(t, 200)
	if all, _ := list.body["records"].([]any); len(all) != 1 {
		t.Errorf("listed as %s", list.raw)
	}
	first := pat.ask(t, "GET", "/api/v1/catalog/service?limit=1", nil).want(t, 200)
	if rest := pat.ask(t, "GET", "/api/v1/catalog/service?after="+first.at("next"), nil).want(t, 200); strings.Contains(rest.raw, `"slug":"`+first.at("next")+`"`) {
		t.Errorf("the next page begins with the last of the one before: %s", rest.raw)
	}
	pat.ask(t, "DELETE", "/api/v1/catalog/third-party/tax-office?why=Gone", nil, "If-Match", changed.header.Get("ETag")).want(t, 204)
	pat.ask(t, "GET", "/api/v1/catalog/third-party/tax-office", nil).want(t, 404)
	if changes := pat.ask(t, "GET", "/api/v1/catalog-changes?limit=1", nil).want(t, 200); !strings.Contains(changes.raw, `"why":"Gone"`) {
		t.Errorf("the last change is %s", changes.raw)
	}
	if home := pat.ask(t, "GET", "/api/v1/catalog", nil).want(t, 200); home.at("records.third-party") != "0" {
		t.Errorf("the catalogue holds %s", home.raw)
	}
}

func TestTheAPIHoldsToTheRulesOfThePages(t *testing.T) {
	p, provider := serving(t)
	pat := p.program(t, provider, "platform-engineers")
	checkout := pat.ask(t, "GET", "/api/v1/catalog/service/checkout", nil).want(t, 200)
	record, _ := checkout.body["record"].(map[string]any)
	put := func(over map[string]any, headers ...string) answer {
		sent := map[string]any{}
		for k, v := range record {
			sent[k] = v
		}
		for k, v := range over {
			sent[k] = v
		}
		return pat.ask(t, "PUT", "/api/v1/catalog/service/checkout", map[string]any{"record": sent}, headers...)
	}
	match := []string{"If-Match", checkout.header.Get("ETag")}
	for name, c := range map[string]struct {
		got    answer
		status int
		holds  string
	}{
		"what leads nowhere":        {put(map[string]any{"tier": "tier-9"}, match...), 422, `there is no tier \"tier-9\"`},
		"an unknown field":          {put(map[string]any{"teir": "tier-1"}, match...), 422, `"teir"`},
		"an unknown choice":         {put(map[string]any{"pattern": "none"}, match...), 422, `"pattern"`},
		"another short name":        {put(map[string]any{"slug": "till"}, match...), 422, "never changes"},
		"nobody says on what":       {put(nil), 428, "say-what-is-changed"},
		"another version":           {put(nil, "If-Match", `"99"`), 412, store.RuleEditedMeanwhile},
		"one that is there already": {put(nil, "If-None-Match", "*"), 412, store.RuleEditedMeanwhile},
		"a plan needs it":           {pat.ask(t, "DELETE", "/api/v1/catalog/service/checkout", nil, match...), 409, store.RuleStillReferred},
		"no JSON":                   {pat.ask(t, "PUT", "/api/v1/catalog/service/checkout", "{", match...), 400, "detail"},
		"an unknown question":       {pat.ask(t, "GET", "/api/v1/catalog/service?limt=1", nil), 422, "limt"},
		"an absurd date":            {pat.ask(t, "GET", "/api/v1/catalog/service?on=yesterday", nil), 422, `"on"`},
		"what is not there":         {pat.ask(t, "GET", "/api/v1/catalog/service/nothing", nil), 404, "nothing"},
		"too much":                  {pat.ask(t, "PUT", "/api/v1/catalog/service/checkout", `{"why":"`+strings.Repeat("x", 300<<10)+`"}`, match...), 413, "detail"},
	} {
		if c.got.status != c.status || !strings.Contains(c.got.raw, c.holds) || c.got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: answered %d, want %d with %s: %s", name, c.got.status, c.status, c.holds, c.got.raw)
		}
	}
	if now := pat.ask(t, "GET", "/api/v1/catalog/service/checkout", nil).want(t, 200); now.header.Get("ETag") != checkout.header.Get("ETag") {
		t.Error("one of them changed it")
	}
	put(map[string]any{"about": "Sells"}, match...).want(t, 200)
}

func TestEveryOperationOfTheAPIAsksWhoYouAreAndWhatYouMay(t *testing.T) {
	p, provider := serving(t)
	p.assignsGateways(t)
	operations := web.OperationsForTest()
	if len(operations) < 50 {
		t.Fatalf("there are only %d operations", len(operations))
	}
	for _, o := range operations {
		path := strings.ReplaceAll(o.Path, "{slug}", "checkout")
		program{p, ""}.ask(t, o.Method, path, nil).want(t, 401)
		program{p, "nonsense"}.ask(t, o.Method, path, nil).want(t, 401)
		for role, group := range groupOf {
			got := p.program(t, provider, group).ask(t, o.Method, path, map[string]any{})
			if role.May(o.Needs) == (got.status == 403) {
				t.Errorf("%s %s as %s: %d", o.Method, o.Path, role, got.status)
			}
			if got.status == 403 && !strings.Contains(got.raw, "permission:"+string(o.Needs)) {
				t.Errorf("%s %s as %s does not name the rule: %s", o.Method, o.Path, role, got.raw)
			}
		}
	}
	if len(p.refusals(t, "/api/v1/catalog/settings/checkout")) == 0 {
		t.Error("a refusal is not on record")
	}
}

func TestOnlyTokensForTheAPIAreBelieved(t *testing.T) {
	p, provider := serving(t)
	claims := func(over map[string]any) map[string]any {
		all := map[string]any{"sub": "program", "groups": []string{"platform-engineers"}}
		for k, v := range over {
			all[k] = v
		}
		return all
	}
	const path = "/api/v1/catalog"
	program{p, provider.Token(t, claims(nil))}.ask(t, "GET", path, nil).want(t, 200)
	for name, over := range map[string]map[string]any{
		"of the portal's own sign-in": {"aud": testkit.ClientID},
		"of another issuer":           {"iss": "https://elsewhere.example"},
		"that has run out":            {"exp": p.Now().Add(-time.Minute).Unix()},
		"without an end":              {"exp": nil},
	} {
		if got := (program{p, provider.Token(t, claims(over))}).ask(t, "GET", path, nil); got.status != 401 || got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("a token %s: %d %s", name, got.status, got.raw)
		}
	}
	program{p, provider.Token(t, claims(map[string]any{"groups": nil}))}.ask(t, "GET", path, nil).want(t, 403)
	pat := p.someone(t, "Pat", "platform-engineers")
	r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
	pat.enter(r)
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	if w.Code != 401 {
		t.Errorf("a session's cookie opens the API: %d", w.Code)
	}
	provider.Forge(t)
	program{p, provider.Token(t, claims(nil))}.ask(t, "GET", path, nil).want(t, 401)
	provider.Away(true)
	if got := (program{p, provider.Token(t, claims(map[string]any{"sub": "other"}))}).ask(t, "GET", path, nil); got.status != 503 {
		t.Errorf("without the provider: %d", got.status)
	}
}

func TestTheAPIAnswersWhatStopsAsThePageDoes(t *testing.T) {
	p, provider := serving(t)
	auditor := p.program(t, provider, "auditors")
	got := auditor.ask(t, "GET", "/api/v1/impact?service=checkout", nil).want(t, 200)
	version, err := p.Catalog(p.ctx)
	if err != nil {
		t.Fatal(err)
	}
	failed, _ := got.body["failed"].([]any)
	if len(failed) != 1 || got.at("currency") != version.Currency || got.at("revenue_per_minute") == "0" {
		t.Errorf("answered %s", got.raw)
	}
	auditor.ask(t, "GET", "/api/v1/impact?service=nothing", nil).want(t, 422)
	two := auditor.ask(t, "GET", "/api/v1/impact?site=leeds&site=dublin&at=2026-03-01T12:00:00Z", nil).want(t, 200)
	if two.at("at") != "2026-03-01T12:00:00Z" {
		t.Errorf("answered for %s", two.at("at"))
	}
	if findings := auditor.ask(t, "GET", "/api/v1/findings", nil).want(t, 200); findings.at("findings") == "[]" {
		t.Errorf("there are no findings: %s", findings.raw)
	}
}

func TestAnOutletReportsWhatItHasQueued(t *testing.T) {
	p, provider := serving(t)
	ada := p.someone(t, "Ada", "administrators")
	pat := p.program(t, provider, "platform-engineers")
	outlet := map[string]any{"slug": "leeds-store", "name": "Leeds store", "type": "store", "offline_for": "4h", "offline_value": 40000}
	pat.ask(t, "PUT", "/api/v1/catalog/outlet/leeds-store", map[string]any{"record": outlet}, "If-None-Match", "*").want(t, 201)
	bea := p.someone(t, "Bea", "business-owners")
	bea.get(t, "/catalog/outlet/leeds-store").want(t, 200).says(t, "report", "has not said anything yet")
	gateway := program{p, provider.Token(t, map[string]any{"sub": "gateway", "groups": []string{"outlet-gateways"}})}
	report := map[string]any{"queued_value": 1240.8, "queued_orders": 18, "synchronised_at": "2026-03-01T01:58:00Z"}
	const path = "/api/v1/outlets/leeds-store/report"
	gateway.ask(t, "PUT", path, report).want(t, 403) // nobody has said yet that this group is a gateway
	form := ada.get(t, "/catalog/assignment/new").want(t, 200)
	ada.submit(t, form, "Save", map[string][]string{"name": {"Gateways"}, "role": {string(access.OutletGateway)}, "group": {"outlet-gateways"}}).want(t, 303)
	gateway.ask(t, "PUT", path, report).want(t, 204)
	page := bea.get(t, "/catalog/outlet/leeds-store").want(t, 200)
	page.says(t, "report", "1,241 GBP in 18 orders")
	page.says(t, "report", "01:58")
	if got := pat.ask(t, "GET", path, nil).want(t, 200); got.at("queued_orders") != "18" {
		t.Errorf("read back as %s", got.raw)
	}
	gateway.ask(t, "GET", path, nil).want(t, 403) // it says, and sees nothing
	report["queued_orders"], report["synchronised_at"] = -1, "2031-01-01T00:00:00Z"
	wrong := gateway.ask(t, "PUT", path, report).want(t, 422)
	if wrong.at("fields.queued_orders") == "<nil>" || wrong.at("fields.synchronised_at") == "<nil>" {
		t.Errorf("it does not say what is wrong: %s", wrong.raw)
	}
	gateway.ask(t, "PUT", "/api/v1/outlets/nowhere/report", map[string]any{"queued_value": 0, "queued_orders": 0, "synchronised_at": "2026-03-01T01:58:00Z"}).want(t, 404)
}

func TestTheDescriptionOfTheAPIIsOpenAPI31(t *testing.T) {
	p, _ := serving(t)
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/openapi.json", nil)
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != 200 || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("%d %q: %v", w.Code, doc.OpenAPI, err)
	}
	for _, o := range web.OperationsForTest() {
		if doc.Paths[o.Path][strings.ToLower(o.Method)] == nil {
			t.Errorf("%s %s is not in it", o.Method, o.Path)
		}
	}
}

func TestTheAPIAnswersProgramsEvenWhereThereIsNothing(t *testing.T) {
	p, provider := serving(t)
	g := p.program(t, provider, "platform-engineers")
	for path, want := range map[string]int{
		"/api/v1/catalog/services/checkout": http.StatusNotFound, "/api/": http.StatusNotFound, "/api/v2/catalog": http.StatusNotFound,
	} {
		a := g.ask(t, http.MethodGet, path, nil)
		if a.status != want || a.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(a.raw, "/api/openapi.json") {
			t.Errorf("%s answers %d %s: %s", path, a.status, a.header.Get("Content-Type"), a.raw)
		}
	}
	a := g.ask(t, http.MethodPost, "/api/v1/catalog", map[string]any{})
	if a.status != http.StatusMethodNotAllowed || a.body["status"] != float64(http.StatusMethodNotAllowed) {
		t.Errorf("POST to the catalogue answers %d: %s", a.status, a.raw)
	}
}
