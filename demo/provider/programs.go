package provider

import (
	"context"
	"crypto/subtle"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// APIAudience is whom tokens of programs are for.
const APIAudience = "keyholder-api"

// Program is a program that may ask for tokens with its name and ProgramSecret. On loopback there is nothing to keep secret:
// anyone can sign in as anyone.
type Program struct {
	ID     string
	Name   string
	Groups []string
}

// ProgramSecret is what every program says to get a token.
const ProgramSecret = "demo"

// Programs are all programs that there are.
func Programs() []Program {
	return []Program{
		{"catalogue-pipeline", "Catalogue pipeline", []string{"platform-engineers"}},
		{"outlet-gateway", "Outlet gateway", []string{"outlet-gateways"}},
	}
}

func programByID(id string) (Program, bool) {
	for _, p := range Programs() {
		if p.ID == id {
			return p, true
		}
	}
	return Program{}, false
}

// programClient is a program as the protocol library sees it. It never signs a person in.
type programClient struct{ client }

func (c programClient) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeClientCredentials}
}
func (c programClient) ResponseTypes() []oidc.ResponseType  { return nil }
func (c programClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

// programRequest is a program's wish for a token.
type programRequest struct{ id string }

func (r programRequest) GetSubject() string    { return r.id }
func (r programRequest) GetAudience() []string { return []string{APIAudience} }
func (r programRequest) GetScopes() []string   { return nil }

var (
	_ op.ClientCredentialsStorage = (*storage)(nil)
	_ op.Client                   = programClient{}
)

// ClientCredentials knows the programs.
func (s *storage) ClientCredentials(_ context.Context, id, secret string) (op.Client, error) {
	if _, ok := programByID(id); !ok || subtle.ConstantTimeCompare([]byte(secret), []byte(ProgramSecret)) != 1 {
		return nil, errUnknownClient
	}
	return programClient{client{id: id}}, nil
}

// ClientCredentialsTokenRequest lets a program ask for the one token that there is for it.
func (s *storage) ClientCredentialsTokenRequest(_ context.Context, id string, _ []string) (op.TokenRequest, error) {
	return programRequest{id}, nil
}

// GetPrivateClaimsFromScopes says in a program's token what it is. Those of people are opaque.
func (s *storage) GetPrivateClaimsFromScopes(_ context.Context, subject, _ string, _ []string) (map[string]any, error) {
	p, ok := programByID(subject)
	if !ok {
		return map[string]any{}, nil
	}
	return map[string]any{"name": p.Name, "groups": p.Groups}, nil
}
