package web

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyholder/internal/access"
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

// policyWords says in sentences what a policy asks for.
func policyWords(p failover.Policy, cause failover.Cause) string {
	approvals := "One approval is needed"
	if p.Approvals > 1 {
		approvals = fmt.Sprintf("%d approvals are needed", p.Approvals)
	}
	words := fmt.Sprintf("%s, from somebody other than the requester: %s. A vote needs a sign-in of the last %s. The request expires after %s.",
		approvals, access.Titles(p.Roles), failover.Span(p.RecentSignIn.D()), failover.Span(p.Lifetime.D()))
	if cause == failover.CauseCompromise {
		words += " After a compromise one vote must come from a " + access.SecurityOfficer.Title() + "."
	}
	return words
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
