package store

import (
	"context"

	"keyholder/ent"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// Ballot is where a request stands: what it must meet, and who has voted how, with the roles that they hold now.
func (s *Store) Ballot(ctx context.Context, r failover.Request) (approval.Ballot, error) {
	return s.ballot(ctx, s.client, r)
}

// BallotOn is where an exception to a run stands.
func (s *Store) BallotOn(ctx context.Context, r failover.Run, x failover.Exception) (approval.Ballot, error) {
	return s.ballotOn(ctx, s.client, r, x)
}

func (s *Store) ballot(ctx context.Context, c *ent.Client, r failover.Request) (approval.Ballot, error) {
	version, err := s.CatalogAt(ctx, r.Terms.Catalog)
	if err != nil {
		return approval.Ballot{}, err
	}
	var yes, no []failover.Person
	for _, d := range r.Votes() {
		if d.Verdict == failover.Yes {
			yes = append(yes, d.By)
		} else {
			no = append(no, d.By)
		}
	}
	return s.balloted(ctx, c, version, r.Terms.Decided(r.FiledAt), r.Requester, yes, no)
}

func (s *Store) ballotOn(ctx context.Context, c *ent.Client, r failover.Run, x failover.Exception) (approval.Ballot, error) {
	version, err := s.Catalog(ctx)
	if err != nil {
		return approval.Ballot{}, err
	}
	return s.balloted(ctx, c, version, x.Decided(r.Terms), x.By, x.Others, nil)
}

// balloted loads who is on a ballot. Where no policy applies it has no rules, and nobody can vote.
func (s *Store) balloted(ctx context.Context, c *ent.Client, version CatalogVersion, about approval.About, by failover.Person, yes, no []failover.Person) (b approval.Ballot, err error) {
	if b.Rules, err = approval.RulesOf(version.Catalog, about); err != nil && fault.As(err) == nil {
		return b, err
	}
	if b.Requester, err = s.asNow(ctx, c, by); err != nil {
		return b, err
	}
	for _, p := range yes {
		now, err := s.asNow(ctx, c, p)
		if err != nil {
			return b, err
		}
		b.Yes = append(b.Yes, now)
	}
	for _, p := range no {
		now, err := s.asNow(ctx, c, p)
		if err != nil {
			return b, err
		}
		b.No = append(b.No, now)
	}
	return b, nil
}

// asNow is a person whom a record names, with the roles that they hold now: none where nobody knows them any more.
func (s *Store) asNow(ctx context.Context, c *ent.Client, p failover.Person) (access.Principal, error) {
	now, ok, err := s.principal(ctx, c, p.ID)
	if !ok {
		now = access.Principal{ID: p.ID, Name: p.Name}
	}
	return now, err
}
