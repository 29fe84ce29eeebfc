package provider

import (
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// request is one sign-in under way: what the portal asked for and, once someone has signed in, who and when.
type request struct {
	oidc.AuthRequest
	id       string
	created  time.Time
	hint     string // the subject of the id_token_hint; never proof of anything
	subject  string
	authTime time.Time
}

var _ op.AuthRequest = request{}

// satisfiedBy reports whether a session is enough, without asking the person again.
func (r request) satisfiedBy(s session, now time.Time) bool {
	if slices.Contains(r.Prompt, oidc.PromptLogin) || slices.Contains(r.Prompt, oidc.PromptSelectAccount) {
		return false
	}
	if r.hint != "" && r.hint != s.Subject {
		return false
	}
	return r.MaxAge == nil || now.Sub(s.SignedIn) < time.Duration(*r.MaxAge)*time.Second
}

func (r request) mayNotAsk() bool { return slices.Contains(r.Prompt, oidc.PromptNone) }

func (r request) signedIn(s session) request {
	r.subject, r.authTime = s.Subject, s.SignedIn
	return r
}

func (r request) GetID() string                      { return r.id }
func (r request) GetACR() string                     { return "" }
func (r request) GetAMR() []string                   { return nil } // pressing a button proves nothing
func (r request) GetAudience() []string              { return []string{r.ClientID} }
func (r request) GetAuthTime() time.Time             { return r.authTime }
func (r request) GetClientID() string                { return r.ClientID }
func (r request) GetNonce() string                   { return r.Nonce }
func (r request) GetScopes() []string                { return r.Scopes }
func (r request) GetSubject() string                 { return r.subject }
func (r request) Done() bool                         { return r.subject != "" }
func (r request) GetRedirectURI() string             { return r.RedirectURI }
func (r request) GetResponseType() oidc.ResponseType { return r.ResponseType }
func (r request) GetResponseMode() oidc.ResponseMode { return r.ResponseMode }
func (r request) GetState() string                   { return r.State }

func (r request) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.CodeChallenge, Method: r.CodeChallengeMethod}
}
