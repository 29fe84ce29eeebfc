package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyholder/ent/person"
	"keyholder/internal/access"
	"keyholder/internal/breakglass"
)

// OpenGrants are all grants by which anybody has, or may still have, anything on a system; those that end last come first.
func (s *Store) OpenGrants(ctx context.Context) ([]breakglass.Grant, error) {
	read, err := s.openAccess(ctx)
	if err != nil {
		return nil, err
	}
	var open []breakglass.Grant
	for _, r := range read.requests {
		if r.Grant != nil && r.Grant.Open() {
			open = append(open, *r.Grant)
		}
	}
	slices.SortStableFunc(open, func(a, b breakglass.Grant) int { return b.End().Compare(a.End()) })
	return open, nil
}

// MayBeginAccess is the rule by which the holder begins approved access, as CommandAccess will judge it.
func (s *Store) MayBeginAccess(ctx context.Context, by access.Principal, r breakglass.Request) error {
	now, err := s.AccessNow(ctx)
	if err != nil {
		return err
	}
	version, err := s.Catalog(ctx)
	if err != nil {
		return err
	}
	before, err := past(ctx, s.client, breakglass.Holder{ID: by.ID, Name: by.Name, Mail: by.Mail}, r.Terms.System.Slug, now)
	if err != nil {
		return err
	}
	if err := r.MayBegin(by, before, version.Opens(r.Terms.Eligibility, now), now); err != nil {
		return err
	}
	_, err = stillEligible(version, by, r, now)
	return err
}

// MayAskAccess refuses to ask for a role of a system that is frozen, or before somebody has looked at what was done before.
func (s *Store) MayAskAccess(ctx context.Context, by access.Principal, system, role string) error {
	now, err := s.AccessNow(ctx)
	if err != nil {
		return err
	}
	holder := breakglass.Holder{ID: by.ID, Name: by.Name, Mail: by.Mail}
	before, err := past(ctx, s.client, holder, system, now)
	if err != nil {
		return err
	}
	return before.Blocks(breakglass.Grant{Holder: holder, System: system, Role: role}, now)
}

// HoldsRole says until when somebody, named by their id or their verified address, has a role on a system; zero where they have it not.
// It reads all anew, so that what has ended is refused at once.
func (s *Store) HoldsRole(ctx context.Context, who, system, role string) (until, asOf time.Time, err error) {
	ctx = context.WithValue(ctx, asOfKey{}, nil) // the clock alone ends access
	if asOf, err = s.AccessNow(ctx); err != nil {
		return until, asOf, err
	}
	ids, err := s.client.Person.Query().Where(person.Or(
		person.ID(who), person.And(person.EmailEqualFold(strings.TrimSpace(who)), person.EmailVerified(true)),
	)).IDs(ctx)
	if err != nil {
		return until, asOf, fmt.Errorf("look for %s: %w", who, err)
	}
	for _, id := range ids {
		holds, err := s.Holds(ctx, id, system)
		if err != nil {
			return until, asOf, err
		}
		if i := slices.IndexFunc(holds, func(h breakglass.Has) bool { return h.Role == role }); i >= 0 && holds[i].Until.After(until) {
			until = holds[i].Until
		}
	}
	return until, asOf, nil
}
