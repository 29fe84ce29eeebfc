package store

import (
	"context"
	"fmt"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/breakglass"
)

// SetPassword has the account of a holder sign in by another password, of which only the verifier is ever kept. The password itself is
// shown once, on the page that answers this.
func (s *Store) SetPassword(ctx context.Context, by access.Principal, code, verifier string) error {
	return s.personal(ctx, by.Person(), "access.password", code, func(t *tx) error {
		now, err := t.moment()
		if err != nil {
			return err
		}
		r, err := loadAccess(ctx, t.Client(), code)
		if err != nil {
			return err
		}
		before, err := past(ctx, t.Client(), breakglass.Holder{ID: by.ID}, r.Terms.System.Slug, now)
		if err != nil {
			return err
		}
		if err := r.MayHavePassword(by, before.Locks, now); err != nil {
			return err
		}
		if err := approval.Recent(by, breakglass.RecentSignIn, now, "A password"); err != nil {
			return err
		}
		account, err := loadAccount(ctx, t.Client(), r.Grant.System, by.ID)
		if err != nil {
			return err
		}
		account.Holder, account.Verifier, account.ShownAt = r.Grant.Holder, verifier, ptr(now)
		if err := t.saveAccount(&account); err != nil {
			return err
		}
		t.record(audit.Event{Action: "access.password", Object: code, Text: fmt.Sprintf("%s was shown a new password for %s.", by.Name, r.Terms.System.Name)})
		return t.settleSoon(r.Grant.System, by.ID)
	})
}

func ptr(at time.Time) *time.Time { return &at }
