package store

import (
	"context"
	"fmt"

	"keyholder/ent"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/failover"
)

// verdictPass is how a pass is told from votes in the table of decisions. Its round is kept below zero, so that no vote is counted by
// it, one person passes once in a round, and may still vote in it.
const verdictPass approval.Verdict = "pass"

func passesOf(rows []*ent.Decision) []approval.Pass {
	var passes []approval.Pass
	for _, v := range rows {
		if v.Round < 0 {
			passes = append(passes, approval.Pass{ID: v.ID, By: access.Person{ID: v.VoterID, Name: v.VoterName}, Roles: v.Roles, Round: -v.Round, At: v.At.UTC()})
		}
	}
	return passes
}

func (a Amend) passing() deed { return deed{a.ID, a.By, "request.pass", a.Code, nil} }

// Pass notes that somebody who may vote on a request cannot decide, once under its act's id. Others are told at once.
func (s *Store) Pass(ctx context.Context, a Amend) (Outcome, error) {
	ctx = audit.WithOrigin(ctx, a.Origin)
	return s.answer(ctx, a.passing(), func(t *tx) (Outcome, error) {
		r, err := loadRequest(ctx, t.Client(), a.Code)
		if err != nil {
			return Outcome{}, err
		}
		ballot, err := s.ballot(ctx, t.Client(), r)
		if err != nil {
			return Outcome{}, err
		}
		by, err := s.principalNow(ctx, t, a.By)
		if err != nil {
			return Outcome{}, err
		}
		q, err := r.Pass(a.ID, by, ballot, t.now)
		if err != nil {
			return Outcome{}, err
		}
		if err := t.addPass(q); err != nil {
			return Outcome{}, err
		}
		t.record(audit.Event{Action: "request.pass", Object: r.Code, Act: a.ID, Text: fmt.Sprintf("%s cannot decide on %s and passes it on.", by.Name, r.Code)})
		return Outcome{State: failover.State(r.State), Directive: r.Next()}, nil
	})
}

// addPass writes the newest pass.
func (t *tx) addPass(q approval.Question) error {
	p := q.Passes[len(q.Passes)-1]
	err := t.Decision.Create().SetID(p.ID).SetRequestID(q.ID).SetVoterID(p.By.ID).SetVoterName(p.By.Name).SetRoles(p.Roles).
		SetVerdict(verdictPass).SetComment("").SetRound(-p.Round).SetDigest(q.Digest).SetSheet("").SetAt(p.At).Exec(t.ctx)
	if err != nil {
		return fmt.Errorf("record a pass on %s: %w", q.Code, err)
	}
	return nil
}
