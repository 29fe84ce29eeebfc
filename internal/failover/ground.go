package failover

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// ground is what of the catalogue a run stands on: where it acts, what it moves, and what it is verified by. The vote is
// bound to it as it is to the plan, for the same plan at another address is another failover.
type ground struct {
	From    catalog.Site     `json:"from"`
	To      catalog.Site     `json:"to"`
	DataSet catalog.DataSet  `json:"data_set"`
	Signals []catalog.Signal `json:"signals"`
}

func (t Terms) ground(c catalog.Catalog) (g ground) {
	g.From, _ = c.Site(t.From)
	g.To, _ = c.Site(t.To)
	g.DataSet, _ = c.DataSet(t.DataSet)
	for _, s := range c.Signals {
		if slices.Contains(t.Services, s.Service) {
			g.Signals = append(g.Signals, s)
		}
	}
	return g
}

// On binds the terms to a version of the catalogue, unless the version that they are bound to says the same about what
// the run stands on and who decides. at is when it was requested.
func (t Terms) On(c catalog.Catalog, version int, at time.Time) (Terms, error) {
	digest, err := canonical.Digest("keyholder/ground/1", t.ground(c))
	if err != nil {
		return t, err
	}
	rules, err := t.ruled(c, at)
	if err == nil && (digest != t.Ground || rules != t.Rules) {
		t.Catalog, t.Ground, t.Rules = version, digest, rules
	}
	return t, err
}

// Decided is what the terms are to policies and scopes.
func (t Terms) Decided(at time.Time) approval.About {
	return approval.About{
		Action: catalog.ActMove, Services: t.Services, Sites: []string{t.From, t.To}, Cause: string(t.Cause), Mode: string(t.Mode), At: at,
	}
}

// ruled is the digest of the policies that apply; nothing where no policy does, so that nobody can decide.
func (t Terms) ruled(c catalog.Catalog, at time.Time) (string, error) {
	rules, err := approval.RulesOf(c, t.Decided(at))
	if fault.As(err) != nil {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return rules.Digest()
}

// DiffGrounds says in words what another catalogue changes under a run.
func (t Terms) DiffGrounds(before, after catalog.Catalog) []string {
	var lines []string
	old, now := t.ground(before), t.ground(after)
	for _, pair := range [][2]catalog.Site{{old.From, now.From}, {old.To, now.To}} {
		lines = append(lines, diffSites(pair[0], pair[1])...)
	}
	if !reflect.DeepEqual(old.DataSet, now.DataSet) {
		lines = append(lines, fmt.Sprintf("Data %s is described otherwise", now.DataSet.Name))
	}
	if !reflect.DeepEqual(old.Signals, now.Signals) {
		lines = append(lines, "Signals of what moves are read or judged otherwise")
	}
	return lines
}

func diffSites(old, now catalog.Site) []string {
	var lines []string
	all := maps.Clone(old.Addresses)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, now.Addresses)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if old.Addresses[name] != now.Addresses[name] {
			lines = append(lines, fmt.Sprintf("%s, %s: %q became %q", now.Name, name, old.Addresses[name], now.Addresses[name]))
		}
	}
	if old.Name != now.Name {
		lines = append(lines, fmt.Sprintf("Site %s is now called %s", old.Name, now.Name))
	}
	return lines
}
