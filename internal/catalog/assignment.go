package catalog

import (
	"iter"
	"net/mail"
	"strings"
	"time"

	"keyholder/internal/access"
)

// Assignment gives one role to a person or to a group of the sign-in provider, somewhere and for some time.
type Assignment struct {
	Slug         string      `json:"slug"`
	Name         string      `json:"name"`
	Role         access.Role `json:"role" enum:"incident-commander,business-owner,platform-engineer,responder,security-officer,auditor,administrator,outlet-gateway"`
	Group        string      `json:"group,omitempty" doc:"Of the sign-in provider. Either a group or a person is named."`
	Person       string      `json:"person,omitempty" doc:"The mail address that the sign-in provider has verified."`
	Tiers        []string    `json:"tiers,omitempty" ref:"tier" doc:"Where it holds. Everywhere, where nothing is named; so below."`
	Capabilities []string    `json:"capabilities,omitempty" ref:"capability"`
	Segments     []string    `json:"segments,omitempty" ref:"segment"`
	Tenants      []string    `json:"tenants,omitempty" ref:"tenant"`
	Sites        []string    `json:"sites,omitempty" ref:"site"`
	From         string      `json:"from,omitempty" doc:"A day such as 2026-11-23. At once, where none is named."`
	Until        string      `json:"until,omitempty" doc:"The last day. For good, where none is named."`
}

// Deputy is somebody who stands in for somebody else for some days, with all of their roles.
type Deputy struct {
	Slug   string `json:"slug"`
	Name   string `json:"name"`
	For    string `json:"for" doc:"The mail address of who is away."`
	Person string `json:"person" doc:"The mail address of who stands in."`
	From   string `json:"from" doc:"The first day, such as 2026-11-23."`
	Until  string `json:"until" doc:"The last day."`
}

// Scope is where the assignment holds.
func (a Assignment) Scope() access.Scope {
	return access.Scope{Tiers: a.Tiers, Capabilities: a.Capabilities, Segments: a.Segments, Tenants: a.Tenants, Sites: a.Sites}
}

// Identity is who somebody is to the sign-in provider.
type Identity struct {
	Mail   string // verified; empty where it is not
	Groups []string
}

// GrantsOf are the roles that somebody holds at some moment: their own, then those of whom they stand in for. known finds who
// has a mail address. Standing in is not passed on.
func (c Catalog) GrantsOf(who Identity, known func(mail string) (Identity, bool), at time.Time) []access.Grant {
	roll := c.roll()
	grants := c.ownGrants(roll, who, at)
	for d, until := range c.standingIn(roll, who.Mail, at) {
		absent, ok := known(d.For)
		if !ok {
			absent = Identity{Mail: d.For}
		}
		for _, g := range c.ownGrants(roll, absent, at) {
			g.For, g.Until = d.For, sooner(g.Until, until)
			grants = append(grants, g)
		}
	}
	return grants
}

// Instead are the addresses of those whom somebody stands in for at some moment, whether or not these hold a role.
func (c Catalog) Instead(mail string, at time.Time) []string {
	var all []string
	for d := range c.standingIn(c.roll(), mail, at) {
		all = append(all, d.For)
	}
	return all
}

// standingIn are the deputies' records by which somebody stands in for others, and when each of them is over.
func (c Catalog) standingIn(r *roll, mail string, at time.Time) iter.Seq2[*Deputy, *time.Time] {
	return func(yield func(*Deputy, *time.Time) bool) {
		for _, i := range r.standIns[strings.ToLower(mail)] {
			d := &c.Deputies[i]
			until, ok := c.during(d.From, d.Until, at)
			if ok && sameMail(d.Person, mail) && !sameMail(d.For, mail) && !yield(d, until) {
				return
			}
		}
	}
}

func (c Catalog) ownGrants(r *roll, who Identity, at time.Time) []access.Grant {
	var grants []access.Grant
	for _, i := range r.assignmentsOf(who) {
		a := &c.Assignments[i]
		if until, ok := c.during(a.From, a.Until, at); ok && a.Role.Known() {
			grants = append(grants, access.Grant{Role: a.Role, Scope: a.Scope(), By: a.Slug, As: a.Person + a.Group, Until: until})
		}
	}
	return grants
}

func sooner(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// sameMail says whether two addresses are one. None is nobody's.
func sameMail(a, b string) bool { return a != "" && strings.EqualFold(a, b) }

// during says whether a moment lies between two days of the retailer, both included, and when that is over.
func (c Catalog) during(from, until string, at time.Time) (end *time.Time, ok bool) {
	if from != "" {
		begin, err := c.startOf(from)
		if err != nil || at.Before(begin) {
			return nil, false
		}
	}
	if until == "" {
		return nil, true
	}
	last, err := c.startOf(until)
	if err != nil {
		return nil, false
	}
	over := last.AddDate(0, 0, 1)
	return &over, at.Before(over)
}

// InForce says whether a moment lies between two days, both included.
func (c Catalog) InForce(from, until string, at time.Time) bool {
	_, ok := c.during(from, until, at)
	return ok
}

func (c Catalog) startOf(day string) (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, day, c.Zone())
}

func (c Catalog) checkDays(from, until string, say sayer) bool {
	begin, err := c.startOf(from)
	if from != "" && err != nil && !say("from", "%q is not a day such as 2026-11-23", from) {
		return false
	}
	end, err := c.startOf(until)
	if until != "" && err != nil {
		return say("until", "%q is not a day such as 2026-11-23", until)
	}
	return from == "" || until == "" || !end.Before(begin) || say("until", "is before it begins")
}

func (c Catalog) checkAssignment(a Assignment, say sayer) bool {
	if (a.Group == "") == (a.Person == "") && !say("group", "either a group or a person is named") {
		return false
	}
	if a.Person != "" && !isMail(a.Person) && !say("person", "%q is not a mail address", a.Person) {
		return false
	}
	return c.checkDays(a.From, a.Until, say)
}

func (c Catalog) checkDeputy(d Deputy, say sayer) bool {
	for _, one := range [][2]string{{"for", d.For}, {"person", d.Person}} {
		if one[1] != "" && !isMail(one[1]) && !say(one[0], "%q is not a mail address", one[1]) {
			return false
		}
	}
	if sameMail(d.For, d.Person) && !say("person", "nobody stands in for themselves") {
		return false
	}
	return c.checkDays(d.From, d.Until, say)
}

func isMail(text string) bool {
	at, err := mail.ParseAddress(text)
	return err == nil && at.Address == text
}
