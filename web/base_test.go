package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
	"keyholder/web"
)

// raw sends a request and answers with all of it.
func (v visitor) raw(t *testing.T, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	v.enter(r)
	w := httptest.NewRecorder()
	v.portal.handler.ServeHTTP(w, r)
	return w
}

func TestErrorsBecomeTheStatusOfTheirKind(t *testing.T) {
	p := newPortal(t)
	ines, ben := p.someone(t, "Ines", "incident-commanders"), p.someone(t, "Ben", "business-owners")
	r := p.requested(t, ines)
	secret := "dial tcp 10.1.2.3: password=hunter2"
	for name, c := range map[string]struct {
		err    error
		status int
		says   string
		logged bool
	}{
		"invalid":     {fault.Wrong{"comment": "is too short"}.Err(), 422, "", false},
		"not found":   {fault.Missing("request", "FO-1"), 404, "There is no request", false},
		"forbidden":   {fault.Refused("own-request", "Business owner", "It is yours."), 403, "It is yours.", false},
		"conflict":    {fault.Late("decided", "Ada approved at 14:02."), 409, "Ada approved at 14:02.", false},
		"unavailable": {fault.Away("The engine", errors.New(secret)), 503, "The engine does not answer", false},
		"wrapped":     {fmt.Errorf("decide: %w", fault.Missing("request", "FO-1")), 404, "There is no request", false},
		"unknown":     {errors.New(secret), 500, "It has been logged", true},
		"internal":    {&fault.Error{Kind: fault.Internal, Message: secret}, 500, "It has been logged", true},
	} {
		t.Run(name, func(t *testing.T) {
			page := ben.get(t, "/a/"+r.Code).want(t, 200)
			before := strings.Count(p.log.String(), "level=ERROR")
			p.engine.broken = func() error { return c.err }
			defer func() { p.engine.broken = nil }()
			answer := ben.submit(t, page, "Approve: move Checkout from Leeds to Dublin", nil).want(t, c.status)
			if all, err := answer.Html(); err != nil || strings.Contains(all, "hunter2") {
				t.Errorf("the page tells what it must not (%v)", err)
			}
			if c.says != "" && !strings.Contains(squeezed(answer.Find("main")), c.says) {
				t.Errorf("says %q", squeezed(answer.Find("main")))
			}
			if lines := strings.Count(p.log.String(), "level=ERROR") - before; c.logged != (lines == 1) || lines > 1 {
				t.Errorf("%d lines logged as errors", lines)
			}
		})
	}
}

func TestARefusalNamesTheRuleAndWhoCan(t *testing.T) {
	p := newPortal(t)
	answer := p.someone(t, "Ada", "auditors").post(t, "/incidents", url.Values{}).want(t, 403)
	answer.says(t, "rule", "permission:open-incident")
	answer.says(t, "who", "Incident commander or Platform engineer")
}

func TestAPanicIsAPageWithANumberAndOneLineInTheLog(t *testing.T) {
	p := newPortal(t)
	ines, ben := p.someone(t, "Ines", "incident-commanders"), p.someone(t, "Ben", "business-owners")
	page := ben.get(t, "/a/"+p.requested(t, ines).Code)
	p.engine.broken = func() error { panic("the sky fell") }
	answer := ben.submit(t, page, "Approve: move Checkout from Leeds to Dublin", nil).want(t, 500)
	text := squeezed(answer.Find("main"))
	if strings.Contains(text, "sky") || strings.Contains(text, "goroutine") {
		t.Errorf("the page tells the panic: %s", text)
	}
	log := p.log.String()
	_, number, _ := strings.Cut(text, "Number of this request: ")
	number, _, _ = strings.Cut(number, " ")
	if strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, "the sky fell") || number == "" || !strings.Contains(log, number) {
		t.Errorf("number %q, log: %s", number, log)
	}
}

