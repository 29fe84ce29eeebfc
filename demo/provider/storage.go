package provider

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	requestLasts = 15 * time.Minute
	codeLasts    = time.Minute
	tokenLasts   = 10 * time.Minute
)

var (
	errUnknownClient  = errors.New("unknown client")
	errUnknownRequest = errors.New("unknown sign-in request")
	errUnknownToken   = errors.New("unknown token")
	errNotOffered     = errors.New("this provider does not offer that")
)

// storage is what the protocol library asks for. Requests, codes and tokens live minutes and in memory: after a restart
// a person starts the sign-in again.
type storage struct {
	client   client
	secret   string
	key      key
	sessions *sessions

	mu       sync.Mutex
	requests map[string]request
	codes    map[string]issued // id is that of the request
	tokens   map[string]issued // id is the subject
}

type issued struct {
	id      string
	expires time.Time
}

var (
	_ op.Storage                        = (*storage)(nil)
	_ op.CanSetUserinfoFromRequest      = (*storage)(nil)
	_ op.CanTerminateSessionFromRequest = (*storage)(nil)
)

// CreateAuthRequest keeps what the portal asks for. Without PKCE by S256 there is no sign-in.
func (s *storage) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, hint string) (op.AuthRequest, error) {
	if asked.CodeChallenge == "" || asked.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("PKCE with S256 is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.sweep(now)
	r := request{AuthRequest: *asked, id: rand.Text(), created: now, hint: hint}
	s.requests[r.id] = r
	return r, nil
}

func (s *storage) sweep(now time.Time) {
	for id, r := range s.requests {
		if now.Sub(r.created) > requestLasts {
			delete(s.requests, id)
		}
	}
	for _, kept := range []map[string]issued{s.codes, s.tokens} {
		for id, i := range kept {
			if now.After(i.expires) {
				delete(kept, id)
			}
		}
	}
}

// AuthRequestByID finds a sign-in under way.
func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	r, ok := s.request(id)
	if !ok {
		return nil, errUnknownRequest
	}
	return r, nil
}

func (s *storage) request(id string) (request, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.requests[id]
	return r, ok && time.Since(r.created) <= requestLasts
}

// complete records who signed in for a request, and when.
func (s *storage) complete(r request, by session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[r.id] = r.signedIn(by)
}

// SaveAuthCode remembers which request a code stands for.
func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = issued{id: id, expires: time.Now().Add(codeLasts)}
	return nil
}

// AuthRequestByCode takes the code: one attempt, whether the rest of the exchange succeeds or not.
func (s *storage) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.codes[code]
	delete(s.codes, code)
	r, known := s.requests[c.id]
	if !ok || !known || time.Now().After(c.expires) {
		return nil, errUnknownRequest
	}
	return r, nil
}

// DeleteAuthRequest forgets a request that has become tokens.
func (s *storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	return nil
}

// CreateAccessToken issues a token that is good for userinfo and nothing else.
func (s *storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, expires := rand.Text(), time.Now().Add(tokenLasts)
	s.tokens[id] = issued{id: r.GetSubject(), expires: expires}
	return id, expires, nil
}

// RevokeToken ends an access token.
func (s *storage) RevokeToken(_ context.Context, id, _, _ string) *oidc.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, id)
	return nil
}

// SetUserinfoFromToken answers the userinfo call.
func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, id, subject, _ string) error {
	s.mu.Lock()
	token, ok := s.tokens[id]
	s.mu.Unlock()
	if !ok || token.id != subject || time.Now().After(token.expires) {
		return errUnknownToken
	}
	return describe(info, subject)
}

// SetUserinfoFromRequest fills the ID token.
func (s *storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, r op.IDTokenRequest, _ []string) error {
	return describe(info, r.GetSubject())
}

// describe states everything about a person, whatever the scopes: there is nothing to hide about people who do not exist.
func describe(info *oidc.UserInfo, subject string) error {
	p, ok := personBySubject(subject)
	if !ok {
		return errors.New("nobody has the subject " + subject)
	}
	info.Subject, info.Name, info.PreferredUsername = subject, p.Name, p.Username
	info.Email, info.EmailVerified = p.Email(), true
	info.AppendClaims("groups", p.Groups)
	info.AppendClaims("title", p.Title)
	return nil
}

// TerminateSessionFromRequest signs the browser out here, whoever the hint names: someone pressed "sign out" in it.
func (s *storage) TerminateSessionFromRequest(ctx context.Context, r *op.EndSessionRequest) (string, error) {
	return r.RedirectURI, s.sessions.end(tokenFrom(ctx))
}

// GetClientByClientID knows one client.
func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != s.client.id {
		return nil, errUnknownClient
	}
	return s.client, nil
}

// AuthorizeClientIDSecret checks the portal's secret.
func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != s.client.id || subtle.ConstantTimeCompare([]byte(secret), []byte(s.secret)) != 1 {
		return errUnknownClient
	}
	return nil
}

// SigningKey, SignatureAlgorithms and KeySet present the one kept key.
func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return signingKey{s.key}, nil }

// SignatureAlgorithms names the key's algorithm.
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256}, nil
}

// KeySet is what verifiers fetch.
func (s *storage) KeySet(context.Context) ([]op.Key, error) { return []op.Key{publicKey{s.key}}, nil }

// Health has nothing that could be missing.
func (s *storage) Health(context.Context) error { return nil }
