package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyholder/internal/config"
)

func keyFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestKeysAreReadFromWhereTheSettingSays(t *testing.T) {
	value := base64.StdEncoding.EncodeToString(make([]byte, 32))
	t.Setenv("A_KEY", value)
	for setting, encrypts := range map[string]bool{
		"": false, "new=env:A_KEY": true, "new=env:A_KEY, old=file:" + keyFile(t, value+"\n"): true,
	} {
		if c, err := codec(config.Config{TemporalKeys: setting}); err != nil || c.Encrypts() != encrypts {
			t.Errorf("%q: %v", setting, err)
		}
	}
}

// TestAKeyThatCannotBeReadStopsTheProgramAtItsStart, before it opens anything, and what may be a key is not shown.
func TestAKeyThatCannotBeReadStopsTheProgramAtItsStart(t *testing.T) {
	value := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))
	t.Setenv("A_KEY", value)
	t.Setenv("SHORT_KEY", value[:20])
	for setting, says := range map[string]string{
		value:                             "key 1",
		"one=" + value:                    "key 1",
		value + "=env:A_KEY":              "key 1",
		value[:40] + "=env:A_KEY":         "name of key 1",
		"one=env:A_KEY,":                  "key 2",
		" ":                               "key 1",
		"one=env:A_KEY,one=env:A_KEY":     "two keys with the name one",
		"one=env:NO_KEY":                  "env:NO_KEY",
		"one=env:A_KEY,two=env:SHORT_KEY": "env:SHORT_KEY does not hold 32 bytes in base64",
		"one=file:/nowhere/key":           "/nowhere/key",
		"one=file:" + keyFile(t, ""):      "is empty",
	} {
		c := config.Config{Database: filepath.Join(t.TempDir(), "keyholder.db"), TemporalKeys: setting}
		err := Run(context.Background(), c, Parts{Worker: true}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "KEYHOLDER_TEMPORAL_KEYS") || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), value[:20]) {
			t.Errorf("%q: %v", setting, err)
		}
		if _, err := os.Stat(c.Database); err == nil {
			t.Errorf("%q: the database was opened", setting)
		}
	}
}

func TestTheProgramSaysOnceThatNothingIsEncrypted(t *testing.T) {
	t.Setenv("A_KEY", base64.StdEncoding.EncodeToString(make([]byte, 32)))
	for setting, want := range map[string]int{"": 1, "one=env:A_KEY": 0} {
		said := &bytes.Buffer{}
		c := config.Config{Database: filepath.Join(t.TempDir(), "keyholder.db"), TemporalKeys: setting}
		_ = Run(t.Context(), c, Parts{Worker: true}, slog.New(slog.NewTextHandler(said, nil))) // there is no schema
		if got := strings.Count(said.String(), "level=WARN msg=\"KEYHOLDER_TEMPORAL_KEYS is not set"); got != want {
			t.Errorf("%q: said %d times: %s", setting, got, said)
		}
	}
}
