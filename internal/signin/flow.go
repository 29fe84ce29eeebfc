package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// CallbackPath is where the issuer sends people back to.
const CallbackPath = "/sign-in/callback"

// Begin is the address at the issuer to send a person to. anew asks for a fresh sign-in even where the issuer knows
// them; back is the page they come back to.
func (in *SignIn) Begin(ctx context.Context, back string, anew bool) (string, error) {
	provider, err := in.discover(ctx)
	if err != nil {
		return "", err
	}
	oauth, err := in.oauth(provider)
	if err != nil {
		return "", err
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	for key, value := range map[string]string{keyState: state, keyNonce: nonce, keyVerifier: verifier, keyReturn: back} {
		in.sessions.Put(ctx, key, value)
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}
	if anew {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return oauth.AuthCodeURL(state, options...), nil
}

// Callback is what the issuer sends back.
type Callback struct {
	State, Code, Error, Description string
}

// ErrStale says that this browser did not begin the sign-in that comes back, or finished it already.
var ErrStale = &fault.Error{
	Kind: fault.Conflict, Rule: "sign-in-state",
	Message: "This sign-in was not begun here, or was finished already. Begin it again.",
}

// Finish turns the issuer's answer into a session and returns the page to go back to.
func (in *SignIn) Finish(ctx context.Context, c Callback) (back string, err error) {
	state, nonce := in.sessions.PopString(ctx, keyState), in.sessions.PopString(ctx, keyNonce)
	verifier := in.sessions.PopString(ctx, keyVerifier)
	back = in.sessions.PopString(ctx, keyReturn)
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(c.State)) != 1 {
		return "", ErrStale
	}
	if c.Error != "" {
		return "", fault.Refused("sign-in", "", "The sign-in provider refused: %s", clean(c.Error+" "+c.Description))
	}
	who, err := in.exchange(ctx, c.Code, verifier, nonce)
	if err != nil {
		return "", err
	}
	id, err := in.store.SignIn(ctx, who)
	if err != nil {
		return "", err
	}
	if err := in.sessions.RenewToken(ctx); err != nil {
		return "", fmt.Errorf("renew the session: %w", err)
	}
	in.Remember(ctx, id, who.SignedInAt)
	return back, nil
}

// Remember makes the session that of a person who proved who they are at some moment.
func (in *SignIn) Remember(ctx context.Context, person string, at time.Time) {
	in.sessions.Put(ctx, keyPerson, person)
	in.sessions.Put(ctx, keyAuthTime, at.Unix())
}

// exchange trades the code for a verified identity.
func (in *SignIn) exchange(ctx context.Context, code, verifier, nonce string) (store.Identity, error) {
	provider, err := in.discover(ctx)
	if err != nil {
		return store.Identity{}, err
	}
	oauth, err := in.oauth(provider)
	if err != nil {
		return store.Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, in.client)
	tokens, err := oauth.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) {
			return store.Identity{}, &fault.Error{Kind: fault.Forbidden, Rule: "sign-in", Message: "The sign-in provider did not accept this sign-in. Begin it again.", Err: err}
		}
		return store.Identity{}, fault.Away("The sign-in provider", err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return store.Identity{}, fault.Refused("sign-in", "", "The sign-in provider sent no ID token.")
	}
	token, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: in.config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return store.Identity{}, &fault.Error{Kind: fault.Forbidden, Rule: "sign-in", Message: "The sign-in provider's answer could not be verified.", Err: err}
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1 {
		return store.Identity{}, ErrStale
	}
	return in.identity(token)
}

// identity reads who a verified token is about. Without auth_time the sign-in is not recent, whatever it was.
func (in *SignIn) identity(token *oidc.IDToken) (store.Identity, error) {
	var claims map[string]json.RawMessage
	if err := token.Claims(&claims); err != nil {
		return store.Identity{}, fmt.Errorf("read the claims: %w", err)
	}
	who := store.Identity{
		Issuer: token.Issuer, Subject: token.Subject, Name: text(claims["name"]), Email: text(claims["email"]),
		Groups: groups(claims[in.config.RolesClaim]), SignedInAt: moment(claims["auth_time"]),
	}
	if who.Name == "" {
		who.Name = token.Subject
	}
	return who, nil
}

// Bounds of what is believed of a claim.
const (
	mostGroups = 200
	longest    = 200
)

// groups reads a list of names, or one name. A claim of any other form, or an absurd one, gives no rights.
func groups(raw json.RawMessage) []string {
	var list []string
	if one := text(raw); one != "" {
		return []string{one}
	}
	if json.Unmarshal(raw, &list) != nil || len(list) > mostGroups {
		return nil
	}
	for _, name := range list {
		if len(name) > longest {
			return nil
		}
	}
	return list
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil || len(s) > longest {
		return ""
	}
	return clean(s)
}

// clean drops what cannot be shown.
func clean(s string) string {
	if !utf8.ValidString(s) {
		return ""
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

func moment(raw json.RawMessage) time.Time {
	var seconds int64
	if json.Unmarshal(raw, &seconds) != nil {
		return time.Unix(0, 0).UTC()
	}
	return time.Unix(seconds, 0).UTC()
}

// Leave ends the session and returns where to go to end the issuer's too; empty where it has no such place.
func (in *SignIn) Leave(ctx context.Context, back string) (string, error) {
	who, ok, err := in.Principal(ctx)
	if err != nil {
		return "", err
	}
	if ok {
		if err := in.store.SignedOut(ctx, who); err != nil {
			return "", err
		}
	}
	if err := in.sessions.Destroy(ctx); err != nil {
		return "", fmt.Errorf("end the session: %w", err)
	}
	provider, err := in.discover(ctx)
	if err != nil {
		return "", nil //nolint:nilerr // the issuer is away: the session here has ended all the same
	}
	var more struct {
		End string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&more); err != nil || more.End == "" {
		return "", nil //nolint:nilerr // it has no place to leave at
	}
	query := url.Values{"client_id": {in.config.ClientID}, "post_logout_redirect_uri": {in.config.PublicURL + back}}
	return more.End + "?" + query.Encode(), nil
}
