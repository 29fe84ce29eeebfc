package web

import (
	"fmt"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/failover"
	"keyholder/web/view"
)

// modeLine is one degraded mode in a list.
func modeLine(c catalog.Catalog, m degrade.Mode, now time.Time) view.ModeLine {
	line := view.ModeLine{
		Path: view.ModePath(m.Code), Code: m.Code, Name: m.Terms.Rule.Name, Instead: m.Terms.Rule.Instead, Phase: m.Phase, Words: m.Phase.Words(), Drill: m.Terms.Drill,
		Alerts: modeAlerts(m, now),
	}
	if m.Phase == degrade.Wished {
		line.Words = m.Standing(now).Words()
	}
	if m.On == nil {
		return line
	}
	line.Since, line.Bars = *m.On, modeBars(c, m, now)
	if at, which := m.Projection(now); !at.IsZero() && m.Reached == nil {
		when := "15:04 UTC"
		if at.Sub(now) > 12*time.Hour {
			when = "2006-01-02 15:04 UTC"
		}
		line.Next = fmt.Sprintf("Its limit in %s is reached in %s, at %s, as things go.", which, catalog.Lasting(max(0, at.Sub(now))), at.UTC().Format(when))
	}
	return line
}

// modeBars are how much of each limit is used.
func modeBars(c catalog.Catalog, m degrade.Mode, now time.Time) []view.Bar {
	bars := []view.Bar{{Name: "On for", Have: catalog.Lasting(m.Runs(now))}}
	if limit := m.Limits.Time.D(); limit > 0 {
		bars[0].Most, bars[0].Percent = catalog.Lasting(limit), percent(float64(m.Runs(now)), float64(limit))
	}
	if m.Exposure == nil || m.Exposure.At.IsZero() {
		return append(bars, uncounted(c, m)...)
	}
	orders := view.Bar{Name: "Orders", Have: fmt.Sprintf("%.0f", m.Exposure.Orders)}
	if m.Limits.Orders > 0 {
		orders.Most, orders.Percent = fmt.Sprint(m.Limits.Orders), percent(m.Exposure.Orders, float64(m.Limits.Orders))
	}
	money := view.Bar{Name: "Money", Have: failover.Money(m.Exposure.Money, c.Currency)}
	if m.Limits.Money > 0 {
		money.Most, money.Percent = failover.Money(m.Limits.Money, c.Currency), percent(m.Exposure.Money, m.Limits.Money)
	}
	bars = append(bars, orders, money)
	if m.Phase == degrade.On && m.Exposure.Queued > 0 {
		bars = append(bars, view.Bar{Name: "Waiting", Have: fmt.Sprintf("%.0f, to be worked off after", m.Exposure.Queued)})
	}
	return bars
}

// uncounted are the limits that people must keep, because nobody reads what runs on the mode.
func uncounted(c catalog.Catalog, m degrade.Mode) (bars []view.Bar) {
	const have = "counted by people"
	if !m.Terms.Rule.Exposure.IsZero() {
		return nil // it will be read
	}
	if m.Limits.Orders > 0 {
		bars = append(bars, view.Bar{Name: "Orders", Have: have, Most: fmt.Sprint(m.Limits.Orders)})
	}
	if m.Limits.Money > 0 {
		bars = append(bars, view.Bar{Name: "Money", Have: have, Most: failover.Money(m.Limits.Money, c.Currency)})
	}
	return bars
}

func percent(have, most float64) int { return int(min(100, 100*have/most)) }

