package store_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// guarded is a store with one system on which access is given, and who may ask, decide, revoke and review.
type guarded struct {
	world
	rosa, ines, carl, sven access.Principal
	incident               string
}

func eachGuarded(t *testing.T, test func(t *testing.T, w guarded)) {
	eachDatabase(t, func(t *testing.T, w world) {
		records := []any{
			catalog.System{Slug: "db", Name: "Reports", Connector: "postgres-role", Params: json.RawMessage(`{"connection":"env:DB"}`), Services: []string{"checkout"}, Roles: []catalog.TargetRole{{Role: "reader", Does: "read"}}},
			catalog.Eligibility{
				Slug: "db", Name: "Reports in an incident", System: "db", Roles: []string{"reader"}, For: []access.Role{access.Responder, access.IncidentCommander}, Longest: catalog.Duration(time.Hour),
				ActivateWithin: catalog.Duration(30 * time.Minute), ReviewWithin: catalog.Duration(time.Hour), Reviewers: []access.Role{access.SecurityOfficer, access.IncidentCommander}, Bypass: true,
			},
			catalog.Assignment{Slug: "responders", Name: "Responders", Role: access.Responder, Group: "responders"},
			catalog.Assignment{Slug: "security", Name: "Security", Role: access.SecurityOfficer, Group: "security-officers"},
		}
		for _, p := range catalog.ShippedPolicies() {
			if p.Action == catalog.ActBreakGlass {
				records = append(records, p)
			}
		}
		w.give(t, records...)
		g := guarded{
			world: w, rosa: w.known(t, "rosa", "responders"), ines: w.known(t, "ines", "incident-commanders"), carl: w.known(t, "carl", "incident-commanders"), sven: w.known(t, "sven", "security-officers"),
		}
		in, err := w.OpenIncident(w.ctx, g.ines, store.Incident{ID: store.NewID(), Title: "Reports", Cause: failover.CauseUnknown, Services: []string{"checkout"}, ImpactAt: w.Now()})
		if err != nil {
			t.Fatal(err)
		}
		g.incident = in.Code
		test(t, g)
	})
}

func (w guarded) wish() store.AccessFile {
	return store.AccessFile{ID: store.NewID(), Eligibility: "db", Role: "reader", Length: catalog.Duration(15 * time.Minute), Incident: w.incident, Reason: "The reports lie"}
}

