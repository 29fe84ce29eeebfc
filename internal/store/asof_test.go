package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// everything is all that pages read.
type everything struct {
	Catalog   store.CatalogVersion
	Readings  failover.Readings
	Incidents []store.Incident
	Requests  []failover.Request
	Request   failover.Request
	Sheet     store.KeptSheet
	Runs      []failover.Run
	Last      []failover.Run
	Plans     []store.Published[failover.Plan]
	Plan      store.Published[failover.Plan]
	Ballot    approval.Ballot
	Person    access.Principal
}

func (w world) everything(ctx context.Context, t *testing.T, person string, r failover.Request) (all everything) {
	t.Helper()
	var errs [12]error
	all.Catalog, errs[0] = w.Catalog(ctx)
	all.Readings, errs[1] = w.Readings(ctx)
	all.Incidents, errs[2] = w.OpenIncidents(ctx)
	all.Requests, errs[3] = w.OpenRequests(ctx)
	all.Request, errs[4] = w.Request(ctx, r.Code)
	all.Sheet, errs[5] = w.NewestSheet(ctx, r.ID)
	all.Runs, errs[6] = w.OpenRuns(ctx)
	all.Last, errs[7] = w.LastRuns(ctx, 1)
	all.Plans, errs[8] = w.Plans(ctx)
	all.Plan, errs[9] = w.Plan(ctx, "move-checkout", 0)
	all.Ballot, errs[10] = w.Ballot(ctx, r)
	all.Person, _, errs[11] = w.Principal(ctx, person)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestAPageShowsEveryChangeThatWasCommittedBeforeItWasAskedFor(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines, bea := w.someone(t, "Ines", "incident-commanders"), w.someone(t, "Bea", "business-owners")
		r := w.file(t, ines)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		reading := failover.Reading{Key: failover.SignalKey("checkout-success"), Value: 0.99, At: w.Now()}
		changes := []struct {
			name   string
			change func()
		}{
			{"a sign-in", func() { ines = w.someone(t, "Ines", "auditors") }},
			{"an incident", func() {
				_, err := w.OpenIncident(w.ctx, bea, store.Incident{ID: store.NewID(), Title: "Dark", Services: []string{"checkout"}, ImpactAt: w.Now(), Cause: failover.CauseSite})
				must(err)
			}},
			{"a first reading", func() { must(w.SaveReadings(w.ctx, []failover.Reading{reading})) }},
			{"a reading that is no news", func() {
				reading.Value, reading.At = 0.98, w.Now()
				must(w.SaveReadings(w.ctx, []failover.Reading{reading}))
			}},
			{"a fact sheet", func() { must(w.RefreshSheet(w.ctx, r)) }},
			{"a decision", func() { w.vote(t, r, w.someone(t, "Carl", "incident-commanders"), approval.Approve) }},
			{"a run", func() { _, err := w.Claim(w.ctx, r.Code); must(err) }},
			{"a step", func() { _, err := w.Begin(w.ctx, r.Code, 0); must(err) }},
			{"a plan", func() {
				p := shop(t).Plans[0]
				p.Steps[0].Expected += 1e9
				testkit.Change(t, w.Store, store.Bundle{Plans: []failover.Plan{p}}, store.Manner{})
			}},
			{"a policy", func() {
				testkit.Change(t, w.Store, store.Bundle{Records: []catalog.Entry{testkit.MovePolicy(t, shop(t), 2)}}, store.Manner{})
			}},
		}
		for _, c := range changes {
			before, _, err := w.AsOf(w.ctx)
			must(err)
			was := w.everything(before, t, ines.ID, r)
			c.change()
			after, _, err := w.AsOf(w.ctx)
			must(err)
			is, shown := w.everything(w.ctx, t, ines.ID, r), w.everything(after, t, ines.ID, r)
			if diff := cmp.Diff(is, shown, cmpopts.IgnoreUnexported(catalog.Catalog{})); diff != "" {
				t.Errorf("after %s, a page is older than the database (-database +page):\n%s", c.name, diff)
			}
			if cmp.Equal(was, shown, cmpopts.IgnoreUnexported(catalog.Catalog{})) {
				t.Errorf("after %s nothing was changed: the test does not test it", c.name)
			}
		}
	})
}

func TestPagesShareWhatOneOfThemRead(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		first, change, err := w.AsOf(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Catalog(first); err != nil {
			t.Fatal(err)
		}
		second, same, err := w.AsOf(w.ctx)
		if err != nil || same != change {
			t.Fatalf("the change moved from %d to %d, %v", change, same, err)
		}
		late, cancel := context.WithDeadline(second, time.Unix(1, 0))
		defer cancel()
		if _, err := w.Catalog(late); err != nil {
			t.Errorf("the second page asked the database: %v", err)
		}
	})
}
