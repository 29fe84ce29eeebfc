package degrade

import (
	"fmt"
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

// Follow takes in what was seen, and ends what must end. What cannot be seen ends nothing but by time.
func (m Mode) Follow(s Seen, by access.Person) (Mode, error) {
	m = m.withExposure(s)
	if m.Phase != On {
		return m, nil
	}
	if s.Stands != nil {
		m = m.withDrift(*s.Stands, s.Why, s.At)
	}
	switch {
	case s.Healthy == nil || !*s.Healthy:
		m.Healthy = nil
	case m.Healthy == nil:
		m.Healthy = &s.At
	}
	if what := m.beyond(s.At); what != "" {
		return m.atLimit(what, by, s.At)
	}
	if hold := m.Terms.Rule.HealthyFor.D(); hold > 0 && m.Healthy != nil && s.At.Sub(*m.Healthy) >= hold {
		return m.End("what was unavailable has been healthy for "+catalog.Lasting(hold), by, s.At)
	}
	return m, nil
}

func (m Mode) withExposure(s Seen) Mode {
	switch {
	case s.Exposure == nil:
	case s.Exposure.Why == "":
		read := *s.Exposure
		read.At = s.At
		m.Exposure = &read
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

func (m Mode) withDrift(stands bool, why string, now time.Time) Mode {
	switch {
	case stands:
		m.Drift = nil
	case m.Drift == nil:
		m.Drift = &Trouble{Why: why, Since: now}
	}
	return m
}

// beyond says which limit is reached and by how much it is exceeded; nothing where none is.
func (m Mode) beyond(now time.Time) string {
	if limit := m.Limits.Time.D(); limit > 0 && m.Runs(now) >= limit {
		return fmt.Sprintf("%s, %s longer than that", catalog.Lasting(limit), catalog.Lasting(m.Runs(now)-limit))
	}
	if m.Exposure == nil {
		return ""
	}
	if limit := m.Limits.Orders; limit > 0 && m.Exposure.Orders >= float64(limit) {
		return fmt.Sprintf("%d orders, %.0f more than that", limit, m.Exposure.Orders-float64(limit))
	}
	if limit := m.Limits.Money; limit > 0 && m.Exposure.Money >= limit {
		return fmt.Sprintf("%.0f in money, %.0f more than that", limit, m.Exposure.Money-limit)
	}
	return ""
}

// atLimit does what the rule says happens at a limit. Back to normal is only gone where what was unavailable is healthy.
func (m Mode) atLimit(what string, by access.Person, now time.Time) (Mode, error) {
	first := m.Reached == nil
	if first {
		m.Reached = &Reached{What: what, At: now}
	}
	switch m.Terms.Rule.AtLimit {
	case catalog.BackToNormal:
		if m.Healthy != nil || len(m.Terms.Rule.Signals) == 0 {
			return m.End("its limit was reached: "+what, by, now)
		}
	case catalog.StopSelling:
		if first {
			m.Ending = &Ending{Why: "its limit was reached, and selling was stopped: " + what, By: by, At: now}
			if m.ByHand() {
				return m.End(m.Ending.Why, by, now)
			}
			return m.to(Stopping)
		}
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
	if m.On == nil || m.Phase != On {
		return at, ""
	}
	if limit := m.Limits.Time.D(); limit > 0 {
		sooner(m.On.Add(limit), "time")
	}
	if m.Exposure == nil {
		return at, which
	}
	ran := m.Exposure.At.Sub(*m.On)
	grows := func(have, most float64, what string) {
		if most > 0 && have > 0 && ran > 0 {
			sooner(m.On.Add(time.Duration(float64(ran)*most/have)), what)
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
	return at.Sub(now) <= min(10*time.Minute, at.Sub(*m.On)/10)
}

// Rests says that a rule whose mode has just ended does not begin by itself yet: what flaps is switched by people.
func Rests(r catalog.DegradedModeRule, ended, now time.Time) bool {
	return now.Sub(ended) < max(r.HealthyFor.D(), r.BadFor.D(), time.Minute)
}
