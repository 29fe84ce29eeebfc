package catalog

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

// DegradedModeRule says: when this is unavailable, do that instead.
type DegradedModeRule struct {
	Slug      string   `json:"slug"`
	Name      string   `json:"name"`
	Owner     string   `json:"owner,omitempty" doc:"Who answers for running so."`
	Approver  string   `json:"approver,omitempty" doc:"Who may say that it is done."`
	Trigger   []string `json:"trigger,omitempty" ref:"service,third-party" doc:"What must be unavailable."`
	Instead   string   `json:"instead" form:"long" doc:"What is done instead, in a sentence that a shop assistant understands."`
	Effect    string   `json:"effect,omitempty" form:"long" alone:"yes" doc:"What customers and staff notice."`
	Message   string   `json:"message,omitempty" form:"long" doc:"What customers are told."`
	LimitTime Duration `json:"limit_time,omitempty" doc:"For how long at most."`
	Orders    int      `json:"limit_orders,omitempty" doc:"For how many orders at most."`
	Money     float64  `json:"limit_money,omitempty" unit:"money" doc:"For how much money at most."`
	AtLimit   AtLimit  `json:"at_limit,omitempty" enum:"back-to-normal,stop-selling,go-on-and-page" doc:"What happens when a limit is reached."`
	SwitchOn  string   `json:"switch_on,omitempty" form:"long" doc:"How it is switched on."`
	SwitchOff string   `json:"switch_off,omitempty" form:"long" doc:"How it is switched off."`
	Reconcile string   `json:"reconcile,omitempty" form:"long" doc:"What must be compared and put right after."`
}

// AtLimit is what happens when a degraded mode reaches one of its limits.
type AtLimit string
