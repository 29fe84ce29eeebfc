package connector

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// Secret is a credential in memory. It hides its value from every way of printing or encoding; only Reveal gives it.
type Secret struct {
	// A function, because fmt calls no String method on what lies in another struct's unexported field, but cannot print
	// what a function would return.
	reveal func() []byte
}

// Reveal gives the value, for the one call that needs it.
func (s Secret) Reveal() []byte {
	if s.reveal == nil {
		return nil
	}
	return s.reveal()
}

// String never shows the value.
func (Secret) String() string { return "[secret]" }

// GoString never shows the value.
func (Secret) GoString() string { return "[secret]" }

// MarshalText never writes the value.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Secrets resolves references to credentials: env:NAME, file:PATH. It reads them anew each time, so that a rotated
// credential is used at once.
type Secrets struct {
	lookup func(string) (string, bool)
}

// NewSecrets takes the function that reads an environment variable.
func NewSecrets(lookup func(string) (string, bool)) Secrets { return Secrets{lookup: lookup} }

// CheckSecret says what is wrong with the form of a reference; it does not read it, and does not repeat it, because what
// is no reference may be the secret itself.
func CheckSecret(ref string) error {
	if !catalog.IsReference(ref) {
		return errors.New("must be a reference: env:NAME or file:PATH, never the secret itself")
	}
	return nil
}

// Resolve reads the secret behind a reference. Surrounding white space is not part of it; an empty one is an error.
func (s Secrets) Resolve(ref string) (Secret, error) {
	if err := CheckSecret(ref); err != nil {
		return Secret{}, noSecret("A secret "+err.Error()+".", nil)
	}
	kind, name, _ := strings.Cut(ref, ":")
	value, err := s.read(kind, name)
	if err != nil {
		return Secret{}, noSecret(fmt.Sprintf("The secret %s cannot be read on this worker.", ref), err)
	}
	if value = bytes.TrimSpace(value); len(value) == 0 {
		return Secret{}, noSecret(fmt.Sprintf("The secret %s is empty on this worker.", ref), nil)
	}
	return Secret{reveal: func() []byte { return bytes.Clone(value) }}, nil
}

func noSecret(message string, err error) error {
	return &fault.Error{Kind: fault.Unavailable, Message: message, Err: err}
}

func (s Secrets) read(kind, name string) ([]byte, error) {
	if kind == "file" {
		return readSecretFile(name)
	}
	if s.lookup == nil {
		return nil, errors.New("no environment was given to read from")
	}
	value, set := s.lookup(name)
	if !set {
		return nil, errors.New("the variable is not set")
	}
	return []byte(value), nil
}

func readSecretFile(path string) (value []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("find secret file: %w", err)
	}
	if !info.Mode().IsRegular() { // opening a pipe would block for ever
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path) //nolint:gosec // the path is a reference in an approved plan
	if err != nil {
		return nil, fmt.Errorf("open secret file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	value, err = io.ReadAll(io.LimitReader(f, MaxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("read secret file: %w", err)
	}
	if len(value) > MaxDocument {
		return nil, fmt.Errorf("it has more than %d bytes", MaxDocument)
	}
	return value, nil
}
