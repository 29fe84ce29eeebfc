package approval_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
)

// fewest tries every way of seating voters and returns how few seats stay empty.
func fewest(seats []access.Role, votes []approval.Vote, used map[string]bool) int {
	if len(seats) == 0 {
		return 0
	}
	best := 1 + fewest(seats[1:], votes, used)
	for _, v := range votes {
		if used[v.Person] {
			continue
		}
		for _, role := range v.Roles {
			if role == seats[0] {
				used[v.Person] = true
				best = min(best, fewest(seats[1:], votes, used))
				used[v.Person] = false
			}
		}
	}
	return best
}

func TestAPersonFillsOneSeatAndAnyWayIsEnough(t *testing.T) {
	roles := []access.Role{access.IncidentCommander, access.BusinessOwner, access.SecurityOfficer}
	enough := 0
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 7))
		var p catalog.Policy
		for range 1 + r.IntN(4) {
			p.Needs = append(p.Needs, catalog.Need{Way: string(rune('a' + r.IntN(2))), Role: roles[r.IntN(3)], Persons: 1 + r.IntN(2)})
		}
		var votes []approval.Vote
		for i := range r.IntN(6) {
			v := approval.Vote{Person: fmt.Sprintf("person-%d", i-r.IntN(2))} // some vote twice
			for _, role := range roles {
				if r.IntN(2) == 0 {
					v.Roles = append(v.Roles, role)
				}
			}
			votes = append(votes, v)
		}
		counted := onePerson(votes)
		want := -1
		for _, way := range p.Ways() {
			var seats []access.Role
			for _, n := range way {
				for range n.Persons {
					seats = append(seats, n.Role)
				}
			}
			if n := fewest(seats, counted, map[string]bool{}); want < 0 || n < want {
				want = n
			}
		}
		if got := len(approval.Missing(p, votes)); got != want {
			t.Fatalf("seed %d: %d are missing, not %d\n%+v\n%+v", seed, got, want, p.Needs, votes)
		}
		if approval.Enough(p, votes) {
			enough++
		}
	}
	if enough == 0 || enough == 1000 {
		t.Fatalf("%d of 1000 are enough: nothing was tried", enough)
	}
}

// onePerson leaves the first vote of each person.
func onePerson(votes []approval.Vote) []approval.Vote {
	seen := map[string]bool{}
	var first []approval.Vote
	for _, v := range votes {
		if !seen[v.Person] {
			seen[v.Person] = true
			first = append(first, v)
		}
	}
	return first
}

func TestAPolicyThatAsksNobodyIsNeverEnough(t *testing.T) {
	if approval.Enough(catalog.Policy{}, []approval.Vote{{Person: "a", Roles: access.People()}}) {
		t.Error("a policy without needs is met")
	}
}

// TestEveryWayThatWantsAsFewPeopleIsNamed: whoever looks for somebody to wake is not told of one role where another would do.
func TestEveryWayThatWantsAsFewPeopleIsNamed(t *testing.T) {
	t.Parallel()
	officer, commander, owner := access.SecurityOfficer, access.IncidentCommander, access.BusinessOwner
	policy := catalog.Policy{Name: "Q", Needs: []catalog.Need{
		{Way: "a", Persons: 1, Role: officer}, {Way: "b", Persons: 1, Role: commander}, {Way: "c", Persons: 2, Role: owner}, {Way: "d", Persons: 1, Role: officer},
	}}
	wants := approval.Ballot{Rules: approval.Rules{{Policy: policy}}}.Missing()
	if len(wants) != 1 || !slices.Equal(wants[0].Roles, []access.Role{officer}) || len(wants[0].Or) != 1 || !slices.Equal(wants[0].Or[0], []access.Role{commander}) {
		t.Errorf("wanted is %+v", wants)
	}
}
