package catalog

import (
	"encoding/json"
	"time"

	"keyholder/internal/access"
)

// Catalog is one version of everything the retailer has described.
type Catalog struct {
	Currency     string             `json:"currency"` // three letters, of all money in the catalogue
	Sites        []Site             `json:"sites"`
	Tiers        []Tier             `json:"tiers"`
	Capabilities []Capability       `json:"capabilities"`
	DataSets     []DataSet          `json:"data_sets"`
	Services     []Service          `json:"services"`
	Dependencies []Dependency       `json:"dependencies"`
	Flows        []Flow             `json:"flows"`
	Signals      []Signal           `json:"signals"`
	Roles        []access.RoleClaim `json:"roles"`
}

// Site is a place where services run. Addresses are what plans and signals may refer to as ${from.NAME} or ${site.NAME}.
type Site struct {
	Slug      string            `json:"slug"`
	Name      string            `json:"name"`
	Region    string            `json:"region"`
	Addresses map[string]string `json:"addresses"`
}

// Tier is a class of service with its objectives.
type Tier struct {
	Slug string   `json:"slug"`
	Name string   `json:"name"`
	RTO  Duration `json:"rto"`
	RPO  Duration `json:"rpo"`
}

// Capability is what the business does with services, with what it earns.
type Capability struct {
	Slug           string  `json:"slug"`
	Name           string  `json:"name"`
	RevenuePerHour float64 `json:"revenue_per_hour"`
}

// DataSet is a store that services share. It moves as one, and carries the fence and the exclusivity of runs.
type DataSet struct {
	Slug        string   `json:"slug"`
	Name        string   `json:"name"`
	Owner       string   `json:"owner"`
	WriterSites []string `json:"writer_sites"`
	Position    Position `json:"position"`
}

// Position says how to read where a site's copy of a data set stands. Each pointer is an RFC 6901 JSON Pointer into the
// answer; NewestAt yields an RFC 3339 time, Writer a boolean, the others numbers.
type Position struct {
	Observe    json.RawMessage `json:"observe"` // parameters of the http connector; may refer to ${site.NAME}
	Newest     string          `json:"newest"`
	NewestAt   string          `json:"newest_at"`
	LagRecords string          `json:"lag_records"`
	LagSeconds string          `json:"lag_seconds"`
	Writer     string          `json:"writer"`
}

// Service is a workload with a tier, a capability, owners and deployments.
type Service struct {
	Slug           string       `json:"slug"`
	Name           string       `json:"name"`
	Tier           string       `json:"tier"`
	Capability     string       `json:"capability"`
	BusinessOwner  string       `json:"business_owner"`
	TechnicalOwner string       `json:"technical_owner"`
	DataSets       []string     `json:"data_sets"`
	Pattern        Pattern      `json:"pattern"`
	Deployments    []Deployment `json:"deployments"`
}

// Pattern is how a service is spread over its sites.
type Pattern string

// The patterns.
const (
	ActiveActive  Pattern = "active-active"
	ActivePassive Pattern = "active-passive"
	BackupRestore Pattern = "backup-restore"
)

// Deployment places a service at a site: active, standby or cold.
type Deployment struct {
	Site string `json:"site"`
	Role string `json:"role"`
}

// Dependency says that one service needs another.
type Dependency struct {
	From     string   `json:"from"`
	To       string   `json:"to"`
	Coupling Coupling `json:"coupling"`
}

// Coupling is how a dependency's absence is felt.
type Coupling string

// The couplings.
const (
	Synchronous  Coupling = "synchronous"
	Asynchronous Coupling = "asynchronous"
	Deferrable   Coupling = "deferrable"
)

// Flow is a transaction end to end.
type Flow struct {
	Slug  string     `json:"slug"`
	Name  string     `json:"name"`
	Steps []FlowStep `json:"steps"`
}

// FlowStep is one step of a flow over one service.
type FlowStep struct {
	Name        string      `json:"name"`
	Service     string      `json:"service"`
	Criticality Criticality `json:"criticality"`
}

// Criticality is what the failure of a step does to its flow.
type Criticality string

// The criticalities.
const (
	StepCritical   Criticality = "critical"
	StepDegradable Criticality = "degradable"
	StepDeferrable Criticality = "deferrable"
)

// Signal is a number that tells how a service is, and when it is bad.
type Signal struct {
	Slug     string          `json:"slug"`
	Name     string          `json:"name"`
	Kind     SignalKind      `json:"kind"`
	Service  string          `json:"service"`
	Unit     string          `json:"unit"`
	Observe  json.RawMessage `json:"observe"` // parameters of the http connector
	Pointer  string          `json:"pointer"`
	BadBelow *float64        `json:"bad_below,omitempty"`
	BadAbove *float64        `json:"bad_above,omitempty"`
}

// SignalKind says what a signal measures.
type SignalKind string

// The kinds of signal.
const (
	Success SignalKind = "success" // a ratio from 0 to 1
	Volume  SignalKind = "volume"  // a rate per second
)

// Bad says whether a value is beyond the signal's limits.
func (s Signal) Bad(value float64) bool {
	return s.BadBelow != nil && value < *s.BadBelow || s.BadAbove != nil && value > *s.BadAbove
}

// Duration is a span of time written as people write it: "15m", "2s".
type Duration time.Duration

// D is the standard library's form.
func (d Duration) D() time.Duration { return time.Duration(d) }

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes the form that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads Go's notation, such as "1m30s".
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}
