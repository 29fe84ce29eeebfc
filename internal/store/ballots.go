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
	yes, no := sides(r.Question)
	rules, err := readOnce(ctx, "rules of "+r.Digest+r.FiledAt.String(), func() (approval.Rules, error) { return rulesOf(version, r.Terms.Decided(r.FiledAt)) })
	if err != nil {
		return approval.Ballot{}, err
	}
	b, err := s.balloted(ctx, c, rules, r.Requester, yes, no)
	b.Faceless = faceless(r.Requester)
	return b, err
}

// sides are those whose votes stand, by what they said.
func sides(q approval.Question) (yes, no []access.Person) {
	for _, d := range q.Votes() {
		if d.Verdict == approval.Approve {
			yes = append(yes, d.By)
		} else {
			no = append(no, d.By)
		}
	}
	return yes, no
}

func (s *Store) ballotOn(ctx context.Context, c *ent.Client, r failover.Run, x failover.Exception) (approval.Ballot, error) {
	version, err := s.Catalog(ctx)
	if err != nil {
		return approval.Ballot{}, err
	}
	rules, err := rulesOf(version, x.Decided(r.Terms))
	if err != nil {
		return approval.Ballot{}, err
	}
	return s.balloted(ctx, c, rules, x.By, x.Others, nil)
}

// rulesOf are the rules that apply. Where no policy does there are none, and nobody can vote.
func rulesOf(version CatalogVersion, about approval.About) (approval.Rules, error) {
	rules, err := approval.RulesOf(version.Catalog, about)
	if fault.As(err) != nil {
		return nil, nil
	}
	return rules, err
}

// balloted loads who is on a ballot.
func (s *Store) balloted(ctx context.Context, c *ent.Client, rules approval.Rules, by access.Person, yes, no []access.Person) (b approval.Ballot, err error) {
	b.Rules = rules
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
func (s *Store) asNow(ctx context.Context, c *ent.Client, p access.Person) (access.Principal, error) {
	now, ok, err := s.principal(ctx, c, p.ID)
	if !ok {
		now = access.Principal{ID: p.ID, Name: p.Name}
	}
	return now, err
}
