package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"keyholder/ent"
	"keyholder/ent/accessfinding"
	"keyholder/ent/accessgrant"
	"keyholder/ent/accessholding"
	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

func findingsOf(rows []*ent.AccessFinding, err error) ([]breakglass.Finding, error) {
	if err != nil {
		return nil, fmt.Errorf("load findings: %w", err)
	}
	all := make([]breakglass.Finding, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal(row.Body, &all[i]); err != nil {
			return nil, fmt.Errorf("read finding %s: %w", row.ID, err)
		}
		all[i].Version = row.Revision
	}
	return all, nil
}

// AccessFindings are what was found on systems that the grants do not explain, the oldest first.
func (s *Store) AccessFindings(ctx context.Context) ([]breakglass.Finding, error) {
	read, err := s.openAccess(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(read.findings), nil
}

// SystemRead takes in what was read of a system. What is new is a finding, what is not there any more is gone; unread is why nothing
// could be read; asked is when it was. What has not changed is not written.
func (s *Store) SystemRead(ctx context.Context, system catalog.System, seen []breakglass.SeenThere, asked time.Time, unread string) error {
	return s.act(ctx, audit.Worker, func(t *tx) error {
		now, err := t.moment()
		if err != nil {
			return err
		}
		open, err := findingsOf(t.AccessFinding.Query().Where(accessfinding.Open(true), accessfinding.System(system.Slug)).All(ctx))
		if err != nil {
			return err
		}
		found := []breakglass.Finding{{Kind: breakglass.Unread, System: system.Slug, Why: unread, Seen: now}}
		if unread == "" {
			expected, err := t.expected(system.Slug)
			if err != nil {
				return err
			}
			found = breakglass.Drift(system, seen, expected, asked, now)
		}
		fresh, gone := breakglass.Follow(open, found, now)
		for _, f := range fresh {
			if err := t.addFinding(system, f); err != nil {
				return err
			}
		}
		for _, f := range gone {
			if unread != "" && f.Kind != breakglass.Unread {
				continue // nobody can tell
			}
			t.record(audit.Event{Action: "access.found", Object: findingObject(f), Text: fmt.Sprintf("On %s this is over: %s.", system.Name, f.Words())})
			if err := t.saveFinding(f); err != nil {
				return err
			}
		}
		return nil
	})
}

func findingObject(f breakglass.Finding) string { return "finding:" + f.ID }

// expected is what is known of the accounts on a system.
func (t *tx) expected(system string) ([]breakglass.Expected, error) {
	rows, err := t.AccessHolding.Query().Where(accessholding.System(system)).All(t.ctx)
	if err != nil {
		return nil, fmt.Errorf("load accounts: %w", err)
	}
	grants, err := grantsOf(t.ctx, t.AccessGrant.Query().Where(accessgrant.System(system), accessgrant.Open(true)))
	if err != nil {
		return nil, err
	}
	locks, err := locksOn(t.ctx, t.Client())
	if err != nil {
		return nil, err
	}
	now, err := t.moment()
	if err != nil {
		return nil, err
	}
	byHolder := map[string][]breakglass.Grant{}
	for _, g := range grants {
		byHolder[g.Holder.ID] = append(byHolder[g.Holder.ID], g)
	}
	all := make([]breakglass.Expected, len(rows))
	for i, row := range rows {
		account, err := accountOf(row)
		if err != nil {
			return nil, err
		}
		its := byHolder[account.Holder.ID]
		all[i] = breakglass.Expected{Account: account, Has: breakglass.Effective(its, locks, now), Changed: breakglass.Changed(its, locks, now)}
	}
	return all, nil
}

func (t *tx) addFinding(system catalog.System, f breakglass.Finding) error {
	f.ID = NewID()
	t.changed, t.access = true, true
	body, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("write finding: %w", err)
	}
	t.record(audit.Event{Action: "access.found", Object: findingObject(f), Text: fmt.Sprintf("On %s: %s.", system.Name, f.Words()), Detail: detail(f)})
	if err := t.AccessFinding.Create().SetID(f.ID).SetSystem(f.System).SetSeenAt(f.Seen).SetBody(body).Exec(t.ctx); err != nil {
		return fmt.Errorf("save finding: %w", err)
	}
	return nil
}

