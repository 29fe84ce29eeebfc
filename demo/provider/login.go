package provider

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

const (
	pathLogin     = "/login"
	pathSignedOut = "/signed-out"
	pathAuthorize = "/authorize"
	pathCallback  = "/authorize/callback"
	pathStyle     = "/style.css"

	cookieName = "demo_provider_session" // cookies are shared by all ports of a host, so the name must be its own
)

type tokenKey struct{}

// withToken carries the browser's session token to where the protocol library has no request any more.
func withToken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), tokenKey{}, tokenOf(r))))
	})
}

func tokenFrom(ctx context.Context) string {
	token, _ := ctx.Value(tokenKey{}).(string)
	return token
}

func tokenOf(r *http.Request) string {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// showLogin lets an earlier sign-in pass where it is enough, and asks otherwise.
func (s *site) showLogin(w http.ResponseWriter, r *http.Request) {
	asked, ok := s.storage.request(r.URL.Query().Get("id"))
	if !ok {
		s.lapsed(w, r)
		return
	}
	now := time.Now()
	current, signedIn := s.storage.sessions.find(tokenOf(r), now)
	if signedIn && asked.satisfiedBy(current, now) {
		s.storage.complete(asked, current)
		s.goOn(w, r, asked)
		return
	}
	if asked.mayNotAsk() {
		s.goOn(w, r, asked) // not done, so the library answers the portal with an error
		return
	}
	s.render(w, r, http.StatusOK, "login", loginPage(asked, current, signedIn))
}

// signIn takes the press of a button for the person it names. Its time is the auth_time.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	asked, ok := s.storage.request(r.PostFormValue("id"))
	if !ok {
		s.lapsed(w, r)
		return
	}
	person, ok := personByUsername(r.PostFormValue("person"))
	if !ok {
		page := loginPage(asked, session{}, false)
		page.Problem = "Nobody here has that name. Choose a person from the list."
		s.render(w, r, http.StatusUnprocessableEntity, "login", page)
		return
	}
	token, opened, err := s.storage.sessions.start(person.Subject(), tokenOf(r), time.Now())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // no Secure: plain http on loopback
		Name: cookieName, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: int(sessionLasts.Seconds()),
	})
	s.storage.complete(asked, opened)
	s.config.Log.Info("signed in", "person", person.Username)
	s.goOn(w, r, asked)
}

func (s *site) goOn(w http.ResponseWriter, r *http.Request, asked request) {
	http.Redirect(w, r, pathCallback+"?id="+url.QueryEscape(asked.id), http.StatusSeeOther)
}

// callback hands over to the protocol library, except where its answer would be a bare error: after a restart.
func (s *site) callback(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.storage.request(r.URL.Query().Get("id")); !ok {
		s.lapsed(w, r)
		return
	}
	s.protocol.ServeHTTP(w, r)
}
