package approval_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
)

func TestWhoeverCanDecideIsAskedRemindedAndOthersToldWhenNobodyDoes(t *testing.T) {
	b := wanting(catalog.Need{Role: access.BusinessOwner, Persons: 1})
	p := &b.Rules[0].Policy
	p.RemindEvery, p.EscalateAfter, p.EscalateTo = catalog.Duration(5*time.Minute), catalog.Duration(10*time.Minute), []access.Role{access.IncidentCommander, access.Administrator}
	filed := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	q := approval.Question{Round: 1, FiledAt: filed}
	unreachable := person("olga", grant(access.BusinessOwner))
	unreachable.Mail = ""
	everybody := []access.Principal{
		b.Requester, person("bea", grant(access.BusinessOwner)), person("carl", grant(access.IncidentCommander)), person("ada", grant(access.Auditor)), unreachable,
	}
	for minutes, want := range map[int][]string{
		0:  {"asked 0 bea"},
		4:  {"asked 0 bea"},
		5:  {"asked 0 bea", "reminded 1 bea"},
		12: {"asked 0 bea", "escalated 0 carl", "reminded 2 bea"},
	} {
		var got []string
		for _, d := range b.Due(q, everybody, filed.Add(time.Duration(minutes)*time.Minute)) {
			got = append(got, fmt.Sprintf("%s %d %s", d.Occasion, d.Nth, d.To.Name))
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("after %d minutes: %v, not %v", minutes, got, want)
		}
	}
}

func TestWhoCanDecideIsAskedAnewInEachRound(t *testing.T) {
	b := wanting(catalog.Need{Role: access.BusinessOwner, Persons: 1})
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	for round, want := range map[int]int{1: 0, 3: 2} {
		due := b.Due(approval.Question{Round: round, FiledAt: now}, []access.Principal{person("bea", grant(access.BusinessOwner))}, now)
		if len(due) != 1 || due[0].Nth != want {
			t.Errorf("in round %d: %+v", round, due)
		}
	}
}
