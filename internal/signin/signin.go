package signin

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"keyholder/internal/access"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// Config is how to reach the issuer and how the portal is reached.
type Config struct {
	Issuer       string
	ClientID     string
	ClientSecret func() (string, error)
	RolesClaim   string
	PublicURL    string
}

// SignIn signs people in at the issuer and keeps their sessions.
type SignIn struct {
	config   Config
	store    *store.Store
	sessions *scs.SessionManager
	client   *http.Client

	mu       sync.Mutex
	provider *oidc.Provider // found at first use, so that the portal starts without the issuer
}

// New prepares sessions; it does not look for the issuer yet.
func New(config Config, s *store.Store) *SignIn {
	sessions := scs.New()
	sessions.Store = s.Sessions()
	sessions.HashTokenInStore = true
	sessions.Lifetime = 24 * time.Hour
	sessions.IdleTimeout = 12 * time.Hour
	sessions.Cookie.Name = "keyholder_session"
	sessions.Cookie.HttpOnly = true
	sessions.Cookie.SameSite = http.SameSiteLaxMode
	sessions.Cookie.Secure = strings.HasPrefix(config.PublicURL, "https://")
	return &SignIn{config: config, store: s, sessions: sessions, client: &http.Client{Timeout: 5 * time.Second}}
}

// Sessions loads and saves the session around a handler.
func (in *SignIn) Sessions(next http.Handler) http.Handler { return in.sessions.LoadAndSave(next) }

// The keys of a session.
const (
	keyPerson   = "person"
	keyAuthTime = "auth_time"
	keyState    = "state"
	keyNonce    = "nonce"
	keyVerifier = "verifier"
	keyReturn   = "return"
	keyFlash    = "flash"
)

// Principal is who is signed in under ctx, with the roles they hold now. ok is false where nobody is.
func (in *SignIn) Principal(ctx context.Context) (p access.Principal, ok bool, err error) {
	id := in.sessions.GetString(ctx, keyPerson)
	if id == "" {
		return access.Principal{}, false, nil
	}
	p, ok, err = in.store.Principal(ctx, id)
	p.SignedInAt = time.Unix(in.sessions.GetInt64(ctx, keyAuthTime), 0).UTC()
	return p, ok, err
}

// Flash keeps a sentence for the next page.
func (in *SignIn) Flash(ctx context.Context, text string) { in.sessions.Put(ctx, keyFlash, text) }

// TakeFlash takes the sentence that Flash kept.
func (in *SignIn) TakeFlash(ctx context.Context) string { return in.sessions.PopString(ctx, keyFlash) }

// discover finds the issuer. Where it does not answer, whoever is signed in stays so, and nobody else gets in.
func (in *SignIn) discover(ctx context.Context) (*oidc.Provider, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.provider != nil {
		return in.provider, nil
	}
	// The provider keeps the context's client for its keys, so it must not end with this request.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), in.client), in.config.Issuer)
	if err != nil {
		return nil, fault.Away("The sign-in provider", err)
	}
	in.provider = provider
	return provider, nil
}

// Healthy says whether the issuer answers.
func (in *SignIn) Healthy(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, in.config.Issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return fmt.Errorf("sign-in provider: %w", err)
	}
	answer, err := in.client.Do(request)
	if err != nil {
		return fmt.Errorf("sign-in provider: %w", err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("sign-in provider: answered %s", answer.Status)
	}
	return nil
}

func (in *SignIn) oauth(provider *oidc.Provider) (*oauth2.Config, error) {
	secret, err := in.config.ClientSecret()
	if err != nil {
		return nil, fault.Away("The secret for the sign-in provider", err)
	}
	return &oauth2.Config{
		ClientID: in.config.ClientID, ClientSecret: secret, Endpoint: provider.Endpoint(),
		RedirectURL: in.config.PublicURL + CallbackPath, Scopes: []string{oidc.ScopeOpenID, "profile", "email", "groups"},
	}, nil
}
