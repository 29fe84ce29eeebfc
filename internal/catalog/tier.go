package catalog

// Tier is a class of service with its objectives.
type Tier struct {
	Slug       string    `json:"slug"`
	Name       string    `json:"name"`
	RTO        Duration  `json:"rto" label:"RTO" doc:"How long recovery may take, from the start of impact."`
	RPO        Duration  `json:"rpo" label:"RPO" doc:"How much of the newest data, in time, may be lost."`
	Patterns   []Pattern `json:"patterns,omitempty" enum:"active-active,active-passive,backup-restore" doc:"How services of this tier may be spread over sites. Any, where none is named."`
	DrillEvery Duration  `json:"drill_every,omitempty" doc:"How long after one drill the next is due."`
	Evidence   []string  `json:"evidence,omitempty" doc:"What must be shown of a service of this tier before it counts as ready."`
	Approvals  int       `json:"approvals,omitempty" form:"-"` // of before there were policies; kept so that old versions can be read
}
