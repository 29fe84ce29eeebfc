package store_test

import (
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// TestWhoMayChangeARecordIsNotChangedByOnePerson: files lock a record, or let it go, only as two people say.
func TestWhoMayChangeARecordIsNotChangedByOnePerson(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		stands, err := w.Standing(w.ctx, checkout)
		if err != nil {
			t.Fatal(err)
		}
		same := store.Bundle{Records: []catalog.Entry{{Ref: checkout, Record: stands.Record}}}
		for name, m := range map[string]store.Manner{"locked": {Lock: !stands.Locked}, "held as it was": {Lock: stands.Locked}} {
			_, err := w.Apply(w.ctx, access.Person{ID: "cli:x"}, same, m)
			if name == "locked" {
				ruledBy(t, name, err, store.RuleFourEyes)
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if after, err := w.Standing(w.ctx, checkout); err != nil || after.Since != stands.Since || after.Locked != stands.Locked {
			t.Errorf("it stands since %d, locked %v: %v", after.Since, after.Locked, err)
		}
		r, err := w.ProposeBundle(w.ctx, w.ada.Person(), store.NewID(), same, store.Manner{Lock: true, Why: "files say it"})
		if err != nil {
			t.Fatal(err)
		}
		w.decides(t, r.Code, w.olga, approval.Approve)
		if after, err := w.Standing(w.ctx, checkout); err != nil || !after.Locked {
			t.Errorf("two people do not lock it: %v", err)
		}
	})
}

func TestWhatIsRefusedWhenItIsAppliedOrPutTogetherIsOnRecord(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		e := edited(t, w.world, checkout, owner("Bea"))
		_, err := w.Apply(w.ctx, w.ada.Person(), store.Bundle{Records: []catalog.Entry{{Ref: e.Ref, Record: e.Record}}}, store.Manner{})
		ruledBy(t, "applied", err, store.RuleFourEyes)
		e.Base--
		ruledBy(t, "put together", w.AddToDraft(w.ctx, w.bea.Person(), e), store.RuleEditedMeanwhile)
		refused := w.record(t, store.Filter{Outcome: "refused"})
		if len(refused) != 2 {
			t.Fatalf("%d refusals are on record: %+v", len(refused), refused)
		}
		for _, line := range refused {
			if line.Rule == "" || line.Actor.ID == "" {
				t.Errorf("%+v names no rule or nobody", line)
			}
		}
	})
}

func TestAPlanIsTakenBackTheSameWayAndSaysWhoApprovedIt(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		plan := shop(t).Plans[0]
		was, err := w.Plan(w.ctx, plan.Slug, 0)
		if err != nil {
			t.Fatal(err)
		}
		published := w.byTwo(t, store.Bundle{Plans: []failover.Plan{slower(plan)}})
		if now, err := w.Plan(w.ctx, plan.Slug, 0); err != nil || now.By != "ada, approved by hugo" || now.Digest == was.Digest {
			t.Fatalf("published by %q, %v", now.By, err)
		}
		if err := w.DraftTakingBackRequest(w.ctx, w.ada.Person(), published, nil); err != nil {
			t.Fatal(err)
		}
		back := w.proposeDraft(t, w.ada)
		w.approves(t, back.Code)
		if now, err := w.Plan(w.ctx, plan.Slug, 0); err != nil || now.Digest != was.Digest {
			t.Errorf("it is not as it was: %v", err)
		}
	})
}

// byTwo has a bundle proposed by ada and approved.
func (w governed) byTwo(t *testing.T, b store.Bundle) change.Request {
	t.Helper()
	r, err := w.ProposeBundle(w.ctx, w.ada.Person(), store.NewID(), b, store.Manner{Why: "because"})
	if err != nil {
		t.Fatal(err)
	}
	return w.approves(t, r.Code)
}

func (w governed) approves(t *testing.T, code string) change.Request {
	t.Helper()
	for _, by := range []access.Principal{w.hugo, w.olga} {
		r, err := w.ChangeRequest(w.ctx, code)
		if err != nil {
			t.Fatal(err)
		}
		if r.State == approval.Requested {
			w.decides(t, code, by, approval.Approve)
		}
	}
	r, err := w.ChangeRequest(w.ctx, code)
	if err != nil || r.State != approval.Approved {
		t.Fatalf("%s is %s: %v", code, r.State, err)
	}
	return r
}

func TestWhatAProgramProposesLeavesDraftsAlone(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		if err := w.AddToDraft(w.ctx, w.ada.Person(), edited(t, w.world, checkout, owner("Bea"))); err != nil {
			t.Fatal(err)
		}
		w.byTwo(t, store.Bundle{Plans: []failover.Plan{slower(shop(t).Plans[0])}})
		if d, err := w.Draft(w.ctx, w.ada.ID); err != nil || len(d.Terms.Records) != 1 {
			t.Errorf("the draft holds %d records, %v", len(d.Terms.Records), err)
		}
	})
}

func TestADraftThatTakesBackAndMoreDoesNotSayThatItTakesBack(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		r := w.propose(t, w.bea, edited(t, w.world, checkout, owner("Bea")))
		w.decides(t, r.Code, w.hugo, approval.Approve)
		r, err := w.ChangeRequest(w.ctx, r.Code)
		if err != nil {
			t.Fatal(err)
		}
		changed, err := w.ChangedBy(w.ctx, r.Applied, 10)
		if err == nil {
			err = w.DraftTakingBack(w.ctx, w.ada.Person(), r.Applied, changed)
		}
		if err == nil {
			err = w.AddToDraft(w.ctx, w.ada.Person(), edited(t, w.world, catalog.Ref{Kind: catalog.KindTier, Slug: "tier-1"}, func(tier *catalog.Tier) { tier.Name = "First" }))
		}
		if err != nil {
			t.Fatal(err)
		}
		if d, err := w.Draft(w.ctx, w.ada.ID); err != nil || d.Undoes != 0 || len(d.Terms.Records) != 2 {
			t.Errorf("it says that it takes back %d, %v", d.Undoes, err)
		}
	})
}
