package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// someone signs in with a group and comes back as the principal of that session.
func (w world) someone(t *testing.T, name, group string) access.Principal {
	t.Helper()
	id, err := w.SignIn(w.ctx, store.Identity{Issuer: "https://idp", Subject: name, Name: name, Groups: []string{group}, SignedInAt: w.Now()})
	if err != nil {
		t.Fatal(err)
	}
	p, ok, err := w.Principal(w.ctx, id)
	if err != nil || !ok {
		t.Fatalf("load %s: %v, %v", name, ok, err)
	}
	return p
}

// file files an emergency move from Leeds to Dublin.
func (w world) file(t *testing.T, by access.Principal) failover.Request {
	t.Helper()
	r, err := w.FileRequest(w.ctx, by, w.wish(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w world) wish(t *testing.T) store.File {
	t.Helper()
	terms, err := w.TermsNow(w.ctx, failover.Terms{
		Plan: "move-checkout", From: "leeds", To: "dublin", Mode: failover.Emergency, Cause: failover.CauseSite,
		Ceiling: failover.Ceiling{Kind: failover.CeilingUnknown},
	}, w.Now())
	if err != nil {
		t.Fatal(err)
	}
	situation, err := w.Situation(w.ctx, terms, w.Now())
	if err != nil {
		t.Fatal(err)
	}
	return store.File{
		ID: store.NewID(), Incident: "IN-TEST", Terms: terms, Reason: "Leeds is dark",
		Impact: w.Now(), Sheet: situation.Facts(""),
	}
}

// vote votes on what the newest sheet shows.
func (w world) vote(t *testing.T, r failover.Request, by access.Principal, v approval.Verdict) store.Outcome {
	t.Helper()
	sheet, err := w.NewestSheet(w.ctx, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.Decide(w.ctx, store.Vote{ID: store.NewID(), Code: r.Code, By: by, Verdict: v, Comment: "seen", Digest: r.Digest, Sheet: sheet.Digest})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w world) record(t *testing.T, f store.Filter) []store.Line {
	t.Helper()
	f.Limit = 500
	lines, err := w.Record(w.ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func refusedBy(t *testing.T, out store.Outcome, rule string) {
	t.Helper()
	if out.Refusal == nil || out.Refusal.Rule != rule {
		t.Fatalf("got %+v, wanted a refusal by %s", out.Refusal, rule)
	}
}

func TestApplyingTheSameAgainChangesNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		lines := len(w.record(t, store.Filter{}))
		applied, err := w.Apply(w.ctx, access.Person{ID: "cli"}, shop(t), store.Manner{})
		if err != nil || len(applied) != 0 {
			t.Errorf("applied %v, %v", applied, err)
		}
		if now := len(w.record(t, store.Filter{})); now != lines {
			t.Errorf("the record grew from %d to %d lines", lines, now)
		}
	})
}

func TestRequesterMayNotApproveOwnRequestInTheDatabase(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines := w.someone(t, "Ines", "incident-commanders")
		r := w.file(t, ines)
		out := w.vote(t, r, ines, approval.Approve)
		refusedBy(t, out, approval.RuleTwoPeople)
		refused := w.record(t, store.Filter{Object: r.Code, Outcome: string(audit.Refused)})
		if len(refused) != 1 || refused[0].Rule != approval.RuleTwoPeople || refused[0].Actor.ID != ines.ID {
			t.Errorf("the record says %+v", refused)
		}
	})
}

func TestADecisionIsOnRecordWithTheSheetItWasMadeOn(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		r := w.file(t, w.someone(t, "Ines", "incident-commanders"))
		carl := w.someone(t, "Carl", "incident-commanders")
		out := w.vote(t, r, carl, approval.Approve)
		if out.Refusal != nil || out.State != failover.Approved || out.Directive.Do != failover.DoClaim {
			t.Fatalf("got %+v", out)
		}
		r, err := w.Request(w.ctx, r.Code)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := w.SheetOf(w.ctx, r.ID, r.Decisions[0].Sheet)
		if err != nil || failover.SheetDigest(kept.Body) != r.Decisions[0].Sheet {
			t.Errorf("the sheet is not kept byte for byte: %v", err)
		}
		lines := w.record(t, store.Filter{Object: r.Code, Action: "request.decide"})
		if len(lines) != 1 || lines[0].Act != r.Decisions[0].ID {
			t.Errorf("the record says %+v", lines)
		}
	})
}

func TestTheSameActAskedAgainGetsTheSameOutcome(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		r := w.file(t, w.someone(t, "Ines", "incident-commanders"))
		carl := w.someone(t, "Carl", "incident-commanders")
		sheet, err := w.NewestSheet(w.ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		vote := store.Vote{ID: store.NewID(), Code: r.Code, By: carl, Verdict: approval.Approve, Digest: r.Digest, Sheet: sheet.Digest}
		first, err := w.Decide(w.ctx, vote)
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.Decide(w.ctx, vote)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, again); diff != "" {
			t.Error(diff)
		}
		if r, _ = w.Request(w.ctx, r.Code); len(r.Decisions) != 1 {
			t.Errorf("%d decisions", len(r.Decisions))
		}
	})
}

