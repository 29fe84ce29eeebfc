package failover_test

import (
	"testing"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

func TestAMoveAwayFromWhereNobodyWritesIsRefused(t *testing.T) {
	writer := failover.Reading{At: at(10), Position: &failover.Position{Writer: true, Newest: 9}}
	follower := failover.Reading{At: at(10), Position: &failover.Position{Newest: 8}}
	silent := func(r failover.Reading) failover.Reading {
		r.FailingAt = pointer(at(12))
		return r
	}
	for name, c := range map[string]struct {
		from, to failover.Reading
		mode     failover.Mode
		rule     string
	}{
		"from the writer":                   {writer, follower, failover.Emergency, ""},
		"from a dead writer":                {silent(writer), follower, failover.Emergency, ""},
		"to the writer":                     {follower, writer, failover.Emergency, failover.RuleFromTheWriter},
		"to a dead writer":                  {follower, silent(writer), failover.Emergency, failover.RuleFromTheWriter},
		"nobody writes":                     {follower, follower, failover.Emergency, ""},
		"nothing was ever seen":             {failover.Reading{}, failover.Reading{}, failover.Emergency, ""},
		"planned":                           {writer, follower, failover.Planned, ""},
		"planned from a dead writer":        {silent(writer), follower, failover.Planned, failover.RuleOldSiteDrains},
		"planned to a dead target":          {writer, silent(follower), failover.Planned, failover.RuleOldSiteDrains},
		"planned and nothing was ever seen": {failover.Reading{}, failover.Reading{}, failover.Planned, failover.RuleOldSiteDrains},
	} {
		s := failover.Situation{
			Catalog: catalog.Catalog{}, Now: at(20), Terms: failover.Terms{DataSet: "orders", From: "a", To: "b", Mode: c.mode},
			Readings: failover.Readings{failover.PositionKey("orders", "a"): c.from, failover.PositionKey("orders", "b"): c.to},
		}
		rule := ""
		if f := fault.As(s.Sensible()); f != nil {
			rule = f.Rule
		}
		if rule != c.rule {
			t.Errorf("%s: refused by %q, not by %q", name, rule, c.rule)
		}
	}
}

func TestAPlannedRunCountsFromItsDrain(t *testing.T) {
	r := failover.Request{
		Question: approval.Question{State: approval.Approved, FiledAt: at(0), DecidedAt: pointer(at(60))},
		Terms:    failover.Terms{Mode: failover.Planned}, Impact: at(0),
	}
	plan := failover.Plan{Steps: []failover.Step{{Slug: "drain", Purpose: failover.DrainStep}, {Slug: "fence", Purpose: failover.FenceStep}}}
	run, err := failover.NewRun("1", r, plan, at(61))
	for i, now := range []int{62, 100} {
		if err == nil {
			run, err = run.Start(i, at(now))
		}
		if err == nil {
			run, err = run.Done(i, "", at(now+1))
		}
	}
	if err != nil || !run.Times.Impact.Equal(at(100)) {
		t.Errorf("impact %s, %v", run.Times.Impact.Format(time.TimeOnly), err)
	}
	for _, p := range run.Split(at(110)) {
		if p.Name == "Notice" || p.Name == "Decide" {
			t.Errorf("a planned run has a phase %s", p.Name)
		}
	}
}
