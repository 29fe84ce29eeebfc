package failover

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
)

// FactState says how a fact bears on the decision.
type FactState string

// The states of a fact.
const (
	FactGood    FactState = "good"
	FactBad     FactState = "bad"
	FactUnknown FactState = "unknown"
	FactNote    FactState = "note" // neither
)

// Fact is one thing that the approver sees: what it says, from where, from when.
type Fact struct {
	Slug   string    `json:"slug"`
	Label  string    `json:"label"`
	Text   string    `json:"text"`
	Value  float64   `json:"value"`
	State  FactState `json:"state"`
	Source string    `json:"source"`
	At     time.Time `json:"at"`
}

// Option is one thing that could be done, with what it costs.
type Option struct {
	Slug       string `json:"slug"` // move, wait, or degrade/ and a rule
	Name       string `json:"name"`
	Cost       string `json:"cost"`
	Loss       string `json:"loss"`
	Time       string `json:"time"`
	Reversible string `json:"reversible"`
}

// FactSheet is what the approver sees, kept with the decision byte for byte.
type FactSheet struct {
	Request string    `json:"request"` // code; empty on the check page
	MadeAt  time.Time `json:"made_at"`
	Facts   []Fact    `json:"facts"`
	Options []Option  `json:"options"`
}

// Bytes is the sheet in the form that is kept, with its digest.
func (s FactSheet) Bytes() (body []byte, digest string, err error) {
	if body, err = canonical.JSON(s); err != nil {
		return nil, "", err
	}
	return body, SheetDigest(body), nil
}

// SheetDigest names a kept sheet.
func SheetDigest(body []byte) string { return canonical.DigestBytes("keyholder/facts/1", body) }

// ReadSheet reads a kept sheet.
func ReadSheet(body []byte) (s FactSheet, err error) {
	if err = json.Unmarshal(body, &s); err != nil {
		err = fmt.Errorf("read fact sheet: %w", err)
	}
	return s, err
}

// Fact finds a fact by its slug.
func (s FactSheet) Fact(slug string) (Fact, bool) {
	for _, f := range s.Facts {
		if f.Slug == slug {
			return f, true
		}
	}
	return Fact{}, false
}

// Situation is all that a fact sheet is made from.
type Situation struct {
	Catalog  catalog.Catalog
	Plan     Plan
	Terms    Terms
	Readings Readings
	Impact   time.Time // start of impact; zero for a planned move
	Now      time.Time
}

// Facts makes the sheet for a request as of now. It is the same function for the check page, the approval page and the
// moment of the vote.
func (s Situation) Facts(code string) FactSheet {
	sheet := FactSheet{Request: code, MadeAt: s.Now.UTC()}
	for _, signal := range s.Catalog.Signals {
		sheet.Facts = append(sheet.Facts, s.signal(signal))
	}
	sheet.Facts = append(sheet.Facts, s.copyAt("old", s.Terms.From), s.copyAt("target", s.Terms.To))
	sheet.Facts = append(sheet.Facts, s.loss(), s.cost(), s.duration())
	sheet.Options = append([]Option{s.move()}, append(s.degrade(), s.wait())...)
	return sheet
}

func (s Situation) signal(signal catalog.Signal) Fact {
	r := s.Readings[SignalKey(signal.Slug)]
	fact := Fact{
		Slug: "signal-" + signal.Slug, Label: signal.Name, Value: r.Value, Source: r.Source, At: r.At.UTC(),
		Text: Amount(r.Value, signal.Kind, signal.Unit), State: FactGood,
	}
	switch {
	case !r.Seen():
		fact.State, fact.Text = FactUnknown, "never seen"
	case r.Stale():
		fact.State, fact.Text = FactUnknown, fact.Text+", the source does not answer"
	case r.Bad:
		fact.State = FactBad
	}
	return fact
}

