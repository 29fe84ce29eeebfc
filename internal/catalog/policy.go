package catalog

import (
	"slices"

	"keyholder/internal/access"
)

// Action is what people decide on by a policy.
type Action string

// The actions.
const (
	ActMove        Action = "move"
	ActWithdraw    Action = "withdraw"
	ActRestore     Action = "restore"
	ActSwitch      Action = "switch-provider"
	ActRollBack    Action = "roll-back"
	ActDrill       Action = "drill"
	ActDegrade     Action = "degraded-mode"
	ActBreakGlass  Action = "break-glass"
	ActOverride    Action = "override"
	ActWaiver      Action = "waiver"
	ActChange      Action = "change-catalogue"
	ActChangeRules Action = "change-policy"
)

// Actions lists every action.
func Actions() []Action {
	return []Action{
		ActMove, ActWithdraw, ActRestore, ActSwitch, ActRollBack, ActDrill, ActDegrade, ActBreakGlass, ActOverride, ActWaiver,
		ActChange, ActChangeRules,
	}
}

// HasCause says whether the action is about something that went wrong: only then are there causes, planned moves and emergencies
// to tell apart.
func (a Action) HasCause() bool {
	return slices.Contains([]Action{ActMove, ActWithdraw, ActRestore, ActSwitch, ActRollBack, ActOverride, ActWaiver}, a)
}

// AboutNothing says whether the action may be about no service at all.
func (a Action) AboutNothing() bool {
	return slices.Contains([]Action{ActBreakGlass, ActChange, ActChangeRules}, a)
}

// Causes are the causes that policies may tell apart.
func Causes() []string { return choicesOf("causes") }

// Modes are the modes that policies may tell apart.
func Modes() []string {
	return slices.DeleteFunc(choicesOf("mode"), func(m string) bool { return m == "" })
}

func choicesOf(key string) []string {
	for _, f := range KindPolicy.Fields() {
		if f.Key == key {
			return slices.Clone(f.Choices)
		}
	}
	return nil
}

// Policy says whose approval an action needs. Of those that fit a case, the one that is narrower than all others applies;
// an empty list fits everything.
type Policy struct {
	Slug         string   `json:"slug"`
	Name         string   `json:"name"`
	Action       Action   `json:"action" enum:"move,withdraw,restore,switch-provider,roll-back,drill,degraded-mode,break-glass,override,waiver,change-catalogue,change-policy" doc:"What is decided."`
	Tiers        []string `json:"tiers,omitempty" ref:"tier" doc:"Of the services that it is about. All, where none is named; so below."`
	Capabilities []string `json:"capabilities,omitempty" ref:"capability"`
	Tenants      []string `json:"tenants,omitempty" ref:"tenant" doc:"That the services serve."`
	Causes       []string `json:"causes,omitempty" enum:"site,network,node,release,corruption,compromise,third-party,unknown"`
	Mode         string   `json:"mode,omitempty" enum:",planned,emergency" doc:"Either, where none is named."`
	When         string   `json:"when,omitempty" enum:",peak,off-peak" doc:"Whether a peak of the capability's calendar applies at the moment of the request. Either, where none is named."`

	Needs         []Need        `json:"needs" doc:"Who must approve. Rows of the same way are needed together; any one way is enough."`
	Veto          []access.Role `json:"veto,omitempty" enum:"incident-commander,business-owner,security-officer,administrator" doc:"Whose no ends it. Anybody's who may vote, where none is named."`
	RecentSignIn  Duration      `json:"recent_sign_in" doc:"How old a voter's sign-in may be."`
	Lifetime      Duration      `json:"lifetime" doc:"How long a request waits. Silence is no."`
	RemindEvery   Duration      `json:"remind_every,omitempty" doc:"How often those who can decide are told again."`
	EscalateAfter Duration      `json:"escalate_after,omitempty" doc:"When others are told as well."`
	EscalateTo    []access.Role `json:"escalate_to,omitempty" enum:"incident-commander,business-owner,platform-engineer,security-officer,administrator" doc:"Who is told then."`
	InAdvance     bool          `json:"in_advance,omitempty" doc:"Whether a standing order may approve it in advance."`
}

// Need is how many people of a role one way of approving takes.
type Need struct {
	Way     string      `json:"way,omitempty" doc:"Rows of the same letter are needed together."`
	Role    access.Role `json:"role" enum:"incident-commander,business-owner,security-officer,administrator"`
	Persons int         `json:"persons" doc:"How many of them."`
}

// Ways are the needs that are enough together, each one way of approving, in the order in which they are written.
func (p Policy) Ways() [][]Need {
	var names []string
	ways := map[string][]Need{}
	for _, n := range p.Needs {
		if !slices.Contains(names, n.Way) {
			names = append(names, n.Way)
		}
		ways[n.Way] = append(ways[n.Way], n)
	}
	all := make([][]Need, len(names))
	for i, name := range names {
		all[i] = ways[name]
	}
	return all
}

// Voters are the roles that the policy asks, in the order in which it names them.
func (p Policy) Voters() []access.Role {
	var roles []access.Role
	for _, n := range p.Needs {
		if !slices.Contains(roles, n.Role) {
			roles = append(roles, n.Role)
		}
	}
	return roles
}

// Ends says whether a no of somebody who votes with these roles ends the request.
func (p Policy) Ends(roles []access.Role) bool {
	return len(p.Veto) == 0 || slices.ContainsFunc(p.Veto, func(r access.Role) bool { return slices.Contains(roles, r) })
}

// MostPersons bounds how many people a need may ask for: more would never come together.
const MostPersons = 10

func checkPolicy(p Policy, say sayer) bool {
	if len(p.Needs) == 0 && !say("needs", "at least one person approves: nobody decides on their own request") {
		return false
	}
	for i, n := range p.Needs {
		if (n.Persons < 1 || n.Persons > MostPersons) && !say("needs"+nth(i)+".persons", "must be from 1 to %d", MostPersons) {
			return false
		}
	}
	if p.RecentSignIn <= 0 && !say("recent_sign_in", "must be longer than nothing") {
		return false
	}
	if p.Lifetime <= 0 && !say("lifetime", "must be longer than nothing") {
		return false
	}
	if !p.Action.HasCause() {
		if len(p.Causes) > 0 && !say("causes", "nothing goes wrong where it is about: %s", p.Action) {
			return false
		}
		if p.Mode != "" && !say("mode", "is of moves and other recoveries, not of: %s", p.Action) {
			return false
		}
	}
	if (p.EscalateAfter > 0) != (len(p.EscalateTo) > 0) && !say("escalate_to", "when others are told, and who, are named together") {
		return false
	}
	return true
}
