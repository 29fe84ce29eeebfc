package provider

import (
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2/clientcredentials"
)

func TestAProgramGetsATokenForTheAPIAndNothingElse(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	found, err := oidc.NewProvider(t.Context(), c.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range Programs() {
		ask := clientcredentials.Config{ClientID: p.ID, ClientSecret: ProgramSecret, TokenURL: found.Endpoint().TokenURL}
		token, err := ask.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		read, err := found.Verifier(&oidc.Config{ClientID: APIAudience}).Verify(t.Context(), token.AccessToken)
		if err != nil {
			t.Fatal(err)
		}
		var claims struct{ Groups []string }
		if err := read.Claims(&claims); err != nil || strings.Join(claims.Groups, " ") != strings.Join(p.Groups, " ") || read.Subject != p.ID {
			t.Errorf("the token of %s says %q, %v: %v", p.ID, read.Subject, claims.Groups, err)
		}
		if _, err := found.Verifier(&oidc.Config{ClientID: c.ClientID}).Verify(t.Context(), token.AccessToken); err == nil {
			t.Error("it signs somebody in at the portal")
		}
	}
	for _, wrong := range []clientcredentials.Config{
		{ClientID: "outlet-gateway", ClientSecret: "other"}, {ClientID: "nobody", ClientSecret: ProgramSecret},
		{ClientID: c.ClientID, ClientSecret: c.ClientSecret},
	} {
		wrong.TokenURL = found.Endpoint().TokenURL
		if token, err := wrong.Token(t.Context()); err == nil {
			t.Errorf("%s got a token: %v", wrong.ClientID, token)
		}
	}
}