func (w guarded) asks(t *testing.T, by access.Principal) breakglass.Request {
	t.Helper()
	r, err := w.FileAccess(w.ctx, by, w.wish())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w guarded) votes(t *testing.T, r breakglass.Request, by access.Principal, shorter time.Duration) error {
	t.Helper()
	by.SignedInAt = w.Now()
	out, err := w.DecideAccess(w.ctx, store.AccessVote{Vote: store.Vote{ID: store.NewID(), Code: r.Code, By: by, Verdict: approval.Approve, Digest: r.Digest}, Shorter: catalog.Duration(shorter)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Err()
}

func (w guarded) does(t *testing.T, code string, by access.Principal, verb store.AccessVerb, note string) error {
	t.Helper()
	by.SignedInAt = w.Now()
	c := store.AccessCommand{ID: store.NewID(), Code: code, By: by, Verb: verb, Note: note, InOrder: true}
	if verb == store.ReviewAccess {
		seen, err := w.access(t, code).Grant.Seen()
		w.must(t, err)
		c.Seen = seen
	}
	out, err := w.CommandAccess(w.ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	return out.Err()
}

func (w guarded) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// settles brings a system to what somebody is to have, as a connector that always can.
func (w guarded) settles(t *testing.T, by access.Principal) {
	t.Helper()
	account := func(catalog.System, breakglass.Holder) (string, error) { return "kh_" + by.Name, nil }
	a, err := w.BeginSettle(w.ctx, "db", by.ID, account)
	for err == nil && !a.Nothing {
		if a, err = w.Settled(w.ctx, a, "done", nil); err == nil && !a.Nothing {
			a, err = w.BeginSettle(w.ctx, "db", by.ID, account)
		}
	}
	w.must(t, err)
}

// given is access that was asked for, approved, begun and given.
func (w guarded) given(t *testing.T) string {
	t.Helper()
	r := w.asks(t, w.rosa)
	w.must(t, w.votes(t, r, w.ines, 0))
	w.must(t, w.does(t, r.Code, w.rosa, store.BeginAccess, ""))
	w.settles(t, w.rosa)
	return r.Code
}

func (w guarded) access(t *testing.T, code string) breakglass.Request {
	t.Helper()
	r, err := w.Access(w.ctx, code)
	w.must(t, err)
	return r
}

func refusesBy(t *testing.T, err error, rule string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Rule != rule {
		t.Errorf("refused by %v rather than %s", err, rule)
	}
}

func TestNobodyApprovesTheirOwnAccessNorDoesWhoeverStandsInForThem(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		r := w.asks(t, w.ines) // a commander, who could approve another's
		refusesBy(t, w.votes(t, r, w.ines, 0), approval.RuleTwoPeople)
		twin := w.known(t, "second account", "incident-commanders")
		if w.ines.Mail == "" || w.carl.Mail == "" {
			t.Fatal("they have no addresses")
		}
		w.give(t, catalog.Deputy{Slug: "d", Name: "D", For: w.ines.Mail, Person: w.carl.Mail, From: "2026-01-01", Until: "2026-12-31"})
		refusesBy(t, w.votes(t, r, w.carl, 0), approval.RuleDeputy)
		w.must(t, w.votes(t, r, twin, 0))
	})
}

func TestTheClockStartsWhenAccessIsGivenAndAnApproverMayShortenIt(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		r := w.asks(t, w.rosa)
		w.must(t, w.votes(t, r, w.ines, 10*time.Minute))
		w.clock.add(20 * time.Minute)
		w.must(t, w.does(t, r.Code, w.rosa, store.BeginAccess, ""))
		w.clock.add(3 * time.Minute) // the system takes its time
		w.settles(t, w.rosa)
		g := w.access(t, r.Code).Grant
		if g.Given == nil || g.Given.Add(10*time.Minute).Sub(g.Until).Abs() > time.Second {
			t.Errorf("given at %v, it lasts until %s", g.Given, g.Until)
		}
	})
}

func TestApprovedAccessThatNobodyBeginsLapses(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		r := w.asks(t, w.rosa)
		w.must(t, w.votes(t, r, w.ines, 0))
		w.clock.add(31 * time.Minute)
		refusesBy(t, w.does(t, r.Code, w.rosa, store.BeginAccess, ""), breakglass.RuleLapsed)
		w.must(t, w.SweepAccess(w.ctx))
		if open, err := w.OpenAccess(w.ctx); err != nil || len(open) > 0 {
			t.Errorf("it still is open: %v %v", open, err)
		}
	})
}

func TestAnUnreviewedUseBlocksTheNextByTheSamePersonAndOnTheSameSystem(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		code := w.given(t)
		w.must(t, w.does(t, code, w.rosa, store.ReturnAccess, ""))
		w.settles(t, w.rosa)
		for _, by := range []access.Principal{w.rosa, w.ines} {
			_, err := w.FileAccess(w.ctx, by, w.wish())
			refusesBy(t, err, breakglass.RuleUnreviewed)
		}
		refusesBy(t, w.does(t, code, w.rosa, store.ReviewAccess, "All is well"), breakglass.RuleReviewer)
		w.must(t, w.does(t, code, w.rosa, store.StateAccess, "Read the sums"))
		w.must(t, w.does(t, code, w.sven, store.ReviewAccess, "The log says the same"))
		w.asks(t, w.rosa)
	})
}

