package web

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// The bounds of what pages of changes show.
const (
	proposalShown   = 200 // records
	linesOfProposal = 40  // of one record
	effectsShown    = 20
)

// proposed shows what terms would change, on what was in force when they were made.
func (s *Server) proposed(ctx context.Context, before catalog.Catalog, t change.Terms) (view.Proposed, error) {
	var p view.Proposed
	for _, r := range t.Records[:min(len(t.Records), proposalShown)] {
		c, err := r.Change()
		if err != nil {
			return p, err
		}
		old, there := before.Entry(r.Ref)
		line := view.RecordChange{Kind: r.Kind.One(), KindKey: string(r.Kind), Slug: r.Slug, Name: r.Name(before), Verb: "is changed", Path: view.RecordPath(r.Ref)}
		switch {
		case !there:
			line.Verb, line.Path = "is added", ""
		case c.Record == nil:
			line.Verb = "is retired"
		}
		if c.Record != nil {
			differences := r.Kind.Differences(old.Record, c.Record)
			for _, d := range differences[:min(len(differences), linesOfProposal)] {
				line.Lines = append(line.Lines, d.String())
			}
			if more := len(differences) - len(line.Lines); more > 0 {
				line.Lines = append(line.Lines, fmt.Sprintf("and %d more", more))
			}
			if len(differences) == 0 {
				line.Lines = []string{"Files keep it from now on, as it is"}
			}
		}
		p.Changes = append(p.Changes, line)
	}
	p.More = len(t.Records) - len(p.Changes)
	for _, plan := range t.Plans {
		lines, err := s.planLines(ctx, plan)
		if err != nil {
			return p, err
		}
		p.Plans = append(p.Plans, lines...)
	}
	return p, nil
}

