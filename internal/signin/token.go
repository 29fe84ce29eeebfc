package signin

import (
	"context"
	"errors"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"keyholder/internal/access"
	"keyholder/internal/fault"
)

// ErrToken says that a token proves nothing here.
var ErrToken = &fault.Error{Kind: fault.Forbidden, Rule: "bearer-token", Message: "The token is not one that the sign-in provider has issued for this API, or it has run out."}

// Bearer is who shows a token that the issuer has signed for the API, with the roles that they hold now.
func (in *SignIn) Bearer(ctx context.Context, raw string) (access.Principal, error) {
	if in.config.APIAudience == "" {
		return access.Principal{}, ErrToken
	}
	provider, err := in.discover(ctx)
	if err != nil {
		return access.Principal{}, err
	}
	token, err := provider.VerifierContext(oidc.ClientContext(context.WithoutCancel(ctx), in.client), &oidc.Config{
		ClientID: in.config.APIAudience, Now: func() time.Time { return in.store.Now() },
	}).Verify(ctx, raw)
	if err != nil {
		return access.Principal{}, in.tokenFault(ctx, err)
	}
	who, err := in.identity(token)
	if err != nil {
		return access.Principal{}, err
	}
	id, err := in.store.Recognise(ctx, who)
	if err != nil {
		return access.Principal{}, err
	}
	p, _, err := in.store.Principal(ctx, id)
	p.SignedInAt = who.SignedInAt
	return p, err
}

// tokenFault tells a bad token from an issuer whose keys cannot be fetched.
func (in *SignIn) tokenFault(ctx context.Context, err error) error {
	var expired *oidc.TokenExpiredError
	if errors.As(err, &expired) {
		return ErrToken
	}
	if away := in.Healthy(ctx); away != nil {
		return fault.Away("The sign-in provider", away)
	}
	return ErrToken
}
