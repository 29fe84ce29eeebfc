package failover

import (
	"encoding/json"
	"slices"

	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// Mode says how much may be lost: a planned move waits until nothing can be, an emergency accepts a loss ceiling.
type Mode string

// The modes.
const (
	Emergency Mode = "emergency"
	Planned   Mode = "planned"
)

// Known says whether m is a mode.
func (m Mode) Known() bool { return m == Emergency || m == Planned }

// Purpose is what a step means to the engine; any other step is an act like all others.
type Purpose string

// The purposes. Gates and Verify stand first and last in every run; plans name the others.
const (
	GatesStep   Purpose = "gates"    // the engine checks the plan's gates
	VerifyStep  Purpose = "verify"   // the engine watches signals for the hold time
	DrainStep   Purpose = "drain"    // the old site stops accepting
	CatchUpStep Purpose = "catch-up" // the engine waits until the target's copy has everything; no connector
	FenceStep   Purpose = "fence"    // the old writer is proved unable to write
	LossStep    Purpose = "loss"     // the engine compares the loss with the ceiling; no connector
	PromoteStep Purpose = "promote"  // the target becomes the writer
	ActStep     Purpose = "act"      // anything else: traffic, DNS, schedulers
)

// Plan is one version of the recipe of a recovery. It is written for any direction between its sites: parameters refer
// to ${from.ADDRESS} and ${to.ADDRESS}.
type Plan struct {
	Slug        string   `json:"slug"`
	Name        string   `json:"name"`
	Recovery    string   `json:"recovery"` // "move" is the only kind so far
	Services    []string `json:"services"`
	DataSet     string   `json:"data_set"`
	Sites       []string `json:"sites"`
	Gates       []Check  `json:"gates"`
	Steps       []Step   `json:"steps"`
	Verify      Verify   `json:"verify"`
	WriteSeen   Check    `json:"write_seen"` // holds once the target has accepted its first write: the point of no return
	Backlog     Check    `json:"backlog"`    // holds once what piled up has been worked off
	Protection  Check    `json:"protection"` // holds once the other site follows again
	UnsavedKept string   `json:"unsaved"`    // JSON Pointer, in what Protection sees, to the number of records set aside
}

// Check is a condition over what a connector observes.
type Check struct {
	Slug      string          `json:"slug"`
	Name      string          `json:"name"`
	Only      []Mode          `json:"only,omitempty"` // empty: in every mode
	Connector string          `json:"connector"`
	Params    json.RawMessage `json:"params"`
	Expect    json.RawMessage `json:"expect"` // a list of expectations, as the connector package reads them
	Override  bool            `json:"override,omitempty"`
}

// Step is one act on a real system.
type Step struct {
	Slug      string           `json:"slug"`
	Name      string           `json:"name"`
	Purpose   Purpose          `json:"purpose"`
	Only      []Mode           `json:"only,omitempty"`
	Connector string           `json:"connector,omitempty"`
	Params    json.RawMessage  `json:"params,omitempty"`
	Retries   int              `json:"retries,omitempty"` // further attempts before a person is asked
	Expected  catalog.Duration `json:"expected"`
	OnFailure string           `json:"on_failure,omitempty"` // "pause" (the default) or "abort"
}

// Verify says when a run has recovered what it moved.
type Verify struct {
	Hold       catalog.Duration `json:"hold"`   // how long everything must hold without a break
	Within     catalog.Duration `json:"within"` // after this the run pauses and asks
	Success    string           `json:"success"`
	MinSuccess float64          `json:"min_success"`
	Volume     string           `json:"volume"`
	MinVolume  float64          `json:"min_volume"` // share of the volume before the impact
	Residual   Check            `json:"residual"`   // holds while nothing reaches the old site
}

// In says whether something limited to some modes applies in a mode.
func In(only []Mode, m Mode) bool { return len(only) == 0 || slices.Contains(only, m) }

// StepsIn lists the plan's steps for a mode, between the gates before and the verification after.
func (p Plan) StepsIn(m Mode) []Step {
	steps := []Step{{Slug: "gates", Name: "Check the gates", Purpose: GatesStep, Expected: catalog.Duration(1e9)}}
	for _, s := range p.Steps {
		if In(s.Only, m) {
			steps = append(steps, s)
		}
	}
	verify := Step{Slug: "verify", Name: "Verify that customers can buy", Purpose: VerifyStep, Expected: p.Verify.Hold}
	return append(steps, verify)
}

// GatesIn lists the gates for a mode.
func (p Plan) GatesIn(m Mode) []Check {
	var gates []Check
	for _, g := range p.Gates {
		if In(g.Only, m) {
			gates = append(gates, g)
		}
	}
	return gates
}

// Expected is how long the steps take in a mode when nothing goes wrong.
func (p Plan) Expected(m Mode) (sum catalog.Duration) {
	for _, s := range p.StepsIn(m) {
		sum += s.Expected
	}
	return sum
}

// Digest names what the plan says.
func (p Plan) Digest() (string, error) { return canonical.Digest("keyholder/plan/1", p) }

// Validate finds what makes the plan unfit for the catalogue and the rules that no plan may break.
func (p Plan) Validate(c catalog.Catalog) error {
	wrong := fault.Wrong{}
	if p.Slug == "" || p.Name == "" {
		wrong.Add("plan", "needs a slug and a name")
	}
	if p.Recovery != "move" {
		wrong.Add("recovery", "must be \"move\", not %q", p.Recovery)
	}
	if _, ok := c.DataSet(p.DataSet); !ok {
		wrong.Add("data_set", "there is no data set %q in the catalogue", p.DataSet)
	}
	if len(p.Sites) < 2 {
		wrong.Add("sites", "needs at least two sites to move between")
	}
	for _, slug := range p.Sites {
		if _, ok := c.Site(slug); !ok {
			wrong.Add("sites", "there is no site %q in the catalogue", slug)
		}
	}
	for _, slug := range p.Services {
		if _, ok := c.Service(slug); !ok {
			wrong.Add("services", "there is no service %q in the catalogue", slug)
		}
	}
	for _, slug := range []string{p.Verify.Success, p.Verify.Volume} {
		if _, ok := c.Signal(slug); !ok {
			wrong.Add("verify", "there is no signal %q in the catalogue", slug)
		}
	}
	for _, m := range []Mode{Emergency, Planned} {
		p.validateOrder(m, wrong)
	}
	return wrong.Err()
}

// validateOrder enforces the order of things in a run (design.md §3.6, §4): fence, loss, promote, each once.
func (p Plan) validateOrder(m Mode, wrong fault.Wrong) {
	at := map[Purpose]int{}
	seen := map[string]bool{}
	for i, s := range p.StepsIn(m) {
		if seen[s.Slug] {
			wrong.Add("steps", "two steps are called %q", s.Slug)
		}
		seen[s.Slug] = true
		if _, twice := at[s.Purpose]; twice && s.Purpose != ActStep {
			wrong.Add("steps", "%s: there is more than one %s step", m, s.Purpose)
		}
		at[s.Purpose] = i
		if builtIn := s.Purpose == LossStep || s.Purpose == CatchUpStep; builtIn != (s.Connector == "") && i > 0 && s.Purpose != VerifyStep {
			wrong.Add("steps", "%s: a connector is needed by every step but loss and catch-up", s.Slug)
		}
	}
	fence, fences := at[FenceStep]
	loss, compares := at[LossStep]
	promote, promotes := at[PromoteStep]
	if !fences || !compares || !promotes || fence > loss || loss > promote {
		wrong.Add("steps", "%s: needs fence, then loss, then promote", m)
	}
	drain, drains := at[DrainStep]
	catchUp, waits := at[CatchUpStep]
	if m == Planned && (!drains || !waits || drain > catchUp || catchUp > fence) {
		wrong.Add("steps", "planned: needs drain, then catch-up, before fence")
	}
}