// modeAlerts are what does not go as it should.
func modeAlerts(m degrade.Mode, now time.Time) []string {
	var alerts []string
	if _, what := m.Beyond(now); what != "" && m.Reached != nil && m.Phase == degrade.On {
		alerts = append(alerts, "Its limit is reached: "+what+". "+atLimitWords(m.Terms.Rule.AtLimit))
	}
	if m.Stopped != nil && m.Resumed == nil {
		how := " It is started again by hand: the rule says no way back."
		switch {
		case m.Resume != nil:
			how = fmt.Sprintf(" %s has it started again.", m.Resume.By.Name)
		case m.MayResume():
			how = ""
		}
		alerts = append(alerts, fmt.Sprintf("Selling was stopped at %s, at its limit, and is not seen to be started again.%s", approval.Clock(*m.Stopped), how))
	}
	if m.Unread != "" && m.ReadBack != nil && m.Phase == degrade.On && now.Sub(*m.ReadBack) > unreadFor {
		alerts = append(alerts, fmt.Sprintf("Nobody can see whether it is still on, since %s: %s", approval.Clock(*m.ReadBack), m.Unread))
	}
	if m.Trouble != nil && m.Next() == degrade.DoResume {
		alerts = append(alerts, fmt.Sprintf("Selling is not started again yet, after %s: %s", counted(m.Trouble.Attempts, "attempt", "attempts"), m.Trouble.Why))
	} else if m.Trouble != nil {
		alerts = append(alerts, fmt.Sprintf("It is not %s yet, after %s: %s", doneWord(m.Phase), counted(m.Trouble.Attempts, "attempt", "attempts"), m.Trouble.Why))
	}
	if m.Drift != nil {
		alerts = append(alerts, "Somebody switched it behind our back: "+m.Drift.Why)
	}
	switch e := m.Exposure; {
	case e == nil || e.Failing == nil || m.Phase != degrade.On:
	case e.At.IsZero():
		alerts = append(alerts, "What runs on it could not be read yet: "+e.Why)
	default:
		alerts = append(alerts, fmt.Sprintf("What runs on it cannot be read since %s; the numbers are %s old. %s", approval.Clock(*m.Exposure.Failing), catalog.Lasting(now.Sub(m.Exposure.At)), m.Exposure.Why))
	}
	return alerts
}

// unreadFor is for how long it may be unknown whether a mode is still on before a page says so.
const unreadFor = time.Minute

func doneWord(p degrade.Phase) string {
	return map[degrade.Phase]string{
		degrade.SwitchingOn: "on", degrade.SwitchingOff: "off", degrade.Stopping: "stopped", degrade.Draining: "worked off",
	}[p]
}

func atLimitWords(at catalog.AtLimit) string {
	switch at {
	case catalog.BackToNormal:
		return "It ends once what was unavailable is healthy again."
	case catalog.StopSelling:
		return "Selling is stopped."
	case catalog.GoOnAndPage:
		return "It goes on until somebody ends it."
	}
	return ""
}

// modePreview says what running degraded would do, against stopping.
func modePreview(c catalog.Catalog, r catalog.DegradedModeRule, l degrade.Limits) view.Preview {
	p := view.Preview{Limits: limitWords(c, l)}
	if r.AtLimit != "" {
		p.Limits += ". " + map[catalog.AtLimit]string{
			catalog.BackToNormal: "At the limit it ends, once what was unavailable is healthy", catalog.StopSelling: "At the limit selling is stopped", catalog.GoOnAndPage: "At the limit it goes on, and people are told",
		}[r.AtLimit]
	}
	if r.HealthyFor > 0 {
		p.Limits += fmt.Sprintf(". It ends by itself once its signals have been good for %s", catalog.Lasting(r.HealthyFor.D()))
	}
	p.Limits += "."
	failure := catalog.Failure{}
	for _, slug := range r.Trigger {
		if _, ok := c.Service(slug); ok {
			failure.Services = append(failure.Services, slug)
		} else {
			failure.ThirdParties = append(failure.ThirdParties, slug)
		}
	}
	if len(r.Flows) > 0 {
		p.Flows = "Only for " + joined(c.FlowNames(r)) + "."
	}
	impact := c.Impact(failure)
	for _, f := range impact.Flows {
		if !r.IsFor(f.Slug) {
			continue
		}
		p.Effects = append(p.Effects, fmt.Sprintf("Without it: %s %s", f.Name, f.Effect))
	}
	if r.Effect != "" {
		p.Effects = append(p.Effects, r.Effect)
	}
	stops := impact.RevenuePerMinute()
	switch {
	case r.CostPerMinute > 0 && stops > 0:
		p.Costs = fmt.Sprintf("Running so costs %s a minute, stopping costs %s.", failover.Money(r.CostPerMinute, c.Currency), failover.Money(stops, c.Currency))
	case r.CostPerMinute > 0:
		p.Costs = fmt.Sprintf("Running so costs %s a minute.", failover.Money(r.CostPerMinute, c.Currency))
	case stops > 0:
		p.Costs = fmt.Sprintf("Stopping costs %s a minute; what running so costs is not said.", failover.Money(stops, c.Currency))
	}
	p.GoAhead = goAheadWords(r.GoAhead)
	p.Told = announcements(c, r, func(catalog.Audience) string { return "posted once it is on" }, func() string {
		return "posted where people were told that it began"
	})
	return p
}

