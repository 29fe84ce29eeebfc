package store_test

import (
	"testing"

	"keyholder/internal/failover"
	"keyholder/internal/store"
)

func TestAMoveThatDoesNotHelpIsRefusedByWhicheverWayItIsFiled(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		f := w.wish(t)
		f.Terms.Cause = failover.CauseCorruption
		var err error
		if f.Terms, err = w.TermsNow(w.ctx, f.Terms, w.Now()); err != nil {
			t.Fatal(err)
		}
		_, err = w.FileRequest(w.ctx, w.someone(t, "Ines", "incident-commanders"), f)
		ruledBy(t, "corruption", err, failover.RuleCauseFirst)
		if refused := w.record(t, store.Filter{Action: "request.file", Outcome: "refused"}); len(refused) != 1 {
			t.Errorf("on record: %+v", refused)
		}
	})
}

func TestARequestFollowsTheCauseOfItsIncidentByWhicheverWayItIsFiled(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines := w.someone(t, "Ines", "incident-commanders")
		file := func(stated failover.Cause) error {
			in, err := w.OpenIncident(w.ctx, ines, store.Incident{ID: store.NewID(), Title: "Odd", Cause: stated, Services: []string{"checkout"}, ImpactAt: w.Now(), ImpactSource: "Ines"})
			if err != nil {
				t.Fatal(err)
			}
			f := w.wish(t)
			f.Incident = in.Code
			_, err = w.FileRequest(w.ctx, ines, f)
			return err
		}
		ruledBy(t, "another cause", file(failover.CauseCompromise), failover.RuleStatedCause)
		if refused := w.record(t, store.Filter{Action: "request.file", Outcome: "refused"}); len(refused) != 1 || refused[0].Rule != failover.RuleStatedCause {
			t.Errorf("on record: %+v", refused)
		}
		if err := file(failover.CauseUnknown); err != nil {
			t.Errorf("an incident whose cause nobody knows: %v", err)
		}
	})
}
