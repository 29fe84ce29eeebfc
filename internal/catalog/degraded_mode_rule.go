package catalog

import (
	"bytes"
	"encoding/json"
	"slices"
)

// DegradedModeRule says: when this is unavailable, do that instead, within these limits.
type DegradedModeRule struct {
	Slug              string     `json:"slug"`
	Name              string     `json:"name"`
	Owner             string     `json:"owner,omitempty" doc:"Who answers for running so, and signs the books after."`
	Approver          string     `json:"approver,omitempty" doc:"Who may say that it is done."`
	Trigger           []string   `json:"trigger,omitempty" ref:"service,third-party" doc:"What must be unavailable."`
	Signals           []string   `json:"signals,omitempty" ref:"signal" doc:"What tells that it is unavailable, when all of them are bad; and that it is back, when none is."`
	Instead           string     `json:"instead" form:"long" doc:"What is done instead, in a sentence that a shop assistant understands."`
	Does              Does       `json:"does,omitempty" enum:"leave-out,queue,read-only,substitute,sell-offline" doc:"What becomes of the work meanwhile."`
	Services          []string   `json:"services,omitempty" ref:"service" doc:"What runs so. What must be unavailable, where none is named."`
	Tenants           []string   `json:"tenants,omitempty" ref:"tenant" doc:"For whom. All of them, where none is named."`
	Flows             []string   `json:"flows,omitempty" ref:"flow" doc:"For which flows. All of them, where none is named."`
	Effect            string     `json:"effect,omitempty" form:"long" alone:"yes" doc:"What customers and staff notice."`
	Message           string     `json:"message,omitempty" form:"long" doc:"What customers are told."`
	MessageChannel    string     `json:"message_channel,omitempty" ref:"channel" label:"Customers are told by" doc:"The channel on which that is posted, once it is on. Nobody but those who run it is told, where none is named."`
	OutletMessage     string     `json:"outlet_message,omitempty" form:"long" doc:"What outlets are told."`
	OutletChannel     string     `json:"outlet_channel,omitempty" ref:"channel" label:"Outlets are told by" doc:"The channel on which that is posted."`
	CallCentreMessage string     `json:"call_centre_message,omitempty" form:"long" doc:"What the call centre is told."`
	CallCentreChannel string     `json:"call_centre_channel,omitempty" ref:"channel" label:"The call centre is told by" doc:"The channel on which that is posted."`
	AllClear          string     `json:"all_clear,omitempty" form:"long" doc:"What all of them are told once it is over."`
	GoAhead           GoAhead    `json:"go_ahead,omitempty" enum:"asked,in-advance,by-itself" doc:"Asked: people decide each time. In advance: approving this rule was the approval, and one person switches it on. By itself: so do its signals. Asked, where it is not said."`
	BadFor            Duration   `json:"bad_for,omitempty" doc:"How long its signals must be bad before it is switched on by itself."`
	CostPerMinute     float64    `json:"cost_per_minute,omitempty" unit:"money" doc:"What running so costs a minute."`
	LimitTime         Duration   `json:"limit_time,omitempty" doc:"For how long at most."`
	Orders            int        `json:"limit_orders,omitempty" doc:"For how many orders at most."`
	Money             float64    `json:"limit_money,omitempty" unit:"money" doc:"For how much money at most."`
	AtLimit           AtLimit    `json:"at_limit,omitempty" enum:"back-to-normal,stop-selling,go-on-and-page" doc:"What happens when a limit is reached. Back to normal: once what was unavailable is healthy; until then it goes on and people are told."`
	HealthyFor        Duration   `json:"healthy_for,omitempty" doc:"How long its signals must be good again before it ends by itself. Where none is said, people end it."`
	SwitchOn          string     `json:"switch_on,omitempty" form:"long" doc:"How it is switched on by hand."`
	SwitchOff         string     `json:"switch_off,omitempty" form:"long" doc:"How it is switched off by hand."`
	Switch            Act        `json:"switch,omitzero" doc:"How it is switched on, read back and switched off by a connector, rather than by hand."`
	Stop              Act        `json:"stop,omitzero" doc:"How selling is stopped, where that is what happens at the limit."`
	Exposure          ExposureIs `json:"exposure,omitzero" doc:"How to read what runs on it."`
	Drain             Draining   `json:"drain,omitzero" doc:"How what was queued is worked off after."`
	Reconcile         string     `json:"reconcile,omitempty" form:"long" doc:"What must be compared and put right after."`
}

// Act is something that a connector brings about and takes back.
type Act struct {
	Connector string          `json:"connector"`
	Params    json.RawMessage `json:"params" doc:"What the connector is told; may refer to ${mode.code} and ${mode.scope}, which is all or test."`
}

// IsZero says that there is none.
func (a Act) IsZero() bool { return a.Connector == "" && len(a.Params) == 0 }

