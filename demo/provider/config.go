package provider

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
)

// Config says where the provider listens, who it is and whom it serves.
type Config struct {
	Listen                 string // host:port; the host must be a loopback address or localhost
	Issuer                 string // http://host:port, kept from start to start
	Dir                    string // keys and sessions; made if it is missing
	ClientID               string
	ClientSecret           string
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	Ready                  func() // called once it answers; may be nil
	Log                    *slog.Logger
}

func (c Config) validate() error {
	switch {
	case c.Dir == "":
		return errors.New("provider: no folder given")
	case c.ClientID == "" || c.ClientSecret == "":
		return errors.New("provider: client id and secret are needed")
	case len(c.RedirectURIs) == 0:
		return errors.New("provider: no redirect address given")
	case c.Log == nil:
		return errors.New("provider: no log given")
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("provider: listen address %q: %w", c.Listen, err)
	}
	if !isLoopback(host) {
		return fmt.Errorf("provider: will not listen on %s: it signs anyone in as anyone, so only on loopback", c.Listen)
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return fmt.Errorf("provider: issuer: %w", err)
	}
	if issuer.Scheme != "http" || !isLoopback(issuer.Hostname()) || issuer.Path != "" {
		return fmt.Errorf("provider: issuer %q must be http://, a loopback host and a port", c.Issuer)
	}
	for _, uri := range append(c.RedirectURIs, c.PostLogoutRedirectURIs...) {
		if origin(uri) == "" {
			return fmt.Errorf("provider: %q is not an absolute address", uri)
		}
	}
	return nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// home is where a person who lost their way is sent: the portal.
func (c Config) home() string { return origin(c.RedirectURIs[0]) + "/" }

// origin is scheme://host:port of an absolute address, else empty.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
