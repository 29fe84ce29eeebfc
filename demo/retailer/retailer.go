package retailer

import (
	"bytes"
	_ "embed"
	"fmt"
	"net"
	"text/template"
)

//go:embed catalog.yaml.tmpl
var catalogTemplate string

//go:embed retailer.yaml
var retailer string

// Addresses are host:port of what the catalogue speaks of.
type Addresses struct {
	Leeds, Dublin, Lease, TrafficAdmin, DNS, Panel string
	TSIGFile                                       string // of the key that signs updates of the zone
	OperationsRoom                                 string // file with the address of a chat
	Flags, Loyalty, Tax, ERP                       string // what checkout leans on
	Identity                                       string // the retailer's identity system
	Reporting                                      string // its reporting database; empty where this machine cannot run one
	ReportingFile                                  string // with how the administrator signs in to it
}

// Catalog writes the shop's catalogue, and behind it what the retailer has besides.
func Catalog(a Addresses) ([]byte, error) {
	t, err := template.New("catalogue").Option("missingkey=error").Funcs(template.FuncMap{"host": host, "port": port}).Parse(catalogTemplate)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue's template: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, a); err != nil {
		return nil, fmt.Errorf("write the catalogue: %w", err)
	}
	out.WriteString("---\n" + retailer)
	return out.Bytes(), nil
}

func host(address string) (string, error) {
	host, _, err := net.SplitHostPort(address)
	return host, err
}

func port(address string) (string, error) {
	_, port, err := net.SplitHostPort(address)
	return port, err
}
