package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// CallbackPath is where the issuer sends people back to.
const CallbackPath = "/sign-in/callback"

// skew is how far the issuer's clock may be from ours.
const skew = time.Minute

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
	p := pending{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Back: back,
		Begun: in.store.Now(), Anew: anew,
	}
	if err := in.addPending(ctx, p); err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(p.Nonce), oauth2.S256ChallengeOption(p.Verifier)}
	if anew {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return oauth.AuthCodeURL(p.State, options...), nil
}

// Callback is what the issuer sends back.
type Callback struct {
	State, Code, Error, Description string
}

// ErrStale says that this browser did not begin the sign-in that comes back, or finished it already.
var ErrStale = &fault.Error{
	Kind: fault.Forbidden, Rule: "sign-in-state",
	Message: "This sign-in was not begun here, or was finished already. Begin it again.",
}

// Finish turns the issuer's answer into a session and returns the page to go back to, also where it fails, if it is known.
func (in *SignIn) Finish(ctx context.Context, c Callback) (back string, err error) {
	begun, err := in.takePending(ctx, c.State)
	if err != nil {
		return "", err
	}
	if c.Error != "" {
		return begun.Back, fault.Refused("sign-in", whoKeepsProvider, "The sign-in provider refused: %s", shorten(clean(c.Error+" "+c.Description)))
	}
	who, err := in.exchange(ctx, c.Code, begun)
	if err != nil {
		return begun.Back, err
	}
	// max_age obliges the issuer to say when; one that does not, or that let an old sign-in pass, gave no fresh one.
	if begun.Anew && who.SignedInAt.Before(begun.Begun.Add(-skew)) {
		return begun.Back, fault.Refused("recent-sign-in", whoKeepsProvider, "The sign-in provider let you in without asking who you are, so this is no recent sign-in. You are still signed in as before.")
	}
	id, err := in.store.SignIn(ctx, who)
	if err != nil {
		return begun.Back, err
	}
	if err := in.sessions.RenewToken(ctx); err != nil {
		return begun.Back, fmt.Errorf("renew the session: %w", err)
	}
	in.Remember(ctx, id, who.SignedInAt)
	return begun.Back, nil
}

// exchange trades the code for a verified identity.
func (in *SignIn) exchange(ctx context.Context, code string, begun pending) (store.Identity, error) {
	provider, err := in.discover(ctx)
	if err != nil {
		return store.Identity{}, err
	}
	oauth, err := in.oauth(provider)
	if err != nil {
		return store.Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, in.client)
	tokens, err := oauth.Exchange(ctx, code, oauth2.VerifierOption(begun.Verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError {
			return store.Identity{}, &fault.Error{Kind: fault.Forbidden, Rule: "sign-in", Message: "The sign-in provider did not accept this sign-in. Begin it again.", Err: err}
		}
		return store.Identity{}, fault.Away("The sign-in provider", err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return store.Identity{}, fault.Refused("sign-in", whoKeepsProvider, "The sign-in provider sent no ID token.")
	}
	token, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: in.config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return store.Identity{}, &fault.Error{Kind: fault.Forbidden, Rule: "sign-in", Message: "The sign-in provider's answer could not be verified.", Err: err}
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(begun.Nonce)) != 1 {
		return store.Identity{}, ErrStale
	}
	return in.identity(token)
}

// shorten keeps a sentence of what others say.
func shorten(s string) string {
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}

// leaveWithin bounds how long a sign-out waits for the issuer.
const leaveWithin = 2 * time.Second

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
	waiting, cancel := context.WithTimeout(ctx, leaveWithin)
	defer cancel()
	provider, err := in.discover(waiting)
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
