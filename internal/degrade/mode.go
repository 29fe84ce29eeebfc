package degrade

import (
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
)

// Phase is where a degraded mode stands once people have said yes to it.
type Phase string

// The phases.
const (
	Wished       Phase = "wished"        // people decide, or have said no
	SwitchingOn  Phase = "switching-on"  // not on before it was read back
	On           Phase = "on"            //
	Stopping     Phase = "stopping"      // its limit is reached, and selling is stopped
	SwitchingOff Phase = "switching-off" // not off before it was read back
	Draining     Phase = "draining"      // what was queued is worked off
	Over         Phase = "over"          // what must be reconciled is not signed yet
	Closed       Phase = "closed"        // signed, or nothing was to be reconciled
	Dropped      Phase = "dropped"       // given up before it was on; or a drill that gave way
)

// transitions are what may lead to what.
var transitions = map[Phase][]Phase{
	Wished:       {SwitchingOn},
	SwitchingOn:  {On, Dropped, SwitchingOff},
	On:           {SwitchingOn, Stopping, SwitchingOff, Dropped},
	Stopping:     {SwitchingOff},
	SwitchingOff: {Draining, Over, Closed, Dropped},
	Draining:     {Over, Closed},
	Over:         {Closed},
	Closed:       nil,
	Dropped:      nil,
}

// Open says that something is still to be done or watched.
func (p Phase) Open() bool { return p != Wished && p != Over && len(transitions[p]) > 0 }

// Lasts says that the retailer runs degraded, as far as anybody knows.
func (p Phase) Lasts() bool { return p == On || p == Stopping || p == SwitchingOff }

// Words is the phase as people say it.
func (p Phase) Words() string {
	return map[Phase]string{
		Wished: "asked for", SwitchingOn: "being switched on", On: "on", Stopping: "stopping to sell", SwitchingOff: "being switched off",
		Draining: "off, working off what waits", Over: "over, to be reconciled", Closed: "closed", Dropped: "never on",
	}[p]
}

// Terms are what people say yes to. Their digest is what votes are bound to.
type Terms struct {
	Rule     catalog.DegradedModeRule `json:"rule"`
	Since    int                      `json:"since"` // the version of the catalogue since which the rule stands
	Incident string                   `json:"incident,omitempty"`
	Drill    bool                     `json:"drill,omitempty"` // for a test tenant only
	Rules    string                   `json:"rules"`           // digest of the policies that say who decides
}

// Digest names the terms.
func (t Terms) Digest() (string, error) { return canonical.Digest("keyholder/degraded-mode/1", t) }

// Scope is whom it is switched on for, as connectors are told.
func (t Terms) Scope() string {
	if t.Drill {
		return "test"
	}
	return "all"
}

// Limits are how far it may go. What is zero has none.
type Limits struct {
	Time   catalog.Duration `json:"time,omitempty"`
	Orders int              `json:"orders,omitempty"`
	Money  float64          `json:"money,omitempty"`
}

// LimitsOf are those that a rule sets.
func LimitsOf(r catalog.DegradedModeRule) Limits { return Limits{r.LimitTime, r.Orders, r.Money} }

// Exposure is what runs on it, as it was last read.
type Exposure struct {
	Orders  float64    `json:"orders"`
	Money   float64    `json:"money"`
	Queued  float64    `json:"queued"`
	At      time.Time  `json:"at"`
	Failing *time.Time `json:"failing,omitempty"` // since when it cannot be read
	Why     string     `json:"why,omitempty"`
}

// Trouble is what does not go as it should, since when.
type Trouble struct {
	Why      string    `json:"why"`
	Since    time.Time `json:"since"`
	Attempts int       `json:"attempts,omitempty"`
}

// Reached is a limit that was reached.
type Reached struct {
	Which []string  `json:"which"` // of time, orders and money
	What  string    `json:"what"`  // in words, with by how much it was exceeded when anybody looked
	At    time.Time `json:"at"`
}

