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

// asked is what the shop's moves want: one commander and one from security, or two owners.
func asked() approval.Ballot {
	return wanting(
		catalog.Need{Way: "a", Role: access.IncidentCommander, Persons: 1}, catalog.Need{Way: "a", Role: access.SecurityOfficer, Persons: 1},
		catalog.Need{Way: "b", Role: access.BusinessOwner, Persons: 2},
	)
}

func TestWhoHasVotedLendsTheirRoleToNobody(t *testing.T) {
	bea := person("bea", grant(access.BusinessOwner))
	carl := person("carl", grant(access.IncidentCommander), instead(access.BusinessOwner, "bea"))
	for name, votes := range map[string][]access.Principal{"the owner first": {bea, carl}, "the deputy first": {carl, bea}} {
		b := asked()
		for _, p := range votes {
			ruled(t, name, b.MayVote(p), "")
			b.Yes = append(b.Yes, p)
		}
		if len(b.Missing()) == 0 {
			t.Errorf("%s: one owner and their deputy are two owners", name)
		}
	}
	b := asked()
	if b.No = []access.Principal{bea}; b.MayVote(carl) != nil {
		t.Error("a commander may vote in their own right")
	}
	ruled(t, "instead of one who said no", b.MayVote(person("carl", instead(access.BusinessOwner, "bea"))), approval.RuleDeputy)
	b.Yes = []access.Principal{person("hugo", grant(access.BusinessOwner)), carl}
	if len(b.Missing()) == 0 {
		t.Error("the no of an owner counts as their yes, by their deputy")
	}
}

func TestTwoDeputiesOfOnePersonAreOneVote(t *testing.T) {
	b := asked()
	b.Yes = []access.Principal{person("carl", instead(access.BusinessOwner, "bea"))}
	dora := person("dora", instead(access.BusinessOwner, "bea"))
	ruled(t, "the second deputy", b.MayVote(dora), approval.RuleDeputy)
	b.Yes = append(b.Yes, dora) // however it came about
	if missing := b.Missing(); len(missing) != 1 || len(missing[0].Roles) != 1 {
		t.Errorf("missing is %+v, not one more owner", missing)
	}
	b.Yes[1] = person("dora", grant(access.BusinessOwner), instead(access.BusinessOwner, "bea"))
	if missing := b.Missing(); len(missing) != 0 {
		t.Errorf("an owner beside a deputy of another one: %+v", missing)
	}
	if wants := asked().Possible(asked().Able([]access.Principal{b.Yes[0], dora, person("bea", grant(access.BusinessOwner))})); len(wants) == 0 {
		t.Error("one owner with two deputies could approve what takes two")
	}
}

func TestWhoStandsInForTheRequesterDoesNotVoteEvenWhereThoseRolesHaveEnded(t *testing.T) {
	b := wanting(catalog.Need{Role: access.IncidentCommander, Persons: 1})
	b.Requester = person("ines")
	carl := person("carl", grant(access.IncidentCommander))
	carl.Instead = []string{"INES@example.com"}
	ruled(t, "their deputy", b.MayVote(carl), approval.RuleDeputy)
}

// seated counts by trying everything: who sits where, in whose name, nobody and no name twice, and nobody in the name of one who
// has voted.
func seated(seats []access.Role, votes []access.Principal, used map[string]bool) bool {
	if len(seats) == 0 {
		return true
	}
	for _, v := range votes {
		for _, g := range v.Grants {
			name := g.For
			if name == "" {
				name = v.Mail
			}
			voted := g.For != "" && slices.ContainsFunc(votes, func(p access.Principal) bool { return p.Mail == g.For })
			if g.Role != seats[0] || voted || used["person "+v.ID] || used["name "+name] {
				continue
			}
			used["person "+v.ID], used["name "+name] = true, true
			enough := seated(seats[1:], votes, used)
			used["person "+v.ID], used["name "+name] = false, false
			if enough {
				return true
			}
		}
	}
	return false
}

// deputised are some people with some roles, of whom some stand in for others.
func deputised(r *rand.Rand) []access.Principal {
	roles := []access.Role{access.IncidentCommander, access.BusinessOwner, access.SecurityOfficer, access.Auditor}
	people := make([]access.Principal, 3+r.IntN(4))
	for i := range people {
		var own []access.Grant
		for _, role := range roles {
			if r.IntN(4) == 0 {
				own = append(own, grant(role))
			}
		}
		people[i] = person(fmt.Sprintf("p%d", i), own...)
	}
	own := slices.Clone(people)
	for i := range people {
		for j, absent := range own {
			if i == j || r.IntN(4) != 0 {
				continue
			}
			lent := slices.Clone(people[i].Grants)
			for _, g := range absent.Grants {
				lent = append(lent, instead(g.Role, absent.ID))
			}
			people[i] = people[i].With(lent)
			people[i].Instead = append(people[i].Instead, absent.Mail)
		}
	}
	return people
}

func randomNeeds(r *rand.Rand) []catalog.Need {
	roles := []access.Role{access.IncidentCommander, access.BusinessOwner, access.SecurityOfficer}
	needs := make([]catalog.Need, 1+r.IntN(3))
	for i := range needs {
		needs[i] = catalog.Need{Way: string(rune('a' + r.IntN(2))), Role: roles[r.IntN(3)], Persons: 1 + r.IntN(2)}
	}
	return needs
}

func oracle(p catalog.Policy, votes []access.Principal) bool {
	return slices.ContainsFunc(p.Ways(), func(way []catalog.Need) bool {
		var seats []access.Role
		for _, n := range way {
			seats = append(seats, slices.Repeat([]access.Role{n.Role}, n.Persons)...)
		}
		return seated(seats, votes, map[string]bool{})
	})
}

func TestNobodysRoleIsUsedTwiceAndNobodySitsTwice(t *testing.T) {
	enough, refused, possible := 0, 0, 0
	const seeds = 4000
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 11))
		b := wanting(randomNeeds(r)...)
		people := deputised(r)
		policy := b.Rules[0].Policy
		could := len(b.Possible(b.Able(people))) == 0
		for _, p := range people {
			if b.MayVote(p) != nil {
				refused++
				continue
			}
			b.Yes = append(b.Yes, p)
			if got, want := len(b.Missing()) == 0, oracle(policy, b.Yes); got != want {
				t.Fatalf("seed %d: met is %v, not %v\n%+v\n%+v", seed, got, want, policy.Needs, b.Yes)
			}
		}
		all := b
		if all.Yes = people; len(all.Missing()) == 0 && !oracle(policy, people) && !oracle(policy, b.Yes) {
			t.Fatalf("seed %d: met by all at once\n%+v\n%+v", seed, policy.Needs, people)
		}
		if len(b.Missing()) == 0 {
			enough++
			if !could {
				t.Fatalf("seed %d: it was said to be impossible, and was approved\n%+v\n%+v", seed, policy.Needs, b.Yes)
			}
		}
		if could {
			possible++
		}
	}
	if enough < 200 || enough > seeds-200 || refused == 0 || possible < enough {
		t.Fatalf("%d enough, %d refused, %d possible: nothing was tried", enough, refused, possible)
	}
}
