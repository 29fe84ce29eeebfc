package approval

import (
	"slices"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
)

// Vote is one person's approval, with the roles in which it counts.
type Vote struct {
	Person string
	Roles  []access.Role
}

// Missing is what the way of approving still wants that wants the fewest people: nothing, once it is enough.
func Missing(p catalog.Policy, votes []Vote) []access.Role {
	if all := ways(p, votes); len(all) > 0 {
		return all[0]
	}
	return nil
}

// ways are what each of the ways still wants that want the fewest people, no two the same.
func ways(p catalog.Policy, votes []Vote) (least [][]access.Role) {
	for _, way := range p.Ways() {
		wanted := unfilled(way, votes)
		if len(least) > 0 && len(wanted) < len(least[0]) {
			least = nil
		}
		same := func(other []access.Role) bool { return slices.Equal(other, wanted) }
		if len(least) == 0 || len(wanted) == len(least[0]) && !slices.ContainsFunc(least, same) {
			least = append(least, wanted)
		}
	}
	return least
}

// Enough says whether some way of approving has all its people.
func Enough(p catalog.Policy, votes []Vote) bool {
	return len(p.Needs) > 0 && len(Missing(p, votes)) == 0
}

// unfilled seats voters, one person on one seat, as many as can sit, and returns the seats that stay empty.
func unfilled(way []catalog.Need, votes []Vote) []access.Role {
	var seats []access.Role
	for _, n := range way {
		for range n.Persons {
			seats = append(seats, n.Role)
		}
	}
	on := make([]int, len(seats)) // the voter on each seat, from 1 on; 0 is empty
	for voter := range votes {
		if slices.ContainsFunc(votes[:voter], func(v Vote) bool { return v.Person == votes[voter].Person }) {
			continue // one person, one vote
		}
		seat(seats, votes, on, voter, make([]bool, len(seats)))
	}
	var empty []access.Role
	for i, role := range seats {
		if on[i] == 0 {
			empty = append(empty, role)
		}
	}
	return empty
}

// seat finds a voter a seat, asking others to move to another one that suits them.
func seat(seats []access.Role, votes []Vote, on []int, voter int, tried []bool) bool {
	for i, role := range seats {
		if tried[i] || !slices.Contains(votes[voter].Roles, role) {
			continue
		}
		tried[i] = true
		if on[i] == 0 || seat(seats, votes, on, on[i]-1, tried) {
			on[i] = voter + 1
			return true
		}
	}
	return false
}