func TestASentenceAfterAnActIsShownOnceAndNotTakenByARefresh(t *testing.T) {
	p := newPortal(t)
	ines := p.someone(t, "Ines", "incident-commanders")
	r := p.requested(t, ines)
	path := "/a/" + r.Code
	if got := ines.raw(t, "GET", path, "", "HX-Request", "true").Body.String(); strings.Contains(got, `data-field="flash"`) {
		t.Error("a refresh took the sentence")
	}
	ines.get(t, path).says(t, "flash", r.Code+" is requested")
	if got := ines.get(t, path).field("flash"); got != "" {
		t.Errorf("shown again: %q", got)
	}
	if inside := ines.get(t, path).Find("#page [data-field=flash]").Length(); inside != 0 {
		t.Error("the sentence is within what a refresh replaces")
	}
}

func TestAPageThatAsksByItselfIsToldToLoadAnewWhenItsSessionEnds(t *testing.T) {
	p := newPortal(t)
	for _, headers := range [][]string{{"HX-Request", "true"}, {"Accept", "text/event-stream"}} {
		w := p.stranger().raw(t, "GET", "/", "", headers...)
		if w.Code != http.StatusUnauthorized || w.Header().Get("HX-Refresh") != "true" {
			t.Errorf("%v: %d %v", headers, w.Code, w.Header())
		}
	}
}

func TestFormsComeInTheEncodingThatPagesUse(t *testing.T) {
	p := newPortal(t)
	ines := p.someone(t, "Ines", "incident-commanders")
	for kind, body := range map[string]string{
		"application/json":                `{"title":"a\u0000b"}`,
		"application/xml":                 "<title>a</title>",
		"multipart/form-data; boundary=x": "--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\na\x00b\r\n--x--\r\n",
		"":                                "title=a",
		"text/plain":                      "title=a",
	} {
		if w := ines.raw(t, "POST", "/incidents", body, "Content-Type", kind); w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("%q: %d", kind, w.Code)
		}
	}
}

func TestEveryAnswerCarriesItsHeaders(t *testing.T) {
	p := newPortal(t)
	ines := p.someone(t, "Ines", "incident-commanders")
	style := ines.get(t, "/").Find("link[rel=stylesheet]").First().AttrOr("href", "")
	for path, cache := range map[string]string{
		"/": "no-store", "/nothing": "no-store", "/audit.csv": "no-store", "/healthz": "no-store",
		style: "public, max-age=31536000, immutable",
	} {
		w := ines.raw(t, "GET", path, "")
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": cache} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s, %s: %q, want %q", path, name, got, want)
			}
		}
		if w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("X-Request-Id") == "" || w.Header().Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
	p.serve(t, web.Config{PublicURL: "https://keyholder.example", Issuer: issuer})
	if p.stranger().raw(t, "GET", "/healthz", "").Header().Get("Strict-Transport-Security") == "" {
		t.Error("https without Strict-Transport-Security")
	}
}

func TestPagesAreCompressedForThoseWhoAsk(t *testing.T) {
	p := newPortal(t)
	ines := p.someone(t, "Ines", "incident-commanders")
	plain, zipped := ines.raw(t, "GET", "/", ""), ines.raw(t, "GET", "/", "", "Accept-Encoding", "gzip")
	if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Body.Len() >= plain.Body.Len() {
		t.Errorf("%d bytes, then %d", plain.Body.Len(), zipped.Body.Len())
	}
}

func TestForwardedAddressesAreBelievedOnlyFromOurProxies(t *testing.T) {
	p := newPortal(t)
	_, ours, err := net.ParseCIDR("192.0.2.0/24") // where httptest says it comes from
	if err != nil {
		t.Fatal(err)
	}
	config := web.Config{PublicURL: "http://example.com", Issuer: issuer}
	for name, c := range map[string]struct {
		proxies []*net.IPNet
		want    string
	}{"no proxy": {nil, "192.0.2.1"}, "our proxy": {[]*net.IPNet{ours}, "203.0.113.9"}} {
		config.TrustedProxies = c.proxies
		p.serve(t, config)
		ada := p.someone(t, "Ada "+name, "auditors")
		ada.raw(t, "GET", "/incidents/new", "", "X-Forwarded-For", "198.51.100.7, 203.0.113.9")
		lines, err := p.Record(p.ctx, store.Filter{Actor: ada.ID, Outcome: "refused", Limit: 1})
		if err != nil || len(lines) != 1 {
			t.Fatalf("%v, %d lines", err, len(lines))
		}
		if lines[0].Origin.Address != c.want || lines[0].Origin.Request == "" {
			t.Errorf("%s: %+v", name, lines[0].Origin)
		}
	}
}

