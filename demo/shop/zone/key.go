package zone

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// KeyName is the TSIG key that may change the zone.
const KeyName = "keyholder."

// secret reads the base64 secret of the key; a shop that has none yet makes one that only its own user may read.
func secret(path string) (string, error) {
	raw, err := os.ReadFile(path) // #nosec G304 -- the operator's own choice of file
	if errors.Is(err, fs.ErrNotExist) {
		return makeSecret(path)
	}
	if err != nil {
		return "", fmt.Errorf("read the TSIG secret: %w", err)
	}
	key := strings.TrimSpace(string(raw))
	if _, err := base64.StdEncoding.DecodeString(key); err != nil || key == "" {
		return "", fmt.Errorf("the TSIG secret in %s is not base64", path)
	}
	return key, nil
}

// makeSecret gives the file its name only once it is whole, so that a kill leaves no half of it.
func makeSecret(path string) (string, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("make a TSIG secret: %w", err)
	}
	key := base64.StdEncoding.EncodeToString(raw)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make the folder of the TSIG secret: %w", err)
	}
	if err := os.WriteFile(path+".new", []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the TSIG secret: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return "", fmt.Errorf("keep the TSIG secret: %w", err)
	}
	return key, nil
}
