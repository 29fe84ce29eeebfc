package signin

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"

	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// whoKeepsProvider can do something where the provider does not let somebody in, or says too little.
const whoKeepsProvider = "whoever keeps the sign-in provider"

// identity reads who a verified token is about. Without auth_time the sign-in is not recent, whatever it was.
func (in *SignIn) identity(token *oidc.IDToken) (store.Identity, error) {
	var claims map[string]json.RawMessage
	if err := token.Claims(&claims); err != nil {
		return store.Identity{}, fmt.Errorf("read the claims: %w", err)
	}
	// A subject that has to be changed to be kept could become somebody else's.
	if token.Subject == "" || len(token.Subject) > longest || clean(token.Subject) != token.Subject {
		return store.Identity{}, fault.Refused("sign-in", whoKeepsProvider, "The sign-in provider did not say who you are in a form that can be kept.")
	}
	who := store.Identity{
		Issuer: token.Issuer, Subject: token.Subject, Name: text(claims["name"]), Email: text(claims["email"]), Verified: yes(claims["email_verified"]),
		Groups: groups(claims[in.config.RolesClaim]), SignedInAt: moment(claims["auth_time"]),
		Unsaid: claims["email_verified"] == nil, IssuedAt: token.IssuedAt,
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

// yes reads a claim that is true or not; some providers send it as a text. Whatever else it is, it is not true.
func yes(raw json.RawMessage) bool {
	var sure bool
	return json.Unmarshal(raw, &sure) == nil && sure || text(raw) == "true"
}

func moment(raw json.RawMessage) time.Time {
	var seconds int64
	if json.Unmarshal(raw, &seconds) != nil {
		return time.Unix(0, 0).UTC()
	}
	return time.Unix(seconds, 0).UTC()
}
