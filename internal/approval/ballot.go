package approval

import (
	"fmt"
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

// MayVote refuses whoever is no second person, or whom no policy asks.
func (b Ballot) MayVote(p access.Principal) error {
	if err := b.hasVoted(p); err != nil {
		return err
	}
	return b.settled().joins(p)
}

// hasVoted refuses whoever has voted already, whether or not it counts.
func (b Ballot) hasVoted(p access.Principal) error {
	for i := range len(b.Yes) + len(b.No) {
		if v := b.voter(i); same(p, v) {
			return fault.Late(RuleOneVote, "You have voted on this already, as %s. One person has one vote.", v.Name)
		}
	}
	return nil
}

// settled is the ballot with only those whose vote counts: none twice, none who asks, each on a role that nobody else sits on.
func (b Ballot) settled() Ballot {
	so := Ballot{Rules: b.Rules, Requester: b.Requester, Faceless: b.Faceless}
	for _, p := range b.No { // first, so that in doubt it is they who count
		if so.hasVoted(p) == nil && so.joins(p) == nil {
			so.No = append(so.No, p)
		}
	}
	for _, p := range b.Yes {
		if so.hasVoted(p) == nil && so.joins(p) == nil {
			so.Yes = append(so.Yes, p)
		}
	}
	return so
}

// joins is MayVote on a settled ballot, for somebody who has not voted.
func (b Ballot) joins(p access.Principal) error {
	if len(b.Rules) == 0 {
		return fault.Refused(RuleNoGap, "nobody, until an administrator has made a policy for it", "No policy says who decides on this.")
	}
	who := func() string { return access.Titles(b.Rules.Voters()) + " other than " + b.Requester.Name } // not needed by most
	switch {
	case same(p, b.Requester):
		return fault.Refused(RuleTwoPeople, who(), "You asked for this. Nobody decides on their own request.")
	case p.StandsInFor(b.Requester.Mail):
		return fault.Refused(RuleDeputy, who(), "You stand in for %s, who requested this. Nobody decides on their own request.", b.Requester.Name)
	case b.sits(p):
	case !p.Has(b.Rules.Voters()...):
		return fault.Refused(RuleRole, who(), "Your role does not vote on this request.")
	default:
		return fault.Refused(RuleScope, who(), "Your role does not hold for what this is about.")
	}
	if why := b.crowded(p); why != "" {
		return fault.Refused(RuleDeputy, who(), "%s", why)
	}
	return nil
}

// voter is the nth of those who have voted.
func (b Ballot) voter(n int) access.Principal {
	if n < len(b.Yes) {
		return b.Yes[n]
	}
	return b.No[n-len(b.Yes)]
}

// sits says whether a person counts for some rule.
func (b Ballot) sits(p access.Principal) bool {
	return slices.ContainsFunc(b.Rules, func(r Rule) bool { return len(r.seats(p)) > 0 })
}

// seats are the roles in which a person counts for a rule.
func (r Rule) seats(p access.Principal) []access.Role {
	var roles []access.Role
	for _, role := range r.Policy.Voters() {
		if len(p.Holds(role, r.Objects...)) > 0 {
			roles = append(roles, role)
		}
	}
	return roles
}

// Want is what a policy still wants.
type Want struct {
	Policy string
	Roles  []access.Role
	Or     [][]access.Role `json:",omitempty"` // other ways, which want as few people
}

// Missing is what each policy still wants. A yes counts only with the roles that are held now.
func (b Ballot) Missing() []Want { return b.settled().wants() }

// wants is Missing of a settled ballot: what is wanting when whoever is absent is stood in for by whom it helps most.
func (b Ballot) wants() []Want {
	if len(b.Rules) == 0 {
		return []Want{{Policy: "a policy that applies"}}
	}
	least := b.wantedBeside(nil)
	for people := range b.lendings(slices.Concat(b.No, b.Yes)) {
		if wants := b.wantedBeside(people[len(b.No):]); seatsOf(wants) < seatsOf(least) {
			least = wants
		}
		if len(least) == 0 {
			break
		}
	}
	if b.Faceless && len(least) == 0 && len(b.Yes) < leastPeople {
		return []Want{{Policy: "two people", Roles: b.Rules.Voters()[:1]}}
	}
	return least
}

// wantedBeside is what each policy wants besides some people.
func (b Ballot) wantedBeside(people []access.Principal) []Want {
	var wants []Want
	for _, r := range b.Rules {
		var votes []Vote
		for _, p := range people {
			if seats := r.seats(p); len(seats) > 0 {
				votes = append(votes, Vote{Person: p.ID, Roles: seats})
			}
		}
		if len(r.Policy.Needs) == 0 || !Enough(r.Policy, votes) {
			want := Want{Policy: r.Policy.Name}
			if all := ways(r.Policy, votes); len(all) > 0 {
				want.Roles, want.Or = all[0], all[1:]
			}
			wants = append(wants, want)
		}
	}
	return wants
}

// seatsOf are how many people are wanting.
func seatsOf(wants []Want) int {
	n := 0
	for _, w := range wants {
		n += 1 + len(w.Roles) // a policy that nobody meets wants something, also where it names no role
	}
	return n
}

// leastPeople agree on whatever takes a second person.
const leastPeople = 2

// Ends says whether a person's no ends the request.
func (b Ballot) Ends(p access.Principal) bool {
	return slices.ContainsFunc(b.Rules, func(r Rule) bool {
		seats := r.seats(p)
		return len(seats) > 0 && r.Policy.Ends(seats)
	})
}

// RecentSignIn is how old a person's sign-in may be for their vote: as young as the strictest policy that counts it says.
func (b Ballot) RecentSignIn(p access.Principal) time.Duration {
	var least time.Duration
	for _, r := range b.Rules {
		if d := r.Policy.RecentSignIn.D(); len(r.seats(p)) > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	return least
}

// Possible says whether some of those who may vote could still approve it together, and if not, what is wanting.
func (b Ballot) Possible(able []Voter) []Want {
	all, alike, most := b.settled(), map[string]int{}, 3*b.Rules.persons()
	wants := all.wants()
	for _, lent := range []bool{false, true} { // who stands in for somebody might otherwise keep them out
		for _, v := range able {
			if len(wants) == 0 {
				return nil
			}
			if borrows(v) != lent {
				continue
			}
			p, as := v.Principal, b.kind(v)
			for range copies(p) {
				if alike[as] == most { // more of the same add nothing
					break
				}
				if all.joins(p) == nil {
					all.Yes = append(slices.Clip(all.Yes), p)
					alike[as]++
					wants = all.wants()
				}
				p.ID += "+"
			}
		}
	}
	return wants
}

// borrows says whether somebody counts only in the place of others.
func borrows(v Voter) bool {
	return !slices.ContainsFunc(v.By, func(g access.Grant) bool { return g.For == "" })
}

// kind is the same for all who count for the same.
func (b Ballot) kind(v Voter) string {
	var kind []byte
	for i, r := range b.Rules {
		for _, g := range r.grants(v.Principal) {
			kind = fmt.Append(kind, i, g.Role, g.For, " ")
		}
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
