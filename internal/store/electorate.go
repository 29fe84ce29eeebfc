package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keyholder/ent"
	"keyholder/ent/person"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// RuleSomebodyCan refuses what nobody could ever approve, when it is asked for and not when it is too late.
const RuleSomebodyCan = "somebody-can-approve"

// Electorate is everybody with the roles that they hold now: whoever has signed in, by name, and behind them strangers for whom
// assignments name besides.
func (s *Store) Electorate(ctx context.Context) ([]access.Principal, error) {
	return s.ElectorateAt(ctx, s.Now())
}

// ElectorateAt is the electorate with the roles that they hold at some moment by what is assigned today.
func (s *Store) ElectorateAt(ctx context.Context, at time.Time) ([]access.Principal, error) {
	version, err := s.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	return electorate(ctx, s.client, version.Catalog, at)
}

func electorate(ctx context.Context, c *ent.Client, now catalog.Catalog, at time.Time) ([]access.Principal, error) {
	rows, err := readOnce(ctx, "everybody", func() ([]*ent.Person, error) { return c.Person.Query().Order(person.ByName(), person.ByID()).All(ctx) })
	if err != nil {
		return nil, fmt.Errorf("load everybody: %w", err)
	}
	latest := map[string]*ent.Person{}
	for _, row := range rows {
		at := strings.ToLower(row.Email)
		if was := latest[at]; row.EmailVerified && (was == nil || was.SignedInAt.Before(row.SignedInAt)) {
			latest[at] = row
		}
	}
	known := func(mail string) (catalog.Identity, bool) {
		row := latest[strings.ToLower(mail)]
		if row == nil {
			return catalog.Identity{}, false
		}
		return identityOf(row), true
	}
	all := make([]access.Principal, len(rows))
	for i, row := range rows {
		who := identityOf(row)
		all[i] = access.Principal{ID: row.ID, Name: row.Name, Mail: who.Mail, SignedInAt: row.SignedInAt.UTC()}.With(now.GrantsOf(who, known, at))
	}
	return append(all, approval.Strangers(now, all, at)...), nil
}

// somebodyCan refuses what the rules leave to nobody.
func (t *tx) somebodyCan(now catalog.Catalog, b approval.Ballot) error {
	everybody, err := electorate(t.ctx, t.Client(), now, t.now)
	if err != nil {
		return err
	}
	wants := b.Possible(everybody)
	if len(wants) == 0 {
		return nil
	}
	var words []string
	for _, w := range wants {
		words = append(words, fmt.Sprintf("%s wants %s", w.Policy, access.Titles(w.Roles)))
	}
	return fault.Refused(RuleSomebodyCan, "an administrator, who can assign the role or change the policy",
		"Nobody could approve this: %s, and nobody besides you holds that for what this is about.", strings.Join(words, "; "))
}