func TestAnExportHoldsEveryLineOfTheFilter(t *testing.T) {
	p := newPortal(t)
	ada := p.someone(t, "Ada", "auditors")
	who := store.Identity{Issuer: "i", Subject: "s", Name: "Ines", SignedInAt: p.Now()}
	const many = 620
	var id string
	for range many {
		var err error
		if id, err = p.SignIn(p.ctx, who); err != nil {
			t.Fatal(err)
		}
	}
	var lines []store.Line
	w := ada.raw(t, "GET", "/audit.json?actor="+id, "")
	if err := json.Unmarshal(w.Body.Bytes(), &lines); err != nil {
		t.Fatal(err)
	}
	seen := map[int64]bool{}
	for _, l := range lines {
		seen[l.Seq] = true
	}
	if len(lines) != many || len(seen) != many {
		t.Errorf("%d lines, %d different", len(lines), len(seen))
	}
	if rows := strings.Count(ada.raw(t, "GET", "/audit.csv?actor="+id, "").Body.String(), "Ines signed in."); rows != many {
		t.Errorf("%d rows", rows)
	}
	if err := json.Unmarshal(ada.raw(t, "GET", "/audit.json?actor=nobody", "").Body.Bytes(), &lines); err != nil || len(lines) != 0 {
		t.Errorf("an empty export: %v, %d lines", err, len(lines))
	}
}

func TestAnIntentWithoutItsOutcomeShows(t *testing.T) {
	p := newPortal(t)
	ines, ben := p.someone(t, "Ines", "incident-commanders"), p.someone(t, "Ben", "business-owners")
	run := p.running(t, ines, ben)
	a := p.begin(t, run.Code)
	open := ines.get(t, "/audit?outcome=intent&object="+run.Code).want(t, 200)
	if n := open.Find(".badge:contains('no outcome yet')").Length(); n != 1 {
		t.Errorf("%d open intents while the step runs", n)
	}
	if _, err := p.Succeed(p.ctx, a, "done", nil, nil); err != nil {
		t.Fatal(err)
	}
	if n := ines.get(t, "/audit?outcome=intent&object="+run.Code).Find(".badge:contains('no outcome yet')").Length(); n != 0 {
		t.Errorf("%d open intents after its outcome", n)
	}
}

func TestReadyAndHealthyAnswerWithoutSignIn(t *testing.T) {
	p := newPortal(t)
	provider := testkit.NewIssuer(t)
	p.serve(t, web.Config{PublicURL: "http://example.com", Issuer: provider.URL})
	if w := p.stranger().raw(t, "GET", "/healthz", ""); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	w := p.stranger().raw(t, "GET", "/readyz", "")
	if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != `{"ready":true,"missing":[],"warnings":[]}` {
		t.Errorf("%d %s", w.Code, got)
	}
}

// open starts the portal on a port of its own, whose pages learn of changes.
func (p *portal) open(t *testing.T) (site string, provider *testkit.Issuer) {
	t.Helper()
	p.clock.Add(time.Since(p.clock.Now())) // browsers and the provider go by the machine's
	provider = testkit.NewIssuer(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }))
	p.serve(t, web.Config{PublicURL: server.URL, Issuer: provider.URL})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL, provider
}

func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func open(t *testing.T, b *http.Client, address string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
	})
	return answer
}

