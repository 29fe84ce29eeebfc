package approval

import (
	"slices"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
)

// GroupStranger begins the id of whoever stands for all those in a group who have not signed in yet: only the sign-in provider
// knows how many they are.
const GroupStranger = "group:"

// MailStranger begins the id of whoever stands for an address that nobody has signed in with yet.
const MailStranger = "mail:"

// Stranger says whether nobody of that account has signed in yet.
func Stranger(p access.Principal) bool {
	return strings.HasPrefix(p.ID, GroupStranger) || strings.HasPrefix(p.ID, MailStranger)
}

// Strangers stand for those whom assignments name and who have not signed in yet: one for each address, one for each group.
func Strangers(c catalog.Catalog, known []access.Principal, at time.Time) []access.Principal {
	seen := map[string]bool{}
	for _, p := range known {
		seen[strings.ToLower(p.Mail)] = true
	}
	nobody := func(string) (catalog.Identity, bool) { return catalog.Identity{}, false }
	groups, people := c.Named(at)
	var strangers []access.Principal
	for _, mail := range people {
		if !seen[mail] {
			grants := c.GrantsOf(catalog.Identity{Mail: mail}, nobody, at)
			one := access.Principal{ID: MailStranger + mail, Name: mail, Mail: mail, Instead: c.Instead(mail, at)}
			strangers = append(strangers, one.With(grants))
		}
	}
	for _, group := range groups {
		grants := c.GrantsOf(catalog.Identity{Groups: []string{group}}, nobody, at)
		one := access.Principal{ID: GroupStranger + group, Name: "anybody else in the group " + group}
		strangers = append(strangers, one.With(grants))
	}
	return strangers
}

// Voter is somebody who may vote now, with what lets them.
type Voter struct {
	access.Principal
	By []access.Grant // in which they count
}

// Able are those of everybody who may vote.
func (b Ballot) Able(everybody []access.Principal) []Voter {
	var able []Voter
	so := b.settled()
	for _, p := range everybody {
		if b.hasVoted(p) == nil && so.joins(p) == nil {
			able = append(able, Voter{p, so.Counting(p)})
		}
	}
	return able
}

// Counting are the grants by which a person counts for some rule, each once; none of somebody who has voted themselves.
func (b Ballot) Counting(p access.Principal) []access.Grant {
	var grants []access.Grant
	for _, r := range b.Rules {
		for _, g := range r.grants(p) {
			known := func(have access.Grant) bool { return have.By == g.By && have.For == g.For }
			if !slices.ContainsFunc(grants, known) && !b.there(g.For) {
				grants = append(grants, g)
			}
		}
	}
	return grants
}

// there says whether whoever has an address has voted.
func (b Ballot) there(mail string) bool {
	for i := range len(b.Yes) + len(b.No) {
		if mail != "" && strings.EqualFold(b.voter(i).Mail, mail) {
			return true
		}
	}
	return false
}

// grants are those by which a person counts for a rule.
func (r Rule) grants(p access.Principal) []access.Grant {
	var grants []access.Grant
	for _, role := range r.Policy.Voters() {
		grants = append(grants, p.Holds(role, r.Objects...)...)
	}
	return grants
}