// Ending is why and by whom it was ended.
type Ending struct {
	Why string        `json:"why"`
	By  access.Person `json:"by"`
	At  time.Time     `json:"at"`
}

// Mode is one time that the retailer runs degraded, from the wish for it to the signed books.
type Mode struct {
	approval.Question `json:"-"`

	Terms      Terms       `json:"terms"`
	Reason     string      `json:"reason"`
	InAdvance  string      `json:"in_advance,omitempty"` // the change request by which it was approved beforehand
	Phase      Phase       `json:"phase"`
	Limits     Limits      `json:"limits"`
	Period     int         `json:"period"`           // how often it was to be switched, on or off: each is done once
	Effect     *time.Time  `json:"effect,omitempty"` // since when it may be on: the first attempt to switch it
	On         *time.Time  `json:"on,omitempty"`     // read back
	Off        *time.Time  `json:"off,omitempty"`    // read back
	Drained    *time.Time  `json:"drained,omitempty"`
	Healthy    *time.Time  `json:"healthy,omitempty"`   // since when what was unavailable is back
	ReadBack   *time.Time  `json:"read_back,omitempty"` // when it last was seen to be as it should
	Unread     string      `json:"unread,omitempty"`    // why it cannot be seen since
	Exposure   *Exposure   `json:"exposure,omitempty"`
	Base       *Exposure   `json:"base,omitempty"`    // what had run on it when its source began to count anew
	Trouble    *Trouble    `json:"trouble,omitempty"` // of switching or draining
	Drift      *Trouble    `json:"drift,omitempty"`   // somebody switched it behind our back
	Reached    *Reached    `json:"reached,omitempty"`
	Ending     *Ending     `json:"ending,omitempty"`
	Extensions []Extension `json:"extensions,omitempty"`
	Stopped    *time.Time  `json:"stopped,omitempty"` // when selling was stopped, at its limit
	Resume     *Ending     `json:"resume,omitempty"`  // who wants selling started again
	Resumed    *time.Time  `json:"resumed,omitempty"` // read back
	Signed     *Ending     `json:"signed,omitempty"`
}

// Do is what is to be done next.
type Do string

// What can be.
const (
	DoNothing   Do = "nothing"
	DoAwait     Do = "await"      // people, or what the watch sees
	DoSwitchOn  Do = "switch-on"  //
	DoStop      Do = "stop"       //
	DoSwitchOff Do = "switch-off" //
	DoDrain     Do = "drain"      //
	DoResume    Do = "resume"     // to sell
)

// Next is what the record says is to be done.
func (m Mode) Next() Do {
	if m.Resume != nil && m.Resumed == nil {
		return DoResume
	}
	switch m.Phase {
	case SwitchingOn:
		return m.byConnector(DoSwitchOn)
	case Stopping:
		return DoStop
	case SwitchingOff:
		return m.byConnector(DoSwitchOff)
	case Draining:
		return DoDrain
	case On:
		return DoAwait
	case Wished:
		if m.State == approval.Requested {
			return DoAwait
		}
	case Over, Closed, Dropped:
	}
	return DoNothing
}

// byConnector is what a connector does; without one a person does it, and says so.
func (m Mode) byConnector(do Do) Do {
	if m.ByHand() {
		return DoAwait
	}
	return do
}

// ByHand says that people switch it, as the rule describes.
func (m Mode) ByHand() bool { return m.Terms.Rule.Switch.IsZero() }

// Asking is what the mode is about, to policies and scopes.
func (t Terms) Asking(c catalog.Catalog, at time.Time) approval.About {
	return approval.About{Action: catalog.ActDegrade, Services: c.RunsSo(t.Rule), At: at}
}

// Runs is for how long it has been on, or may have been.
func (m Mode) Runs(now time.Time) time.Duration {
	if m.Effect == nil {
		return 0
	}
	if m.Off != nil {
		now = *m.Off
	}
	return now.Sub(*m.Effect)
}