func TestALinkLeadsThroughTheSignInToItsPage(t *testing.T) {
	p := newPortal(t)
	site, provider := p.open(t)
	provider.Vouch(map[string]any{"name": "Ada", "groups": []string{"auditors"}})
	answer := open(t, newBrowser(t), site+"/audit?action=session.sign-in")
	if answer.StatusCode != 200 || answer.Request.URL.RequestURI() != "/audit?action=session.sign-in" {
		t.Fatalf("%d at %s", answer.StatusCode, answer.Request.URL)
	}
	doc, err := goquery.NewDocumentFromReader(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if n := doc.Find("[data-line]:contains('Ada signed in.')").Length(); n != 1 {
		t.Errorf("%d sign-ins of Ada on record", n)
	}
}

func TestTheSignInReturnsOnlyToPagesOfThePortal(t *testing.T) {
	p := newPortal(t)
	site, provider := p.open(t)
	provider.Vouch(map[string]any{"groups": []string{"auditors"}})
	for _, back := range []string{
		"https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "/a\r\nb", "",
	} {
		answer := open(t, newBrowser(t), site+"/sign-in?return="+url.QueryEscape(back))
		if at := answer.Request.URL; "http://"+at.Host != site || at.Path != "/" && answer.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%q leads to %s (%d)", back, at, answer.StatusCode)
		}
	}
}

func TestASignInThatFailsSaysSoAndIsLogged(t *testing.T) {
	p := newPortal(t)
	site, provider := p.open(t)
	provider.Break(http.StatusBadRequest)
	answer := open(t, newBrowser(t), site+"/incidents")
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "did not accept this sign-in") ||
		!strings.Contains(string(body), `href="/sign-in?return=%2Fincidents"`) {
		t.Errorf("%d %v %s", answer.StatusCode, err, body)
	}
	if !strings.Contains(p.log.String(), "nobody was signed in") || strings.Contains(p.log.String(), testkit.ClientSecret) {
		t.Errorf("log: %s", p.log.String())
	}
}

func TestPagesAreToldOfAChangeWithinASecond(t *testing.T) {
	p := newPortal(t)
	site, provider := p.open(t)
	provider.Vouch(map[string]any{"groups": []string{"auditors"}})
	b := newBrowser(t)
	open(t, b, site+"/")
	stream := open(t, b, site+"/events")
	if kind := stream.Header.Get("Content-Type"); kind != "text/event-stream" || stream.Header.Get("Content-Encoding") != "" {
		t.Fatalf("%d %s %s", stream.StatusCode, kind, stream.Header)
	}
	began := time.Now()
	if _, err := p.SignIn(p.ctx, store.Identity{Issuer: "i", Subject: "s", Name: "Ines", SignedInAt: p.Now()}); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stream.Body)
	for lines.Scan() {
		if lines.Text() == "event: change" {
			if took := time.Since(began); took > time.Second {
				t.Errorf("took %s", took)
			}
			return
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
}

func TestARefusedRecentSignInIsOnRecordAndAStrangersIsNot(t *testing.T) {
	p := newPortal(t)
	site, provider := p.open(t)
	b := newBrowser(t)
	provider.Vouch(map[string]any{"name": "Ada", "groups": []string{"auditors"}})
	open(t, b, site+"/")
	provider.Vouch(map[string]any{"name": "Ada", "groups": []string{"auditors"}, "auth_time": time.Now().Add(-time.Hour).Unix()})
	if answer := open(t, b, site+"/sign-in/again?return=/me"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("an old sign-in passed as a recent one: %d", answer.StatusCode)
	}
	open(t, newBrowser(t), site+"/sign-in/callback?error=access_denied")
	lines, err := p.Record(p.ctx, store.Filter{Action: "session.sign-in", Outcome: "refused", Limit: 10})
	if err != nil || len(lines) != 1 || lines[0].Actor.Name != "Ada" || lines[0].Rule != "recent-sign-in" {
		t.Errorf("on record: %+v, %v", lines, err)
	}
}
