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