func (t *tx) saveFinding(f breakglass.Finding) error {
	body, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("write finding: %w", err)
	}
	n, err := t.AccessFinding.Update().Where(accessfinding.ID(f.ID), accessfinding.Revision(f.Version)).
		SetOpen(f.Gone == nil).SetBody(body).SetRevision(f.Version + 1).Save(t.ctx)
	if err != nil {
		return fmt.Errorf("save finding: %w", err)
	}
	if n == 0 {
		return errStale
	}
	t.changed, t.access = true, true
	return nil
}

func (t *tx) finding(id string) (breakglass.Finding, error) {
	all, err := findingsOf(t.AccessFinding.Query().Where(accessfinding.ID(id)).All(t.ctx))
	if err != nil {
		return breakglass.Finding{}, err
	}
	if len(all) == 0 {
		return breakglass.Finding{}, fault.Missing("finding", id)
	}
	return all[0], nil
}

// PutRight is a person's wish that a finding is put right. What a grant gave and is missing is given again by its holder's process; what
// no grant explains is taken by the watch.
func (s *Store) PutRight(ctx context.Context, by access.Principal, id string) error {
	return s.personal(ctx, by.Person(), "access.put-right", "finding:"+id, func(t *tx) error {
		now, err := t.moment()
		if err != nil {
			return err
		}
		if by, err = s.principalNow(ctx, t, by); err != nil {
			return err
		}
		f, err := t.finding(id)
		if err != nil {
			return err
		}
		before := f.Wanted
		if f, err = f.PutRight(by, now); err != nil || before != nil {
			return err // pressed twice
		}
		t.record(audit.Event{Action: "access.put-right", Object: findingObject(f), Text: fmt.Sprintf("%s wants this put right: %s.", by.Name, f.Words())})
		if err := t.saveFinding(f); err != nil || f.Kind != breakglass.Missing || f.Holder == nil {
			return err
		}
		account, err := loadAccount(ctx, t.Client(), f.System, f.Holder.ID)
		if err != nil {
			return err
		}
		account = account.Forgotten()
		if err := t.saveAccount(&account); err != nil {
			return err
		}
		return t.settleSoon(f.System, f.Holder.ID)
	})
}

// BeginTake commits the intent to take what no grant explains, before anything is touched.
func (s *Store) BeginTake(ctx context.Context, f breakglass.Finding) error {
	return s.act(ctx, audit.Worker, func(t *tx) error {
		t.record(audit.Event{Action: "access.take", Object: findingObject(f), Outcome: audit.Intent, Act: takeAct(f), Text: fmt.Sprintf("%s is to lose %s.", f.Account, f.Role)})
		return nil
	})
}

func takeAct(f breakglass.Finding) string {
	attempts := 0
	if f.Trouble != nil {
		attempts = f.Trouble.Attempts
	}
	return fmt.Sprintf("take/%s/%d", f.ID, attempts)
}

// Taken commits what came of taking it; failed is why it did not go, and it is tried again then.
func (s *Store) Taken(ctx context.Context, f breakglass.Finding, failed string, evidence any) error {
	return s.act(ctx, audit.Worker, func(t *tx) error {
		now, err := t.finding(f.ID)
		if err != nil {
			return err
		}
		e := audit.Event{Action: "access.take", Object: findingObject(f), Outcome: audit.Held, Act: takeAct(f), Text: fmt.Sprintf("%s lost %s.", f.Account, f.Role), Detail: detail(evidence)}
		if failed != "" {
			e.Outcome, e.Text = audit.Failed, failed
			now = now.Failed(failed, t.now)
		} else {
			now.Gone = ptr(t.now)
		}
		t.record(e)
		return t.saveFinding(now)
	})
}
