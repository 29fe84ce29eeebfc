package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/api"
	"keyholder/web/view"
)

// wrap puts around all routes what none may forget.
func (s *Server) wrap(issuer string) http.Handler {
	e := s.router()
	e.Pre(middleware.RequestIDWithConfig(middleware.RequestIDConfig{Generator: store.NewID, RequestIDHandler: func(echo.Context, string) {}}))
	e.Use(
		middleware.RecoverWithConfig(middleware.RecoverConfig{DisableErrorHandler: true, LogErrorFunc: func(_ echo.Context, err error, stack []byte) error {
			return &fault.Error{Kind: fault.Internal, Message: "panic: " + string(stack), Err: err}
		}}),
		s.headers(issuer),
		middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1024, Skipper: func(c echo.Context) bool { return c.Path() == eventsPath }}),
		s.origin,
	)
	sessions := s.signin.Sessions(e, s.noSession)
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "This came from another site and was refused. Open the page here and try again.", http.StatusForbidden)
	}))
	return own.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/static/") || strings.HasPrefix(r.URL.Path, api.Root) || r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
			e.ServeHTTP(w, r) // no session is looked up for these
			return
		}
		sessions.ServeHTTP(w, r)
	}))
}

// noSession answers where sessions cannot be read or saved: without them nobody can be told from anybody.
func (s *Server) noSession(w http.ResponseWriter, r *http.Request, err error) {
	s.log.ErrorContext(r.Context(), "a session was neither read nor saved", "path", r.URL.Path, "error", err)
	http.Error(w, "Keyholder cannot tell who you are: its database does not answer. Try again in a moment.", http.StatusServiceUnavailable)
}

// headers: scripts, styles and connections only from here. form-action names the issuer, because Chromium applies it to
// the redirect that follows a post.
func (s *Server) headers(issuer string) echo.MiddlewareFunc {
	policy := strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
		"connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self' " + issuer,
	}, "; ")
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("Content-Security-Policy", policy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "same-origin")
			if strings.HasPrefix(s.config.PublicURL, "https://") {
				h.Set("Strict-Transport-Security", "max-age=31536000")
			}
			if !strings.HasPrefix(c.Request().URL.Path, "/static/") {
				h.Set("Cache-Control", "no-store")
			}
			return next(c)
		}
	}
}

// origin notes where a person's acts come from.
func (s *Server) origin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.SetRequest(c.Request().WithContext(audit.WithOrigin(c.Request().Context(), audit.Origin{
			Address: c.RealIP(), Request: c.Response().Header().Get(echo.HeaderXRequestID),
		})))
		return next(c)
	}
}

// guard lets in whoever has the route's permission, records who does not, and reads forms so that no handler meets one
// that is hostile.
func (s *Server) guard(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		if r.Needs != access.Anyone {
			if err := s.asOf(c); err != nil {
				return err
			}
			who, ok, err := s.signin.Principal(c.Request().Context())
			if err != nil {
				return err
			}
			if !ok {
				return s.toSignIn(c)
			}
			c.Set(principalKey, who)
			if !who.May(r.Needs) {
				return s.keepOut(c, r, who)
			}
		}
		if err := readForm(c); err != nil {
			return err
		}
		return r.Handler(c)
	}
}

// asOf lets a page be read as of the newest change, which it bears. An act reads all anew: it must see what it changed. The
// stream of events reads nothing, and would keep what others read for as long as it is open.
func (s *Server) asOf(c echo.Context) error {
	r := c.Request()
	ctx, change, err := s.store.AsOf(r.Context())
	if err != nil {
		return err
	}
	c.Set(changeKey, change)
	if r.Method == http.MethodGet && c.Path() != eventsPath {
		c.SetRequest(r.WithContext(ctx))
	}
	return nil
}

// toSignIn sends a person to sign in. A page that asks by itself cannot go to another site; it loads itself anew, whole.
func (s *Server) toSignIn(c echo.Context) error {
	r := c.Request()
	if r.Header.Get(byHtmx) != "" || r.Header.Get(echo.HeaderAccept) == "text/event-stream" {
		c.Response().Header().Set("HX-Refresh", "true")
		return c.NoContent(http.StatusUnauthorized)
	}
	return c.Redirect(http.StatusSeeOther, view.SignInPath(returnTo(r)))
}

// keepOut refuses by the route table, on record. Somebody without any role is shown who can help instead.
func (s *Server) keepOut(c echo.Context, r route, who access.Principal) error {
	holders := access.Titles(access.Holders(r.Needs))
	refusal := fault.Refused("permission:"+string(r.Needs), holders, "Your role does not allow this.")
	ctx := c.Request().Context()
	if err := s.store.Refused(ctx, who.Person(), "route."+string(r.Needs), c.Request().URL.Path, refusal); err != nil {
		return err
	}
	if len(who.Roles) == 0 && c.Request().Method == http.MethodGet {
		return c.Redirect(http.StatusSeeOther, view.MePath())
	}
	return refusal
}

// returnTo is the page to come back to after a sign-in: this one, or the one that a post was on.
func returnTo(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host {
		return local(from.RequestURI())
	}
	return "/"
}

// local keeps only addresses within the portal.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(path, "/") ||
		strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

// maxBody bounds a form, in bytes.
const maxBody = 256 << 10

// slowest bounds how long a client may take to send a form.
const slowest = 20 * time.Second
