package canonical

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// JSON writes v in canonical form. Two values that mean the same give the same bytes, whatever the order of their keys.
func JSON(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write as JSON: %w", err)
	}
	form := jsontext.Value(plain)
	// What others wrote may be part of v; it is taken as json.Marshal takes it.
	err = form.Format(jsontext.ReorderRawObjects(true), jsontext.EscapeForJS(true), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err != nil {
		return nil, fmt.Errorf("write canonical JSON: %w", err)
	}
	return form, nil
}

// Digest is the SHA-256, in hexadecimal, of the version prefix, a zero byte, and v in canonical form.
func Digest(prefix string, v any) (string, error) {
	body, err := JSON(v)
	if err != nil {
		return "", err
	}
	return DigestBytes(prefix, body), nil
}

// DigestBytes is Digest of bytes that are canonical already.
func DigestBytes(prefix string, body []byte) string {
	sum := sha256.New()
	sum.Write(append([]byte(prefix), 0))
	sum.Write(body)
	return hex.EncodeToString(sum.Sum(nil))
}
