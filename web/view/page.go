package view

import (
	"net/url"
	"strconv"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/audit"
)

// Page is what every page shows around its own.
type Page struct {
	Title   string
	Path    string // with its query
	Version string
	Now     time.Time
	Person  Person
	Nav     []NavLink
	Flash   string
	Holds   []Holding // access that the person has now
	Styles  []string
	Scripts []string
	Live    bool  // the page asks for itself again when something changes
	Typing  bool  // it has a field: a browser without scripts must not load it anew under somebody's hands
	Change  int64 // the change that it was made after
}

// Person is who is signed in.
type Person struct {
	Name     string
	Roles    string
	SignedIn bool
}

// NavLink leads to one of the main pages.
type NavLink struct {
	Path, Text string
	Needs      access.Permission
	Here       bool
}

// Navigation lists the main pages.
func Navigation() []NavLink {
	return []NavLink{
		{Path: NowPath(), Text: "Now", Needs: access.See},
		{Path: IncidentsPath(), Text: "Incidents", Needs: access.See},
		{Path: PlansPath(), Text: "Plans", Needs: access.See},
		{Path: CatalogPath(), Text: "Catalogue", Needs: access.See},
		{Path: ImpactPath(), Text: "Impact", Needs: access.See},
		{Path: AccessesPath(), Text: "Access", Needs: access.See},
		{Path: AuditPath(AuditFilter{}), Text: "Record", Needs: access.ReadAudit},
	}
}

// Error is the page of a refusal or failure.
type Error struct {
	Page
	Headline string
	Message  string
	Rule     string
	Who      string
	Fields   map[string]string
	Request  string
	Retry    string // where to try again; empty where that is of no use
}

// Me is a person's own session.
type Me struct {
	Page
	SignedInAt time.Time
	NoRole     bool
	Ways       *Ways // nil where there is no way to tell anybody
}

// Audit is the record, newest first.
type Audit struct {
	Page
	Filter AuditFilter
	Lines  []AuditLine
	Older  string // path of the next lines; empty at the end
}

// AuditFilter chooses lines of the record; it stands in the address.
type AuditFilter struct {
	Object, Actor, Action, Outcome string
	Before                         int64
}

// At is the filter, from before a line on.
func (f AuditFilter) At(before int64) AuditFilter {
	f.Before = before
	return f
}

func (f AuditFilter) query() string {
	q := url.Values{}
	for name, value := range map[string]string{"object": f.Object, "actor": f.Actor, "action": f.Action, "outcome": f.Outcome} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Before > 0 {
		q.Set("before", strconv.FormatInt(f.Before, 10))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// AuditLine is one line of the record.
type AuditLine struct {
	Seq                                int64
	At                                 time.Time
	Actor, ActorID                     string
	Action, Object, ObjectPath         string
	Outcome                            audit.Outcome
	Open                               bool // an intent that never got its outcome
	Rule, Text, Detail, Digest, Origin string
	Address, Request                   string
}

// outcomes are what people can filter by.
func outcomes() []audit.Outcome {
	return []audit.Outcome{audit.Done, audit.Refused, audit.Intent, audit.Held, audit.Failed, audit.Unknown}
}

func utcClock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000 UTC") }
