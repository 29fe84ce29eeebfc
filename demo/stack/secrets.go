package stack

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Secret is a random value made at the first start and kept in a file of its owner alone.
type Secret struct {
	File  string
	Value string // 32 random bytes in base64
}

// Secret returns the one of that name, the same at every start and in every process.
func (f Folder) Secret(name string) (Secret, error) {
	s := Secret{File: f.Path(name)}
	raw, err := os.ReadFile(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createSecret(s.File); err != nil {
			return Secret{}, err
		}
		raw, err = os.ReadFile(s.File)
	}
	if err != nil {
		return Secret{}, fmt.Errorf("read secret: %w", err)
	}
	s.Value = strings.TrimSpace(string(raw))
	if decoded, err := base64.StdEncoding.DecodeString(s.Value); err != nil || len(decoded) != 32 {
		return Secret{}, fmt.Errorf("%s does not hold 32 bytes in base64: remove it to have it made anew", s.File)
	}
	return s, nil
}

// createSecret lets one of several processes win: a link, unlike a rename, never replaces what is there.
func createSecret(path string) error {
	value := make([]byte, 32)
	if _, err := rand.Read(value); err != nil {
		return fmt.Errorf("make secret: %w", err)
	}
	draft := path + "." + rand.Text()
	if err := os.WriteFile(draft, []byte(base64.StdEncoding.EncodeToString(value)+"\n"), 0o600); err != nil {
		return fmt.Errorf("keep secret: %w", err)
	}
	err := os.Link(draft, path)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err = errors.Join(err, os.Remove(draft)); err != nil {
		return fmt.Errorf("keep secret: %w", err)
	}
	return nil
}