// Amount writes a signal's value for people.
func Amount(v float64, kind catalog.SignalKind, unit string) string {
	if kind == catalog.Success {
		return fmt.Sprintf("%.1f %%", v*100)
	}
	if kind == catalog.Health {
		return map[bool]string{true: "as it should be", false: "not answering as it should"}[v >= 1]
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

func (s Situation) copyAt(slug, site string) Fact {
	r := s.Readings[PositionKey(s.Terms.DataSet, site)]
	fact := Fact{
		Slug: slug + "-copy", Label: s.Catalog.SiteName(site) + "'s copy of the data", State: FactGood, Source: r.Source,
		At: r.At.UTC(),
	}
	switch {
	case r.Position == nil:
		fact.State, fact.Text = FactUnknown, "never read"
	case r.Stale():
		fact.State, fact.Text, fact.Value = FactBad, "does not answer; last order then "+fmt.Sprint(r.Position.Newest), float64(r.Position.Newest)
	default:
		fact.Text, fact.Value = s.standing(*r.Position), float64(r.Position.Newest)
	}
	return fact
}

func (s Situation) standing(p Position) string {
	if p.Writer {
		return fmt.Sprintf("accepts orders, newest is %d", p.Newest)
	}
	return fmt.Sprintf("follows %.1f s behind (%s), newest is %d", p.LagSeconds, orders(p.LagRecords), p.Newest)
}

// ExpectedLoss is what would be left behind if the old site were fenced now.
func (s Situation) ExpectedLoss() Loss {
	if s.Terms.Mode == Planned {
		return Loss{Known: true, Basis: "a planned move waits until the target has everything", At: s.Now}
	}
	return LossBetween(
		s.Readings[PositionKey(s.Terms.DataSet, s.Terms.From)], s.Readings[PositionKey(s.Terms.DataSet, s.Terms.To)],
		s.Readings[SignalKey(s.Plan.Verify.Volume)], s.Now,
	)
}

func (s Situation) loss() Fact {
	loss := s.ExpectedLoss()
	fact := Fact{
		Slug: "loss", Label: "Data that would be lost", Text: loss.String() + ", accepted: " + s.Terms.Ceiling.String(),
		Value: float64(max(loss.Records, loss.AtMost)), Source: loss.Basis, At: loss.At.UTC(), State: FactGood,
	}
	switch {
	case !s.Terms.Ceiling.Within(loss):
		fact.State = FactBad
	case !loss.Known:
		fact.State = FactUnknown
	}
	return fact
}

// costPerMinute is what it costs that the services are down, at this hour.
func (s Situation) costPerMinute() float64 {
	return s.Catalog.CostPerMinute(s.Terms.Services, s.Now)
}

func (s Situation) cost() Fact {
	perMinute := s.costPerMinute()
	return Fact{
		Slug: "cost", Label: "Waiting costs", Text: Money(perMinute, s.Catalog.Currency) + " a minute", Value: perMinute,
		Source: "catalogue: revenue per hour of the capabilities that stop", At: s.Now.UTC(), State: FactNote,
	}
}

// Money writes an amount in whole units with its currency.
func Money(amount float64, currency string) string {
	digits := fmt.Sprintf("%.0f", math.Abs(amount))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + " " + currency
}

func (s Situation) duration() Fact {
	expected := s.Plan.Expected(s.Terms.Mode).D()
	rto, _, ok := s.Catalog.Objectives(s.Terms.Services)
	var elapsed time.Duration
	if !s.Impact.IsZero() {
		elapsed = max(0, s.Now.Sub(s.Impact))
	}
	fact := Fact{
		Slug: "duration", Label: "Expected duration", Value: expected.Seconds(), At: s.Now.UTC(), State: FactGood,
		Source: "plan: sum of its steps",
		Text:   fmt.Sprintf("%s after approval; %s have passed of %s (RTO)", catalog.Lasting(expected), catalog.Lasting(elapsed), catalog.Lasting(rto)),
	}
	switch {
	case !ok:
		fact.State, fact.Text = FactUnknown, catalog.Lasting(expected)+" after approval; no RTO is set"
	case elapsed+expected > rto:
		fact.State = FactBad
	}
	return fact
}

func (s Situation) move() Option {
	cost := s.costPerMinute()
	expected := s.Plan.Expected(s.Terms.Mode).D()
	return Option{
		Slug: "move", Name: "Move to " + s.Catalog.SiteName(s.Terms.To),
		Cost:       Money(cost*expected.Minutes(), s.Catalog.Currency) + " until it is done",
		Loss:       s.ExpectedLoss().String(),
		Time:       catalog.Lasting(expected),
		Reversible: "until the first order is accepted at the target; then by a planned move back",
	}
}

// degrade are the degraded modes by which what is to be moved could go on where it is.
func (s Situation) degrade() []Option {
	var options []Option
	for _, r := range s.Catalog.RulesAgainst(s.Terms.Services, s.Catalog.ImpactOf(s.Terms.Services, s.Now), s.Readings.Bad) {
		o := Option{
			Slug: "degrade/" + r.Slug, Name: "Run degraded: " + r.Name, Cost: "not said", Loss: "none of data; some orders may not be kept",
			Time: "until it is ended", Reversible: "yes: it is switched off again, and what was done is reconciled",
		}
		if r.CostPerMinute > 0 {
			o.Cost = fmt.Sprintf("%s every minute, instead of %s", Money(r.CostPerMinute, s.Catalog.Currency), Money(s.costPerMinute(), s.Catalog.Currency))
		}
		if r.LimitTime > 0 {
			o.Time = "up to " + catalog.Lasting(r.LimitTime.D())
		}
		options = append(options, o)
	}
	return options
}

func (s Situation) wait() Option {
	cost := s.costPerMinute()
	if s.Terms.Mode == Planned {
		return Option{
			Slug: "wait", Name: "Stay at " + s.Catalog.SiteName(s.Terms.From), Cost: "nothing while it works", Loss: "none",
			Time: "as long as you like", Reversible: "yes: a move can be requested at any time",
		}
	}
	return Option{
		Slug: "wait", Name: "Wait for " + s.Catalog.SiteName(s.Terms.From),
		Cost:       Money(cost, s.Catalog.Currency) + " every minute",
		Loss:       "none, if it comes back with its data",
		Time:       "not known",
		Reversible: "yes: a failover can be requested at any time",
	}
}

// Material lists what changed so much from the sheet that was shown that it must be shown again: a fact that turned
// from one state to another, a loss that grew by more than ten orders and by half, or a cost that rose by a fifth.
func (s FactSheet) Material(shown FactSheet) []string {
	var changed []string
	for _, now := range s.Facts {
		then, ok := shown.Fact(now.Slug)
		switch {
		case !ok || then.State != now.State:
			changed = append(changed, fmt.Sprintf("%s: %s (was: %s)", now.Label, now.Text, orNothing(then.Text)))
		case now.Slug == "loss" && now.Value > then.Value+10 && now.Value > then.Value*1.5,
			now.Slug == "cost" && now.Value > then.Value*1.2:
			changed = append(changed, fmt.Sprintf("%s: %s (was: %s)", now.Label, now.Text, then.Text))
		}
	}
	return changed
}

func orNothing(text string) string {
	if text == "" {
		return "not shown"
	}
	return text
}
