package failover

import "keyholder/internal/fault"

// Cause is what is believed to have gone wrong.
type Cause string

// The causes.
const (
	CauseSite       Cause = "site"
	CauseNetwork    Cause = "network"
	CauseNode       Cause = "node"
	CauseRelease    Cause = "release"
	CauseCorruption Cause = "corruption"
	CauseCompromise Cause = "compromise"
	CauseThirdParty Cause = "third-party"
	CauseUnknown    Cause = "unknown"
)

// Causes lists every cause in the order in which people choose among them.
func Causes() []Cause {
	return []Cause{
		CauseSite, CauseNetwork, CauseNode, CauseRelease, CauseCorruption, CauseCompromise, CauseThirdParty,
		CauseUnknown,
	}
}

var causeTitles = map[Cause]string{
	CauseSite: "The site is lost", CauseNetwork: "The network cuts it off", CauseNode: "A node failed",
	CauseRelease: "A release broke it", CauseCorruption: "Data is corrupt", CauseCompromise: "It is compromised",
	CauseThirdParty: "A third party fails", CauseUnknown: "Not known yet",
}

// Title is the cause as people say it.
func (c Cause) Title() string { return causeTitles[c] }

// Known says whether c is a cause.
func (c Cause) Known() bool { return causeTitles[c] != "" }

// shared tells for the causes that the target has too what would help instead of moving (design.md §4, cause first).
var shared = map[Cause]string{
	CauseCorruption: "corruption replicates to the target. Restore a clean point from backup instead",
	CauseThirdParty: "the target needs the same third party. Switch the provider or run degraded instead",
	CauseRelease:    "a release that is on both sites fails on both. Roll the release back instead",
}

// RuleCauseFirst refuses a move that cannot help.
const RuleCauseFirst = "cause-first"

// RuleStatedCause keeps a request to the cause that its incident states: the cause says who must vote.
const RuleStatedCause = "cause-as-stated"

// Follows refuses a cause that is not the one that an incident states.
func (c Cause) Follows(incident string, stated Cause) error {
	if stated == "" || stated == CauseUnknown || stated == c {
		return nil
	}
	return fault.Refused(RuleStatedCause, "whoever may open an incident, by one that states the other cause",
		"%s says: %s. A request follows its incident, for the cause decides who must vote.", incident, stated.Title())
}

// MoveHelps refuses a move whose target shares the cause.
func (c Cause) MoveHelps() error {
	if instead := shared[c]; instead != "" {
		return fault.Refused(RuleCauseFirst, "whoever may request a recovery, by the kind that fits the cause", "Moving does not help: %s.", instead)
	}
	return nil
}