// ExposureIs says how to read what runs on a degraded mode. Each pointer is an RFC 6901 JSON Pointer to a number in the answer.
type ExposureIs struct {
	Observe json.RawMessage `json:"observe" doc:"Parameters of the http connector."`
	Orders  string          `json:"orders,omitempty" doc:"JSON Pointer to the number of orders."`
	Money   string          `json:"money,omitempty" doc:"JSON Pointer to the money."`
	Queued  string          `json:"queued,omitempty" doc:"JSON Pointer to how much waits to be done later."`
	Parts   float64         `json:"parts,omitempty" doc:"Of how many parts a unit of money consists, where it is counted in those: 100 for pence."`
}

// IsZero says that nobody said how to read it.
func (e ExposureIs) IsZero() bool { return len(e.Observe) == 0 }

// Draining says how what was queued is worked off.
type Draining struct {
	Connector string          `json:"connector"`
	Params    json.RawMessage `json:"params" doc:"What the connector is told to begin it, at a limited rate."`
	Observe   json.RawMessage `json:"observe" doc:"Parameters of the http connector that read the queue."`
	Queued    string          `json:"queued" doc:"JSON Pointer to how much still waits."`
	Each      float64         `json:"per_second,omitempty" doc:"How many are worked off a second, to tell how long it takes."`
}

// IsZero says that nothing is queued.
func (d Draining) IsZero() bool { return d.Connector == "" && len(d.Params) == 0 }

// Does is what becomes of the work while a degraded mode lasts.
type Does string

// What becomes of it.
const (
	LeaveOut    Does = "leave-out"
	QueueIt     Does = "queue"
	ReadOnly    Does = "read-only"
	Substitute  Does = "substitute"
	SellOffline Does = "sell-offline"
)

// contradict says whether two things cannot be done for one service at a time: what may only be read takes no writes to queue.
func contradict(a, b Does) bool {
	writes := func(d Does) bool { return d == QueueIt || d == SellOffline }
	return a == ReadOnly && writes(b) || b == ReadOnly && writes(a)
}

// GoAhead is whose word it takes to switch a degraded mode on.
type GoAhead string

// The go-aheads.
const (
	Asked     GoAhead = "asked"
	InAdvance GoAhead = "in-advance"
	ByItself  GoAhead = "by-itself"
)

// Approved says whether approving the rule was the approval of switching it on.
func (g GoAhead) Approved() bool { return g == InAdvance || g == ByItself }

// AtLimit is what happens when a degraded mode reaches one of its limits.
type AtLimit string

// What can happen.
const (
	BackToNormal AtLimit = "back-to-normal"
	StopSelling  AtLimit = "stop-selling"
	GoOnAndPage  AtLimit = "go-on-and-page"
)

// RunsSo are the services that run degraded under a rule.
func (c Catalog) RunsSo(r DegradedModeRule) []string {
	if len(r.Services) > 0 {
		return r.Services
	}
	var services []string
	for _, slug := range r.Trigger {
		if _, ok := c.Service(slug); ok {
			services = append(services, slug)
		}
	}
	return services
}

// IsFor says whether a rule is for a flow.
func (r DegradedModeRule) IsFor(flow string) bool {
	return len(r.Flows) == 0 || slices.Contains(r.Flows, flow)
}

// shareFlow says whether two rules can hold for the same flow.
func shareFlow(a, b DegradedModeRule) bool {
	return len(a.Flows) == 0 || slices.ContainsFunc(a.Flows, b.IsFor)
}

// FlowNames are what people call the flows that a rule names.
func (c Catalog) FlowNames(r DegradedModeRule) []string {
	names := make([]string, len(r.Flows))
	for i, slug := range r.Flows {
		names[i] = c.NameOf(KindFlow, slug)
	}
	return names
}

// RulesAgainst are the rules by which the retailer goes on while something is down: those that it calls, those that the flows which it
// touches name, and those by which just that goes on, where their signals are bad: what it needs is down, not it. What is for some flows
// only is of no use to others.
func (c Catalog) RulesAgainst(down []string, i Impact, bad func(signal string) bool) []DegradedModeRule {
	named, touched := map[string]bool{}, map[string]bool{}
	for _, f := range i.Flows {
		touched[f.Slug] = true
		for _, step := range f.Steps {
			named[step.Rule] = named[step.Rule] || step.RuleName != ""
		}
	}
	isDown := func(slug string) bool { return slices.Contains(down, slug) }
	var rules []DegradedModeRule
	for _, r := range c.Rules {
		if len(r.Flows) > 0 && !c.serves(r, touched) {
			continue
		}
		if named[r.Slug] || slices.ContainsFunc(r.Trigger, isDown) || slices.ContainsFunc(c.RunsSo(r), isDown) && r.allBad(bad) {
			rules = append(rules, r)
		}
	}
	return rules
}

