package catalog

import "strings"

// Flow is a transaction end to end.
type Flow struct {
	Slug  string     `json:"slug"`
	Name  string     `json:"name"`
	Owner string     `json:"owner,omitempty" doc:"Who answers for it."`
	Steps []FlowStep `json:"steps" ordered:"yes" doc:"In their order."`
}

// FlowStep is one step of a flow over one service.
type FlowStep struct {
	Name        string      `json:"name"`
	Service     string      `json:"service" ref:"service"`
	Criticality Criticality `json:"criticality" enum:"critical,degradable,deferrable" doc:"Critical: the flow stops without it. Degradable: it goes on under a rule. Deferrable: it is done later."`
	Rule        string      `json:"rule,omitempty" ref:"degraded-mode-rule" doc:"What is done instead when a degradable step is down."`
}

// Criticality is what the failure of a step does to its flow.
type Criticality string

// The criticalities.
const (
	StepCritical   Criticality = "critical"
	StepDegradable Criticality = "degradable"
	StepDeferrable Criticality = "deferrable"
)

func (c Catalog) checkFlow(f Flow, say sayer) bool {
	if len(f.Steps) == 0 {
		return say("steps", "a flow has at least one step")
	}
	for i, step := range f.Steps {
		r, ok := c.Rule(step.Rule)
		if ok && !r.IsFor(f.Slug) && !say("steps"+nth(i)+".rule", "%s is not for this flow: it is for %s", r.Name, strings.Join(c.FlowNames(r), ", ")) {
			return false
		}
	}
	return true
}
