package approval

import (
	"time"

	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// RuleInAdvance keeps standing orders to what may be approved in advance.
const RuleInAdvance = "approved-in-advance"

// How long those who are asked to approve a standing order have, and how often they are reminded: nobody waits at a shop's door.
const (
	orderLifetime = catalog.Duration(7 * 24 * time.Hour)
	orderReminder = catalog.Duration(24 * time.Hour)
)

// OrderRules are the policies by which a standing order is approved: those by which people would decide on what it does, at whatever
// time, where these may be met in advance.
func OrderRules(c catalog.Catalog, o catalog.StandingOrder) (Rules, error) {
	all, err := RulesOf(c, About{
		Action: catalog.ActMove, Services: o.Services, Sites: []string{o.From, o.To}, Cause: o.Cause, Mode: "emergency", Whenever: true,
	})
	if err != nil {
		return nil, err
	}
	rules, _ := all.InAdvance()
	if len(rules) == 0 {
		return nil, fault.Refused(RuleInAdvance, "an administrator, who can propose that the policy allows it",
			"%s allows no approval in advance, so no standing order can do this.", all.Names())
	}
	for i := range rules {
		p := &rules[i].Policy
		p.Lifetime, p.RemindEvery, p.EscalateAfter, p.EscalateTo = orderLifetime, orderReminder, 0, nil
	}
	return rules, nil
}

// InAdvance are the rules that a standing order may meet in advance, and those that people decide on each time.
func (rs Rules) InAdvance() (may, not Rules) {
	for _, r := range rs {
		if r.Policy.InAdvance {
			may = append(may, r)
		} else {
			not = append(not, r)
		}
	}
	return may, not
}
