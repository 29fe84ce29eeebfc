package testkit

import (
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// Administrators are two people who may approve a change of the catalogue, where the group "administrators" administers it.
func Administrators(t testing.TB, s *store.Store) []access.Principal {
	t.Helper()
	all := make([]access.Principal, 0, 2)
	for _, name := range []string{"first-administrator", "second-administrator"} {
		id, err := s.Recognise(t.Context(), store.Identity{
			Issuer: "https://issuer.example.com", Subject: name, Name: name, Email: name + "@example.com", Verified: true, Groups: []string{"administrators"},
		})
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := s.Principal(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		p.SignedInAt = s.Now()
		all = append(all, p)
	}
	return all
}

// Change puts a bundle in force: alone where that is allowed, and as two administrators where it is not.
func Change(t testing.TB, s *store.Store, b store.Bundle, m store.Manner) {
	t.Helper()
	cli := access.Person{ID: store.CommandLine + "test", Name: "catalog apply"}
	_, err := s.Apply(t.Context(), cli, b, m)
	if f := fault.As(err); f == nil || f.Rule != store.RuleFourEyes {
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	asked, err := s.ProposeBundle(t.Context(), cli, store.NewID(), b, m)
	if err != nil {
		t.Fatal(err)
	}
	Approve(t, s, asked)
}

// Approve has administrators approve a change request until it is in force.
func Approve(t testing.TB, s *store.Store, asked change.Request) {
	t.Helper()
	for _, p := range Administrators(t, s) {
		out, err := s.DecideChange(t.Context(), store.Vote{ID: store.NewID(), Code: asked.Code, By: p, Verdict: approval.Approve, Digest: asked.Digest})
		if err == nil {
			err = out.Err()
		}
		if err != nil {
			t.Fatal(err)
		}
		if out.State == failover.Approved {
			return
		}
	}
	t.Fatalf("%s is not approved", asked.Code)
}
