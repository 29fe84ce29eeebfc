package provider

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestListensOnLoopbackOnly(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0"} {
		c := testConfig(t)
		c.Listen = listen
		if err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v", listen, err)
		}
	}
}

func TestIssuerIsOnLoopback(t *testing.T) {
	for _, issuer := range []string{"", "https://127.0.0.1:1", "http://example.com:1", "http://127.0.0.1:1/path"} {
		c := testConfig(t)
		c.Issuer = issuer
		if err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "issuer") {
			t.Errorf("%q: %v", issuer, err)
		}
	}
}

func TestSignInPageSaysWhatItIs(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	got := b.get(side.signInURL())
	text := strings.Join(strings.Fields(got.Text()), " ")
	for _, words := range []string{"demonstration on this computer", "no passwords", "sign in as anyone", "loopback"} {
		if !strings.Contains(text, words) {
			t.Errorf("page does not say %q", words)
		}
	}
	if got.Find("script, [style], [onclick], input[type=password]").Length() != 0 {
		t.Error("page has a script, an inline style or a password")
	}
	if n := got.Find("button[name=person]").Length(); n != len(People()) {
		t.Errorf("%d buttons for %d people", n, len(People()))
	}
}

func TestUnknownPersonIsRefusedAtTheForm(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	id, _ := b.get(side.signInURL()).Find("input[name=id]").Attr("value")
	for _, person := range []string{"", "root", "<script>", "\xff\xfe", "\x00"} {
		got := b.post("/login", url.Values{"id": {id}, "person": {person}})
		if got.status != http.StatusUnprocessableEntity || got.Find("[role=alert]").Length() != 1 || !got.isLogin() {
			t.Errorf("%q: status %d, %s", person, got.status, got.Text())
		}
	}
	if got := b.post("/login", url.Values{"id": {id}, "person": {strings.Repeat("a", 1<<20)}}); got.status >= 500 {
		t.Errorf("1 MiB: status %d", got.status)
	}
	if !b.get(side.signInURL()).isLogin() {
		t.Error("a refused form signed somebody in")
	}
}

func TestForeignPageCannotSignAnyoneIn(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	id, _ := b.get(side.signInURL()).Find("input[name=id]").Attr("value")
	form := url.Values{"id": {id}, "person": {"ines"}}
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://evil.example"}} {
		if got := b.post("/login", form, headers...); got.status != http.StatusForbidden {
			t.Errorf("%v: status %d", headers, got.status)
		}
	}
}

func TestAnswersOnlyUnderItsOwnName(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.Issuer+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestPolicyLetsTheFormReachThePortal(t *testing.T) {
	c := testConfig(t)
	got := contentPolicy(c)
	if !strings.Contains(got, "form-action 'self' "+portal) || !strings.Contains(got, "default-src 'none'") {
		t.Errorf("policy = %s", got)
	}
}
