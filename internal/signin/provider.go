package signin

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"keyholder/internal/fault"
)

// discover finds the issuer. Where it does not answer, whoever is signed in stays so, and nobody else gets in.
func (in *SignIn) discover(ctx context.Context) (*oidc.Provider, error) {
	if provider := in.provider.Load(); provider != nil {
		return provider, nil
	}
	found := in.finding.DoChan("", func() (any, error) {
		// The provider keeps the context's client for its keys, so it must not end with this request.
		provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), in.client), in.config.Issuer)
		if err == nil {
			in.provider.Store(provider)
		}
		return provider, err
	})
	select {
	case <-ctx.Done():
		return nil, fault.Away("The sign-in provider", ctx.Err())
	case answer := <-found:
		if answer.Err != nil {
			return nil, fault.Away("The sign-in provider", answer.Err)
		}
		return in.provider.Load(), nil
	}
}

// Healthy says whether the issuer answers.
func (in *SignIn) Healthy(ctx context.Context) error {
	address := strings.TrimSuffix(in.config.Issuer, "/") + "/.well-known/openid-configuration"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
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
