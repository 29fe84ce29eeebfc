package view

import (
	"net/url"
	"time"
)

// The states of findings that a filter may ask for besides those that are open.
const (
	AcceptedFindings = "accepted"
	AllFindings      = "all"
)

// Findings is where the catalogue breaks its own rules.
type Findings struct {
	Page
	Filter    FindingFilter
	Choices   FindingChoices
	Lines     []FindingLine
	Total     int
	Next      string
	MayAccept bool
	Problem   *Refusal
	Wrong     map[string]string

	Key, Reason, Until string // of the acceptance that was typed
}

// FindingFilter chooses findings; it stands in the address.
type FindingFilter struct{ Rule, Tier, Capability, Owner, State, After string }

// FindingChoices are what a filter can choose.
type FindingChoices struct{ Rules, Tiers, Capabilities, Owners, States []Choice }

// FindingLine is one finding.
type FindingLine struct {
	Key, Rule, Title, What, Why, Mend, Owner string
	Path, Name, Edit                         string
	Accepted                                 *Accepted
}

// Accepted says who lives with a finding until when.
type Accepted struct {
	By, Reason string
	Until      time.Time
}

// FindingCounts is how many findings are open, and of what.
type FindingCounts struct {
	Open      int
	Yours     int
	YoursPath string
	Of        []Link
}

// FindingsPath lists findings.
func FindingsPath(f FindingFilter) string {
	q := url.Values{}
	for name, value := range map[string]string{
		"rule": f.Rule, "tier": f.Tier, "capability": f.Capability, "owner": f.Owner, "state": f.State, "after": f.After,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return "/findings"
	}
	return "/findings?" + q.Encode()
}

// AcceptFindingPath accepts a finding and comes back to those that the filter chooses.
func AcceptFindingPath(f FindingFilter) string {
	f.After = ""
	path := FindingsPath(f)
	return "/findings/accept" + path[len("/findings"):]
}
