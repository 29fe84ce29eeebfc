package workflows

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	rules "keyholder/internal/failover"
	"keyholder/internal/fault"
)

// verifyEvery is how often the verification looks.
const verifyEvery = 250 * time.Millisecond

// verify watches until success, volume and the silence of the old site hold together for the plan's hold time. A worker
// that was lost in between starts the hold time anew: nobody was looking.
func (j job) verify(ctx context.Context) result {
	start := time.Now()
	var since time.Time
	for {
		checks, seen := j.looks(ctx)
		now := time.Now()
		switch {
		case failing(checks) != "":
			since = time.Time{}
		case since.IsZero():
			since = now
		}
		r := result{
			evidence: map[string]any{"checks": checks, "seen": seen},
			also:     func(run rules.Run) rules.Run { return run.WithChecks(j.attempt.Index, checks) },
		}
		if !since.IsZero() && now.Sub(since) >= j.plan.Verify.Hold.D() {
			r.text = fmt.Sprintf("held for %s", catalog.Lasting(now.Sub(since)))
			return r
		}
		if now.Sub(start) > j.plan.Verify.Within.D() {
			r.wait, r.text, r.final = rules.WaitVerify, "It does not hold: "+failing(checks), true
			return r
		}
		if gone := j.gone(ctx); gone != "" {
			r.wait, r.text, r.final = rules.WaitVerify, gone, true
			return r
		}
		if err := pause(ctx, verifyEvery); err != nil {
			return result{wait: rules.WaitVerify, text: err.Error()}
		}
	}
}

// gone says why the verification is not due any more: a person gave the run up meanwhile.
func (j job) gone(ctx context.Context) string {
	run, err := j.store.Run(ctx, j.attempt.Run.Code)
	if err == nil && run.State != rules.Verifying {
		return "the run is " + run.State.Words()
	}
	return ""
}

// looks takes one look at everything that must hold.
func (j job) looks(ctx context.Context) ([]rules.Checked, []connector.Observation) {
	v := j.plan.Verify
	version, err := j.ground(ctx, j.attempt.Run)
	if err != nil {
		return []rules.Checked{{Slug: "catalogue", Name: "Catalogue", Text: err.Error()}}, nil
	}
	readings, err := j.store.Readings(ctx)
	if err != nil {
		return []rules.Checked{{Slug: "readings", Name: "Readings", Text: err.Error()}}, nil
	}
	success, seenSuccess := j.signal(ctx, version.Catalog, v.Success, func(value float64) bool { return value >= v.MinSuccess },
		fmt.Sprintf("at least %.0f %%", v.MinSuccess*100))
	usual := readings[rules.SignalKey(v.Volume)].Usual
	enough := func(value float64) bool { return usual > 0 && value >= v.MinVolume*usual } // what is usual must be known
	volume, seenVolume := j.signal(ctx, version.Catalog, v.Volume, enough,
		fmt.Sprintf("at least %.1f, %.0f %% of the usual %.1f", v.MinVolume*usual, v.MinVolume*100, usual))
	holds, why, seenResidual := j.check(ctx, v.Residual, j.vars)
	residual := rules.Checked{Slug: v.Residual.Slug, Name: v.Residual.Name, Holds: holds, Text: why}
	return []rules.Checked{success, volume, residual}, []connector.Observation{seenSuccess, seenVolume, seenResidual}
}

// signal looks at a signal now, not at its last reading.
func (j job) signal(ctx context.Context, c catalog.Catalog, slug string, good func(float64) bool, wanted string) (rules.Checked, connector.Observation) {
	signal, _ := c.Signal(slug)
	checked := rules.Checked{Slug: slug, Name: signal.Name}
	value, seen, err := ReadSignal(ctx, j.connectors, signal)
	if err != nil {
		checked.Text = connector.Words(err)
		return checked, seen
	}
	checked.Holds = good(value)
	checked.Text = fmt.Sprintf("%s; wanted %s", rules.Amount(value, signal.Kind, signal.Unit), wanted)
	return checked, seen
}

// ReadSignal looks at a signal once.
func ReadSignal(ctx context.Context, all connector.Set, signal catalog.Signal) (value float64, seen connector.Observation, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	kind, err := all.Get("http")
	if err != nil {
		return 0, seen, err
	}
	seen, err = kind.Observe(ctx, signal.Observe)
	if signal.Kind == catalog.Health {
		value, err = healthOf(seen, err, signal.Pointer)
		return value, seen, err
	}
	if err != nil {
		return 0, seen, err
	}
	raw, err := connector.Point(seen, signal.Pointer)
	if err != nil {
		return 0, seen, err
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return 0, seen, fmt.Errorf("%s is %s, which is not a number", signal.Pointer, raw)
	}
	return value, seen, nil
}

// healthOf is 1 where something answers with what must be there. What is silent, refuses or answers nonsense is not healthy; what we
// ask wrongly says nothing of it.
func healthOf(seen connector.Observation, failed error, pointer string) (float64, error) {
	switch {
	case fault.KindOf(failed) == fault.Invalid:
		return 0, failed
	case failed != nil:
		return 0, nil //nolint:nilerr // that it does not answer is what was asked
	case pointer == "":
		return 1, nil
	}
	raw, err := connector.Point(seen, pointer)
	if err != nil || string(raw) == "false" || string(raw) == "null" {
		return 0, nil //nolint:nilerr // what must be there is not
	}
	return 1, nil
}
