package catalog

import "encoding/json"

// DataSet is a store that services share. It moves as one, and carries the fence and the exclusivity of runs.
type DataSet struct {
	Slug           string      `json:"slug"`
	Name           string      `json:"name"`
	Owner          string      `json:"owner,omitempty" doc:"Who answers for what it holds and signs when it was reconciled."`
	Writers        Writers     `json:"writers,omitempty" enum:"single,multi" doc:"Whether one site accepts writes at a time, or all do. Single, where it is not said."`
	WriterSites    []string    `json:"writer_sites,omitempty" ref:"site" doc:"Which sites may accept writes; of a single writer, the usual one first."`
	Replication    Replication `json:"replication,omitempty" enum:"none,asynchronous,synchronous"`
	RecoveryPoints Duration    `json:"recovery_points,omitempty" doc:"How often a point is kept that it can be restored to."`
	Kept           Duration    `json:"kept,omitempty" doc:"How long such a point is kept."`
	Position       Position    `json:"position,omitzero" doc:"How to read where a site's copy of it stands."`
}

// Writers says how many sites accept writes at a time.
type Writers string

// The writers.
const (
	SingleWriter Writers = "single"
	MultiWriter  Writers = "multi"
)

// Replication says how a copy follows.
type Replication string

// The replications.
const (
	NoReplication           Replication = "none"
	AsynchronousReplication Replication = "asynchronous"
	SynchronousReplication  Replication = "synchronous"
)

// Position says how to read where a site's copy of a data set stands. Each pointer is an RFC 6901 JSON Pointer into the
// answer; NewestAt yields an RFC 3339 time, Writer a boolean, the others numbers.
type Position struct {
	Observe    json.RawMessage `json:"observe" doc:"Parameters of the http connector; may refer to ${site.NAME}."`
	Newest     string          `json:"newest"`
	NewestAt   string          `json:"newest_at"`
	LagRecords string          `json:"lag_records"`
	LagSeconds string          `json:"lag_seconds"`
	Writer     string          `json:"writer"`
}

// IsZero says that nobody said how to read it.
func (p Position) IsZero() bool { return len(p.Observe) == 0 }

// ConsistencyGroup is data sets that are recovered to one point.
type ConsistencyGroup struct {
	Slug     string   `json:"slug"`
	Name     string   `json:"name"`
	Owner    string   `json:"owner,omitempty"`
	DataSets []string `json:"data_sets" ref:"data-set"`
}