func TestEightPeopleDecideAtOnceWithOneOutcome(t *testing.T) {
	const rounds = 50
	eachDatabase(t, func(t *testing.T, w world) {
		ines := w.someone(t, "Ines", "incident-commanders")
		var voters []access.Principal
		for i := range 8 {
			voters = append(voters, w.someone(t, fmt.Sprintf("Voter %d", i), "incident-commanders"))
		}
		for range rounds {
			r := w.file(t, ines)
			outs := make([]store.Outcome, len(voters))
			var all sync.WaitGroup
			for i, by := range voters {
				verdict := []approval.Verdict{approval.Approve, approval.Reject}[i%2]
				all.Go(func() { outs[i] = w.vote(t, r, by, verdict) })
			}
			all.Wait()
			w.oneOutcome(t, r, outs)
		}
	})
}

// oneOutcome: one vote decided, all others are told who was first and when, and the request is run at most once.
func (w world) oneOutcome(t *testing.T, r failover.Request, outs []store.Outcome) {
	t.Helper()
	r, err := w.Request(w.ctx, r.Code)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Decisions) != 1 {
		t.Fatalf("%d decisions count", len(r.Decisions))
	}
	first := r.Decisions[0].By.Name
	told := 0
	for _, out := range outs {
		if out.Refusal != nil && strings.Contains(out.Refusal.Message, first) && out.Refusal.Kind == fault.Conflict {
			told++
		}
	}
	if told != len(outs)-1 {
		t.Fatalf("%d were told that %s was first: %+v", told, first, outs)
	}
	if r.State == approval.Approved {
		for range 2 {
			if _, err := w.Claim(w.ctx, r.Code); err != nil {
				t.Fatal(err)
			}
		}
		if lines := w.record(t, store.Filter{Object: r.Code, Action: "run.claim"}); len(lines) != 1 {
			t.Fatalf("the run began %d times", len(lines))
		}
		w.stop(t, r.Code)
	}
}

// stop ends a run at its gates, so that the data set is free again.
func (w world) stop(t *testing.T, code string) {
	t.Helper()
	a, err := w.Begin(w.ctx, code, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Fail(w.ctx, a, store.Trouble{Wait: failover.WaitGates, Why: "test"}); err != nil {
		t.Fatal(err)
	}
	by := w.someone(t, "Ines", "incident-commanders")
	out, err := w.Command(w.ctx, store.Command{ID: store.NewID(), Code: code, By: by, Steer: failover.SteerStop, Note: "test"})
	if err != nil || out.Refusal != nil {
		t.Fatalf("%v, %+v", err, out.Refusal)
	}
}

func TestAnExpiredRequestCannotBeApproved(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		r := w.file(t, w.someone(t, "Ines", "incident-commanders"))
		w.clock.add(time.Hour)
		carl := w.someone(t, "Carl", "incident-commanders")
		refusedBy(t, w.vote(t, r, carl, approval.Approve), approval.RuleExpiry)
		next, err := w.Expire(w.ctx, r.Code)
		if err != nil || next.Do != failover.DoEnd {
			t.Errorf("%v, %v", next, err)
		}
		refusedBy(t, w.vote(t, r, carl, approval.Approve), approval.RuleExpiry)
	})
}

func TestANewlyPublishedPlanVoidsVotesUntilTheRequesterConfirms(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		two := shop(t)
		testkit.Change(t, w.Store, store.Bundle{Records: []catalog.Entry{testkit.MovePolicy(t, two, 2)}}, store.Manner{})
		ines := w.someone(t, "Ines", "incident-commanders")
		carl, bea := w.someone(t, "Carl", "incident-commanders"), w.someone(t, "Bea", "business-owners")
		r := w.file(t, ines)
		if out := w.vote(t, r, carl, approval.Approve); out.State != failover.Requested {
			t.Fatalf("one of two approvals made it %s", out.State)
		}
		plan := two.Plans[0]
		plan.Verify.MinVolume = 0.5
		testkit.Change(t, w.Store, store.Bundle{Plans: []failover.Plan{plan}}, store.Manner{})
		refusedBy(t, w.vote(t, r, bea, approval.Approve), approval.RuleBound)
		terms, err := w.TermsNow(w.ctx, r.Terms, r.FiledAt)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := terms.Digest()
		if err != nil {
			t.Fatal(err)
		}
		wrong, err := w.ConfirmAnew(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: carl, Shown: shown})
		if err != nil {
			t.Fatal(err)
		}
		refusedBy(t, wrong, approval.RuleOwner)
		old, err := w.ConfirmAnew(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: ines, Shown: r.Digest})
		if err != nil {
			t.Fatal(err)
		}
		refusedBy(t, old, approval.RuleBound)
		if out, err := w.ConfirmAnew(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: ines, Shown: shown}); err != nil || out.Refusal != nil {
			t.Fatalf("%v, %+v", err, out.Refusal)
		}
		if r, err = w.Request(w.ctx, r.Code); err != nil || r.Digest != shown || len(r.Votes()) != 0 {
			t.Fatalf("%v; digest %s, %d votes", err, r.Digest, len(r.Votes()))
		}
		w.vote(t, r, bea, approval.Approve)
		if out := w.vote(t, r, carl, approval.Approve); out.State != failover.Approved {
			t.Errorf("two new approvals made it %s: %+v", out.State, out.Refusal)
		}
	})
}

