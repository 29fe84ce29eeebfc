package store

import (
	"context"
	"fmt"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// Vote is what a person decided, about exactly what they were shown.
type Vote struct {
	ID      string           `json:"id"`
	Code    string           `json:"code"`
	By      access.Principal `json:"by"` // roles are read anew; SignedInAt is the session's
	Verdict approval.Verdict `json:"verdict"`
	Comment string           `json:"comment"`
	Digest  string           `json:"digest"`
	Sheet   string           `json:"sheet"`
	Origin  audit.Origin     `json:"origin"`
}

func (v Vote) deed() deed {
	return deed{v.ID, v.By, "request.decide", v.Code, []string{string(v.Verdict), v.Digest, v.Sheet}}
}

// Of is the digest of the vote as an act.
func (v Vote) Of() string { return v.deed().of() }

// Decide counts one vote in one transaction: it loads, applies the pure rule, and writes decision and audit event.
func (s *Store) Decide(ctx context.Context, v Vote) (Outcome, error) {
	ctx = audit.WithOrigin(ctx, v.Origin)
	return s.answer(ctx, v.deed(), func(t *tx) (Outcome, error) {
		r, err := loadRequest(ctx, t.Client(), v.Code)
		if err != nil {
			return Outcome{}, err
		}
		ctx, err := s.held(ctx, t.Client(), r.Question, v.By.ID)
		if err != nil {
			return Outcome{}, err
		}
		ballot, err := s.ballot(ctx, t.Client(), r)
		if err != nil {
			return Outcome{}, err
		}
		if v.By, err = s.principalNow(ctx, t, v.By); err != nil {
			return Outcome{}, err
		}
		if err := r.MayDecide(v.By, ballot, t.now); err != nil {
			return Outcome{}, err // a refusal matters more than facts that changed
		}
		if err := s.sheetStands(ctx, t, r, v); err != nil {
			return Outcome{}, err
		}
		next, err := r.Decide(v.By, approval.Decision{ID: v.ID, Verdict: v.Verdict, Comment: v.Comment, Digest: v.Digest, Sheet: v.Sheet}, ballot, t.now)
		if err != nil {
			return Outcome{}, err
		}
		if err := t.saveVote(next); err != nil {
			return Outcome{}, err
		}
		return Outcome{State: failover.State(next.State), Directive: next.Next()}, nil
	})
}

// saveVote writes the newest vote with the request it changed.
func (t *tx) saveVote(r failover.Request) error {
	d := r.Decisions[len(r.Decisions)-1]
	if err := t.addDecision(r.Question); err != nil {
		return err
	}
	if err := t.saveRequest(r); err != nil {
		return err
	}
	t.record(audit.Event{
		Action: "request.decide", Object: r.Code, Act: d.ID,
		Text:   fmt.Sprintf("%s voted to %s %s; it is now %s.", d.By.Name, d.Verdict, r.Code, r.State.Words()),
		Detail: detail(map[string]any{"decision": d, "state": r.State}),
	})
	return nil
}

// addDecision writes the newest vote on a request of any sort.
func (t *tx) addDecision(q approval.Question) error {
	d := q.Decisions[len(q.Decisions)-1]
	err := t.Decision.Create().SetID(d.ID).SetRequestID(q.ID).SetVoterID(d.By.ID).SetVoterName(d.By.Name).SetRoles(d.Roles).
		SetVerdict(d.Verdict).SetComment(d.Comment).SetRound(d.Round).SetDigest(d.Digest).SetSheet(d.Sheet).SetAt(d.At).Exec(t.ctx)
	if err != nil {
		return fmt.Errorf("record decision on %s: %w", q.Code, err)
	}
	return nil
}

// sheetStands refuses a vote on facts that have changed materially since they were shown.
func (s *Store) sheetStands(ctx context.Context, t *tx, r failover.Request, v Vote) error {
	shown, err := sheetBy(ctx, t.Client(), r.ID, v.Sheet)
	if err != nil {
		return err
	}
	situation, err := s.situation(ctx, t.Client(), r.Terms, r.Impact, t.now)
	if err != nil {
		return err
	}
	if changed := situation.Facts(r.Code).Material(shown); len(changed) > 0 {
		return fault.Late(approval.RuleBound, "The facts changed while you were reading, so your vote was not counted. Now: %s.", joined(changed))
	}
	return nil
}
