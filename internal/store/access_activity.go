package store

import (
	"context"
	"encoding/json"
	"fmt"

	"keyholder/ent"
	"keyholder/internal/audit"
	"keyholder/internal/breakglass"
	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// DueActivity is a use of which is to be read what its system wrote down.
type DueActivity struct {
	Grant  breakglass.Grant
	System catalog.System
}

// ActivitiesDue are the uses of which is to be read now what their systems wrote down.
func (s *Store) ActivitiesDue(ctx context.Context) ([]DueActivity, error) {
	open, err := s.openAccess(ctx)
	if err != nil {
		return nil, err
	}
	var due []DueActivity
	for _, r := range open.requests {
		if g := r.Grant; g != nil && g.ActivityDue() && !g.Unread.Rests(s.Now()) {
			due = append(due, DueActivity{Grant: *g})
		}
	}
	if len(due) == 0 {
		return nil, nil
	}
	version, err := s.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	for i := range due {
		due[i].System, _ = version.System(due[i].Grant.System)
	}
	return due, nil
}

// AttachActivity keeps what a system wrote down of a use, and names it on the grant by its digest.
func (s *Store) AttachActivity(ctx context.Context, code string, found breakglass.Activity, entries []breakglass.Entry) error {
	body, err := json.Marshal(entries)
	if err != nil {
		return fmt.Errorf("write down what was done with %s: %w", code, err)
	}
	return s.act(ctx, audit.Worker, func(t *tx) error {
		g, err := t.grantDue(code)
		if err != nil || g == nil {
			return err
		}
		found.At, found.Entries, found.Digest = t.now, len(entries), activityDigest(body)
		if err := t.AccessActivity.Create().SetID(g.ID).SetBody(body).Exec(ctx); err != nil {
			return fmt.Errorf("save what was done with %s: %w", code, err)
		}
		t.record(audit.Event{
			Action: "access.activity", Object: code, Detail: detail(found), Text: fmt.Sprintf("%s says what was done with %s, in %d entries.", found.Source, code, len(entries)),
		})
		return t.saveGrant(g.WithActivity(found))
	})
}

// ActivityUnread notes why what a system wrote down of a use could not be read. It is tried again.
func (s *Store) ActivityUnread(ctx context.Context, code, why string) error {
	return s.act(ctx, audit.Worker, func(t *tx) error {
		g, err := t.grantDue(code)
		if err != nil || g == nil {
			return err
		}
		if g.Unread == nil || g.Unread.Why != why {
			t.record(audit.Event{Action: "access.activity", Object: code, Outcome: audit.Failed, Text: fmt.Sprintf("What was done with %s cannot be read: %s", code, why)})
		}
		return t.saveGrant(g.ActivityFailed(why, t.now))
	})
}

// grantDue is a grant of which is still to be read what was done; nil where it is not.
func (t *tx) grantDue(code string) (*breakglass.Grant, error) {
	r, err := loadAccess(t.ctx, t.Client(), code)
	if err != nil || r.Grant == nil || !r.Grant.ActivityDue() {
		return nil, err
	}
	return r.Grant, nil
}

func activityDigest(body []byte) string { return canonical.DigestBytes("keyholder/activity/1", body) }

// ActivityOf is what a system wrote down of a use. What is not as it was when it was attached is an error.
func (s *Store) ActivityOf(ctx context.Context, g breakglass.Grant) ([]breakglass.Entry, error) {
	if g.Activity == nil {
		return nil, nil
	}
	row, err := s.client.AccessActivity.Get(ctx, g.ID)
	if ent.IsNotFound(err) {
		return nil, fault.Late("activity-unchanged", "What was done with %s is gone from the database, and was there: it was read at %s.", g.Code, g.Activity.At.UTC().Format("15:04:05 UTC"))
	}
	if err != nil {
		return nil, fmt.Errorf("load what was done with %s: %w", g.Code, err)
	}
	if activityDigest(row.Body) != g.Activity.Digest {
		return nil, fault.Late("activity-unchanged", "What was done with %s is not what was attached: somebody changed it in the database.", g.Code)
	}
	var entries []breakglass.Entry
	if err := json.Unmarshal(row.Body, &entries); err != nil {
		return nil, fmt.Errorf("read what was done with %s: %w", g.Code, err)
	}
	return entries, nil
}
