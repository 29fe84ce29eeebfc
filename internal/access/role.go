package access

import "slices"

// Role is what a person is to the retailer; one per kind of person that the product is for.
type Role string

// The roles. Any string that is not one of them gives no rights.
const (
	IncidentCommander Role = "incident-commander"
	BusinessOwner     Role = "business-owner"
	PlatformEngineer  Role = "platform-engineer"
	Responder         Role = "responder"
	SecurityOfficer   Role = "security-officer"
	Auditor           Role = "auditor"
	Administrator     Role = "administrator"
	OutletGateway     Role = "outlet-gateway" // a program, not a person: it says how the outlets are
)

// People lists every role that a person holds.
func People() []Role {
	return []Role{
		IncidentCommander, BusinessOwner, PlatformEngineer, Responder, SecurityOfficer, Auditor, Administrator,
	}
}

// Roles lists every role in the order in which people are shown them.
func Roles() []Role {
	return append(People(), OutletGateway)
}

var titles = map[Role]string{
	IncidentCommander: "Incident commander", BusinessOwner: "Business owner", PlatformEngineer: "Platform engineer",
	Responder: "Responder", SecurityOfficer: "Security officer", Auditor: "Auditor", Administrator: "Administrator",
	OutletGateway: "Outlet gateway",
}

// Title is the role as people say it.
func (r Role) Title() string { return titles[r] }

// Known says whether r is one of Roles.
func (r Role) Known() bool { return titles[r] != "" }

// Permission is one thing that a person may do. Every route names exactly one.
type Permission string

// The permissions.
const (
	Anyone        Permission = "anyone"         // no sign-in: health, sign-in, style sheets
	SignedIn      Permission = "signed-in"      // any person, even without a role: their own session
	See           Permission = "see"            // read incidents, requests, runs, plans and the catalogue
	OpenIncident  Permission = "open-incident"  // open, correct and close an incident
	Request       Permission = "request"        // request a failover, withdraw and confirm one's own request
	Decide        Permission = "decide"         // vote on requests where the policy names the role
	Steer         Permission = "steer"          // pause, resume, retry, mark done, abort a run; propose an exception
	DecideExcept  Permission = "decide-except"  // be the second person of an exception: override, skip, waiver
	ReadAudit     Permission = "read-audit"     // read and export the record
	PublishPlan   Permission = "publish-plan"   // publish plans
	EditCatalog   Permission = "edit-catalog"   // change records of the catalogue, accept findings
	EditAccess    Permission = "edit-access"    // change who may get access to which system
	ProposeChange Permission = "propose-change" // ask for changes of whatever one may change
	AskAccess     Permission = "ask-access"     // ask for time-bound access, begin it and give it back
	RevokeAccess  Permission = "revoke-access"  // take access from others, freeze and release
	SeeAccess     Permission = "see-access"     // who has access to what, and what was found
	ApplyCatalog  Permission = "apply-catalog"  // apply files; change who has which role
	DecideChange  Permission = "decide-change"  // vote on changes where the policy names the role
	ReviewRoles   Permission = "review-roles"   // sign who holds which role
	RevokeOrder   Permission = "revoke-order"   // take back a standing order, alone
	RunDegraded   Permission = "run-degraded"   // ask to run degraded, for wider limits, and end it
	ReportOutlet  Permission = "report-outlet"  // say what an outlet has queued and when it last synchronised
	ReadProcesses Permission = "read-processes" // decrypt what processes keep in Temporal
	OperateWorker Permission = "operate-worker" // act as the worker; no person has it
)

var grants = map[Permission][]Role{
	See:           People(),
	OpenIncident:  {IncidentCommander, PlatformEngineer},
	Request:       {IncidentCommander, PlatformEngineer},
	Decide:        {IncidentCommander, BusinessOwner, SecurityOfficer, Administrator}, // whomever a policy may name; so below
	Steer:         {IncidentCommander},
	DecideExcept:  {IncidentCommander, BusinessOwner, SecurityOfficer, Administrator},
	ReadAudit:     {IncidentCommander, BusinessOwner, PlatformEngineer, SecurityOfficer, Auditor, Administrator},
	PublishPlan:   {PlatformEngineer},
	EditCatalog:   {BusinessOwner, PlatformEngineer, Administrator},
	ApplyCatalog:  {Administrator},
	EditAccess:    {SecurityOfficer, Administrator},
	ProposeChange: {BusinessOwner, PlatformEngineer, SecurityOfficer, Administrator},
	AskAccess:     People(),
	RevokeAccess:  {SecurityOfficer, IncidentCommander},
	SeeAccess:     {IncidentCommander, SecurityOfficer, Auditor, Administrator},
	DecideChange:  {IncidentCommander, BusinessOwner, SecurityOfficer, Administrator},
	ReviewRoles:   {SecurityOfficer, Administrator},
	RevokeOrder:   {IncidentCommander, BusinessOwner, PlatformEngineer, SecurityOfficer, Administrator},
	RunDegraded:   {IncidentCommander, BusinessOwner, PlatformEngineer},
	ReportOutlet:  {OutletGateway, PlatformEngineer},
	ReadProcesses: {PlatformEngineer, SecurityOfficer, Administrator},
}

// Holders lists the roles that have a permission.
func Holders(p Permission) []Role { return slices.Clone(grants[p]) }

// May says whether the role has the permission. What is not granted is denied.
func (r Role) May(p Permission) bool { return slices.Contains(grants[p], r) }
