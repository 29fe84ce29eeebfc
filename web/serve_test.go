package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/app"
	"keyholder/internal/signin"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
	"keyholder/web"
)

// issuer is an address at which no provider answers: the portal works without one for whoever is signed in.
const issuer = "http://127.0.0.1:1"

// serve makes the real router, and remembers how to sign a person in.
func (p *portal) serve(t *testing.T, config web.Config) {
	t.Helper()
	p.log = &lines{}
	p.signin = signin.New(signin.Config{
		Issuer: config.Issuer, ClientID: testkit.ClientID, ClientSecret: func() (string, error) { return testkit.ClientSecret, nil },
		RolesClaim: "groups", PublicURL: config.PublicURL, APIAudience: testkit.APIAudience,
	}, p.Store)
	config.Files, config.Told, config.Decode = app.NewFiles(p.Store), app.Told, testCodec(t).DecodeJSON
	var err error
	if p.server, err = web.New(config, p.Store, p.engine, p.signin, slog.New(slog.NewTextHandler(p.log, nil))); err != nil {
		t.Fatal(err)
	}
	p.handler = p.server.Handler()
}

// someone signs in with a group; their browser holds a session of the real kind.
func (p *portal) someone(t *testing.T, name, group string) visitor {
	t.Helper()
	at := p.Now()
	id, err := p.SignIn(p.ctx, store.Identity{Issuer: issuer, Subject: name, Name: name, Groups: []string{group}, SignedInAt: at})
	if err != nil {
		t.Fatal(err)
	}
	var cookies []*http.Cookie
	w := httptest.NewRecorder()
	p.signin.Sessions(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		p.signin.Remember(r.Context(), id, at)
	}), func(_ http.ResponseWriter, _ *http.Request, err error) { t.Fatal(err) }).ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil))
	cookies = w.Result().Cookies()
	who, _, err := p.Principal(p.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return visitor{Principal: who, portal: p, enter: func(r *http.Request) {
		for _, c := range cookies {
			r.AddCookie(c)
		}
	}}
}

// stranger is a browser without a session.
func (p *portal) stranger() visitor {
	return visitor{Principal: access.Principal{}, portal: p, enter: func(*http.Request) {}}
}

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write keeps a line.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
