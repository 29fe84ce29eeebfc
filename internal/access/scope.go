package access

import (
	"slices"
	"strings"
	"time"
)

// Scope bounds where a role holds. What is empty does not bound.
type Scope struct {
	Tiers        []string `json:"tiers,omitempty"`
	Capabilities []string `json:"capabilities,omitempty"`
	Tenants      []string `json:"tenants,omitempty"`
	Segments     []string `json:"segments,omitempty"`
	Sites        []string `json:"sites,omitempty"`
}

// Everywhere says whether the scope does not bound at all.
func (s Scope) Everywhere() bool {
	return len(s.Tiers)+len(s.Capabilities)+len(s.Tenants)+len(s.Segments)+len(s.Sites) == 0
}

// Object is one thing that somebody acts on, as scopes tell things apart: a service at the sites that it is about.
type Object struct {
	Service    string   `json:"service,omitempty"`
	Tier       string   `json:"tier,omitempty"`
	Capability string   `json:"capability,omitempty"`
	Tenants    []Tenant `json:"tenants,omitempty"` // all that it serves
	Sites      []string `json:"sites,omitempty"`
}

// Tenant is whom an object serves.
type Tenant struct {
	Slug    string `json:"slug"`
	Segment string `json:"segment,omitempty"`
}

// Covers says whether the whole object lies within the scope. Where the scope bounds and the object says nothing, it does not.
func (s Scope) Covers(o Object) bool {
	if len(s.Tiers) > 0 && !slices.Contains(s.Tiers, o.Tier) || len(s.Capabilities) > 0 && !slices.Contains(s.Capabilities, o.Capability) {
		return false
	}
	if len(s.Tenants)+len(s.Segments) > 0 && (len(o.Tenants) == 0 || slices.ContainsFunc(o.Tenants, func(t Tenant) bool { return !s.serves(t) })) {
		return false
	}
	return len(s.Sites) == 0 || len(o.Sites) > 0 && !slices.ContainsFunc(o.Sites, func(site string) bool { return !slices.Contains(s.Sites, site) })
}

func (s Scope) serves(t Tenant) bool {
	return slices.Contains(s.Tenants, t.Slug) || t.Segment != "" && slices.Contains(s.Segments, t.Segment)
}

// Within says whether whatever s covers, outer covers too. Nobody gives what they do not hold.
func (s Scope) Within(outer Scope) bool {
	bounded := func(inner, outer []string) bool {
		return len(outer) == 0 || len(inner) > 0 && !slices.ContainsFunc(inner, func(v string) bool { return !slices.Contains(outer, v) })
	}
	if !bounded(s.Tiers, outer.Tiers) || !bounded(s.Capabilities, outer.Capabilities) || !bounded(s.Sites, outer.Sites) {
		return false
	}
	if len(outer.Tenants)+len(outer.Segments) == 0 {
		return true
	}
	within := func(inner, outer []string) bool {
		return !slices.ContainsFunc(inner, func(v string) bool { return !slices.Contains(outer, v) })
	}
	return len(s.Tenants)+len(s.Segments) > 0 && within(s.Tenants, outer.Tenants) && within(s.Segments, outer.Segments)
}

// String says the scope in words.
func (s Scope) String() string {
	var words []string
	for _, part := range [][]string{s.Tiers, s.Capabilities, s.Segments, s.Tenants, s.Sites} {
		if len(part) > 0 {
			words = append(words, strings.Join(part, " or "))
		}
	}
	if len(words) == 0 {
		return "everywhere"
	}
	return strings.Join(words, "; ")
}

// Grant is a role that a person holds, where, by which assignment, until when, and for whom, where they stand in for somebody.
type Grant struct {
	Role  Role       `json:"role"`
	Scope Scope      `json:"scope"`
	By    string     `json:"by"`            // the assignment
	As    string     `json:"as,omitempty"`  // the group or the address that it names
	For   string     `json:"for,omitempty"` // the address of whom they stand in for
	Until *time.Time `json:"until,omitempty"`
}
