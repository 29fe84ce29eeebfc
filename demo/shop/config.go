package shop

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"keyholder/demo/shop/control"
)

// The two sites. A new shop is opened with everything at the first.
const (
	leeds  = "leeds"
	dublin = "dublin"
)

func siteSlugs() []string { return []string{leeds, dublin} }

// Config says where the shop keeps its state and where its parts listen.
type Config struct {
	Dir            string
	Addresses      Addresses
	TSIGSecretFile string // the zone's key, in base64; made with mode 0600 if it is missing
	Ready          func() // called once, when every part listens; may be nil
	Log            *slog.Logger
}

// Addresses are host:port, each of a part.
type Addresses struct {
	Panel        string
	Lease        string
	Traffic      string // where customers shop
	TrafficAdmin string
	DNS          string
	Sites        map[string]string // by slug
	Flags        string
	Loyalty      string
	Tax          string
	ERP          string
	Outlets      string // where the stores tell how they are
}

// parts are the addresses of control.Parts.
func (a Addresses) parts() map[string]string {
	return map[string]string{
		control.PartFlags: a.Flags, control.PartLoyalty: a.Loyalty, control.PartTax: a.Tax, control.PartERP: a.ERP,
		control.PartOutlets: a.Outlets,
	}
}

func (c Config) validate() error {
	if c.Dir == "" || c.TSIGSecretFile == "" || c.Log == nil {
		return errors.New("shop: a folder, a file for the zone's key and a log are needed")
	}
	a := c.Addresses
	named := map[string]string{
		"panel": a.Panel, "lease service": a.Lease, "traffic manager": a.Traffic,
		"traffic manager's admin API": a.TrafficAdmin, "name server": a.DNS,
	}
	for _, slug := range siteSlugs() {
		named["site "+slug] = a.Sites[slug]
	}
	maps.Copy(named, a.parts())
	taken := map[string]string{}
	for part, address := range named {
		if address == "" {
			return fmt.Errorf("shop: no address given for the %s", part)
		}
		if other, twice := taken[address]; twice {
			both := []string{part, other}
			slices.Sort(both)
			return fmt.Errorf("shop: %s and %s have one address, %s", both[0], both[1], address)
		}
		taken[address] = part
	}
	return nil
}
