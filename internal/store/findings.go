package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"keyholder/ent"
	"keyholder/ent/acceptance"
	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// LongestAcceptance is how long somebody may live with a finding before they are asked again.
const LongestAcceptance = 366 * 24 * time.Hour

// Acceptance says that somebody lives with a finding for a while.
type Acceptance struct {
	Key    string
	Reason string
	By     access.Person
	At     time.Time
	Until  time.Time
}

// Found is a finding with whether somebody lives with it.
type Found struct {
	catalog.Finding
	Accepted *Acceptance // nil where nobody does, or not any more
}

// foundIn is every finding of one state of the catalogue and the plans.
type foundIn struct {
	state    string
	findings []catalog.Finding
}

// Findings are all findings, and how many of them nobody lives with.
type Findings struct {
	All  []Found // the gravest rules first
	Open FindingTally
	at   map[catalog.Ref][]Found
}

// At are the findings about one record.
func (f Findings) At(r catalog.Ref) []Found { return f.at[r] }

// FindingTally counts findings by what they can be chosen by.
type FindingTally struct {
	Total                              int
	Rules, Tiers, Capabilities, Owners map[string]int
}

func (t *FindingTally) count(f catalog.Finding) {
	t.Total++
	t.Rules[string(f.Rule)]++
	t.Tiers[f.Tier]++
	t.Capabilities[f.Capability]++
	t.Owners[f.Owner]++
}

// Findings lists where the catalogue in force breaks its own rules.
func (s *Store) Findings(ctx context.Context) (Findings, error) {
	return readOnce(ctx, "findings", func() (Findings, error) {
		findings, err := s.findings(ctx)
		if err != nil {
			return Findings{}, err
		}
		accepted, err := s.acceptances(ctx)
		if err != nil {
			return Findings{}, err
		}
		found := Findings{
			All: make([]Found, len(findings)), at: map[catalog.Ref][]Found{},
			Open: FindingTally{Rules: map[string]int{}, Tiers: map[string]int{}, Capabilities: map[string]int{}, Owners: map[string]int{}},
		}
		for i, f := range findings {
			found.All[i].Finding = f
			if a, ok := accepted[f.Key()]; ok {
				found.All[i].Accepted = &a
			} else {
				found.Open.count(f)
			}
			found.at[f.At] = append(found.at[f.At], found.All[i])
		}
		return found, nil
	})
}

// findings evaluates the rules once for each state of the catalogue and the plans.
func (s *Store) findings(ctx context.Context) ([]catalog.Finding, error) {
	version, err := s.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	plans, err := s.Plans(ctx)
	if err != nil {
		return nil, err
	}
	state := []string{strconv.Itoa(version.Version)}
	for _, p := range plans {
		state = append(state, p.Slug+" "+strconv.Itoa(p.Version))
	}
	if last := s.found.Load(); last != nil && last.state == strings.Join(state, ",") {
		return last.findings, nil
	}
	findings := slices.Collect(version.Findings(moversOf(plans)))
	rank := map[catalog.FindingRule]int{}
	for i, r := range catalog.FindingRules() {
		rank[r] = i
	}
	slices.SortStableFunc(findings, func(a, b catalog.Finding) int { return rank[a.Rule] - rank[b.Rule] })
	s.found.Store(&foundIn{strings.Join(state, ","), findings})
	return findings, nil
}

// FindingsUnder finds what would be wrong with another catalogue, with the plans in force.
func (s *Store) FindingsUnder(ctx context.Context, c catalog.Catalog) ([]catalog.Finding, error) {
	plans, err := s.Plans(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Collect(c.Findings(moversOf(plans))), nil
}

// moversOf are plans as findings see them.
func moversOf(plans []Published[failover.Plan]) []catalog.Mover {
	movers := make([]catalog.Mover, len(plans))
	for i, p := range plans {
		movers[i] = catalog.Mover{Slug: p.Slug, Services: p.What.Services}
	}
	return movers
}

// acceptances are those that have not run out, by the key of their finding.
func (s *Store) acceptances(ctx context.Context) (map[string]Acceptance, error) {
	rows, err := s.client.Acceptance.Query().Where(acceptance.UntilGT(s.Now())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load accepted findings: %w", err)
	}
	all := make(map[string]Acceptance, len(rows))
	for _, row := range rows {
		all[row.ID] = Acceptance{row.ID, row.Reason, access.Person{ID: row.PersonID, Name: row.PersonName}, row.At.UTC(), row.Until.UTC()}
	}
	return all, nil
}

// AcceptFinding notes that somebody lives with a finding until a date. Accepting it again says so anew.
func (s *Store) AcceptFinding(ctx context.Context, by access.Principal, a Acceptance) error {
	findings, err := s.findings(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(findings, func(f catalog.Finding) bool { return f.Key() == a.Key })
	object, f := "findings", catalog.Finding{}
	if i >= 0 {
		f, object = findings[i], recordObject(findings[i].At)
	}
	return s.personal(ctx, by.Person(), "finding.accept", object, func(t *tx) error {
		if i < 0 {
			return fault.Late("finding-stands", "This finding stands no more: somebody has mended it.")
		}
		if err := checkAcceptance(a, t.now); err != nil {
			return err
		}
		if _, err := t.Acceptance.Delete().Where(acceptance.ID(a.Key)).Exec(t.ctx); err != nil && !ent.IsNotFound(err) {
			return fmt.Errorf("end an earlier acceptance: %w", err)
		}
		err := t.Acceptance.Create().SetID(a.Key).SetReason(a.Reason).SetPersonID(by.ID).SetPersonName(by.Name).
			SetAt(t.now).SetUntil(a.Until).Exec(t.ctx)
		if err != nil {
			return fmt.Errorf("save an acceptance: %w", err)
		}
		t.record(audit.Event{
			Action: "finding.accept", Object: recordObject(f.At), Text: fmt.Sprintf("Accepted until %s: %s", a.Until.Format(time.DateOnly), f.What),
			Detail: detail(map[string]string{"finding": a.Key, "reason": a.Reason, "until": a.Until.Format(time.RFC3339)}),
		})
		return nil
	})
}

func checkAcceptance(a Acceptance, now time.Time) error {
	wrong := fault.Wrong{}
	if a.Reason == "" {
		wrong.Add("reason", "Say why; the auditor reads it.")
	}
	switch {
	case !a.Until.After(now):
		wrong.Add("until", "This is over already.")
	case a.Until.Sub(now) > LongestAcceptance:
		wrong.Add("until", "At most a year ahead; then it is looked at again.")
	}
	return wrong.Err()
}

// recordObject is how the record of acts names a record of the catalogue.
func recordObject(r catalog.Ref) string { return "catalog/" + string(r.Kind) + "/" + r.Slug }
