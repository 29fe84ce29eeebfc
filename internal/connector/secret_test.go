package connector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyholder/internal/fault"
)

func environment(values map[string]string) Secrets {
	return NewSecrets(func(name string) (string, bool) {
		value, set := values[name]
		return value, set
	})
}

func TestSecretsAreReadFromTheirReference(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("  from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets := environment(map[string]string{"HOOK": "from env"})
	for ref, want := range map[string]string{"env:HOOK": "from env", "file:" + path: "from file"} {
		got, err := secrets.Resolve(ref)
		if err != nil || string(got.Reveal()) != want {
			t.Errorf("%s: %q, %v", ref, got.Reveal(), err)
		}
	}
	if err := os.WriteFile(path, []byte("rotated"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := secrets.Resolve("file:" + path); err != nil || string(got.Reveal()) != "rotated" {
		t.Errorf("after rotation: %q, %v", got.Reveal(), err)
	}
}

func TestSecretNeverShowsItsValue(t *testing.T) {
	secret, err := environment(map[string]string{"HOOK": "hunter2"}).Resolve("env:HOOK")
	if err != nil {
		t.Fatal(err)
	}
	nested := struct{ hidden, Open any }{secret, &secret}
	raw, err := json.Marshal(map[string]any{"s": secret, "n": nested})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", secret, "n", nested)
	verbs := "%v %+v %#v %s %q %x %d" // not a constant, because vet rightly finds %d odd
	for _, out := range []string{
		fmt.Sprint(secret), fmt.Sprintf(verbs, secret, secret, secret, secret, secret, secret, secret),
		fmt.Sprintf("%v %+v %#v", nested, nested, nested), string(raw), log.String(),
	} {
		if strings.Contains(out, "hunter2") || strings.Contains(out, fmt.Sprintf("%x", "hunter2")) || strings.Contains(out, "104 117 110") {
			t.Errorf("shown: %s", out)
		}
	}
}

func TestSecretsRefuseWithoutRepeatingTheSecret(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "empty"), []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "huge"), make([]byte, MaxDocument+1), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets := environment(map[string]string{"EMPTY": ""})
	for ref, says := range map[string]string{
		"env:MISSING": "env:MISSING cannot be read", "env:EMPTY": "empty", "file:" + dir + "/none": "cannot be read",
		"file:" + dir: "cannot be read", "file:" + dir + "/empty": "empty", "file:" + dir + "/huge": "cannot be read",
		"hunter2": "must be a reference", "": "must be a reference", "env:": "must be a reference", "http:hunter2": "must be a reference",
	} {
		_, err := secrets.Resolve(ref)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", ref, err)
		}
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s is %v", ref, fault.KindOf(err))
		}
	}
	if _, err := (Secrets{}).Resolve("env:HOOK"); err == nil {
		t.Error("no environment: no error")
	}
}
