package store

import (
	"context"
	"errors"
	"fmt"

	"keyholder/ent/accessgrant"
	"keyholder/ent/accessrequest"
	"keyholder/ent/outbox"
	"keyholder/ent/run"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/breakglass"
	"keyholder/internal/failover"
)

// SweepAccess closes what nobody decided in time, lets lapse what nobody began, and ends what ends with its run.
func (s *Store) SweepAccess(ctx context.Context) error {
	open, err := s.OpenAccess(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	now, err := s.AccessNow(ctx)
	if err != nil {
		return err
	}
	var failed []error // one that cannot be closed keeps no other from it
	for _, r := range open {
		expired := r.State == approval.Requested && r.Standing(now) == approval.Expired
		lapsed := r.State == approval.Approved && r.Grant == nil && now.After(r.LapsesAt())
		if expired || lapsed {
			failed = append(failed, s.closeAccess(ctx, r.Code))
		}
		if r.Grant != nil && r.Grant.Run != "" && !r.Grant.Ends(now) {
			failed = append(failed, s.endWithRun(ctx, r.Code))
		}
	}
	return errors.Join(failed...)
}

// closeAccess closes a request that has run out, undecided or not begun.
func (s *Store) closeAccess(ctx context.Context, code string) error {
	return s.act(ctx, audit.Worker, func(t *tx) error {
		now, err := t.moment()
		if err != nil {
			return err
		}
		r, err := loadAccess(ctx, t.Client(), code)
		if err != nil {
			return err
		}
		switch {
		case r.State == approval.Requested && r.Standing(now) == approval.Expired:
			if r.Question, err = r.RunOut(now); err != nil {
				return err
			}
			t.record(audit.Event{Action: "access.expire", Object: code, Text: fmt.Sprintf("%s expired without enough approvals.", code)})
		case r.State == approval.Approved && r.Grant == nil && now.After(r.LapsesAt()):
			t.record(audit.Event{Action: "access.lapse", Object: code, Text: fmt.Sprintf("%s lapsed: %s did not begin it by %s.", code, r.Requester.Name, approval.Clock(r.LapsesAt()))})
		default:
			return nil
		}
		return t.saveAccess(r, true)
	})
}

// endWithRun ends access whose run is over.
func (s *Store) endWithRun(ctx context.Context, code string) error {
	return s.act(ctx, audit.Worker, func(t *tx) error {
		now, err := t.moment()
		if err != nil {
			return err
		}
		r, err := loadAccess(ctx, t.Client(), code)
		if err != nil || r.Grant == nil || r.Grant.Ends(now) {
			return err
		}
		row, err := t.Run.Query().Where(run.Code(r.Grant.Run)).Only(ctx)
		if err != nil {
			return fmt.Errorf("load run %s: %w", r.Grant.Run, err)
		}
		if state := failover.State(row.State); !state.Final() && state != failover.Recovered {
			return nil
		}
		g, err := r.Grant.WithRun(audit.Worker, now)
		if err != nil {
			return err
		}
		t.record(audit.Event{Action: "access.end", Object: code, Text: fmt.Sprintf("%s ended with its run %s.", code, g.Run)})
		if err := t.saveGrant(g); err != nil {
			return err
		}
		return t.settleSoon(g.System, g.Holder.ID)
	})
}

// Overdue wakes the processes of those who have not what they should, or have what they should not, for a while: Temporal may have lost
// them.
func (s *Store) Overdue(ctx context.Context) error {
	late, err := s.overdue(ctx)
	if err != nil || len(late) == 0 {
		return err
	}
	return s.act(ctx, audit.Worker, func(t *tx) error {
		for _, a := range late {
			waits, err := t.Outbox.Query().Where(outbox.Code(HolderCode(a.System, a.Holder.ID)), outbox.DoneAtIsNil()).Exist(ctx)
			if err != nil {
				return fmt.Errorf("read the outbox: %w", err)
			}
			if waits {
				continue
			}
			if err := t.settleSoon(a.System, a.Holder.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// overdue are the accounts that should be otherwise since a while, and are not being changed.
func (s *Store) overdue(ctx context.Context) ([]breakglass.Account, error) {
	grants, err := s.OpenGrants(ctx)
	if err != nil || len(grants) == 0 {
		return nil, err
	}
	locks, err := s.Locks(ctx)
	if err != nil {
		return nil, err
	}
	now, err := s.AccessNow(ctx)
	if err != nil {
		return nil, err
	}
	accounts, err := s.AccountsOf(ctx, grants)
	if err != nil {
		return nil, err
	}
	var late []breakglass.Account
	for at, its := range breakglass.Apart(grants) {
		if account := accounts.Of(at.System, at.Person); account.Overdue(its, locks, now) {
			late = append(late, account)
		}
	}
	return late, nil
}

// UntoldAccess are the requests that somebody was asked about and that are decided, whose outcome nobody has been told.
func (s *Store) UntoldAccess(ctx context.Context) ([]breakglass.Request, error) {
	rows, err := s.client.AccessRequest.Query().Where(
		accessrequest.StateNEQ(approval.Requested), accessrequest.DecidedAtGT(s.Now().Add(-tellWithin)), told(approval.Asked, true), told(approval.Outcome, false),
	).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for outcomes that nobody was told: %w", err)
	}
	return accessesOf(ctx, s.client, rows)
}

// LateAccess are the requests that changed lately, or whose access ended: whoever is told of it may not have been yet.
func (s *Store) LateAccess(ctx context.Context) ([]breakglass.Request, error) {
	now := s.Now()
	since := now.Add(-endedLatelyIs)
	ids, err := s.client.AccessGrant.Query().Where(accessgrant.Or(
		accessgrant.ChangedAtGT(since), accessgrant.And(accessgrant.EndsAtGT(since), accessgrant.EndsAtLTE(now)),
	)).Select(accessgrant.FieldID).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for access that changed lately: %w", err)
	}
	return s.accesses(ctx, 0, accessrequest.Or(accessrequest.ChangedAtGT(since), accessrequest.IDIn(ids...)))
}
