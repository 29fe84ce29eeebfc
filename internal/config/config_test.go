package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"keyholder/internal/config"
)

func TestTheEnvironmentGoesBeforeTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(path, []byte("listen: 127.0.0.1:9000\ndatabase: a.db\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEYHOLDER_DATABASE", "b.db")
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:9000" || c.Database != "b.db" || c.PublicURL != "http://localhost:9000" {
		t.Errorf("%+v", c)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	err := config.Config{PublicURL: "nonsense"}.CheckPortal()
	for _, name := range []string{"KEYHOLDER_DATABASE", "KEYHOLDER_PUBLIC_URL", "KEYHOLDER_OIDC_ISSUER", "KEYHOLDER_OIDC_CLIENT_ID"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

func TestEverySettingIsInTheDocumentation(t *testing.T) {
	body, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	of := reflect.TypeFor[config.Config]()
	for i := range of.NumField() {
		name := "KEYHOLDER_" + strings.ToUpper(of.Field(i).Tag.Get("koanf"))
		if !strings.Contains(string(body), "`"+name+"`") {
			t.Errorf("docs/settings.md does not tell of %s", name)
		}
	}
}
