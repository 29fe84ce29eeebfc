package approval

import (
	"slices"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// The rules of voting, by the names that refusals and the record give them.
const (
	RuleTwoPeople = "two-people" // nobody decides on their own request
	RuleRole      = "role"       // the policy names who may vote
	RuleScope     = "scope"      // a role holds only where it was given
	RuleOneVote   = "one-vote"   // one person, one vote, by whatever account
	RuleDeputy    = "deputy"     // who stands in for somebody is not a second person beside them
)

// Ballot is who asks for something, who has said yes to it, and what they must meet; everybody with the roles that they hold
// at the moment of counting.
type Ballot struct {
	Rules     Rules
	Requester access.Principal
	Faceless  bool // who asks is no person that signs in, so that two others must agree
	Yes       []access.Principal
	No        []access.Principal // whose no did not end it
}

// same says whether two accounts are one person: the same account, or the same verified address.
func same(a, b access.Principal) bool {
	return a.ID == b.ID || a.Mail != "" && strings.EqualFold(a.Mail, b.Mail)
}

// standsIn says whether a person stands in for another one at the moment.
func standsIn(p, whom access.Principal) bool {
	return whom.Mail != "" && slices.ContainsFunc(p.Grants, func(g access.Grant) bool { return strings.EqualFold(g.For, whom.Mail) })
}

// MayVote refuses whoever is no second person, or whom no policy asks.
func (b Ballot) MayVote(p access.Principal) error {
	if len(b.Rules) == 0 {
		return fault.Refused(RuleNoGap, "nobody, until an administrator has made a policy for it", "No policy says who decides on this.")
	}
	who := func() string { return access.Titles(b.Rules.Voters()) + " other than " + b.Requester.Name } // not needed by most
	switch {
	case same(p, b.Requester):
		return fault.Refused(RuleTwoPeople, who(), "You asked for this. Nobody decides on their own request.")
	case standsIn(p, b.Requester):
		return fault.Refused(RuleDeputy, who(), "You stand in for %s, who requested this. Nobody decides on their own request.", b.Requester.Name)
	}
	for i := range len(b.Yes) + len(b.No) {
		v := b.voter(i)
		switch {
		case same(p, v):
			return fault.Late(RuleOneVote, "You have voted on this already, as %s. One person has one vote.", v.Name)
		case standsIn(p, v) && len(b.seats(p, true)) == 0, standsIn(v, p) && len(b.seats(v, true)) == 0:
			return fault.Refused(RuleDeputy, who(), "%s has voted, and one of you stands in for the other. That is one vote.", v.Name)
		}
	}
	if len(b.seats(p, false)) > 0 {
		return nil
	}
	if !p.Has(b.Rules.Voters()...) {
		return fault.Refused(RuleRole, who(), "Your role does not vote on this request.")
	}
	return fault.Refused(RuleScope, who(), "Your role does not hold for what this is about.")
}

// voter is the nth of those who have voted.
func (b Ballot) voter(n int) access.Principal {
	if n < len(b.Yes) {
		return b.Yes[n]
	}
	return b.No[n-len(b.Yes)]
}

// seats are the roles in which a person counts for some rule; their own only, or also those of whom they stand in for.
func (b Ballot) seats(p access.Principal, own bool) []access.Role {
	var roles []access.Role
	for _, r := range b.Rules {
		roles = append(roles, r.seats(p, own)...)
	}
	return roles
}

func (r Rule) seats(p access.Principal, own bool) []access.Role {
	var roles []access.Role
	for _, role := range r.Policy.Voters() {
		grants := p.Holds(role, r.Objects...)
		if own {
			grants = slices.DeleteFunc(grants, func(g access.Grant) bool { return g.For != "" })
		}
		if len(grants) > 0 {
			roles = append(roles, role)
		}
	}
	return roles
}

// Want is what a policy still wants.
type Want struct {
	Policy string
	Roles  []access.Role
}

// Missing is what each policy still wants. A yes counts only with the roles that are held now.
func (b Ballot) Missing() []Want {
	if len(b.Rules) == 0 {
		return []Want{{Policy: "a policy that applies"}}
	}
	var wants []Want
	for _, r := range b.Rules {
		var votes []Vote
		for _, p := range b.counted() {
			if seats := r.seats(p, false); len(seats) > 0 {
				votes = append(votes, Vote{Person: p.ID, Roles: seats})
			}
		}
		if len(r.Policy.Needs) == 0 || !Enough(r.Policy, votes) {
			wants = append(wants, Want{r.Policy.Name, Missing(r.Policy, votes)})
		}
	}
	if b.Faceless && len(wants) == 0 && len(b.counted()) < leastPeople {
		wants = append(wants, Want{"two people", b.Rules.Voters()[:1]})
	}
	return wants
}

// leastPeople agree on whatever takes a second person.
const leastPeople = 2

// counted are the people whose yes counts: none twice, none who asks, and nobody beside whom they stand in for.
func (b Ballot) counted() []access.Principal {
	var counted []access.Principal
	for _, p := range b.Yes {
		so := Ballot{Rules: b.Rules, Requester: b.Requester, Yes: counted}
		if so.MayVote(p) == nil {
			counted = append(counted, p)
		}
	}
	return counted
}

// Ends says whether a person's no ends the request.
func (b Ballot) Ends(p access.Principal) bool {
	return slices.ContainsFunc(b.Rules, func(r Rule) bool {
		seats := r.seats(p, false)
		return len(seats) > 0 && r.Policy.Ends(seats)
	})
}

// RecentSignIn is how old a person's sign-in may be for their vote: as young as the strictest policy that counts it says.
func (b Ballot) RecentSignIn(p access.Principal) time.Duration {
	var least time.Duration
	for _, r := range b.Rules {
		if d := r.Policy.RecentSignIn.D(); len(r.seats(p, false)) > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	return least
}

// Possible says whether some of those who may vote could still approve it together, and if not, what is wanting.
func (b Ballot) Possible(able []Voter) []Want {
	all, alike, most := b, map[string]int{}, 3*b.Rules.persons()
	wants := all.Missing()
	for _, v := range able {
		p := v.Principal
		as := b.kind(p)
		for range copies(p) {
			if len(wants) == 0 || alike[as] == most { // more of the same add nothing
				break
			}
			if all.MayVote(p) == nil {
				all.Yes = append(slices.Clip(all.Yes), p)
				alike[as]++
				wants = all.Missing()
			}
			p.ID += "+"
		}
	}
	return wants
}

// kind is the same for all who count for the same.
func (b Ballot) kind(p access.Principal) string {
	var kind []byte
	for _, role := range b.seats(p, false) {
		kind = append(append(kind, role...), ' ')
	}
	return string(kind)
}

// persons are how many people all needs ask for together.
func (rs Rules) persons() int {
	n := 0
	for _, r := range rs {
		for _, need := range r.Policy.Needs {
			n += need.Persons
		}
	}
	return n
}

// copies is for how many people somebody stands.
func copies(p access.Principal) int {
	if strings.HasPrefix(p.ID, GroupStranger) {
		return catalog.MostPersons
	}
	return 1
}