func TestOnePersonHasAccessUnderOneAccountAtATime(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		id, err := w.SignIn(w.ctx, store.Identity{
			Issuer: "i", Subject: "rosa-2", Name: "Rosa", Email: "Rosa@example.com", Verified: true, Groups: []string{"responders"}, SignedInAt: w.Now(),
		})
		w.must(t, err)
		twin, _, err := w.Principal(w.ctx, id)
		w.must(t, err)
		approved := w.asks(t, twin)
		w.must(t, w.votes(t, approved, w.ines, 0))
		code := w.given(t)
		_, err = w.FileAccess(w.ctx, twin, w.wish())
		refusesBy(t, err, breakglass.RuleOneAccount)
		refusesBy(t, w.does(t, approved.Code, twin, store.BeginAccess, ""), breakglass.RuleOneAccount)
		w.clock.add(16 * time.Minute) // it has ended, and is not seen to be gone
		refusesBy(t, w.does(t, approved.Code, twin, store.BeginAccess, ""), breakglass.RuleOneAccount)
		w.settles(t, w.rosa)
		if g := w.access(t, code).Grant; g.Confirmed == nil {
			t.Fatal("it is not gone")
		}
		w.must(t, w.does(t, code, w.sven, store.ReviewAccess, "All is well"))
		w.must(t, w.does(t, approved.Code, twin, store.BeginAccess, ""))
	})
}

func TestAnEmergencyNamesForEverWhoWasNotAsked(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		wish := w.wish()
		wish.Bypass = true
		r, err := w.FileAccess(w.ctx, w.rosa, wish)
		w.must(t, err)
		again, err := w.FileAccess(w.ctx, w.rosa, wish) // pressed twice
		if err != nil || again.Code != r.Code {
			t.Errorf("a second press filed %s beside %s: %v", again.Code, r.Code, err)
		}
		r = w.access(t, r.Code)
		if r.Grant == nil || !r.Terms.Bypass || len(r.Skipped) != 3 {
			t.Errorf("%+v", r)
		}
	})
}

func TestAClockThatIsSetBackLengthensNothing(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		w.given(t)
		w.clock.add(16 * time.Minute)
		if err := w.ChooseChannels(w.ctx, w.rosa, nil); err != nil { // whatever is kept, keeps the time
			t.Fatal(err)
		}
		w.clock.add(-time.Hour)
		if has, err := w.Holds(w.ctx, w.rosa.ID, "db"); err != nil || len(has) > 0 {
			t.Errorf("an hour before, they have %v again: %v", has, err)
		}
		w.settles(t, w.rosa)
		if account, err := w.AccountOf(w.ctx, "db", w.rosa.ID); err != nil || len(account.Has) > 0 {
			t.Errorf("the system gives %v: %v", account.Has, err)
		}
	})
}

func TestTheDatabaseEndsAccessByItself(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		w.given(t)
		w.clock.add(15*time.Minute - time.Second)
		if has, err := w.Holds(w.ctx, w.rosa.ID, "db"); err != nil || len(has) != 1 {
			t.Errorf("a second before its end there is %v: %v", has, err)
		}
		w.clock.add(time.Second)
		if has, err := w.Holds(w.ctx, w.rosa.ID, "db"); err != nil || len(has) > 0 {
			t.Errorf("at its end there is %v: %v", has, err)
		}
	})
}

func TestOfActsAtTheSameMomentOneDecides(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		r := w.asks(t, w.rosa)
		w.must(t, w.votes(t, r, w.ines, 0))
		var begun, refused int
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				out, err := w.CommandAccess(w.ctx, store.AccessCommand{ID: store.NewID(), Code: r.Code, By: w.rosa, Verb: store.BeginAccess})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					t.Error(err)
				case out.Refusal == nil:
					begun++
				case out.Refusal.Kind == fault.Conflict:
					refused++
				}
			})
		}
		all.Wait()
		if begun != 1 || refused != 9 {
			t.Errorf("it began %d times, and %d were told that it had", begun, refused)
		}
		w.settles(t, w.rosa)
		ends := make(chan error, 2)
		for _, by := range []struct {
			who  access.Principal
			verb store.AccessVerb
		}{{w.rosa, store.ReturnAccess}, {w.sven, store.RevokeAccess}} {
			go func() {
				out, err := w.CommandAccess(w.ctx, store.AccessCommand{ID: store.NewID(), Code: r.Code, By: by.who, Verb: by.verb, Note: "now"})
				if err == nil {
					err = out.Err()
				}
				ends <- err
			}()
		}
		one, two := <-ends, <-ends
		if (one == nil) == (two == nil) {
			t.Errorf("it ended by both, or by neither: %v, %v", one, two)
		}
	})
}

