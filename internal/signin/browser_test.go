package signin_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/fault"
	"keyholder/internal/signin"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// rig is a site that does nothing but sign people in, at a real provider.
type rig struct {
	*testkit.Issuer
	store *store.Store
	clock *testkit.Clock
	site  *httptest.Server
	back  string // where the last sign-in led
}

func newRig(t *testing.T) *rig {
	t.Helper()
	clock := testkit.NewClock(time.Now())
	r := &rig{Issuer: testkit.NewIssuer(t), clock: clock, store: testkit.NewStore(t, clock.Now)}
	mux := http.NewServeMux()
	r.site = httptest.NewServer(mux)
	t.Cleanup(r.site.Close)
	in := signin.New(signin.Config{
		Issuer: r.URL, ClientID: testkit.ClientID, RolesClaim: "groups", PublicURL: r.site.URL,
		ClientSecret: func() (string, error) { return testkit.ClientSecret, nil },
	}, r.store)
	page := func(path string, show func(http.ResponseWriter, *http.Request) error) {
		mux.Handle(path, in.Sessions(answering(show), func(_ http.ResponseWriter, _ *http.Request, err error) { t.Error(err) }))
	}
	page("/sign-in", func(w http.ResponseWriter, q *http.Request) error {
		return redirect(w, q)(in.Begin(q.Context(), q.FormValue("return"), q.FormValue("anew") != ""))
	})
	page(signin.CallbackPath, func(_ http.ResponseWriter, q *http.Request) (err error) {
		r.back, err = in.Finish(q.Context(), signin.Callback{
			State: q.FormValue("state"), Code: q.FormValue("code"), Error: q.FormValue("error"), Description: q.FormValue("error_description"),
		})
		return err
	})
	mux.HandleFunc("/go", func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, q.FormValue("to"), http.StatusSeeOther)
	})
	page("/leave", func(w http.ResponseWriter, q *http.Request) error {
		return redirect(w, q)(in.Leave(q.Context(), "/left"))
	})
	page("/who", func(w http.ResponseWriter, q *http.Request) error {
		who, _, err := in.Principal(q.Context())
		return errors.Join(err, json.NewEncoder(w).Encode(who))
	})
	return r
}

func redirect(w http.ResponseWriter, r *http.Request) func(string, error) error {
	return func(to string, err error) error {
		if err == nil {
			http.Redirect(w, r, to, http.StatusSeeOther)
		}
		return err
	}
}

// answering tells what was refused by its rule or kind.
func answering(show func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := show(w, r); err != nil {
			told := fault.KindOf(err).String()
			if f := fault.As(err); f != nil && f.Rule != "" {
				told = f.Rule
			}
			http.Error(w, told+": "+err.Error(), http.StatusTeapot)
		}
	})
}

// browser keeps cookies and, unless told otherwise, follows redirects.
type browser struct {
	*http.Client
	rig *rig
}

func (r *rig) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{&http.Client{Jar: jar, Timeout: 10 * time.Second}, r}
}

// open answers with what a page says; empty where all went well.
func (b *browser) open(t *testing.T, path string, headers ...string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.rig.site.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := b.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(body))
}

// to is where a page sends the browser, without going there.
func (b *browser) to(t *testing.T, path string) string {
	t.Helper()
	still := &browser{&http.Client{Jar: b.Jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, b.rig}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.rig.site.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := still.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer.Header.Get("Location")
}

// follow goes on at the provider, and comes back.
func (b *browser) follow(t *testing.T, address string) string {
	t.Helper()
	return b.open(t, "/go?"+url.Values{"to": {address}}.Encode())
}

func (b *browser) who(t *testing.T, headers ...string) access.Principal {
	t.Helper()
	var p access.Principal
	if err := json.Unmarshal([]byte(b.open(t, "/who", headers...)), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// session is the value of the session's cookie.
func (b *browser) session(t *testing.T) string {
	t.Helper()
	site, err := url.Parse(b.rig.site.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Jar.Cookies(site) {
		if c.Name == "keyholder_session" {
			return c.Value
		}
	}
	return ""
}

func (b *browser) carry(t *testing.T, session string) {
	t.Helper()
	site, err := url.Parse(b.rig.site.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.Jar.SetCookies(site, []*http.Cookie{{Name: "keyholder_session", Value: session, Path: "/"}})
}
