package degrade

import (
	"fmt"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
)

// Seen is what the watch has seen of a mode that lasts.
type Seen struct {
	Exposure *Exposure // nil where it was not read; Why where it could not be
	Stands   *bool     // whether the switch is as it should be; nil where nobody looked
	Why      string    // why it is not
	Healthy  *bool     // whether what was unavailable is back; nil where nobody can tell
	At       time.Time
}

// Follow takes in what was seen, and ends what must end. What cannot be seen ends nothing but by time. What is being switched on counts
// from its first attempt: it may be on.
func (m Mode) Follow(s Seen, by access.Person) (Mode, error) {
	if m.Phase != On && m.Phase != SwitchingOn {
		return m, nil
	}
	m = m.withExposure(s)
	if m.Phase == On {
		m = m.withStanding(s)
	}
	switch {
	case s.Healthy == nil || !*s.Healthy:
		m.Healthy = nil
	case m.Healthy == nil:
		m.Healthy = &s.At
	}
	if which, what := m.Beyond(s.At); what != "" {
		return m.atLimit(which, what, by, s.At)
	}
	if hold := m.Terms.Rule.HealthyFor.D(); hold > 0 && m.healthyFor(hold, s.At) {
		return m.End("what was unavailable has been healthy for "+catalog.Lasting(hold), by, s.At)
	}
	return m, nil
}

func (m Mode) healthyFor(hold time.Duration, now time.Time) bool {
	return m.Healthy != nil && now.Sub(*m.Healthy) >= hold
}

func (m Mode) withExposure(s Seen) Mode {
	switch {
	case s.Exposure == nil:
	case s.Exposure.Why == "":
		m = m.counted(*s.Exposure, s.At)
	default:
		last := Exposure{}
		if m.Exposure != nil {
			last = *m.Exposure
		}
		if last.Failing == nil {
			last.Failing = &s.At
		}
		last.Why = s.Exposure.Why
		m.Exposure = &last
	}
	return m
}

// counted adds up what was read. A source that suddenly counts less than half of what it did has begun anew, as one does that was switched
// off behind our back: a limit does not.
func (m Mode) counted(read Exposure, now time.Time) Mode {
	base := Exposure{}
	if m.Base != nil {
		base = *m.Base
	}
	if last := m.Exposure; last != nil && (2*read.Orders < last.Orders-base.Orders || 2*read.Money < last.Money-base.Money) {
		base = Exposure{Orders: last.Orders, Money: last.Money, At: last.At}
		m.Base = &base
	}
	m.Exposure = &Exposure{Orders: base.Orders + read.Orders, Money: base.Money + read.Money, Queued: read.Queued, At: now}
	return m
}

// withStanding notes whether it is switched as it should be, and since when nobody can tell.
func (m Mode) withStanding(s Seen) Mode {
	switch {
	case s.Stands == nil && s.Why != "":
		m.Unread = s.Why
		return m
	case s.Stands == nil:
		return m
	}
	m.ReadBack, m.Unread = &s.At, ""
	return m.withDrift(*s.Stands, s.Why, s.At)
}

func (m Mode) withDrift(stands bool, why string, now time.Time) Mode {
	switch {
	case stands:
		m.Drift = nil
	case m.Drift == nil:
		m.Drift = &Trouble{Why: why, Since: now}
	}
	return m
}

// Beyond says which limits are reached, and by how much they are exceeded; nothing where none is.
func (m Mode) Beyond(now time.Time) (which []string, what string) {
	var words []string
	reached := func(name, limit, more string) {
		which, words = append(which, name), append(words, limit+", "+more+" than that")
	}
	if limit := m.Limits.Time.D(); limit > 0 && m.Runs(now) >= limit {
		reached("time", catalog.Lasting(limit), catalog.Lasting(m.Runs(now)-limit)+" longer")
	}
	if e := m.Exposure; e != nil {
		if limit := m.Limits.Orders; limit > 0 && e.Orders >= float64(limit) {
			reached("orders", fmt.Sprintf("%d orders", limit), fmt.Sprintf("%.0f more", e.Orders-float64(limit)))
		}
		if limit := m.Limits.Money; limit > 0 && e.Money >= limit {
			reached("money", fmt.Sprintf("%.0f in money", limit), fmt.Sprintf("%.0f more", e.Money-limit))
		}
	}
	return which, strings.Join(words, "; ")
}

// atLimit does what the rule says happens at a limit. Back to normal is only gone where what was unavailable is healthy, and has been for
// as long as the rule wants. A drill, and what was never seen to be on, just ends.
func (m Mode) atLimit(which []string, what string, by access.Person, now time.Time) (Mode, error) {
	first := m.Reached == nil
	if first || len(which) > len(m.Reached.Which) {
		at := now
		if !first {
			at = m.Reached.At
		}
		m.Reached = &Reached{Which: which, What: what, At: at}
	}
	why := "its limit was reached: " + what
	if m.Terms.Drill || m.Phase == SwitchingOn {
		return m.End(why, by, now)
	}
	switch m.Terms.Rule.AtLimit {
	case catalog.BackToNormal:
		if m.healthyFor(m.Terms.Rule.HealthyFor.D(), now) {
			return m.End(why, by, now)
		}
	case catalog.StopSelling:
		if !first {
			break
		}
		if m.Terms.Rule.Stop.IsZero() {
			return m.End(why+"; selling is stopped by hand", by, now)
		}
		m.Ending = &Ending{Why: why, By: by, At: now}
		return m.to(Stopping)
	case catalog.GoOnAndPage:
	}
	return m, nil
}

// Projection is when a limit will be reached as things go; zero where none is in sight.
func (m Mode) Projection(now time.Time) (at time.Time, which string) {
	sooner := func(t time.Time, what string) {
		if at.IsZero() || t.Before(at) {
			at, which = t, what
		}
	}
	if m.Effect == nil || m.Phase != On {
		return at, ""
	}
	if limit := m.Limits.Time.D(); limit > 0 {
		sooner(m.Effect.Add(limit), "time")
	}
	if m.Exposure == nil {
		return at, which
	}
	ran := m.Exposure.At.Sub(*m.Effect)
	grows := func(have, most float64, what string) {
		if most > 0 && have > 0 && ran > 0 {
			sooner(m.Effect.Add(time.Duration(float64(ran)*most/have)), what)
		}
	}
	grows(m.Exposure.Orders, float64(m.Limits.Orders), "orders")
	grows(m.Exposure.Money, m.Limits.Money, "money")
	return at, which
}

// Nears says that a limit will be reached so soon that people should be told: within a tenth of how long it may last, ten minutes at
// most.
func (m Mode) Nears(now time.Time) bool {
	at, _ := m.Projection(now)
	if at.IsZero() || m.Reached != nil {
		return false
	}
	return at.Sub(now) <= min(10*time.Minute, at.Sub(*m.Effect)/10)
}

// Rests says that a rule whose mode has just ended does not begin by itself yet: what flaps is switched by people.
func Rests(r catalog.DegradedModeRule, ended, now time.Time) bool {
	return now.Sub(ended) < RestsFor(r)
}

// RestsFor is for how long it does not.
func RestsFor(r catalog.DegradedModeRule) time.Duration {
	return max(r.HealthyFor.D(), r.BadFor.D(), time.Minute)
}
