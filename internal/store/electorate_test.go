package store_test

import (
	"slices"
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

func TestARequestThatNobodyCouldApproveIsRefusedWhenItIsFiled(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines := w.known(t, "ines", "incident-commanders")
		refused := func(name, rule string) {
			t.Helper()
			_, err := w.FileRequest(w.ctx, ines, w.wish(t))
			f := fault.As(err)
			switch {
			case rule == "" && err != nil:
				t.Errorf("%s: %v", name, err)
			case rule != "" && (f == nil || f.Rule != rule || f.Who == ""):
				t.Errorf("%s: %v", name, err)
			}
		}
		w.give(t, moves(catalog.Need{Role: access.Administrator, Persons: 1}), catalog.Assignment{
			Slug: "administrators", Name: "Administrators", Role: access.Administrator, Person: "ines@example.com",
		})
		refused("the only one who could is who asks", store.RuleSomebodyCan)
		w.give(t, catalog.Assignment{Slug: "ada", Name: "Ada", Role: access.Administrator, Person: "ada@example.com", Sites: []string{"leeds"}})
		refused("the other's role holds at one of the sites", store.RuleSomebodyCan)
		w.give(t, catalog.Assignment{Slug: "ada", Name: "Ada", Role: access.Administrator, Person: "ada@example.com"})
		refused("the other has not signed in yet", "")
	})
}

func TestEverybodyWhoCouldVoteIsListedOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		w.give(t, catalog.Assignment{Slug: "rosa", Name: "Rosa", Role: access.BusinessOwner, Person: "Rosa@example.com"})
		ines, bea := w.known(t, "ines", "incident-commanders"), w.known(t, "bea", "business-owners")
		w.known(t, "nina")
		r := w.file(t, ines)
		b, err := w.Ballot(w.ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		everybody, err := w.Electorate(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, v := range b.Able(everybody) {
			seen[v.Name]++
			if len(v.By) == 0 {
				t.Errorf("nothing says why %s may vote", v.Name)
			}
		}
		if seen[bea.Name] != 1 || seen["rosa@example.com"] != 1 || seen["ines"] != 0 || seen["nina"] != 0 || seen["anybody else in the group business-owners"] != 1 {
			t.Errorf("listed are %v", seen)
		}
		w.known(t, "rosa")
		if everybody, err = w.Electorate(w.ctx); err != nil {
			t.Fatal(err)
		}
		seen = map[string]int{}
		for _, v := range b.Able(everybody) {
			seen[v.Name]++
		}
		if seen["rosa"] != 1 || seen["rosa@example.com"] != 0 {
			t.Errorf("once she has signed in, listed are %v", seen)
		}
	})
}

// TestWhoCanDecideIsNeverAnsweredFromBeforeAChange: people are kept in memory only as long as nothing changes.
func TestWhoCanDecideIsNeverAnsweredFromBeforeAChange(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		owns := func() bool {
			everybody, err := w.Electorate(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(everybody, func(p access.Principal) bool { return p.Name == "bea" && p.Has(access.BusinessOwner) })
		}
		for _, in := range []bool{true, false, true, false} {
			if in {
				w.known(t, "bea", "business-owners")
			} else {
				w.known(t, "bea")
			}
			for range 2 {
				if owns() != in {
					t.Fatalf("bea owns: %v, not %v", !in, in)
				}
			}
		}
	})
}
