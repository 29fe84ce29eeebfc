package provider

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyholder/demo/stack"

	"github.com/PuerkitoBio/goquery"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	portal   = "http://localhost:4999"
	callback = portal + "/auth/callback"
	leftAt   = portal + "/signed-out"
)

func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := stack.FreePort(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

func testConfig(t *testing.T) Config {
	address := freeAddress(t)
	return Config{
		Listen: address, Issuer: "http://" + address, Dir: t.TempDir(), ClientID: "keyholder", ClientSecret: "s3cret",
		RedirectURIs: []string{callback}, PostLogoutRedirectURIs: []string{leftAt}, Log: slog.New(slog.DiscardHandler),
	}
}

// start runs a provider until the returned function is called or the test ends.
func start(t *testing.T, c Config) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	c.Ready = func() { close(ready) }
	go func() { ended <- Run(ctx, c) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("provider did not start: %v", err)
	case <-time.After(10 * time.Second):
		t.Fatal("provider did not become ready")
	}
	var stopped bool
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("provider ended with %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// browser keeps cookies, stays at the provider and reports where it was sent beyond it.
type browser struct {
	t      *testing.T
	client *http.Client
	issuer string
}

func newBrowser(t *testing.T, c Config) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, issuer: c.Issuer, client: &http.Client{Jar: jar}}
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), c.Issuer+"/") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
}

// page is what the browser shows in the end, or where it was sent to outside the provider.
type page struct {
	*goquery.Document
	status int
	sentTo *url.URL
}

func (b *browser) do(r *http.Request, err error) page {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	doc, err := goquery.NewDocumentFromReader(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	p := page{Document: doc, status: response.StatusCode}
	if to, err := response.Location(); err == nil {
		p.sentTo = to
	} else if !errors.Is(err, http.ErrNoLocation) {
		b.t.Fatal(err)
	}
	return p
}

func (b *browser) get(address string) page {
	b.t.Helper()
	return b.do(http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil))
}

func (b *browser) post(path string, form url.Values, headers ...string) page {
	b.t.Helper()
	body := strings.NewReader(form.Encode())
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.issuer+path, body)
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return b.do(r, err)
}

// choose presses the button of a person on the sign-in page.
func (b *browser) choose(on page, username string) page {
	b.t.Helper()
	id, ok := on.Find("form input[name=id]").Attr("value")
	if !ok {
		b.t.Fatalf("not a sign-in page (status %d): %s", on.status, on.Text())
	}
	if on.Find(`button[name=person][value="`+username+`"]`).Length() != 1 {
		b.t.Fatalf("no button for %s", username)
	}
	return b.post("/login", url.Values{"id": {id}, "person": {username}})
}

func (p page) isLogin() bool { return p.Find("button[name=person]").Length() > 0 }

// portalSide is the other end: an OpenID client as the portal has one.
type portalSide struct {
	t        *testing.T
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
	provider *oidc.Provider
	pkce     string
}

func newPortalSide(t *testing.T, c Config) *portalSide {
	t.Helper()
	p, err := oidc.NewProvider(t.Context(), c.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	return &portalSide{
		t: t, provider: p, pkce: oauth2.GenerateVerifier(),
		verifier: p.Verifier(&oidc.Config{ClientID: c.ClientID}),
		oauth: oauth2.Config{
			ClientID: c.ClientID, ClientSecret: c.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: callback,
			Scopes: []string{"openid", "profile", "email"},
		},
	}
}

func (p *portalSide) signInURL(more ...oauth2.AuthCodeOption) string {
	more = append(more, oauth2.S256ChallengeOption(p.pkce), oidc.Nonce("the nonce"))
	return p.oauth.AuthCodeURL("the state", more...)
}

type claims struct {
	Subject  string    `json:"sub"`
	AuthTime int64     `json:"auth_time"`
	Name     string    `json:"name"`
	Email    string    `json:"email"`
	Username string    `json:"preferred_username"`
	Groups   *[]string `json:"groups"`
}

// redeem turns the answer at the portal's callback into verified claims.
func (p *portalSide) redeem(answer page) (claims, string) {
	p.t.Helper()
	if answer.sentTo == nil || path.Base(answer.sentTo.Path) != "callback" {
		p.t.Fatalf("not sent back to the portal: status %d, %s", answer.status, answer.Text())
	}
	q := answer.sentTo.Query()
	if q.Get("state") != "the state" || q.Get("error") != "" {
		p.t.Fatalf("answer = %v", q)
	}
	token, err := p.oauth.Exchange(p.t.Context(), q.Get("code"), oauth2.VerifierOption(p.pkce))
	if err != nil {
		p.t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	verified, err := p.verifier.Verify(p.t.Context(), raw)
	if err != nil {
		p.t.Fatal(err)
	}
	if verified.Nonce != "the nonce" {
		p.t.Errorf("nonce = %q", verified.Nonce)
	}
	var c claims
	if err := verified.Claims(&c); err != nil {
		p.t.Fatal(err)
	}
	return c, raw
}
