package store_test

import (
	"testing"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// written has the system of a guarded store write down what is done on it.
func (w guarded) written(t *testing.T) {
	t.Helper()
	version, err := w.Catalog(w.ctx)
	w.must(t, err)
	system, _ := version.System("db")
	system.Log, system.LogParams = "postgres-log", []byte(`{"connection":"env:DB"}`)
	w.give(t, system)
}

// used is access that was given, used and given back.
func (w guarded) used(t *testing.T) string {
	t.Helper()
	code := w.given(t)
	w.must(t, w.does(t, code, w.rosa, store.ReturnAccess, ""))
	w.settles(t, w.rosa)
	return code
}

func (w guarded) due(t *testing.T) []store.DueActivity {
	t.Helper()
	due, err := w.ActivitiesDue(w.ctx)
	w.must(t, err)
	return due
}

func TestAReviewIsOfWhatWasSeenAndOfNothingThatCameAfter(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		w.written(t)
		code := w.used(t)
		seen, err := w.access(t, code).Grant.Seen()
		w.must(t, err)
		entries := []breakglass.Entry{{At: w.Now().UTC(), Text: "DROP TABLE orders -- \u202e"}}
		w.must(t, w.AttachActivity(w.ctx, code, breakglass.Activity{Source: "The log"}, entries))
		review := store.AccessCommand{ID: store.NewID(), Code: code, By: w.sven, Verb: store.ReviewAccess, Note: "All is well", InOrder: true, Seen: seen}
		out, err := w.CommandAccess(w.ctx, review)
		w.must(t, err)
		refusesBy(t, out.Err(), approval.RuleBound)
		w.must(t, w.does(t, code, w.sven, store.ReviewAccess, "It dropped the orders"))
		g := w.access(t, code).Grant
		now, err := g.Seen()
		if w.must(t, err); g.Review == nil || g.Review.Of != now || now == seen {
			t.Errorf("reviewed as %+v of %s", g.Review, now)
		}
		read, err := w.ActivityOf(w.ctx, *g)
		if err != nil || len(read) != 1 || read[0].Text != entries[0].Text {
			t.Errorf("%+v, %v", read, err)
		}
	})
}

func TestWhatWasDoneIsReadOnceItIsGoneAndUntilItIsRead(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		w.written(t)
		code := w.given(t)
		if due := w.due(t); len(due) > 0 {
			t.Errorf("due while it lasts: %+v", due)
		}
		w.must(t, w.does(t, code, w.rosa, store.ReturnAccess, ""))
		w.settles(t, w.rosa)
		due := w.due(t)
		if len(due) != 1 || due[0].Grant.Account != "kh_rosa" || due[0].System.Log != "postgres-log" {
			t.Fatalf("%+v", due)
		}
		w.must(t, w.ActivityUnread(w.ctx, code, "It is down."))
		if due := w.due(t); len(due) > 0 {
			t.Error("it is tried again at once")
		}
		w.clock.add(5 * time.Second)
		if due := w.due(t); len(due) != 1 || due[0].Grant.Unread == nil || due[0].Grant.Unread.Attempts != 1 {
			t.Errorf("%+v", due)
		}
		w.must(t, w.AttachActivity(w.ctx, code, breakglass.Activity{Source: "The log"}, nil))
		w.must(t, w.AttachActivity(w.ctx, code, breakglass.Activity{Source: "Another worker"}, nil))
		w.clock.add(time.Hour)
		if g := w.access(t, code).Grant; len(w.due(t)) > 0 || g.Unread != nil || g.Activity == nil || g.Activity.Source != "The log" {
			t.Errorf("%+v", g)
		}
	})
}

func TestAReviewWaitsForWhatWasDoneAndNotForEver(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		w.written(t)
		code := w.used(t)
		w.must(t, w.ActivityUnread(w.ctx, code, "It is down."))
		refusesBy(t, w.does(t, code, w.sven, store.ReviewAccess, "All is well"), approval.RuleBound)
		w.clock.add(11 * time.Minute)
		w.must(t, w.does(t, code, w.sven, store.ReviewAccess, "The log is down; nothing seems to be wrong"))
		if due := w.due(t); len(due) > 0 {
			t.Errorf("reviewed, and still due: %+v", due)
		}
	})
}

func TestTheHolderCannotKeepAReviewerFromSigningByWriting(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		code := w.used(t)
		for _, words := range []string{"I read the sums", "I read the sums and changed none"} {
			w.must(t, w.does(t, code, w.rosa, store.StateAccess, words))
		}
		w.clock.add(11 * time.Minute)
		refusesBy(t, w.does(t, code, w.rosa, store.StateAccess, "I read nothing"), breakglass.RuleEnded)
		if said := w.access(t, code).Grant.Statement; said != "I read the sums and changed none" {
			t.Errorf("it says %q", said)
		}
	})
}

func TestWhatIsProlongedIsReadUnderItsAccountToo(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		w.written(t)
		w.given(t)
		again := w.asks(t, w.rosa) // ends with the first, so that nothing is to be changed at the system
		w.must(t, w.votes(t, again, w.ines, 5*time.Minute))
		w.must(t, w.does(t, again.Code, w.rosa, store.BeginAccess, ""))
		w.settles(t, w.rosa)
		if g := w.access(t, again.Code).Grant; g.Given == nil || g.Account != "kh_rosa" {
			t.Errorf("given at %v under %q", g.Given, g.Account)
		}
	})
}

func TestWhatWasDoneAndSomebodyChangedInTheDatabaseIsNotShown(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		w.written(t)
		code := w.used(t)
		w.must(t, w.AttachActivity(w.ctx, code, breakglass.Activity{Source: "The log"}, []breakglass.Entry{{Text: "DROP TABLE orders"}}))
		w.must(t, w.SpoilActivity(w.ctx))
		if _, err := w.ActivityOf(w.ctx, *w.access(t, code).Grant); fault.As(err) == nil || fault.As(err).Rule != "activity-unchanged" {
			t.Errorf("it is shown: %v", err)
		}
	})
}

func TestWhereNothingIsWrittenDownNothingIsWaitedFor(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		w.used(t)
		if due := w.due(t); len(due) > 0 {
			t.Errorf("%+v", due)
		}
		wrong := catalog.System{Slug: "x", Name: "X", Connector: "http", Params: []byte(`{}`), LogParams: []byte(`{}`), Roles: []catalog.TargetRole{{Role: "r", Does: "d"}}}
		e, err := catalog.EntryOf(wrong)
		w.must(t, err)
		found := false
		for p := range (catalog.Catalog{}).ProblemsOf(e) {
			found = found || p.Path == "log_params"
		}
		if !found {
			t.Error("parameters without a kind of log are taken")
		}
	})
}
