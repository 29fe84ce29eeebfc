package watch

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
)

func TestTheRequesterIsToldAtEachChangeOfState(t *testing.T) {
	began := time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return began.Add(time.Duration(minutes) * time.Minute) }
	ptr := func(at time.Time) *time.Time { return &at }
	rosa, sven := access.Principal{ID: "rosa"}, access.Principal{ID: "sven", Roles: []access.Role{access.SecurityOfficer}}
	lock := breakglass.Lock{Kind: breakglass.LockRole, Subject: "db/reader", By: access.Person{Name: "Sven"}, Why: "Is it she?", At: at(10), Lifted: &breakglass.Ending{By: access.Person{Name: "Ines"}, Why: "It is", At: at(12)}}
	r := breakglass.Request{
		Question: approval.Question{Requester: access.Person{ID: "rosa", Name: "Rosa"}, State: approval.Approved, FiledAt: at(-10), DecidedAt: ptr(at(-5))},
		Terms:    breakglass.Terms{Eligibility: catalog.Eligibility{ActivateWithin: catalog.Duration(30 * time.Minute)}},
		Grant: &breakglass.Grant{
			System: "db", Role: "reader", Holder: breakglass.Holder{ID: "rosa", Name: "Rosa"}, Began: began, From: began, Until: at(30), Given: ptr(began), Length: catalog.Duration(30 * time.Minute),
		},
	}
	told := func(r breakglass.Request, now time.Time, to access.Principal) []approval.Occasion {
		n := &accessNews{Request: r, now: now}
		var on []approval.Occasion
		for _, word := range n.gather([]breakglass.Lock{lock}, time.Time{}, nil) {
			if word.to(to) {
				on = append(on, word.on)
			}
			if strings.Contains(word.text, "%!") {
				t.Errorf("it says %q", word.text)
			}
		}
		return on
	}
	want := func(r breakglass.Request, now time.Time, to access.Principal, want ...approval.Occasion) {
		t.Helper()
		if got := told(r, now, to); !slices.Equal(got, want) {
			t.Errorf("at %s, %s is told %v rather than %v", now.Format("15:04"), to.ID, got, want)
		}
	}
	want(r, at(15), rosa, approval.Started, approval.Frozen, approval.Released)
	want(r, at(21), rosa, approval.Started, approval.Nearing, approval.Frozen, approval.Released)
	r.Grant.Confirmed = ptr(at(30))
	want(r, at(31), rosa, approval.Started, approval.Ended, approval.Frozen, approval.Released)
	r.Grant.Review = &breakglass.Review{By: access.Person{Name: "Sven"}, At: at(40), Note: "All is well"}
	want(r, at(41), rosa, approval.Started, approval.Ended, approval.Frozen, approval.Released, approval.Reviewed)
	want(r, at(41), sven)
	r.Grant = nil
	want(r, at(20), rosa)
	want(r, at(26), rosa, approval.Lapsed)
}
