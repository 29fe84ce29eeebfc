package signin

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/sync/singleflight"

	"keyholder/internal/access"
	"keyholder/internal/store"
)

// Config is how to reach the issuer and how the portal is reached.
type Config struct {
	Issuer       string
	ClientID     string
	ClientSecret func() (string, error)
	RolesClaim   string
	PublicURL    string
	APIAudience  string // whom tokens of programs are for; empty: none are believed
}

// SignIn signs people in at the issuer and keeps their sessions.
type SignIn struct {
	config   Config
	store    *store.Store
	sessions *scs.SessionManager
	client   *http.Client

	provider atomic.Pointer[oidc.Provider] // found at first use, so that the portal starts without the issuer
	finding  singleflight.Group
}

// New prepares sessions; it does not look for the issuer yet.
func New(config Config, s *store.Store) *SignIn {
	return &SignIn{config: config, store: s, sessions: newSessions(config.PublicURL, s), client: &http.Client{Timeout: 5 * time.Second}}
}

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

// Remember makes the session that of a person who proved who they are at some moment.
func (in *SignIn) Remember(ctx context.Context, person string, at time.Time) {
	in.sessions.Put(ctx, keyPerson, person)
	in.sessions.Put(ctx, keyAuthTime, at.Unix())
	in.sessions.Put(ctx, keySeen, in.store.Now().Unix())
}

// Flash keeps a sentence for the next page.
func (in *SignIn) Flash(ctx context.Context, text string) { in.sessions.Put(ctx, keyFlash, text) }

// TakeFlash takes the sentence that Flash kept.
func (in *SignIn) TakeFlash(ctx context.Context) string { return in.sessions.PopString(ctx, keyFlash) }