func TestAFactThatChangedMateriallyIsShownAgainBeforeTheVoteCounts(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		r := w.file(t, w.someone(t, "Ines", "incident-commanders"))
		carl := w.someone(t, "Carl", "incident-commanders")
		key := failover.SignalKey("checkout-success")
		reading := failover.Reading{Key: key}.Follow(1, false, true, "sales", w.Now())
		if err := w.SaveReadings(w.ctx, []failover.Reading{reading}); err != nil {
			t.Fatal(err)
		}
		out := w.vote(t, r, carl, approval.Approve)
		refusedBy(t, out, approval.RuleBound)
		if !strings.Contains(out.Refusal.Message, "Checkout success") {
			t.Errorf("the refusal does not say what changed: %s", out.Refusal.Message)
		}
		if err := w.RefreshSheet(w.ctx, r); err != nil {
			t.Fatal(err)
		}
		if out := w.vote(t, r, carl, approval.Approve); out.State != failover.Approved {
			t.Errorf("on the new facts: %+v", out)
		}
	})
}

func TestOneRunPerDataSet(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines := w.someone(t, "Ines", "incident-commanders")
		w.file(t, ines)
		if _, err := w.FileRequest(w.ctx, ines, w.wish(t)); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a second request for the same data: %v", err)
		}
	})
}

func TestADoubledClickFilesOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines := w.someone(t, "Ines", "incident-commanders")
		wish := w.wish(t)
		first, err := w.FileRequest(w.ctx, ines, wish)
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.FileRequest(w.ctx, ines, wish)
		if err != nil || again.Code != first.Code {
			t.Errorf("filed %s and %s, %v", first.Code, again.Code, err)
		}
		if starts, err := w.Starts(w.ctx); err != nil || len(starts) != 1 {
			t.Errorf("%d processes to start, %v", len(starts), err)
		}
	})
}

func TestTheRecordHasNoHolesAndItsBytesHaveTheirDigest(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines := w.someone(t, "Ines", "incident-commanders")
		carl := w.someone(t, "Carl", "incident-commanders")
		r := w.file(t, ines)
		w.vote(t, r, carl, approval.Approve)
		lines := w.record(t, store.Filter{})
		for i, line := range lines {
			if want := int64(len(lines) - i); line.Seq != want {
				t.Fatalf("line %d where %d belongs", line.Seq, want)
			}
			if _, digest, err := line.Bytes(); err != nil || digest != line.Digest {
				t.Errorf("line %d: digest %s, kept %s, %v", line.Seq, digest, line.Digest, err)
			}
		}
	})
}

func TestAnIntentWithoutOutcomeShowsAndTheNextAttemptSettlesIt(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		r := w.file(t, w.someone(t, "Ines", "incident-commanders"))
		w.vote(t, r, w.someone(t, "Carl", "incident-commanders"), approval.Approve)
		if _, err := w.Claim(w.ctx, r.Code); err != nil {
			t.Fatal(err)
		}
		first, err := w.Begin(w.ctx, r.Code, 0)
		if err != nil {
			t.Fatal(err)
		}
		open := func() (n int) {
			for _, line := range w.record(t, store.Filter{Object: r.Code}) {
				if line.Open {
					n++
				}
			}
			return n
		}
		if open() != 1 {
			t.Fatalf("%d open intents after the first", open())
		}
		second, err := w.Begin(w.ctx, r.Code, 0)
		if err != nil {
			t.Fatal(err)
		}
		if first.Act() == second.Act() || first.Key() != second.Key() {
			t.Errorf("acts %s, %s; keys %s, %s", first.Act(), second.Act(), first.Key(), second.Key())
		}
		if _, err := w.Succeed(w.ctx, second, "held", nil, nil); err != nil {
			t.Fatal(err)
		}
		if open() != 0 {
			t.Errorf("%d open intents at the end", open())
		}
		if _, err := w.Begin(w.ctx, r.Code, 0); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a step that is past was begun again: %v", err)
		}
	})
}
