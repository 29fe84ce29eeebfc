package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/signin"
	"keyholder/internal/store"
	"keyholder/static"
	"keyholder/web/view"
)

// Process is what the portal needs of the engine. Every call is a person's act; a refusal comes in the outcome.
type Process interface {
	Decide(ctx context.Context, v store.Vote) (store.Outcome, error)
	Withdraw(ctx context.Context, a store.Amend) (store.Outcome, error)
	Confirm(ctx context.Context, a store.Amend) (store.Outcome, error)
	Command(ctx context.Context, c store.Command) (store.Outcome, error)
	Healthy(ctx context.Context) error
}

// Config is how the portal is reached.
type Config struct {
	PublicURL      string
	Issuer         string
	Version        string
	TrustedProxies []*net.IPNet // whose forwarding headers are believed
	Mail           bool         // people can be told by mail
	Files          Files
	Told           func(catalog.Catalog, catalog.Entry) fault.Wrong        // what is wrong with what a record tells connectors; may be nil
	Decode         func(body []byte) (answer []byte, asked int, err error) // decrypts what Temporal keeps, in JSON; says how many were asked for
	Drawn          func(templ.Component)                                   // is shown every page before it is drawn, for measuring; may be nil
}

// Server is the portal.
type Server struct {
	config  Config
	store   *store.Store
	process Process
	signin  *signin.SignIn
	static  *static.Set
	changes *changes
	shown   shown
	reading chan struct{} // one at a time reads files
	log     *slog.Logger
	handler http.Handler
}

// New makes the portal. Run must be called for pages to learn of changes.
func New(config Config, s *store.Store, p Process, in *signin.SignIn, log *slog.Logger) (*Server, error) {
	files, err := static.New()
	if err != nil {
		return nil, err
	}
	server := &Server{config: config, store: s, process: p, signin: in, static: files, changes: newChanges(), reading: make(chan struct{}, 1), log: log}
	issuer, err := url.Parse(config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("read the issuer's address: %w", err)
	}
	server.handler = server.wrap(issuer.Scheme + "://" + issuer.Host)
	return server, nil
}

// Handler answers every request of the portal.
func (s *Server) Handler() http.Handler { return s.handler }

// Run tells open pages of changes until ctx ends.
func (s *Server) Run(ctx context.Context) error { return s.changes.run(ctx, s.store, s.log) }

// router puts every route behind its permission.
func (s *Server) router() *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = s.fail
	e.IPExtractor = s.address()
	for _, r := range s.routes() {
		e.Add(r.Method, r.Path, s.guard(r))
	}
	s.addAPI(e)
	return e
}

func (s *Server) address() echo.IPExtractor {
	if len(s.config.TrustedProxies) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, network := range s.config.TrustedProxies {
		options = append(options, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// principalKey is where the guard leaves who is signed in.
const principalKey = "principal"

// changeKey is where the guard leaves the newest change before the page was read.
const changeKey = "change"

// byHtmx is the header of a page that asks for itself again.
const byHtmx = "HX-Request"

// principal is who is signed in; nobody on routes for anyone.
func principal(c echo.Context) access.Principal {
	p, _ := c.Get(principalKey).(access.Principal)
	return p
}

// page is what every page shows around its own.
func (s *Server) page(c echo.Context, title string) view.Page {
	who := principal(c)
	p := view.Page{
		Title: title, Path: c.Request().URL.RequestURI(), Version: s.config.Version, Now: s.store.Now(),
		Styles:  []string{s.static.Path("vendor/tabler.min.css"), s.static.Path("vendor/tabler-dark.css"), s.static.Path("app.css")},
		Scripts: []string{s.static.Path("vendor/htmx.min.js"), s.static.Path("vendor/idiomorph.min.js"), s.static.Path("app.js")},
		Live:    c.Request().Method == http.MethodGet,
	}
	p.Change, _ = c.Get(changeKey).(int64)
	if who.ID != "" {
		p.Person = view.Person{Name: who.Name, Roles: who.Title(), SignedIn: true}
		if c.Request().Header.Get(byHtmx) == "" {
			p.Flash = s.signin.TakeFlash(c.Request().Context())
		}
		var err error
		if p.Holds, err = s.holdings(c.Request().Context(), who); err != nil {
			s.log.WarnContext(c.Request().Context(), "a page does not say what its reader has", "error", err) // it says the rest
		}
		for _, link := range view.Navigation() {
			if who.May(link.Needs) {
				link.Here = c.Request().URL.Path == link.Path
				p.Nav = append(p.Nav, link)
			}
		}
	}
	return p
}

// flash keeps a sentence for the next page.
func (s *Server) flash(c echo.Context, text string) { s.signin.Flash(c.Request().Context(), text) }

// render draws a page whole before anything is sent, so that a failure is an error page and not half a page.
func (s *Server) render(c echo.Context, status int, page templ.Component) error {
	if s.config.Drawn != nil {
		s.config.Drawn(page)
	}
	body := templ.GetBuffer()
	defer templ.ReleaseBuffer(body)
	if err := page.Render(c.Request().Context(), body); err != nil {
		return fmt.Errorf("draw %s: %w", c.Request().URL.Path, err)
	}
	return c.HTMLBlob(status, body.Bytes())
}
