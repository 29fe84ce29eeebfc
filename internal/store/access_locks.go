package store

import (
	"context"
	"encoding/json"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/accessgrant"
	"keyholder/ent/accesslock"
	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/breakglass"
	"keyholder/internal/fault"
)

// LockFile is a wish to freeze something.
type LockFile struct {
	ID      string // of the act, so that a doubled click freezes once
	Kind    breakglass.LockKind
	Subject string
	Why     string
}

// Freeze freezes a person, a role, a system or a request at once.
func (s *Store) Freeze(ctx context.Context, by access.Principal, f LockFile) (breakglass.Lock, error) {
	var l breakglass.Lock
	err := s.personal(ctx, by.Person(), "access.freeze", f.Subject, func(t *tx) error {
		now, err := t.moment()
		if err != nil {
			return err
		}
		if row, err := t.AccessLock.Get(ctx, f.ID); err == nil {
			return json.Unmarshal(row.Body, &l)
		} else if !ent.IsNotFound(err) {
			return fmt.Errorf("look up lock: %w", err)
		}
		if by, err = s.principalNow(ctx, t, by); err != nil {
			return err
		}
		wanted := breakglass.Lock{ID: f.ID, Kind: f.Kind, Subject: f.Subject, Why: f.Why}
		if wanted.What, wanted.Mail, err = s.frozen(t, f); err != nil {
			return err
		}
		if l, err = breakglass.Freeze(by, wanted, now); err != nil {
			return err
		}
		t.changed, t.access = true, true
		body, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("write lock: %w", err)
		}
		if err := t.AccessLock.Create().SetID(l.ID).SetAt(l.At).SetBody(body).Exec(ctx); err != nil {
			return fmt.Errorf("save lock: %w", err)
		}
		t.record(audit.Event{Action: "access.freeze", Object: string(l.Kind) + ":" + l.Subject, Act: l.ID, Text: fmt.Sprintf("%s froze %s: %s", by.Name, l.What, l.Why), Detail: detail(l)})
		return t.settleCovered(l, "is frozen")
	})
	return l, err
}

// frozen says in words what is to be frozen, and the address of a person. What there is not is refused.
func (s *Store) frozen(t *tx, f LockFile) (what, mail string, err error) {
	version, err := s.Catalog(t.ctx)
	if err != nil {
		return "", "", err
	}
	missing := fault.Wrong{"subject": "There is no such " + string(f.Kind) + "."}.Err()
	switch f.Kind {
	case breakglass.LockPerson:
		p, ok, err := s.principal(t.ctx, t.Client(), f.Subject)
		if err != nil || !ok {
			return "", "", orElse(err, missing)
		}
		return "the access of " + p.Name, p.Mail, nil
	case breakglass.LockSystem:
		if system, ok := version.System(f.Subject); ok {
			return "all access to " + system.Name, "", nil
		}
	case breakglass.LockRole:
		for _, system := range version.Systems {
			for _, role := range system.RoleNames() {
				if f.Subject == system.Slug+"/"+role {
					return role + " on " + system.Name, "", nil
				}
			}
		}
	case breakglass.LockRequest:
		if _, err := loadAccess(t.ctx, t.Client(), f.Subject); err != nil {
			return "", "", err
		}
		return f.Subject, "", nil
	default:
		return "", "", nil // the rule says what is wrong
	}
	return "", "", missing
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// Release takes a lock off. What is left of the grants it froze holds again.
func (s *Store) Release(ctx context.Context, by access.Principal, id, why string) error {
	return s.personal(ctx, by.Person(), "access.release", id, func(t *tx) error {
		now, err := t.moment()
		if err != nil {
			return err
		}
		if by, err = s.principalNow(ctx, t, by); err != nil {
			return err
		}
		row, err := t.AccessLock.Get(ctx, id)
		if ent.IsNotFound(err) {
			return fault.Missing("lock", id)
		}
		if err != nil {
			return fmt.Errorf("load lock: %w", err)
		}
		var l breakglass.Lock
		if err := json.Unmarshal(row.Body, &l); err != nil {
			return fmt.Errorf("read lock: %w", err)
		}
		if l.Lifted != nil && l.Lifted.By.ID == by.ID {
			return nil // pressed twice
		}
		if l, err = l.Lift(by, why, now); err != nil {
			return err
		}
		t.changed, t.access = true, true
		body, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("write lock: %w", err)
		}
		if err := row.Update().SetBody(body).SetLifted(true).Exec(ctx); err != nil {
			return fmt.Errorf("save lock: %w", err)
		}
		t.record(audit.Event{Action: "access.release", Object: string(l.Kind) + ":" + l.Subject, Text: fmt.Sprintf("%s released %s: %s", by.Name, l.What, why), Detail: detail(l)})
		return t.settleCovered(l, "is released")
	})
}

// settleCovered has whatever a lock covers looked at, and says so in the story of each of them.
func (t *tx) settleCovered(l breakglass.Lock, what string) error {
	grants, err := grantsOf(t.ctx, t.AccessGrant.Query().Where(accessgrant.Open(true)))
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, g := range grants {
		if !l.Covers(g) {
			continue
		}
		t.record(audit.Event{Action: "access.lock", Object: g.Code, Act: l.ID, Text: fmt.Sprintf("%s %s, with %s.", g.Code, what, l.What)})
		if code := HolderCode(g.System, g.Holder.ID); !seen[code] {
			seen[code] = true
			if err := t.settleSoon(g.System, g.Holder.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// LatestLocks are the newest locks, whether or not they are on.
func (s *Store) LatestLocks(ctx context.Context, most int) ([]breakglass.Lock, error) {
	rows, err := s.client.AccessLock.Query().Order(accesslock.ByAt(sql.OrderDesc())).Limit(most).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load locks: %w", err)
	}
	return locksOf(rows)
}