func TestWhatIsFrozenIsNotAskedForNorBegunNorSignedInTo(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		waiting := w.asks(t, w.rosa)
		w.must(t, w.votes(t, waiting, w.ines, 0))
		lock, err := w.Freeze(w.ctx, w.sven, store.LockFile{ID: store.NewID(), Kind: breakglass.LockSystem, Subject: "db", Why: "Strange queries"})
		w.must(t, err)
		_, err = w.FileAccess(w.ctx, w.rosa, w.wish())
		refusesBy(t, err, breakglass.RuleLocked)
		refusesBy(t, w.does(t, waiting.Code, w.rosa, store.BeginAccess, ""), breakglass.RuleLocked)
		if err := w.Release(w.ctx, w.rosa, lock.ID, "please"); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a responder released it: %v", err)
		}
		w.must(t, w.Release(w.ctx, w.sven, lock.ID, "A report of ours"))
		w.must(t, w.does(t, waiting.Code, w.rosa, store.BeginAccess, ""))
		w.settles(t, w.rosa)
		if err := w.SetPassword(w.ctx, w.ines, waiting.Code, "SCRAM-SHA-256$x"); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("somebody else was shown how to sign in: %v", err)
		}
		w.must(t, w.SetPassword(w.ctx, w.rosa, waiting.Code, "SCRAM-SHA-256$x"))
	})
}

func TestBadWishesAreRefusedAtTheirPlace(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		for field, change := range map[string]func(*store.AccessFile){
			"role":     func(f *store.AccessFile) { f.Role = `reader"; DROP ROLE reader; --` },
			"length":   func(f *store.AccessFile) { f.Length = catalog.Duration(7 * time.Minute) },
			"reason":   func(f *store.AccessFile) { f.Reason = " " },
			"incident": func(f *store.AccessFile) { f.Incident = "" },
			"run":      func(f *store.AccessFile) { f.Run = "FO-NONE" },
			"starts":   func(f *store.AccessFile) { at := w.Now().Add(time.Hour); f.Starts = &at },
		} {
			f := w.wish()
			change(&f)
			_, err := w.FileAccess(w.ctx, w.rosa, f)
			if refusal := fault.As(err); refusal == nil || refusal.Fields[field] == "" {
				t.Errorf("%s: %v", field, err)
			}
		}
		f := w.wish()
		f.Reason = strings.Repeat("'; DROP TABLE access_grants; -- ", 20)
		r, err := w.FileAccess(w.ctx, w.rosa, f)
		if err != nil || w.access(t, r.Code).Reason != f.Reason {
			t.Errorf("a reason was not kept as it was typed: %v", err)
		}
		_, err = w.FileAccess(w.ctx, w.sven, w.wish())
		refusesBy(t, err, breakglass.RuleEligible)
	})
}

func TestHowASystemIsReachedDoesNotChangeWhileSomebodyHasAccessToIt(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		code := w.given(t)
		moved := w.access(t, code).Terms.System
		moved.Params = json.RawMessage(`{"connection":"env:ANOTHER"}`)
		apply := func(s catalog.System) error {
			_, err := w.Apply(w.ctx, access.Person{ID: "cli"}, store.Bundle{Records: []catalog.Entry{entry(s)}}, store.Manner{})
			return err
		}
		refusesBy(t, apply(moved), breakglass.RuleEnded)
		described := w.access(t, code).Terms.System
		described.About, described.Params = "Where the sums are", json.RawMessage(`{ "connection": "env:DB" }`)
		w.must(t, apply(described))
		w.must(t, w.does(t, code, w.rosa, store.ReturnAccess, ""))
		w.settles(t, w.rosa)
		w.must(t, apply(moved))
	})
}

