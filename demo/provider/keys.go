package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
)

// key signs ID tokens. It is kept, so that tokens from before a restart still verify.
type key struct {
	id      string
	private *ecdsa.PrivateKey
}

type keptKey struct {
	ID    string `json:"id"`
	PKCS8 []byte `json:"pkcs8"`
}

func loadKey(dir string) (key, error) {
	path := filepath.Join(dir, "signing-key.json")
	var kept keptKey
	if err := readKept(path, &kept); err != nil {
		return key{}, err
	}
	if kept.ID == "" {
		return createKey(path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(kept.PKCS8)
	if err != nil {
		return key{}, fmt.Errorf("understand key in %s: %w", path, err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return key{}, errors.New("key in " + path + " is of another kind")
	}
	return key{id: kept.ID, private: private}, nil
}

func createKey(path string) (key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return key{}, fmt.Errorf("create signing key: %w", err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return key{}, fmt.Errorf("encode signing key: %w", err)
	}
	k := key{id: uuid.NewString(), private: private}
	return k, keep(path, keptKey{ID: k.id, PKCS8: raw})
}

// signingKey and publicKey are the two faces of the key that the protocol library asks for.
type (
	signingKey struct{ key }
	publicKey  struct{ key }
)

func (k signingKey) ID() string                                  { return k.id }
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k signingKey) Key() any                                    { return k.private }

func (k publicKey) ID() string                         { return k.id }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                           { return &k.private.PublicKey }
