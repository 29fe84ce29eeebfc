package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The client that an Issuer knows.
const (
	ClientID     = "keyholder"
	ClientSecret = "issuer-and-client-know-this"
	APIAudience  = "keyholder-api" // whom tokens of programs are for
)

// Issuer is an OpenID Connect provider that lets everybody in at once, as the person whom the test names. It checks what
// a provider must check (client, redirect address, PKCE, single use of codes) and can be told to lie.
type Issuer struct {
	*httptest.Server
	key *ecdsa.PrivateKey

	mu     sync.Mutex
	who    map[string]any
	forged *ecdsa.PrivateKey
	broken int
	away   bool
	codes  map[string]url.Values // code -> the request that it was given for
	asked  []url.Values
}

// NewIssuer starts a provider that ends with the test.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{key: newKey(t), codes: map[string]url.Values{}}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	routes.HandleFunc("GET /keys", i.keys)
	routes.HandleFunc("GET /authorize", i.authorize)
	routes.HandleFunc("POST /token", i.token)
	i.Server = httptest.NewServer(i.unlessAway(routes))
	t.Cleanup(i.Close)
	return i
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Vouch sets what the next ID tokens claim, over what they claim by themselves; a nil value leaves a claim out.
func (i *Issuer) Vouch(claims map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.who = claims
}

// Forge makes the next ID tokens signed by a key that is not the provider's.
func (i *Issuer) Forge(t testing.TB) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.forged = newKey(t)
}

// Break makes the next trades of a code answer with a status.
func (i *Issuer) Break(status int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.broken = status
}

// Away makes the provider answer nothing of use, or come back.
func (i *Issuer) Away(away bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.away = away
}

func (i *Issuer) unlessAway(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		away := i.away
		i.mu.Unlock()
		if away {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Asked are the sign-ins that were asked for.
func (i *Issuer) Asked() []url.Values {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	send(w, map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token",
		"jwks_uri": i.URL + "/keys", "end_session_endpoint": i.URL + "/leave",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
	})
}

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	send(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
}

func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	code := rand.Text()
	i.mu.Lock()
	i.codes[code] = q
	i.asked = append(i.asked, q)
	i.mu.Unlock()
	back := url.Values{"code": {code}, "state": {q.Get("state")}}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.broken != 0 {
		http.Error(w, `{"error":"server_error"}`, i.broken)
		return
	}
	asked, ok := i.codes[r.PostFormValue("code")]
	delete(i.codes, r.PostFormValue("code"))
	id, secret, _ := r.BasicAuth()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || id != ClientID || secret != ClientSecret || r.PostFormValue("redirect_uri") != asked.Get("redirect_uri") ||
		asked.Get("code_challenge_method") != "S256" || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") {
		w.WriteHeader(http.StatusBadRequest)
		send(w, map[string]string{"error": "invalid_grant"})
		return
	}
	raw, err := i.sign(asked.Get("nonce"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 60, "id_token": raw})
}

// Token is a token for a program, which claims what is given over what it claims by itself.
func (i *Issuer) Token(t testing.TB, claims map[string]any) string {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	own := map[string]any{"aud": APIAudience, "auth_time": nil}
	maps.Copy(own, claims)
	raw, err := i.signed(own)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sign makes the ID token of whoever signs in now.
func (i *Issuer) sign(nonce string) (string, error) {
	own := map[string]any{"nonce": nonce}
	maps.Copy(own, i.who)
	return i.signed(own)
}

// signed signs claims, over what every token claims; a nil value leaves one out.
func (i *Issuer) signed(over map[string]any) (string, error) {
	now := time.Now()
	claims := map[string]any{
		"iss": i.URL, "aud": ClientID, "sub": "somebody", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "auth_time": now.Unix(),
	}
	maps.Copy(claims, over)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	key := i.key
	if i.forged != nil {
		key = i.forged
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(body)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// send writes JSON; a client that is gone is the test's own.
func send(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
