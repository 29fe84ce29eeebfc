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
	Approvals  int       `json:"approvals,omitempty" doc:"How many approvals its failover needs."`
}

// Shipped is what an empty catalogue begins with: the tiers that most retailers have.
func Shipped() Catalog {
	const minutes, hours = Duration(60e9), Duration(3600e9)
	return New(Catalog{
		Settings: Settings{Currency: "GBP", TimeZone: "Europe/London"},
		Tiers: []Tier{
			{
				Slug: "tier-1", Name: "Tier 1: revenue stops", RTO: 15 * minutes, RPO: 1 * minutes,
				Patterns: []Pattern{ActiveActive, ActivePassive}, DrillEvery: 30 * 24 * hours, Approvals: 1,
				Evidence: []string{"Drill within its interval", "Secrets and certificates at the target", "Replication within the RPO"},
			},
			{
				Slug: "tier-2", Name: "Tier 2: work piles up", RTO: 60 * minutes, RPO: 15 * minutes,
				Patterns: []Pattern{ActiveActive, ActivePassive}, DrillEvery: 90 * 24 * hours, Approvals: 1,
				Evidence: []string{"Drill within its interval", "Warm standby tested"},
			},
			{
				Slug: "tier-3", Name: "Tier 3: can wait", RTO: 8 * hours, RPO: 8 * hours,
				DrillEvery: 180 * 24 * hours, Approvals: 1, Evidence: []string{"Restore tested"},
			},
		},
	})
}
