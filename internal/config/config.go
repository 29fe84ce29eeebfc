package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"reflect"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// Config is every setting, from a file and then the environment: listen is KEYHOLDER_LISTEN.
type Config struct {
	Listen             string `koanf:"listen"`
	PublicURL          string `koanf:"public_url"`
	Database           string `koanf:"database"` // a postgres:// URL or a SQLite file
	TemporalAddress    string `koanf:"temporal_address"`
	TemporalNamespace  string `koanf:"temporal_namespace"`
	TemporalTaskQueue  string `koanf:"temporal_task_queue"`
	TemporalKeys       string `koanf:"temporal_keys"` // name=reference, separated by commas; the first encrypts, all decrypt
	OIDCIssuer         string `koanf:"oidc_issuer"`
	OIDCClientID       string `koanf:"oidc_client_id"`
	OIDCClientSecret   string `koanf:"oidc_client_secret"` // a reference: env:NAME or file:PATH
	OIDCRolesClaim     string `koanf:"oidc_roles_claim"`
	APIAudience        string `koanf:"api_audience"`        // whom tokens of programs are for; the API takes none where it is empty
	MailServer         string `koanf:"mail_server"`         // smtp://user@host:port or smtps://…; nobody is told where it is empty
	MailPassword       string `koanf:"mail_password"`       // a reference: env:NAME or file:PATH
	MailFrom           string `koanf:"mail_from"`           // the sender's address
	FirstAdministrator string `koanf:"first_administrator"` // a mail address; where nobody administers the catalogue
	CallsAtOnce        int    `koanf:"calls_at_once"`       // how many degraded modes may act on one system at once
	LogLevel           string `koanf:"log_level"`
	TrustedProxies     string `koanf:"trusted_proxies"` // networks, separated by commas
	DemoDir            string `koanf:"demo_dir"`        // of the demo only
}

const prefix = "KEYHOLDER_"

// Load reads the settings: defaults, then the YAML file if one is named, then the environment.
func Load(path string) (Config, error) {
	k := koanf.New(".")
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return Config{}, fmt.Errorf("read settings from %s: %w", path, err)
		}
		if err := checkNames(k.Keys()); err != nil {
			return Config{}, fmt.Errorf("read settings from %s: %w", path, err)
		}
	}
	fromEnvironment := env.Provider(".", env.Opt{Prefix: prefix, TransformFunc: func(name, value string) (string, any) {
		if value == "" {
			return "", nil // set to nothing is not set
		}
		return strings.ToLower(strings.TrimPrefix(name, prefix)), value
	}})
	if err := k.Load(fromEnvironment, nil); err != nil {
		return Config{}, fmt.Errorf("read settings from the environment: %w", err)
	}
	c := Config{
		Listen: "127.0.0.1:8080", TemporalAddress: "127.0.0.1:7233", TemporalNamespace: "default",
		TemporalTaskQueue: "keyholder", OIDCRolesClaim: "groups", CallsAtOnce: 4, LogLevel: "info", DemoDir: ".demo",
	}
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, fmt.Errorf("read settings: %w", err)
	}
	if c.CallsAtOnce < 1 {
		return c, fmt.Errorf("KEYHOLDER_CALLS_AT_ONCE must be at least 1, not %d", c.CallsAtOnce)
	}
	return c.withPublicURL()
}

// checkNames refuses what is no setting: one that is misspelt would be one that is not there.
func checkNames(names []string) error {
	known := map[string]bool{}
	for field := range reflect.TypeFor[Config]().Fields() {
		known[field.Tag.Get("koanf")] = true
	}
	for _, name := range names {
		if !known[name] {
			return fmt.Errorf("%q is not a setting", name)
		}
	}
	return nil
}

func (c Config) withPublicURL() (Config, error) {
	_, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return c, fmt.Errorf("KEYHOLDER_LISTEN must be host:port, not %q", c.Listen)
	}
	if c.PublicURL == "" {
		c.PublicURL = "http://localhost:" + port
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	return c, nil
}

// CheckDatabase says what is missing to use the database.
func (c Config) CheckDatabase() error {
	if c.Database == "" {
		return errors.New("KEYHOLDER_DATABASE is not set: a postgres:// URL or the path of a SQLite file")
	}
	return nil
}

// CheckPortal says what is missing to serve the portal.
func (c Config) CheckPortal() error {
	errs := []error{c.CheckDatabase(), checkURL("KEYHOLDER_PUBLIC_URL", c.PublicURL), checkURL("KEYHOLDER_OIDC_ISSUER", c.OIDCIssuer)}
	if u, err := url.Parse(c.PublicURL); err == nil && u.Path+u.RawQuery+u.Fragment != "" {
		errs = append(errs, fmt.Errorf("KEYHOLDER_PUBLIC_URL must end at the host or port, not %q", c.PublicURL))
	}
	if c.OIDCClientID == "" {
		errs = append(errs, errors.New("KEYHOLDER_OIDC_CLIENT_ID is not set"))
	}
	// The value is not repeated: what is no reference may be the secret itself.
	if !strings.HasPrefix(c.OIDCClientSecret, "env:") && !strings.HasPrefix(c.OIDCClientSecret, "file:") {
		errs = append(errs, errors.New("KEYHOLDER_OIDC_CLIENT_SECRET must be a reference, env:NAME or file:PATH, never the secret itself"))
	}
	_, err := c.Proxies()
	return errors.Join(append(errs, err)...)
}

func checkURL(name, value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%s must be an http or https address, not %q", name, value)
	}
	return nil
}

// Level is the level at which to log.
func (c Config) Level() (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return level, fmt.Errorf("KEYHOLDER_LOG_LEVEL must be debug, info, warn or error, not %q", c.LogLevel)
	}
	return level, nil
}

// Proxies are the networks whose forwarding headers are believed.
func (c Config) Proxies() ([]*net.IPNet, error) {
	var networks []*net.IPNet
	for _, part := range strings.FieldsFunc(c.TrustedProxies, func(r rune) bool { return r == ',' || r == ' ' }) {
		_, network, err := net.ParseCIDR(part)
		if err != nil {
			return nil, fmt.Errorf("KEYHOLDER_TRUSTED_PROXIES: %q is not a network such as 10.0.0.0/8", part)
		}
		networks = append(networks, network)
	}
	return networks, nil
}

// Lookup reads a variable that a reference names.
func Lookup(name string) (string, bool) { return os.LookupEnv(name) }
