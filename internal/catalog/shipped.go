package catalog

import "keyholder/internal/access"

// Shipped is what an empty catalogue begins with: the tiers that most retailers have.
func Shipped() Catalog {
	const minutes, hours = Duration(60e9), Duration(3600e9)
	return New(Catalog{
		Settings: Settings{Currency: "GBP", TimeZone: "Europe/London"},
		Tiers: []Tier{
			{
				Slug: "tier-1", Name: "Tier 1: revenue stops", RTO: 15 * minutes, RPO: 1 * minutes,
				Patterns: []Pattern{ActiveActive, ActivePassive}, DrillEvery: 30 * 24 * hours,
				Evidence: []string{"Drill within its interval", "Secrets and certificates at the target", "Replication within the RPO"},
			},
			{
				Slug: "tier-2", Name: "Tier 2: work piles up", RTO: 60 * minutes, RPO: 15 * minutes,
				Patterns: []Pattern{ActiveActive, ActivePassive}, DrillEvery: 90 * 24 * hours,
				Evidence: []string{"Drill within its interval", "Warm standby tested"},
			},
			{
				Slug: "tier-3", Name: "Tier 3: can wait", RTO: 8 * hours, RPO: 8 * hours,
				DrillEvery: 180 * 24 * hours, Evidence: []string{"Restore tested"},
			},
		},
		Policies: ShippedPolicies(),
	})
}

// ShippedPolicies are one policy for each action, which apply until a retailer says something narrower.
func ShippedPolicies() []Policy {
	const minutes, days = Duration(60e9), Duration(24 * 3600e9)
	anyOf := func(roles ...access.Role) []Need {
		needs := make([]Need, len(roles))
		for i, r := range roles {
			needs[i] = Need{Way: string(rune('a' + i)), Role: r, Persons: 1}
		}
		return needs
	}
	soon := func(a Action, name string, roles ...access.Role) Policy {
		return Policy{
			Slug: "any-" + string(a), Name: name, Action: a, Needs: anyOf(roles...), RecentSignIn: 15 * minutes, Lifetime: 30 * minutes,
			RemindEvery: 5 * minutes, EscalateAfter: 10 * minutes, EscalateTo: []access.Role{access.IncidentCommander, access.BusinessOwner},
		}
	}
	calm := func(a Action, name string, roles ...access.Role) Policy {
		return Policy{Slug: "any-" + string(a), Name: name, Action: a, Needs: anyOf(roles...), RecentSignIn: 60 * minutes, Lifetime: 7 * days, RemindEvery: days}
	}
	commander, owner, security := access.IncidentCommander, access.BusinessOwner, access.SecurityOfficer
	policies := []Policy{
		soon(ActMove, "Any move", commander, owner), soon(ActWithdraw, "Any withdrawal of a site", commander, owner),
		soon(ActRestore, "Any restore", commander, owner), soon(ActSwitch, "Any switch of a provider", commander, owner),
		soon(ActRollBack, "Any roll-back", commander, owner), calm(ActDrill, "Any drill", commander, owner),
		soon(ActDegrade, "Any degraded mode", owner), soon(ActBreakGlass, "Any access by break-glass", security, commander),
		soon(ActOverride, "Any override", commander, owner, security), soon(ActWaiver, "Any waiver", commander, owner, security),
		calm(ActChange, "Any change of the catalogue", owner, access.Administrator), calm(ActChangeRules, "Any change of who decides", access.Administrator),
	}
	for i := range policies {
		policies[i].InAdvance = policies[i].Action == ActMove || policies[i].Action == ActDegrade
	}
	return policies
}