// planLines say what another version of a plan changes.
func (s *Server) planLines(ctx context.Context, p change.Plan) ([]string, error) {
	var next failover.Plan
	if err := json.Unmarshal(p.Body, &next); err != nil {
		return nil, fmt.Errorf("read plan %s: %w", p.Slug, err)
	}
	if p.Base == 0 {
		return []string{next.Name + " is a new plan with " + counted(len(next.Steps), "step", "steps")}, nil
	}
	old, err := s.store.Plan(ctx, p.Slug, p.Base)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, mode := range []failover.Mode{failover.Emergency, failover.Planned} {
		for _, line := range failover.DiffPlans(old.What, next, mode) {
			if line = next.Name + ": " + line; !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) == 0 {
		lines = []string{next.Name + ": described otherwise; it would run as before"}
	}
	return lines, nil
}

// effect fills in what terms would do to who decides.
func (s *Server) effect(ctx context.Context, p *view.Proposed, before catalog.Catalog, t change.Terms) error {
	after, err := t.On(before)
	if err != nil {
		return err
	}
	for _, shift := range change.Shifts(before, after) {
		p.Effect = append(p.Effect, shiftLine(after, shift))
	}
	had, err := s.store.ElectorateUnder(ctx, before)
	if err != nil {
		return err
	}
	have, err := s.store.ElectorateUnder(ctx, after)
	if err != nil {
		return err
	}
	for _, g := range change.Gains(had, have) {
		line := view.EffectLine{Title: g.Who.Name}
		for _, grant := range g.Gets {
			line.Lines = append(line.Lines, "gets "+roleWords(grant))
		}
		for _, grant := range g.Loses {
			line.Lines = append(line.Lines, "no longer has "+roleWords(grant))
		}
		p.Effect = append(p.Effect, line)
	}
	orders, err := s.orderEffects(ctx, before, after)
	if err != nil {
		return err
	}
	p.Effect = append(p.Effect, orders...)
	found, err := s.foundBy(ctx, before, after)
	if err != nil {
		return err
	}
	p.Effect = append(p.Effect, found...)
	if more := len(p.Effect) - effectsShown; more > 0 {
		p.Effect = append(p.Effect[:effectsShown], view.EffectLine{Title: fmt.Sprintf("and %d more effects", more)})
	}
	p.Past, err = s.past(ctx, before, after)
	return err
}

// foundBy says which findings a change would begin and end.
func (s *Server) foundBy(ctx context.Context, before, after catalog.Catalog) ([]view.EffectLine, error) {
	was, err := s.store.FindingsUnder(ctx, before)
	if err != nil {
		return nil, err
	}
	is, err := s.store.FindingsUnder(ctx, after)
	if err != nil {
		return nil, err
	}
	var lines []view.EffectLine
	for _, l := range []view.EffectLine{{Title: "Findings that begin", Lines: beyond(is, was)}, {Title: "Findings that end", Lines: beyond(was, is)}} {
		if len(l.Lines) > 0 {
			lines = append(lines, l)
		}
	}
	return lines, nil
}

// beyond are the findings that are not among others, as people read them.
func beyond(some, others []catalog.Finding) []string {
	known := map[string]bool{}
	for _, f := range others {
		known[f.Key()] = true
	}
	var lines []string
	for _, f := range some {
		if !known[f.Key()] {
			lines = append(lines, f.What)
		}
	}
	if more := len(lines) - effectsShown; more > 0 {
		lines = append(lines[:effectsShown], fmt.Sprintf("and %d more", more))
	}
	return lines
}

// roleWords says a role with where and until when it holds.
func roleWords(g access.Grant) string {
	words := strings.ToLower(g.Role.Title())
	if !g.Scope.Everywhere() {
		words += " for " + g.Scope.String()
	}
	if g.For != "" {
		words += ", standing in for " + g.For
	}
	if g.Until != nil {
		words += ", until " + g.Until.Format("2 January 2006")
	}
	return words
}

// firstFew are the first names, and how many more there are.
func firstFew(names []string) []string {
	const few = 5
	if len(names) <= few+1 {
		return names
	}
	return append(slices.Clone(names[:few]), fmt.Sprintf("%d more", len(names)-few))
}

// shiftLine says who decides instead: "To move Checkout, at peak".
func shiftLine(c catalog.Catalog, shift change.Shift) view.EffectLine {
	title := strings.ReplaceAll(catalog.Words(string(shift.Action)), "-", " ")
	if len(shift.Services) > 0 {
		title += ": " + joined(firstFew(serviceNames(c, shift.Services)))
	}
	line := view.EffectLine{Title: title}
	if len(shift.When) > 0 {
		line.Title += " (" + strings.Join(shift.When, "; ") + ")"
	}
	line.Lines = instead(shift.Before, shift.After)
	return line
}

// instead says what another policy asks for instead, as far as it differs.
func instead(was, is *catalog.Policy) []string {
	switch {
	case is == nil:
		return []string{"nobody could approve it"}
	case was == nil:
		return []string{needWords(*is) + " Nobody can approve it now."}
	}
	var lines []string
	add := func(what, before, after string) {
		if before != after {
			lines = append(lines, fmt.Sprintf("%s%s instead of %s", what, after, before))
		}
	}
	add("", waysWords(*was), waysWords(*is))
	add("whose no ends it: ", vetoWords(*was), vetoWords(*is))
	add("sign-in of the last ", catalog.Lasting(was.RecentSignIn.D()), catalog.Lasting(is.RecentSignIn.D()))
	add("expires after ", catalog.Lasting(was.Lifetime.D()), catalog.Lasting(is.Lifetime.D()))
	add("standing orders: ", allowed(was.InAdvance), allowed(is.InAdvance))
	return lines
}

func vetoWords(p catalog.Policy) string {
	if len(p.Veto) == 0 {
		return "anybody's who may vote"
	}
	return strings.ToLower(access.Titles(p.Veto))
}

func allowed(yes bool) string {
	if yes {
		return "allowed"
	}
	return "not allowed"
}

// meanwhile says what others have done to what somebody would change.
func meanwhile(all []store.Meanwhile) []view.RecordChange {
	lines := make([]view.RecordChange, len(all))
	for i, m := range all {
		lines[i] = view.RecordChange{Name: m.Name, Lines: m.Lines}
	}
	return lines
}