func TestAnAccountStaysWhateverItsHolderIsCalledByThen(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		code := w.given(t)
		before, err := w.AccountOf(w.ctx, "db", w.rosa.ID)
		w.must(t, err)
		w.must(t, w.does(t, code, w.rosa, store.ReturnAccess, ""))
		renamed := w.rosa
		renamed.Name = "Rosa Smith"
		w.settles(t, renamed)
		if after, err := w.AccountOf(w.ctx, "db", w.rosa.ID); err != nil || after.Name != before.Name || len(after.Has) > 0 {
			t.Errorf("%s became %s: %v", before.Name, after.Name, err)
		}
	})
}

func TestUninterruptedAccessIsNeverLongerThanAgreed(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		first := w.given(t)
		begun := w.access(t, first).Grant.From
		for range 5 { // asked for again each time before it ends
			w.clock.add(12 * time.Minute)
			r, err := w.FileAccess(w.ctx, w.rosa, w.wish())
			if err != nil { // all of it has ended by then
				refusesBy(t, err, breakglass.RuleUnreviewed)
				break
			}
			w.must(t, w.votes(t, r, w.ines, 0))
			w.must(t, w.does(t, r.Code, w.rosa, store.BeginAccess, ""))
			w.settles(t, w.rosa)
			if until := w.access(t, r.Code).Grant.Until; until.Sub(begun) > time.Hour {
				t.Errorf("it lasts until %s after it began", until.Sub(begun))
			}
		}
		if last := w.Now().Sub(begun); last < time.Hour-time.Second {
			t.Errorf("it was refused after %s", last)
		}
	})
}

func TestNobodyReleasesWhatFreezesThem(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		lock, err := w.Freeze(w.ctx, w.sven, store.LockFile{ID: store.NewID(), Kind: breakglass.LockPerson, Subject: w.ines.ID, Why: "Is it she?"})
		w.must(t, err)
		refusesBy(t, w.Release(w.ctx, w.ines, lock.ID, "It was I"), breakglass.RuleLocked)
		w.must(t, w.Release(w.ctx, w.carl, lock.ID, "It was she"))
	})
}

// TestAnAttemptThatComesLateIsNotBelieved: its worker was taken for dead, the access was revoked and taken by the next, and then the first
// gives it after all.
func TestAnAttemptThatComesLateIsNotBelieved(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		r := w.asks(t, w.rosa)
		w.must(t, w.votes(t, r, w.ines, 0))
		w.must(t, w.does(t, r.Code, w.rosa, store.BeginAccess, ""))
		account := func(catalog.System, breakglass.Holder) (string, error) { return "kh_rosa", nil }
		late, err := w.BeginSettle(w.ctx, "db", w.rosa.ID, account)
		w.must(t, err)
		w.must(t, w.does(t, r.Code, w.sven, store.RevokeAccess, "It is not she"))
		w.settles(t, w.rosa)
		_, err = w.Settled(w.ctx, late, "given", nil)
		w.must(t, err)
		next, err := w.BeginSettle(w.ctx, "db", w.rosa.ID, account)
		if err != nil || next.Nothing || len(next.Has) > 0 {
			t.Errorf("what was given late is not taken: %+v, %v", next, err)
		}
	})
}

func TestWhatMayHaveBeenGivenIsNotProlongedAndIsReviewed(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		r := w.asks(t, w.rosa)
		w.must(t, w.votes(t, r, w.ines, 0))
		w.must(t, w.does(t, r.Code, w.rosa, store.BeginAccess, ""))
		account := func(catalog.System, breakglass.Holder) (string, error) { return "kh_rosa", nil }
		first, err := w.BeginSettle(w.ctx, "db", w.rosa.ID, account)
		w.must(t, err)
		w.clock.add(10 * time.Minute) // the worker died in between, and nobody knows how far it came
		second, err := w.BeginSettle(w.ctx, "db", w.rosa.ID, account)
		if err != nil || !second.Until().Equal(first.Until()) {
			t.Errorf("it lasts until %s rather than %s: %v", second.Until(), first.Until(), err)
		}
		w.clock.add(6 * time.Minute)
		w.settles(t, w.rosa)
		if g := w.access(t, r.Code).Grant; g.Confirmed == nil || !g.Unreviewed(w.Now()) {
			t.Errorf("nobody looks at it: %+v", g)
		}
	})
}
