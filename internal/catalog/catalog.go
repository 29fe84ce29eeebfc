package catalog

import "keyholder/internal/access"

// Catalog is one version of everything the retailer has described, each list in the order of its slugs. New makes one
// that answers look-ups and impact quickly; one put together by hand gives the same answers, slowly.
type Catalog struct {
	Settings
	Sites             []Site
	Tiers             []Tier
	Capabilities      []Capability
	Segments          []Segment
	Tenants           []Tenant
	Outlets           []Outlet
	ThirdParties      []ThirdParty
	DataSets          []DataSet
	ConsistencyGroups []ConsistencyGroup
	Services          []Service
	Rules             []DegradedModeRule
	Flows             []Flow
	Signals           []Signal
	Policies          []Policy
	Assignments       []Assignment
	Deputies          []Deputy
	StandingOrders    []StandingOrder
	Channels          []Channel
	Systems           []System
	Eligibilities     []Eligibility

	index *index
}

// Settings is the one record of what holds for the whole catalogue.
type Settings struct {
	Currency string `json:"currency" doc:"Three letters, of all money in the catalogue."`
	TimeZone string `json:"time_zone,omitempty" doc:"That peak calendars are meant in, as the IANA database calls it: Europe/London. UTC where there is none."`

	Roles []RoleClaim `json:"roles,omitempty" form:"-"` // of before there were assignments; kept so that old versions can be read
}

// RoleClaim is the role that every member of a group had, before there were assignments.
type RoleClaim struct {
	Group string      `json:"group"`
	Role  access.Role `json:"role"`
}
