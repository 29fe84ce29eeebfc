package scram

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const (
	// Iterations is what PostgreSQL itself takes, and the least of RFC 7677. Passwords of NewPassword cannot be guessed in any case.
	Iterations = 4096
	saltBytes  = 16

	// 32 letters and digits, so that each is five even bits of chance; none looks like another, and none needs a shift key.
	alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
	groups   = 6
	perGroup = 4
)

// NewPassword makes a password of 24 letters and digits (120 bits), in groups that can be read out and typed on a phone.
func NewPassword() string {
	chance := make([]byte, groups*perGroup)
	_, _ = rand.Read(chance) // it never fails: without chance the program ends
	var b strings.Builder
	for i, c := range chance {
		if i > 0 && i%perGroup == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(alphabet[c%byte(len(alphabet))])
	}
	return b.String()
}

// NewVerifier is the verifier of a password under a new salt.
func NewVerifier(password string) (string, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // as above
	return Verifier(password, salt, Iterations)
}

// Verifier is what PostgreSQL keeps of a password as SCRAM-SHA-256 (RFC 5803). Only printable ASCII is taken: for anything else
// the two sides would first have to agree on its normal form.
func Verifier(password string, salt []byte, iterations int) (string, error) {
	switch {
	case password == "" || strings.ContainsFunc(password, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", errors.New("a password must be printable ASCII, and not empty")
	case len(salt) < 8:
		return "", errors.New("a salt needs at least 8 bytes")
	case iterations < Iterations:
		return "", fmt.Errorf("at least %d iterations are needed", Iterations)
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("salt a password: %w", err)
	}
	stored := sha256.Sum256(sign(salted, "Client Key"))
	in64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, in64(salt), in64(stored[:]), in64(sign(salted, "Server Key"))), nil
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

var verifier = regexp.MustCompile(`\ASCRAM-SHA-256\$([1-9][0-9]{3,8}):([A-Za-z0-9+/=]{12,400})\$([A-Za-z0-9+/=]{44}):([A-Za-z0-9+/=]{44})\z`)

// IsVerifier says whether PostgreSQL takes a text for a verifier. What it takes for none it takes for a password in clear.
func IsVerifier(text string) bool {
	parts := verifier.FindStringSubmatch(text)
	if parts == nil {
		return false
	}
	if n, err := strconv.Atoi(parts[1]); err != nil || n < Iterations {
		return false
	}
	for i, part := range parts[2:] {
		raw, err := base64.StdEncoding.Strict().DecodeString(part)
		if err != nil || i > 0 && len(raw) != sha256.Size {
			return false
		}
	}
	return true
}
