package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"keyholder/ent"
	"keyholder/ent/degradedmode"
	"keyholder/ent/incident"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// FollowMode takes in what the watch has seen of a mode as it was read, and ends what must end. What changes nothing that people decide
// by is kept without a line on record; what changes nothing at all is not written: hundreds are looked at every second.
func (s *Store) FollowMode(ctx context.Context, read degrade.Mode, seen degrade.Seen) error {
	if after, err := read.Follow(seen, audit.Worker); err == nil && reflect.DeepEqual(read, after) {
		return nil
	}
	_, err := s.changeMode(ctx, audit.Worker, read.Code, func(t *tx, before degrade.Mode) (degrade.Mode, error) {
		if before.Phase != read.Phase || before.Period != read.Period {
			return before, nil // what was seen is of before
		}
		after, err := before.Follow(seen, audit.Worker)
		if err != nil {
			return before, err
		}
		for _, said := range news(before, after) {
			t.record(audit.Event{Action: said.action, Object: before.Code, Text: before.Terms.Rule.Name + ": " + said.text})
		}
		return after, nil
	})
	return err
}

type newsLine struct{ action, text string }

// news are what is worth a line on record in what the watch has seen.
func news(before, after degrade.Mode) []newsLine {
	var lines []newsLine
	if after.Phase != before.Phase && after.Ending != nil {
		lines = append(lines, newsLine{"degraded.end", after.Ending.Why + "."})
	}
	if after.Reached != nil && (before.Reached == nil || len(before.Reached.Which) < len(after.Reached.Which)) {
		lines = append(lines, newsLine{"degraded.limit", "its limit is reached: " + after.Reached.What + "."})
	}
	switch {
	case before.Drift == nil && after.Drift != nil:
		lines = append(lines, newsLine{"degraded.drift", "it was switched behind our back: " + after.Drift.Why + "."})
	case before.Drift != nil && after.Drift == nil:
		lines = append(lines, newsLine{"degraded.drift", "it is as it should be again."})
	}
	return lines
}

// FollowRules switches on by itself what its rule says so of, when its signals have been bad for long enough.
func (s *Store) FollowRules(ctx context.Context) error {
	version, err := s.Catalog(ctx)
	if err != nil {
		return err
	}
	readings, err := s.Readings(ctx)
	if err != nil {
		return err
	}
	open, err := s.OpenModes(ctx)
	if err != nil {
		return err
	}
	on := map[string]bool{} // by rule; whether one really is not on is looked at again in the transaction
	for _, m := range open {
		on[m.Terms.Rule.Slug] = on[m.Terms.Rule.Slug] || !m.Terms.Drill && slices.Contains(switchedPhases, m.Phase)
	}
	var failed []error
	for _, rule := range version.Rules {
		if rule.GoAhead != catalog.ByItself || on[rule.Slug] {
			continue
		}
		if since, bad := allBad(rule, readings, s.Now()); bad && s.Now().Sub(since) >= rule.BadFor.D() {
			failed = append(failed, s.followRule(ctx, rule, since))
		}
	}
	return errors.Join(failed...)
}

// freshFor is how old a reading may be that switches something on by itself.
const freshFor = 15 * time.Second

// allBad says since when all signals of a rule are bad; not where one is good, silent or old.
func allBad(rule catalog.DegradedModeRule, readings failover.Readings, now time.Time) (since time.Time, bad bool) {
	for _, slug := range rule.Signals {
		r, ok := readings[failover.SignalKey(slug)]
		if !ok || !r.Bad || r.BadSince == nil || r.Stale() || now.Sub(r.At) > freshFor {
			return since, false
		}
		if r.BadSince.After(since) {
			since = *r.BadSince
		}
	}
	return since, len(rule.Signals) > 0
}

// HealthyBy says whether what a rule is about is back, by its signals; ok is false where nobody can tell.
func HealthyBy(rule catalog.DegradedModeRule, readings failover.Readings, now time.Time) (healthy, ok bool) {
	for _, slug := range rule.Signals {
		r, there := readings[failover.SignalKey(slug)]
		if !there || !r.Seen() || r.Stale() || now.Sub(r.At) > freshFor {
			return false, false
		}
		if r.Bad {
			return false, true
		}
	}
	return true, len(rule.Signals) > 0
}

