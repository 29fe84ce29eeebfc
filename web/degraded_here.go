package web

import (
	"context"
	"slices"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/failover"
	"keyholder/web/view"
)

// The bounds of what a page says of degraded modes besides what it is about; their own page lists them all.
const (
	linksOnCard = 3
	modesOnNow  = 12
	modesHere   = 6
)

// on is by which mode each rule is switched on in earnest, or asked for.
func (here situation) on() map[string]*degrade.Mode {
	on := make(map[string]*degrade.Mode, len(here.modes))
	for i := range here.modes {
		if m := &here.modes[i]; !m.Terms.Drill && (m.Phase.Open() || m.Standing(here.now) == approval.Requested) {
			on[m.Terms.Rule.Slug] = m
		}
	}
	return on
}

// slugs are the slugs of some rules.
func slugs(rules []catalog.DegradedModeRule) map[string]bool {
	by := make(map[string]bool, len(rules))
	for i := range rules {
		by[rules[i].Slug] = true
	}
	return by
}

// degradeOffers are the first of some rules that are not on, for who may switch them on.
func (here situation) degradeOffers(rules []catalog.DegradedModeRule, incident string, who access.Principal, most int) []view.Link {
	if !who.May(access.RunDegraded) {
		return nil
	}
	var offers []view.Link
	on := here.on()
	for i := range rules {
		if len(offers) < most && on[rules[i].Slug] == nil {
			offers = append(offers, view.Link{Path: view.StartModePath(rules[i].Slug, incident), Text: "Run degraded: " + rules[i].Name})
		}
	}
	return offers
}

// degradeActions are the first of some rules on a card, for who may switch them on. What is on, or asked for, stays where it was offered.
func (here situation) degradeActions(called []failover.CalledRule, incident string, who access.Principal) []view.CardAction {
	if !who.May(access.RunDegraded) {
		return nil
	}
	var actions []view.CardAction
	on, offered, standing := here.on(), 0, 0
	for i := range called {
		r := &called[i].Rule
		switch m := on[r.Slug]; {
		case m != nil && standing < linksOnCard:
			standing++
			actions = append(actions, view.CardAction{Link: view.Link{Path: view.ModePath(m.Code), Text: r.Name + ": " + m.Phase.Words()}, Since: called[i].Since})
		case m == nil && offered < linksOnCard:
			offered++
			actions = append(actions, view.CardAction{Link: view.Link{Path: view.StartModePath(r.Slug, incident), Text: "Run degraded: " + r.Name}, Since: called[i].Since, Primary: true})
		}
	}
	return actions
}

// runsDegraded is what is on by some rules.
func (here situation) runsDegraded(rules []catalog.DegradedModeRule) []view.Link {
	var links []view.Link
	by := slugs(rules)
	for i := range here.modes {
		m := &here.modes[i]
		if m.Phase != degrade.On || m.Terms.Drill || !by[m.Terms.Rule.Slug] {
			continue
		}
		if len(links) == linksOnCard {
			return append(links, view.Link{Path: view.ModesPath(), Text: "all that runs degraded"})
		}
		links = append(links, view.Link{Path: view.ModePath(m.Code), Text: m.Terms.Rule.Name})
	}
	return links
}

// modesNow are the degraded modes that are open, those with something amiss first, and how many more there are.
func (here situation) modesNow() (lines []view.ModeLine, more int) {
	var open []*degrade.Mode
	for i := range here.modes {
		if here.modes[i].Phase.Open() {
			open = append(open, &here.modes[i])
		}
	}
	amiss := func(m *degrade.Mode) int {
		if m.Trouble != nil || m.Drift != nil || m.Reached != nil {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(open, func(a, b *degrade.Mode) int { return amiss(a) - amiss(b) })
	for _, m := range open[:min(len(open), modesOnNow)] {
		lines = append(lines, modeLine(here.catalog, *m, here.now))
	}
	return lines, len(open) - len(lines)
}

// degraded is the situation as far as running degraded goes.
func (s *Server) degraded(ctx context.Context, c catalog.Catalog) (situation, error) {
	open, err := s.store.OpenModes(ctx)
	if err != nil {
		return situation{}, err
	}
	readings, err := s.store.Readings(ctx)
	return situation{catalog: c, modes: open, readings: readings, now: s.store.Now()}, err
}

// degradedBy is what runs degraded by some rules or in an incident, and which of the rules may be switched on.
func (here situation) degradedBy(rules []catalog.DegradedModeRule, incident string, who access.Principal) view.Degraded {
	d := view.Degraded{Offers: here.degradeOffers(rules, incident, who, modesHere)}
	by := slugs(rules)
	for i := range here.modes {
		m := &here.modes[i]
		if !by[m.Terms.Rule.Slug] && (incident == "" || m.Terms.Incident != incident) || m.Standing(here.now) == approval.Expired {
			continue
		}
		if len(d.Modes) < modesHere {
			d.Modes = append(d.Modes, modeLine(here.catalog, *m, here.now))
		} else {
			d.More++
		}
	}
	return d
}

// degradedHere says what runs degraded by a rule, or on what a record is, and lets a rule be switched on.
func (s *Server) degradedHere(ctx context.Context, c catalog.Catalog, e catalog.Entry, who access.Principal, p *view.Record) error {
	here, err := s.degraded(ctx, c)
	if err != nil {
		return err
	}
	var rules []catalog.DegradedModeRule
	for _, r := range c.Rules {
		if c.About(r, e.Ref) {
			rules = append(rules, r)
		}
	}
	p.Degraded = here.degradedBy(rules, "", who)
	p.Degraded.Offers = nil // of a record that may be well
	rule, is := e.Record.(catalog.DegradedModeRule)
	if !is {
		return nil
	}
	preview := modePreview(c, rule, degrade.LimitsOf(rule))
	p.Preview = &preview
	if who.May(access.RunDegraded) && here.on()[rule.Slug] == nil {
		p.Start = view.StartModePath(rule.Slug, "")
	}
	return nil
}
