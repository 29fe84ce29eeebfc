package store_test

import (
	"slices"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
)

func TestAnOldTokenBringsNoRightBack(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		w.give(t, catalog.Assignment{Slug: "rosa", Name: "Rosa", Role: access.SecurityOfficer, Person: "rosa@example.com"})
		began := w.Now()
		said := func(at time.Duration, groups ...string) store.Identity {
			return store.Identity{
				Issuer: "i", Subject: "rosa", Name: "Rosa", Email: "rosa@example.com", Verified: true, Groups: groups, SignedInAt: began, IssuedAt: began.Add(at),
			}
		}
		holds := func(name string, who store.Identity, sign func(store.Identity) (string, error), want ...access.Role) {
			t.Helper()
			id, err := sign(who)
			if err != nil {
				t.Fatal(err)
			}
			if p, _, err := w.Principal(w.ctx, id); err != nil || !slices.Equal(p.Roles, want) {
				t.Errorf("%s: %v, not %v (%v)", name, p.Roles, want, err)
			}
		}
		signIn := func(who store.Identity) (string, error) { return w.SignIn(w.ctx, who) }
		show := func(who store.Identity) (string, error) { return w.Recognise(w.ctx, who) }
		holds("an owner signs in", said(0, "business-owners"), signIn, access.BusinessOwner, access.SecurityOfficer)
		holds("and anew, an owner no more", said(2*time.Hour), signIn, access.SecurityOfficer)
		holds("a token from before", said(time.Hour, "business-owners"), show, access.SecurityOfficer)
		silent := said(3*time.Hour, "business-owners")
		silent.Email, silent.Verified = "", false
		holds("a newer one that says nothing of the address", silent, show, access.BusinessOwner, access.SecurityOfficer)
		unsaid := said(4 * time.Hour)
		unsaid.Verified, unsaid.Unsaid = false, true
		holds("one that does not say whether it is theirs", unsaid, show, access.SecurityOfficer)
		holds("the same one again", unsaid, show, access.SecurityOfficer)
		holds("one with nothing new", said(6*time.Hour), show, access.SecurityOfficer)
		holds("one from before that", said(5*time.Hour, "business-owners"), show, access.SecurityOfficer)
		taken := said(7 * time.Hour)
		taken.Verified = false
		holds("one that says that it is not", taken, show)
		if lines := w.record(t, store.Filter{Action: "session.token"}); len(lines) != 3 {
			t.Errorf("%d lines on record, not one for each token that changed something", len(lines))
		}
	})
}