// followRule files the mode of a rule that its signals call, approved in advance; where it is not, people are asked.
func (s *Store) followRule(ctx context.Context, rule catalog.DegradedModeRule, since time.Time) error {
	actor := access.Person{ID: "rule:" + rule.Slug, Name: "Rule " + rule.Name}
	err := s.act(ctx, actor, func(t *tx) error {
		if err := t.alreadyOn(rule, false); err != nil {
			return err
		}
		ended, err := endedLately(ctx, t.Client(), rule.Slug)
		if err != nil {
			return err
		}
		if !ended.IsZero() && (degrade.Rests(rule, ended, t.now) || since.Before(ended)) {
			return nil // what flaps is switched by people
		}
		refused, err := refusedSince(ctx, t.Client(), rule.Slug, since, degrade.RestsFor(rule))
		if err != nil || refused {
			return err
		}
		version, err := s.Catalog(ctx)
		if err != nil {
			return err
		}
		in, err := t.incidentOf(version.RunsSo(rule))
		if err != nil {
			return err
		}
		_, err = s.fileMode(t, ModeFile{ID: NewID(), Rule: rule.Slug, Incident: in, Reason: "Its signals have been bad since " + approval.Clock(since) + "."}, true)
		return err
	})
	if kind := fault.KindOf(err); err != nil && (kind == fault.Conflict || kind == fault.Forbidden) {
		return nil // it is on or asked for already, or nobody could approve it: the rule's page says so
	}
	if err != nil {
		return fmt.Errorf("follow %s: %w", rule.Slug, err)
	}
	return nil
}

// refusedSince says whether people decided against a rule since its signals turned bad, or shortly before: they may have been good for a
// moment.
func refusedSince(ctx context.Context, c *ent.Client, rule string, since time.Time, rest time.Duration) (bool, error) {
	modes, err := c.DegradedMode.Query().Where(degradedmode.Rule(rule), degradedmode.FiledAtGT(since.Add(-rest))).All(ctx)
	if err != nil {
		return false, fmt.Errorf("look for what people decided: %w", err)
	}
	return slices.ContainsFunc(modes, func(row *ent.DegradedMode) bool {
		return slices.Contains([]approval.State{approval.Rejected, approval.Withdrawn, approval.Expired, approval.Requested}, row.State)
	}), nil
}

// incidentOf is the open incident about some services; none where there is none.
func (t *tx) incidentOf(services []string) (string, error) {
	rows, err := t.Incident.Query().Where(incident.ClosedAtIsNil()).Order(incident.ByOpenedAt()).All(t.ctx)
	if err != nil {
		return "", fmt.Errorf("look for an incident: %w", err)
	}
	for _, row := range rows {
		if slices.ContainsFunc(row.Services, func(s string) bool { return slices.Contains(services, s) }) {
			return row.Code, nil
		}
	}
	return "", nil
}

// ExpireModes closes the wishes that nobody decided on in time.
func (s *Store) ExpireModes(ctx context.Context) error {
	open, err := s.OpenModes(ctx)
	if err != nil {
		return err
	}
	for _, m := range open {
		if m.State != approval.Requested || m.Standing(s.Now()) != approval.Expired {
			continue
		}
		_, err := s.changeMode(ctx, audit.Worker, m.Code, func(t *tx, m degrade.Mode) (degrade.Mode, error) {
			q, err := m.RunOut(t.now)
			if err != nil {
				return m, err
			}
			m.Question = q
			t.record(audit.Event{Action: "degraded.expire", Object: m.Code, Rule: approval.RuleExpiry, Text: fmt.Sprintf("%s expired: nobody decided in time.", m.Code)})
			return m, nil
		})
		if err != nil && fault.KindOf(err) != fault.Conflict {
			return err
		}
	}
	return nil
}
