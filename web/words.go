package web

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
)

// subject is what a request moves, as people say it: the plan's first service. The others move with it.
func subject(c catalog.Catalog, services []string) string {
	if len(services) == 0 {
		return "nothing"
	}
	return c.ServiceName(services[0])
}

// companions says which services move with the first, or nothing.
func companions(c catalog.Catalog, services []string) string {
	if len(services) < 2 {
		return ""
	}
	return verb(serviceNames(c, services[1:]), "moves", "move") + " with it: they share its data."
}

// ask is what a request asks for: "move Checkout from Leeds to Dublin".
func ask(c catalog.Catalog, t failover.Terms) string {
	return fmt.Sprintf("move %s from %s to %s", subject(c, t.Services), c.SiteName(t.From), c.SiteName(t.To))
}

// moveTitle names a request or run in a list: "Checkout: Leeds → Dublin".
func moveTitle(c catalog.Catalog, t failover.Terms) string {
	return fmt.Sprintf("%s: %s → %s", subject(c, t.Services), c.SiteName(t.From), c.SiteName(t.To))
}

// sentence begins with a capital letter.
func sentence(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[size:]
}

// policyWords says in sentences what policies ask for.
func policyWords(rules approval.Rules) string {
	if len(rules) == 0 {
		return "No policy says who decides on this, so nobody can."
	}
	var words []string
	for _, r := range rules {
		words = append(words, r.Policy.Name+": "+needWords(r.Policy))
	}
	return strings.Join(words, " ") + fmt.Sprintf(" The request expires after %s.", catalog.Lasting(rules.Lifetime()))
}

// ballotWords is policyWords of a request. No policy says what holds for all that nobody who signs in asks for.
func ballotWords(b approval.Ballot) string {
	words := policyWords(b.Rules)
	if b.Faceless && len(b.Rules) > 0 {
		words += " " + b.Requester.Name + " is nobody who signs in, so at least two people must approve."
	}
	return words
}

// needWords says whom one policy asks.
func needWords(p catalog.Policy) string {
	line := waysWords(p) + " must approve, other than the requester"
	if len(p.Veto) > 0 {
		line += "; only a no from " + access.Titles(p.Veto) + " ends it"
	}
	return line + fmt.Sprintf(". A vote needs a sign-in of the last %s.", catalog.Lasting(p.RecentSignIn.D()))
}

// waysWords says whom a policy asks: "one incident commander, or two business owners".
func waysWords(p catalog.Policy) string {
	ways := make([]string, 0, 2)
	for _, way := range p.Ways() {
		ways = append(ways, wayWords(way))
	}
	return strings.Join(ways, ", or ")
}

// wayWords says whom one way of approving takes: "one incident commander and two business owners".
func wayWords(way []catalog.Need) string {
	parts := make([]string, len(way))
	for i, n := range way {
		parts[i] = people(n.Persons, n.Role)
	}
	return strings.Join(parts, " and ")
}

func people(n int, r access.Role) string {
	title := strings.ToLower(r.Title())
	switch n {
	case 1:
		return "one " + title
	case 2:
		return "two " + title + "s"
	}
	return fmt.Sprintf("%d %ss", n, title)
}

// wantedWords says who is still wanted: "one security officer or one incident commander".
func wantedWords(wants []approval.Want) string {
	var parts []string
	for _, w := range wants {
		ways := []string{w.Policy}
		if len(w.Roles) > 0 {
			ways[0] = seatWords(w.Roles)
		}
		for _, other := range w.Or {
			ways = append(ways, seatWords(other))
		}
		part := strings.Join(ways, " or ")
		if len(ways) > 1 && len(wants) > 1 {
			part = "either " + part
		}
		parts = append(parts, part)
	}
	return joined(parts)
}

// seatWords says whom seats are for: "one incident commander and two business owners".
func seatWords(seats []access.Role) string {
	counts := map[access.Role]int{}
	for _, r := range seats {
		counts[r]++
	}
	var parts []string
	for _, r := range access.Roles() {
		if n := counts[r]; n > 0 {
			parts = append(parts, people(n, r))
		}
	}
	return joined(parts)
}

// wantedBy says who is still wanted on a request, and how many yes it takes in all.
func wantedBy(b approval.Ballot, have int) (words string, want int) {
	missing, want := b.Missing(), have
	for _, w := range missing {
		want = max(want, have+max(1, len(w.Roles)))
	}
	words = wantedWords(missing)
	if b.Faceless && len(b.Rules) > 0 && len(missing) > 0 && want < 2 {
		words, want = words+", and a second person besides", 2
	}
	return words, want
}

// waitCost is what waiting costs a minute. A planned move begins from what works, so waiting costs nothing.
func waitCost(c catalog.Catalog, t failover.Terms, now time.Time) float64 {
	if t.Mode == failover.Planned {
		return 0
	}
	return c.CostPerMinute(t.Services, now)
}

func costWords(c catalog.Catalog, t failover.Terms, now time.Time) string {
	if t.Mode == failover.Planned {
		return "costs nothing while " + c.SiteName(t.From) + " works"
	}
	return "costs " + failover.Money(waitCost(c, t, now), c.Currency) + " a minute"
}

// ceilingWords says what loss is accepted: "up to 500 orders accepted".
func ceilingWords(c failover.Ceiling) string {
	return strings.TrimSuffix(c.String(), " accepted") + " accepted"
}

func verb(names []string, one, many string) string {
	if len(names) == 1 {
		return names[0] + " " + one
	}
	return joined(names) + " " + many
}

func serviceNames(c catalog.Catalog, slugs []string) []string {
	names := make([]string, len(slugs))
	for i, slug := range slugs {
		names[i] = c.ServiceName(slug)
	}
	return names
}

// namesJoined bounds how many names one sentence holds.
const namesJoined = 20

// joined writes "A", "A and B", "A, B and C".
func joined(names []string) string {
	if more := len(names) - namesJoined; more > 1 {
		return strings.Join(names[:namesJoined], ", ") + fmt.Sprintf(" and %d more", more)
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func touchedNames(all []catalog.Touched) []string {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.Name
	}
	return names
}