func goAheadWords(g catalog.GoAhead) string {
	switch g {
	case catalog.InAdvance:
		return "Approving the rule was the approval: one person switches it on."
	case catalog.ByItself:
		return "Approving the rule was the approval: it is switched on by its signals, or by one person."
	case catalog.Asked:
	}
	return "People decide each time."
}

// limitWords say limits: "At most 4 h, 500 orders, 20,000 GBP".
func limitWords(c catalog.Catalog, l degrade.Limits) string {
	var parts []string
	if l.Time > 0 {
		parts = append(parts, catalog.Lasting(l.Time.D()))
	}
	if l.Orders > 0 {
		parts = append(parts, fmt.Sprintf("%d orders", l.Orders))
	}
	if l.Money > 0 {
		parts = append(parts, failover.Money(l.Money, c.Currency))
	}
	if len(parts) == 0 {
		return "No limit is set"
	}
	return "At most " + strings.Join(parts, ", ")
}

// modeDrawn is a mode's page as everybody sees it.
func modeDrawn(c catalog.Catalog, m degrade.Mode, now time.Time) view.DegradedPage {
	p := view.DegradedPage{
		ModeLine: modeLine(c, m, now), Preview: modePreview(c, m.Terms.Rule, m.Limits), State: m.Standing(now), Requester: m.Requester.Name, Reason: m.Reason,
		RulePath: view.RecordPath(catalog.Ref{Kind: catalog.KindRule, Slug: m.Terms.Rule.Slug}), Filed: m.FiledAt, Expires: m.ExpiresAt, Audit: view.AuditOfPath(m.Code),
		Reconcile: m.Terms.Rule.Reconcile,
	}
	if m.Terms.Incident != "" {
		p.Incident = &view.Link{Path: view.IncidentPath(m.Terms.Incident), Text: "incident " + m.Terms.Incident}
	}
	if m.InAdvance != "" {
		p.Advance = view.ChangeRequestPath(m.InAdvance)
	}
	if m.InAdvance == "" && m.Terms.Rule.GoAhead.Approved() {
		p.GoAhead = "The rule was not approved by people who may decide on this: they decide each time."
	}
	for _, d := range m.Decisions {
		p.Votes = append(p.Votes, voteLine(m.Question, d))
	}
	p.Have = len(m.Approvers())
	p.Want = p.Have
	if m.Ending != nil {
		verb := "Ended at"
		if m.Phase == degrade.Stopping || m.Phase == degrade.SwitchingOff {
			verb = "Being ended since"
		}
		p.Ending = fmt.Sprintf("%s %s by %s: %s.", verb, approval.Clock(m.Ending.At), byName(m.Ending.By), m.Ending.Why)
	}
	if m.Phase == degrade.Draining && m.Exposure != nil {
		p.Queue = fmt.Sprintf("%.0f wait to be worked off", m.Exposure.Queued)
		if each := m.Terms.Rule.Drain.Each; each > 0 {
			p.Queue += ", about " + catalog.Lasting(time.Duration(m.Exposure.Queued/each*float64(time.Second)))
		}
	}
	if from, until, ok := m.Window(); ok && m.Terms.Rule.Reconcile != "" && !m.Terms.Drill && (m.Phase == degrade.Over || m.Phase == degrade.Closed) {
		p.Window = fmt.Sprintf("What was done from %s to %s.", from.UTC().Format("2006-01-02 15:04:05 UTC"), until.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if m.Signed != nil {
		p.Signed = fmt.Sprintf("Signed by %s at %s: %s", m.Signed.By.Name, approval.Clock(m.Signed.At), m.Signed.Why)
	}
	for _, e := range m.Extensions {
		p.Extensions = append(p.Extensions, extensionWords(c, e, now))
	}
	return p
}

func byName(p access.Person) string {
	if p.Name == "" {
		return p.ID
	}
	return p.Name
}

func extensionWords(c catalog.Catalog, e degrade.Extension, now time.Time) string {
	limits := limitWords(c, e.Limits)
	words := fmt.Sprintf("%s asked for wider limits at %s (%s): %s. ", e.By.Name, approval.Clock(e.At), strings.ToLower(limits[:1])+limits[1:], strings.TrimSuffix(e.Reason, "."))
	switch e.State(now) {
	case approval.Approved:
		return words + "Approved by " + e.DecidedBy.Name + "."
	case approval.Rejected:
		return words + "Refused by " + e.DecidedBy.Name + ": " + e.Refusal
	case approval.Expired:
		return words + "Nobody answered in time."
	case approval.Requested, approval.Withdrawn:
	}
	return words + "It waits for an answer."
}
