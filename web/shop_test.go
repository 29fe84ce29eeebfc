package web_test

import (
	"net/url"
	"testing"
	"time"

	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// sees keeps what the worker has seen.
func (p *portal) sees(t *testing.T, seen ...failover.Reading) {
	t.Helper()
	if err := p.SaveReadings(p.ctx, seen); err != nil {
		t.Fatal(err)
	}
}

func signal(slug string, value float64, at time.Time, badSince *time.Time) failover.Reading {
	return failover.Reading{
		Key: failover.SignalKey(slug), Source: "http://panel/sales", Value: value, At: at, Bad: badSince != nil, BadSince: badSince, Usual: 10,
	}
}

func copyAt(site string, newest int64, writer bool, at time.Time) failover.Reading {
	return failover.Reading{
		Key: failover.PositionKey("orders", site), Source: "http://" + site + "/status", At: at,
		Position: &failover.Position{Newest: newest, NewestAt: at, LagSeconds: 0.4, LagRecords: 3, Writer: writer},
	}
}

// calm is the shop as it usually is: Leeds writes, Dublin follows.
func (p *portal) calm(t *testing.T) {
	t.Helper()
	now := p.Now()
	p.sees(t, signal("checkout-success", 0.999, now, nil), signal("checkout-volume", 9.8, now, nil),
		copyAt("leeds", 5000, true, now), copyAt("dublin", 4997, false, now))
}

// outage is the shop after Leeds went dark ninety seconds ago: both signals are bad, Leeds does not answer.
func (p *portal) outage(t *testing.T) {
	t.Helper()
	p.calm(t)
	began := p.Now()
	p.clock.Add(90 * time.Second)
	now := p.Now()
	later := began.Add(2 * time.Second)
	p.sees(t, signal("checkout-success", 0.03, now, &began), signal("checkout-volume", 0.2, now, &later),
		copyAt("leeds", 5000, true, began).Silence("connection refused", "http://leeds/status", began), copyAt("dublin", 4997, false, now))
}

// opened is an incident of the outage.
func (p *portal) opened(t *testing.T, by visitor) store.Incident {
	t.Helper()
	in, err := p.OpenIncident(p.ctx, by.Principal, store.Incident{
		ID: store.NewID(), Title: "Checkout success has collapsed", Cause: failover.CauseSite, Services: []string{"checkout"},
		ImpactAt: p.Now().Add(-90 * time.Second), ImpactSource: "the signal Checkout success",
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// wish is the start form filled in well.
func wish() url.Values {
	return url.Values{
		"plan": {"move-checkout"}, "mode": {"emergency"}, "from": {"leeds"}, "to": {"dublin"}, "cause": {"site"},
		"reason": {"Leeds is dark"}, "ceiling": {"orders"}, "most": {"500"},
	}
}

// requested is an emergency move that was filed by the form.
func (p *portal) requested(t *testing.T, by visitor) failover.Request {
	t.Helper()
	form := wish()
	form.Set("incident", p.opened(t, by).Code)
	form.Set("act", store.NewID())
	filed := by.post(t, "/requests", form).want(t, 303)
	r, err := p.Request(p.ctx, filed.location[len("/a/"):])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// running is an approved request whose run was claimed.
func (p *portal) running(t *testing.T, by, second visitor) failover.Run {
	t.Helper()
	r := p.requested(t, by)
	page := second.get(t, "/a/"+r.Code).want(t, 200)
	second.submit(t, page, "Approve: move Checkout from Leeds to Dublin", nil).want(t, 303)
	if _, err := p.Claim(p.ctx, r.Code); err != nil {
		t.Fatal(err)
	}
	return p.run(t, r.Code)
}

func (p *portal) run(t *testing.T, code string) failover.Run {
	t.Helper()
	run, err := p.Run(p.ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// perform carries out the run's next step well.
func (p *portal) perform(t *testing.T, code string) failover.Run {
	t.Helper()
	a := p.begin(t, code)
	if _, err := p.Succeed(p.ctx, a, "done", nil, nil); err != nil {
		t.Fatal(err)
	}
	return p.run(t, code)
}

// failing carries out the run's next step badly.
func (p *portal) failing(t *testing.T, code string, why failover.Wait, text string) failover.Run {
	t.Helper()
	a := p.begin(t, code)
	if _, err := p.Fail(p.ctx, a, store.Trouble{Wait: why, Why: text}); err != nil {
		t.Fatal(err)
	}
	return p.run(t, code)
}

func (p *portal) begin(t *testing.T, code string) store.Attempt {
	t.Helper()
	a, err := p.Begin(p.ctx, code, p.run(t, code).Next().Step)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// until performs steps until the run stands at one of a purpose.
func (p *portal) until(t *testing.T, code string, purpose failover.Purpose) failover.Run {
	t.Helper()
	for {
		run := p.run(t, code)
		step, ok := run.At()
		if !ok {
			t.Fatalf("%s has no %s step", code, purpose)
		}
		if step.Purpose == purpose {
			return run
		}
		p.perform(t, code)
	}
}
