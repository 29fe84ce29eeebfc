package provider

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

const stopWithin = 2 * time.Second

// site is the provider's web server: the protocol library's endpoints and our own pages.
type site struct {
	config   Config
	storage  *storage
	protocol http.Handler
	pages    *template.Template
	policy   string
}

// Run serves sign-ins until ctx ends.
func Run(ctx context.Context, c Config) error {
	if err := c.validate(); err != nil {
		return err
	}
	s, err := newSite(c)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("provider: %s is not on loopback", listener.Addr()), listener.Close())
	}
	server := &http.Server{Handler: s.handler(), ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	if c.Ready != nil {
		c.Ready()
	}
	select {
	case err := <-ended:
		return fmt.Errorf("provider: %w", err)
	case <-ctx.Done():
	}
	return shutdown(server)
}

func shutdown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return fmt.Errorf("stop provider: %w", errors.Join(err, server.Close()))
	}
	return nil
}

func newSite(c Config) (*site, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder for provider: %w", err)
	}
	k, err := loadKey(c.Dir)
	if err != nil {
		return nil, err
	}
	kept, err := loadSessions(c.Dir)
	if err != nil {
		return nil, err
	}
	pages, err := parsePages()
	if err != nil {
		return nil, fmt.Errorf("parse provider's pages: %w", err)
	}
	s := &site{config: c, pages: pages, policy: contentPolicy(c), storage: &storage{
		client: client{id: c.ClientID, redirect: c.RedirectURIs, postLogout: c.PostLogoutRedirectURIs},
		secret: c.ClientSecret, key: k, sessions: kept,
		requests: map[string]request{}, codes: map[string]issued{}, tokens: map[string]issued{},
	}}
	s.protocol, err = newProtocol(c.Issuer, s.storage)
	return s, err
}

func newProtocol(issuer string, s *storage) (http.Handler, error) {
	config := &op.Config{
		DefaultLogoutRedirectURI: pathSignedOut,
		CodeMethodS256:           true,
		SupportedScopes:          []string{"openid", "profile", "email", scopeGroups},
		SupportedClaims: []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "name", "preferred_username", "email",
			"email_verified", "groups", "title",
		},
	}
	// Codes and opaque tokens are encrypted with a key that lives as long as what it protects: this process.
	if _, err := rand.Read(config.CryptoKey[:]); err != nil {
		return nil, fmt.Errorf("create token key: %w", err)
	}
	provider, err := op.NewProvider(config, s, op.StaticIssuer(issuer),
		op.WithAllowInsecure(),  // plain http: loopback only
		op.WithCORSOptions(nil), // no script of another origin has any business here
	)
	if err != nil {
		return nil, fmt.Errorf("build provider: %w", err)
	}
	return provider, nil
}

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathLogin, s.showLogin)
	mux.HandleFunc("POST "+pathLogin, s.signIn)
	mux.HandleFunc("GET "+pathCallback, s.callback)
	mux.HandleFunc("GET "+pathSignedOut, s.signedOut)
	mux.HandleFunc("GET "+pathStyle, s.style)
	mux.HandleFunc("GET /{$}", s.index)
	mux.Handle("/", withToken(s.protocol))
	return s.onlyAsIssuer(http.NewCrossOriginProtection().Handler(mux))
}

// onlyAsIssuer refuses requests under another name: a foreign page must not reach loopback through a name of its own.
func (s *site) onlyAsIssuer(next http.Handler) http.Handler {
	issuer, err := url.Parse(s.config.Issuer)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if err != nil || r.Host != issuer.Host {
			http.Error(w, "This provider answers only as "+s.config.Issuer, http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