// serves says whether one of the flows that a rule names is touched, or goes over what runs so. Where no service does, nobody can tell,
// and the rule is not held back.
func (c Catalog) serves(r DegradedModeRule, touched map[string]bool) bool {
	so := c.RunsSo(r)
	return len(so) == 0 || slices.ContainsFunc(r.Flows, func(slug string) bool {
		f, _ := c.Flow(slug)
		return touched[slug] || slices.ContainsFunc(f.Steps, func(s FlowStep) bool { return slices.Contains(so, s.Service) })
	})
}

func (r DegradedModeRule) allBad(bad func(signal string) bool) bool {
	return len(r.Signals) > 0 && !slices.ContainsFunc(r.Signals, func(slug string) bool { return !bad(slug) })
}

// About says whether a record is concerned by running so: a service or a third party, a flow over such, or an outlet that works by such a
// flow.
func (c Catalog) About(r DegradedModeRule, ref Ref) bool {
	switch ref.Kind {
	case KindRule:
		return r.Slug == ref.Slug
	case KindService, KindThirdParty:
		return slices.Contains(r.Trigger, ref.Slug) || slices.Contains(c.RunsSo(r), ref.Slug)
	case KindFlow:
		f, _ := c.Flow(ref.Slug)
		return r.IsFor(ref.Slug) && slices.ContainsFunc(f.Steps, func(s FlowStep) bool {
			return s.Rule == r.Slug || c.About(r, Ref{KindService, s.Service})
		})
	case KindOutlet:
		o, _ := c.Outlet(ref.Slug)
		return (len(r.Tenants) == 0 || slices.Contains(r.Tenants, o.Tenant)) &&
			slices.ContainsFunc(o.Flows, func(flow string) bool { return c.About(r, Ref{KindFlow, flow}) })
	default:
		return false
	}
}

func (c Catalog) checkDegradedModeRule(r DegradedModeRule, say sayer) bool {
	switch {
	case r.GoAhead.Approved() && r.LimitTime == 0 && !say("limit_time", "what is approved in advance has a limit in time"):
		return false
	case r.GoAhead == ByItself && len(r.Signals) == 0 && !say("signals", "what switches itself on needs a signal"):
		return false
	case r.GoAhead == ByItself && r.Switch.IsZero() && !say("switch", "what switches itself on needs a connector"):
		return false
	case r.HealthyFor > 0 && len(r.Signals) == 0 && !say("healthy_for", "what ends by itself needs a signal that is good again"):
		return false
	case r.AtLimit == StopSelling && !r.Switch.IsZero() && r.Stop.IsZero() && !say("stop", "stopping to sell at the limit needs a connector, as switching it on does"):
		return false
	case (r.LimitTime > 0 || r.Orders > 0 || r.Money > 0) && r.AtLimit == "" && !say("at_limit", "a limit needs what happens at it"):
		return false
	case r.AtLimit == BackToNormal && len(r.Signals) == 0 && !say("at_limit", "back to normal needs a signal that tells that what was unavailable is healthy"):
		return false
	case (r.Orders > 0 || r.Money > 0) && !r.Switch.IsZero() && r.Exposure.IsZero() && !say("exposure", "a limit in orders or money needs a way to read them"):
		return false
	}
	if !c.checkFlowsOf(r, say) || !r.checkAudiences(say) {
		return false
	}
	for _, other := range c.Rules {
		if other.Slug != r.Slug && !c.agree(r, other, say) {
			return false
		}
	}
	return true
}

// checkFlowsOf finds the steps that name a rule for a flow which it is not for.
func (c Catalog) checkFlowsOf(r DegradedModeRule, say sayer) bool {
	for _, f := range c.Flows {
		if r.IsFor(f.Slug) {
			continue
		}
		for _, step := range f.Steps {
			if step.Rule == r.Slug && !say("flows", "%s is not among them, and its step %q names this rule", f.Name, step.Name) {
				return false
			}
		}
	}
	return true
}

// does is what a rule does something with: the services that run so, or the third party that is done without.
func (c Catalog) does(r DegradedModeRule) []string {
	if services := c.RunsSo(r); len(services) > 0 {
		return services
	}
	return r.Trigger
}

// agree says where two rules contradict each other: one that may only read what another writes to, and two on one switch, of which the
// end of one would end the other.
func (c Catalog) agree(r, other DegradedModeRule, say sayer) bool {
	if !r.Switch.IsZero() && r.Switch.Connector == other.Switch.Connector && bytes.Equal(r.Switch.Params, other.Switch.Params) {
		return say("switch", "%s is switched by the same: when one ended, so would the other", other.Name)
	}
	if !contradict(r.Does, other.Does) || !shareFlow(r, other) {
		return true
	}
	for _, slug := range c.does(r) {
		if slices.Contains(c.does(other), slug) {
			name := c.ServiceName(slug)
			if third, ok := c.ThirdParty(slug); ok {
				name = third.Name
			}
			return say("does", "%s is %s by this rule and %s by %s: it cannot be both", name, Words(string(r.Does)), Words(string(other.Does)), other.Name)
		}
	}
	return true
}
