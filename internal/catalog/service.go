package catalog

// Service is a workload with a tier, a capability, owners, deployments and what it depends on.
type Service struct {
	Slug           string         `json:"slug"`
	Name           string         `json:"name"`
	About          string         `json:"about,omitempty" form:"long" alone:"yes" doc:"What it does, in a sentence or two."`
	Tier           string         `json:"tier" ref:"tier"`
	Capability     string         `json:"capability" ref:"capability" doc:"What the business does with it."`
	BusinessOwner  string         `json:"business_owner,omitempty" doc:"Who decides what its loss may cost."`
	TechnicalOwner string         `json:"technical_owner,omitempty" doc:"Who runs it."`
	Tenants        []string       `json:"tenants,omitempty" ref:"tenant" doc:"Whom it serves. All of them, where none is named."`
	Pattern        Pattern        `json:"pattern" enum:"active-active,active-passive,backup-restore" doc:"How it is spread over its sites."`
	RecoveryKinds  []RecoveryKind `json:"recovery_kinds,omitempty" enum:"move,withdraw,restore,switch-provider,roll-back" doc:"The ways of recovery that it supports."`
	Platform       Platform       `json:"platform,omitempty" enum:"identity,secrets,dns,deployment,monitoring" doc:"What it runs of the platform itself, if anything."`
	Deployments    []Deployment   `json:"deployments,omitempty" doc:"Where it runs."`
	DataSets       []string       `json:"data_sets,omitempty" ref:"data-set" doc:"What it writes. Services that share a data set move together."`
	Dependencies   []Dependency   `json:"dependencies,omitempty" doc:"What it needs."`
	Links          Links          `json:"links,omitzero" alone:"yes"`
}

// Pattern is how a service is spread over its sites.
type Pattern string

// The patterns.
const (
	ActiveActive  Pattern = "active-active"
	ActivePassive Pattern = "active-passive"
	BackupRestore Pattern = "backup-restore"
)

// RecoveryKind is a way of recovery.
type RecoveryKind string

// The recovery kinds.
const (
	Move           RecoveryKind = "move"
	Withdraw       RecoveryKind = "withdraw"
	Restore        RecoveryKind = "restore"
	SwitchProvider RecoveryKind = "switch-provider"
	RollBack       RecoveryKind = "roll-back"
)

// Platform is what a service runs of the platform that others stand on.
type Platform string

// Deployment places a service at a site.
type Deployment struct {
	Site string `json:"site" ref:"site"`
	Role Role   `json:"role" enum:"active,standby,cold"`
}

// Role is what a deployment does: serve, wait warm, or wait cold.
type Role string

// The roles of a deployment.
const (
	Active  Role = "active"
	Standby Role = "standby"
	Cold    Role = "cold"
)

// Dependency says what a service needs, and how the absence of that is felt.
type Dependency struct {
	On           string   `json:"on" ref:"service,third-party"`
	Coupling     Coupling `json:"coupling" enum:"synchronous,asynchronous,deferrable" doc:"Synchronous: it stops with it. Asynchronous: a queue fills. Deferrable: it is done later."`
	Queue        string   `json:"queue,omitempty" doc:"The durable queue of an asynchronous one."`
	LongestDelay Duration `json:"longest_delay,omitempty" doc:"How long a deferrable one can wait."`
}

// Coupling is how a dependency's absence is felt.
type Coupling string

// The couplings.
const (
	Synchronous  Coupling = "synchronous"
	Asynchronous Coupling = "asynchronous"
	Deferrable   Coupling = "deferrable"
)

// Links lead to what people look at elsewhere.
type Links struct {
	Dashboard  string `json:"dashboard,omitempty" form:"url"`
	Runbook    string `json:"runbook,omitempty" form:"url"`
	Repository string `json:"repository,omitempty" form:"url"`
}

// IsZero says that there are none.
func (l Links) IsZero() bool { return l == Links{} }

// ThirdParty is somebody else's service: payments, tax, shipping.
type ThirdParty struct {
	Slug       string   `json:"slug"`
	Name       string   `json:"name"`
	Owner      string   `json:"owner,omitempty" doc:"Who of ours deals with them."`
	Contact    string   `json:"contact,omitempty" alone:"yes" doc:"Whom to call, and how."`
	StatusPage string   `json:"status_page,omitempty" form:"url" alone:"yes"`
	Promised   Duration `json:"promised,omitempty" doc:"The recovery time that they promise."`
}
