package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/signin"
	"keyholder/internal/store"
	"keyholder/web"
)

// issuer is an address at which no provider answers: the portal works without one for whoever is signed in.
const issuer = "http://127.0.0.1:1"

// serve makes the real router, and remembers how to sign a person in.
func (p *portal) serve(t *testing.T) http.Handler {
	t.Helper()
	in := signin.New(signin.Config{
		Issuer: issuer, ClientID: "keyholder", ClientSecret: func() (string, error) { return "s", nil },
		RolesClaim: "groups", PublicURL: "http://example.com",
	}, p.Store)
	server, err := web.New(web.Config{PublicURL: "http://example.com", Issuer: issuer, Version: "test"}, p.Store, p.engine, in, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	p.signin = in
	return server.Handler()
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
	})).ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil))
	cookies = w.Result().Cookies() //nolint:bodyclose // a recorder's
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
