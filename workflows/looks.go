package workflows

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	rules "keyholder/internal/failover"
)

// gates checks all gates of the plan at once.
func (j job) gates(ctx context.Context) result {
	gates := j.plan.GatesIn(j.attempt.Run.Terms.Mode)
	checks := make([]rules.Checked, len(gates))
	seen := make([]connector.Observation, len(gates))
	var all sync.WaitGroup
	for i, gate := range gates {
		all.Go(func() {
			holds, why, observation := j.check(ctx, gate, j.vars)
			checks[i], seen[i] = rules.Checked{Slug: gate.Slug, Name: gate.Name, Holds: holds, Text: why}, observation
		})
	}
	all.Wait()
	r := result{
		evidence: map[string]any{"checks": checks, "seen": seen},
		also:     func(run rules.Run) rules.Run { return run.WithChecks(j.attempt.Index, checks) },
	}
	if failing := failing(checks); failing != "" {
		r.wait, r.text = rules.WaitGates, failing
		return r
	}
	r.text = fmt.Sprintf("all %d gates hold", len(gates))
	return r
}

func failing(checks []rules.Checked) string {
	var parts []string
	for _, c := range checks {
		if !c.Holds {
			parts = append(parts, c.Name+": "+c.Text)
		}
	}
	return strings.Join(parts, "; ")
}

// copies reads where both copies of the data stand now, and how sales went. The old one may not answer: then it is its last
// reading.
func (j job) copies(ctx context.Context) (old, target, sales rules.Reading, err error) {
	readings, err := j.store.Readings(ctx)
	if err != nil {
		return old, target, sales, err
	}
	version, err := j.ground(ctx, j.attempt.Run)
	if err != nil {
		return old, target, sales, err
	}
	terms := j.attempt.Run.Terms
	set, _ := version.DataSet(terms.DataSet)
	both := []string{terms.From, terms.To}
	found := make([]rules.Reading, len(both))
	var all sync.WaitGroup
	for i, slug := range both {
		all.Go(func() {
			site, _ := version.Site(slug)
			found[i] = ReadPosition(ctx, j.connectors, set, site, readings[rules.PositionKey(set.Slug, slug)], j.store.Now())
		})
	}
	all.Wait()
	return found[0], found[1], readings[rules.SignalKey(j.plan.Verify.Volume)], nil
}

// ReadPosition reads where a site's copy of a data set stands; before is the reading that stays where it does not answer.
func ReadPosition(ctx context.Context, all connector.Set, set catalog.DataSet, site catalog.Site, before rules.Reading, now time.Time) rules.Reading {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	before.Key = rules.PositionKey(set.Slug, site.Slug)
	params, err := connector.Fill(set.Position.Observe, siteVariables(site))
	if err != nil {
		return before.Silence(connector.Words(err), site.Name, now)
	}
	kind, err := all.Get("http")
	if err != nil {
		return before.Silence(connector.Words(err), site.Name, now)
	}
	seen, err := kind.Observe(ctx, params)
	if err != nil {
		return before.Silence(connector.Words(err), seen.Source, now)
	}
	position, err := position(seen, set.Position)
	if err != nil {
		return before.Silence(err.Error(), seen.Source, now)
	}
	return rules.Reading{Key: before.Key, Source: seen.Source, Value: position.LagSeconds, Position: &position, At: now}
}

// siteVariables are what may be referred to of one site.
func siteVariables(site catalog.Site) map[string]string {
	vars := map[string]string{"site.slug": site.Slug}
	for name, value := range site.Addresses {
		vars["site."+name] = value
	}
	return vars
}

func position(seen connector.Observation, how catalog.Position) (p rules.Position, err error) {
	for _, field := range []struct {
		pointer string
		into    any
	}{
		{how.Newest, &p.Newest}, {how.NewestAt, &p.NewestAt}, {how.LagRecords, &p.LagRecords},
		{how.LagSeconds, &p.LagSeconds}, {how.Writer, &p.Writer},
	} {
		raw, err := connector.Point(seen, field.pointer)
		if err != nil {
			return p, err
		}
		if err := json.Unmarshal(raw, field.into); err != nil {
			return p, fmt.Errorf("%s is %s, which is not what was expected there", field.pointer, raw)
		}
	}
	return p, nil
}

// The waits of a look at both copies.
const (
	catchUpWithin = 60 * time.Second // of a planned move, before a person is asked
	settleWithin  = 5 * time.Second  // of an emergency, for what still replicates after the fence
	settleStill   = time.Second      // without progress: nothing more comes
	lookEvery     = 100 * time.Millisecond
)

// catchUp waits until the target has everything the drained writer has.
func (j job) catchUp(ctx context.Context) result {
	deadline := time.Now().Add(catchUpWithin)
	for {
		old, target, sales, err := j.copies(ctx)
		if err != nil {
			return result{wait: rules.WaitStep, text: err.Error()}
		}
		loss := rules.LossBetween(old, target, sales, j.fenced())
		evidence := map[string]any{"old": old, "target": target}
		if loss.Known && !loss.Estimate && loss.Records == 0 {
			return result{text: fmt.Sprintf("the target has all orders up to %d", target.Position.Newest), evidence: evidence}
		}
		if time.Now().After(deadline) {
			return result{wait: rules.WaitStep, text: "the target has not caught up: " + loss.String() + " missing, " + loss.Basis, evidence: evidence}
		}
		if err := pause(ctx, lookEvery); err != nil {
			return result{wait: rules.WaitStep, text: err.Error()}
		}
	}
}

// compareLoss measures, behind the fence, what would be left behind, and asks again where that exceeds the ceiling.
// What the old side still hands over meanwhile is not lost.
func (j job) compareLoss(ctx context.Context) result {
	ceiling := j.attempt.Run.Terms.Ceiling
	start, progress := time.Now(), time.Now()
	least := int64(-1)
	for {
		old, target, sales, err := j.copies(ctx)
		if err != nil {
			return result{wait: rules.WaitStep, text: err.Error()}
		}
		loss := rules.LossBetween(old, target, sales, j.fenced())
		if least < 0 || loss.Records < least {
			least, progress = loss.Records, time.Now()
		}
		done := !loss.Known || loss.Estimate || loss.Records == 0
		if done || time.Since(progress) > settleStill || time.Since(start) > settleWithin {
			return judge(loss, ceiling, map[string]any{"loss": loss, "ceiling": ceiling, "old": old, "target": target, "sales": sales})
		}
		if err := pause(ctx, lookEvery); err != nil {
			return result{wait: rules.WaitStep, text: err.Error()}
		}
	}
}

// fenced is the last moment at which the old side may have accepted anything.
func (j job) fenced() time.Time {
	if at := j.attempt.Run.Times.Fenced; at != nil {
		return *at
	}
	return j.store.Now()
}

func judge(loss rules.Loss, ceiling rules.Ceiling, evidence any) result {
	r := result{
		text: fmt.Sprintf("loss %s; accepted: %s", loss, ceiling), evidence: evidence,
		also: func(run rules.Run) rules.Run { run.Loss = &loss; return run },
	}
	if !ceiling.Within(loss) {
		r.wait, r.final = rules.WaitLoss, true
		r.text = fmt.Sprintf("The loss is %s, but the approvers accepted %s.", loss, ceiling)
	}
	return r
}
