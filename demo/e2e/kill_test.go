package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"keyholder/internal/failover"
)

func (w *world) hold(id, match, when string) {
	w.t.Helper()
	w.shop("POST", "panel", "/hold", map[string]string{"id": id, "match": match, "when": when}, nil)
}

func (w *world) reached(id string) bool {
	var h struct{ Reached bool }
	return w.tryShop("GET", "panel", "/hold/"+id, nil, &h) == nil && h.Reached
}

func (w *world) release(id string) {
	w.t.Helper()
	w.shop("POST", "panel", "/release", map[string]string{"id": id}, nil)
}

// effectOf is the call on the shop by which a step takes effect.
var effectOf = map[string]string{
	"fence": "POST /admin/revoke", "promote": "POST /admin/grant", "traffic": "PUT /weights", "dns": "DNS UPDATE",
}

// killable are the seven steps of an emergency run.
var killable = []string{"gates", "fence", "loss", "promote", "traffic", "dns", "verify"}

// TestKilledAtAnyMomentOfAnyStepTheRunGoesOn kills the victim before, during or after the effect of each of the seven
// steps of a run, restarts it each time, and demands the next progress within ten seconds. The shop sells on.
func TestKilledAtAnyMomentOfAnyStepTheRunGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("it kills for minutes")
	}
	t.Parallel()
	for name, victims := range map[string][]string{"portal": {"portal"}, "temporal": {"temporal"}, "both": {"portal", "temporal"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ines, bea := w.signIn("ines"), w.signIn("bea")
			from := "leeds"
			for _, moment := range []string{"before", "during", "after"} {
				before := w.effects()
				code := w.killedRun(ines, bea, from, moment, victims)
				after := w.effects()
				if want := (effects{before.Promotions + 1, before.WeightChanges + 1, before.DNSChanges + 1}); after != want {
					t.Errorf("%s: effects %+v, want %+v", moment, after, want)
				}
				w.timelineHasNoHoles(code)
				w.keepHistory("killed-"+name+"-"+moment, code)
				w.neverTwoWriters()
				run := w.settle(ines, bea, code)
				t.Logf("%s: the run lost %+v", code, run.Loss)
				w.everyOrderIsKept(map[string]string{"leeds": "dublin", "dublin": "leeds"}[from])
				from = map[string]string{"leeds": "dublin", "dublin": "leeds"}[from]
			}
		})
	}
}

// killedRun is one emergency run whose victim dies at a moment of every step.
func (w *world) killedRun(ines, bea *person, from, moment string, victims []string) string {
	w.t.Helper()
	for _, step := range killable {
		if match, acts := effectOf[step]; acts && moment != "before" {
			when := map[string]string{"during": "before", "after": "after"}[moment]
			w.hold(moment+"-"+step, match, when)
		}
	}
	code := w.emergency(ines, bea, from, nil)
	for i, step := range killable {
		w.killAt(code, i, step, moment, victims)
	}
	w.waitState(code, 100*time.Second, failover.Recovered)
	return code
}

func (w *world) killAt(code string, i int, step, moment string, victims []string) {
	w.t.Helper()
	id := moment + "-" + step
	_, acts := effectOf[step]
	held := acts && moment != "before"
	w.until(fmt.Sprintf("%s %s of %s", moment, step, code), 60*time.Second, func() bool {
		if held {
			return w.reached(id)
		}
		run, err := w.store.Run(w.t.Context(), code)
		if err != nil {
			return false
		}
		switch moment {
		case "before":
			return i == 0 || run.Steps[i-1].State.Past()
		case "during":
			return run.Steps[i].State != failover.StepPending
		default:
			return run.Steps[i].State.Past()
		}
	})
	w.kill(victims...)
	if held {
		w.release(id)
	}
	attempt := w.run(code).Steps[i].Attempt
	for _, part := range victims {
		w.start(part)
	}
	w.until("ready again", 20*time.Second, w.ready)
	took := w.until(fmt.Sprintf("progress after %s %s", moment, step), 10*time.Second, func() bool {
		run, err := w.store.Run(w.t.Context(), code)
		return err == nil && (run.Steps[i].State.Past() || run.Steps[i].Attempt > attempt || run.State == failover.Recovered)
	})
	w.t.Logf("%s %s: on again after %s", moment, step, took.Round(time.Millisecond))
}
