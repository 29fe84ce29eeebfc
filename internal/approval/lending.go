package approval

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"keyholder/internal/access"
)

// mostLendings bounds how many ways of standing in are tried. Beyond it what would be enough is not found: silence is no.
const mostLendings = 2000

// lendings are the ways in which some people can sit together: whoever is absent lends their roles to one of those who stand in
// for them, whoever is there to nobody, and everybody keeps a seat.
func (b Ballot) lendings(people []access.Principal) iter.Seq[[]access.Principal] {
	return func(yield func([]access.Principal) bool) {
		tries := mostLendings
		b.lend(people, owners(people), &tries, yield)
	}
}

// lend decides to whom each of the owners lends, one after the other. It returns whether to go on.
func (b Ballot) lend(people []access.Principal, owners []string, tries *int, yield func([]access.Principal) bool) bool {
	if len(owners) == 0 {
		*tries--
		all := !slices.ContainsFunc(people, func(p access.Principal) bool { return !b.sits(p) })
		return (!all || yield(people)) && *tries > 0
	}
	owner, others := owners[0], owners[1:]
	if slices.ContainsFunc(people, func(p access.Principal) bool { return strings.EqualFold(p.Mail, owner) }) {
		return b.lend(without(people, owner, -1), others, tries, yield)
	}
	for i, p := range people {
		if has(p, owner) && !b.lend(without(people, owner, i), others, tries, yield) {
			return false
		}
	}
	return true
}

// owners are the addresses of those whose roles some people borrow, each once.
func owners(people []access.Principal) []string {
	var all []string
	for _, p := range people {
		for _, g := range p.Grants {
			if g.For != "" && !slices.ContainsFunc(all, func(had string) bool { return strings.EqualFold(had, g.For) }) {
				all = append(all, g.For)
			}
		}
	}
	return all
}

// has says whether somebody borrows the roles of an owner.
func has(p access.Principal, owner string) bool {
	return slices.ContainsFunc(p.Grants, func(g access.Grant) bool { return strings.EqualFold(g.For, owner) })
}

// without takes the roles of an owner from everybody but one.
func without(people []access.Principal, owner string, but int) []access.Principal {
	all := slices.Clone(people)
	for i, p := range all {
		if i != but && has(p, owner) {
			all[i].Grants = slices.DeleteFunc(slices.Clone(p.Grants), func(g access.Grant) bool { return strings.EqualFold(g.For, owner) })
		}
	}
	return all
}

// crowded says why somebody has no seat beside those who sit, as one who stands in for another; nothing, if they have.
func (b Ballot) crowded(p access.Principal) string {
	for range b.lendings(slices.Concat(b.No, b.Yes, []access.Principal{p})) {
		return ""
	}
	for i := range len(b.Yes) + len(b.No) {
		switch v := b.voter(i); {
		case p.StandsInFor(v.Mail), v.StandsInFor(p.Mail):
			return fmt.Sprintf("%s has voted, and one of you stands in for the other. That is one vote.", v.Name)
		case slices.ContainsFunc(p.Grants, func(g access.Grant) bool { return g.For != "" && has(v, g.For) }):
			return fmt.Sprintf("%s has voted, and you both stand in for one person. That is one vote.", v.Name)
		}
	}
	return "You stand in for others, and their roles have voted already."
}
