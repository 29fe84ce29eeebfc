package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyholder/internal/config"
)

// bare leaves the environment without settings.
func bare(t *testing.T) {
	t.Helper()
	for _, line := range os.Environ() {
		if name, _, _ := strings.Cut(line, "="); strings.HasPrefix(name, "KEYHOLDER_") {
			t.Setenv(name, "")
		}
	}
}

func load(t *testing.T, file string, environment ...string) (config.Config, error) {
	t.Helper()
	bare(t)
	for i := 0; i < len(environment); i += 2 {
		t.Setenv(environment[i], environment[i+1])
	}
	path := ""
	if file != "" {
		path = filepath.Join(t.TempDir(), "settings.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config.Load(path)
}

func TestTheEnvironmentGoesBeforeTheFileAndTheFileBeforeDefaults(t *testing.T) {
	c, err := load(t, "listen: 127.0.0.1:9000\noidc_issuer: https://id.example\nlog_level: warn\n",
		"KEYHOLDER_LISTEN", "127.0.0.1:9001", "KEYHOLDER_LOG_LEVEL", "")
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Listen: "127.0.0.1:9001", PublicURL: "http://localhost:9001", TemporalAddress: "127.0.0.1:7233",
		TemporalNamespace: "default", TemporalTaskQueue: "keyholder", OIDCIssuer: "https://id.example",
		OIDCRolesClaim: "groups", CallsAtOnce: 4, LogLevel: "warn", DemoDir: ".demo",
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeReadNamesTheSetting(t *testing.T) {
	for name, c := range map[string]struct {
		file        string
		environment []string
		says        string
	}{
		"a misspelt setting": {"oidc_isuer: https://id.example\n", nil, `"oidc_isuer" is not a setting`},
		"a nested setting":   {"oidc:\n  issuer: https://id.example\n", nil, `"oidc.issuer" is not a setting`},
		"no YAML":            {"listen: [", nil, "settings.yaml"},
		"nobody may call":    {"calls_at_once: 0\n", nil, "KEYHOLDER_CALLS_AT_ONCE"},
		"a listen address":   {"", []string{"KEYHOLDER_LISTEN", "8080"}, "KEYHOLDER_LISTEN"},
	} {
		if _, err := load(t, c.file, c.environment...); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := config.Load("/nowhere/settings.yaml"); err == nil || !strings.Contains(err.Error(), "/nowhere/settings.yaml") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// whole is everything that the portal needs.
func whole() config.Config {
	return config.Config{
		PublicURL: "https://keyholder.example", Database: "keyholder.db", OIDCIssuer: "https://id.example",
		OIDCClientID: "keyholder", OIDCClientSecret: "env:SECRET", LogLevel: "info",
	}
}

func TestThePortalNamesEveryVariableThatIsMissing(t *testing.T) {
	if err := whole().CheckPortal(); err != nil {
		t.Fatalf("complete settings: %v", err)
	}
	err := config.Config{}.CheckPortal()
	for _, name := range []string{"DATABASE", "PUBLIC_URL", "OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"} {
		if err == nil || !strings.Contains(err.Error(), "KEYHOLDER_"+name) {
			t.Errorf("KEYHOLDER_%s is not named: %v", name, err)
		}
	}
}

func TestSettingsThatCannotBeRightAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*config.Config){
		"KEYHOLDER_PUBLIC_URL":         func(c *config.Config) { c.PublicURL = "https://keyholder.example/portal" },
		"KEYHOLDER_OIDC_ISSUER":        func(c *config.Config) { c.OIDCIssuer = "ftp://id.example" },
		"KEYHOLDER_TRUSTED_PROXIES":    func(c *config.Config) { c.TrustedProxies = "10.0.0.0/8, nearby" },
		"KEYHOLDER_OIDC_CLIENT_SECRET": func(c *config.Config) { c.OIDCClientSecret = "hunter2" },
	} {
		c := whole()
		spoil(&c)
		if err := c.CheckPortal(); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := whole()
	c.LogLevel = "loud"
	if _, err := c.Level(); err == nil || !strings.Contains(err.Error(), "KEYHOLDER_LOG_LEVEL") {
		t.Errorf("%v", err)
	}
}

func TestProxiesAreNetworks(t *testing.T) {
	c := config.Config{TrustedProxies: "10.0.0.0/8, fd00::/8"}
	networks, err := c.Proxies()
	if err != nil || len(networks) != 2 || networks[1].String() != "fd00::/8" {
		t.Errorf("%v %v", networks, err)
	}
}

func TestKeysAreNamesAndReferences(t *testing.T) {
	keys, err := config.Config{TemporalKeys: "new=file:/keys/a=b, old=env:OLD_KEY"}.KeyReferences()
	if diff := cmp.Diff([]config.KeyReference{{Name: "new", Reference: "file:/keys/a=b"}, {Name: "old", Reference: "env:OLD_KEY"}}, keys); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, setting := range []string{"hunter2", "hunter2=", "one=hunter2", "=env:A", "one=env:A,,two=env:B"} {
		_, err := config.Config{TemporalKeys: setting}.KeyReferences()
		if err == nil || !strings.Contains(err.Error(), "KEYHOLDER_TEMPORAL_KEYS: key ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", setting, err)
		}
	}
}
