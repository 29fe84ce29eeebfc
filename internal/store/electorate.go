package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyholder/ent"
	"keyholder/ent/person"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
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
	return s.electorateUnder(ctx, version.Catalog, at)
}

// ElectorateUnder is the electorate as another catalogue would have it.
func (s *Store) ElectorateUnder(ctx context.Context, c catalog.Catalog) ([]access.Principal, error) {
	return s.electorateUnder(ctx, c, s.Now())
}

func (s *Store) electorateUnder(ctx context.Context, c catalog.Catalog, at time.Time) ([]access.Principal, error) {
	rows, err := readOnce(ctx, "everybody", func() ([]*ent.Person, error) { return s.everybody(ctx) })
	if err != nil {
		return nil, err
	}
	return electorate(rows, c, at)
}

// electorate is the electorate as this transaction sees it: what is decided by it is never judged by what was read before.
func (t *tx) electorate(c catalog.Catalog) ([]access.Principal, error) {
	rows, err := everybody(t.ctx, t.Client())
	if err != nil {
		return nil, err
	}
	return electorate(rows, c, t.now)
}

func electorate(rows []*ent.Person, now catalog.Catalog, at time.Time) ([]access.Principal, error) {
	latest := map[string]*ent.Person{}
	for _, row := range rows {
		if row.EmailVerified {
			latest[strings.ToLower(row.Email)] = row
		}
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b *ent.Person) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	known := func(mail string) (catalog.Identity, bool) {
		row := latest[strings.ToLower(mail)]
		if row == nil {
			return catalog.Identity{}, false
		}
		return identityOf(row), true
	}
	all := make([]access.Principal, len(rows))
	err := inParallel(len(rows), func(i int) error {
		who := identityOf(rows[i])
		p := access.Principal{ID: rows[i].ID, Name: rows[i].Name, Mail: who.Mail, Instead: now.Instead(who.Mail, at)}
		all[i] = p.With(now.GrantsOf(who, known, at))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return append(all, approval.Strangers(now, all, at)...), nil
}

// roster is everybody as of a change: whatever is kept of people moves the sequence of changes in its own transaction.
type roster struct {
	change int64
	rows   []*ent.Person
}

// everybody is everybody of the newest change, from memory where that has not moved since they were read. It may be newer than the
// change that it is kept under, never older, since that is looked at first.
func (s *Store) everybody(ctx context.Context) ([]*ent.Person, error) {
	at, err := s.moment(ctx)
	if err != nil {
		return nil, err
	}
	if kept := s.people.Load(); kept != nil && kept.change == at.change {
		return kept.rows, nil
	}
	rows, err := everybody(ctx, s.client)
	if err == nil {
		s.people.Store(&roster{at.change, rows})
	}
	return rows, err
}

// everybody are all who have signed in, the last to do so last; of each only what says which roles they hold.
func everybody(ctx context.Context, c *ent.Client) ([]*ent.Person, error) {
	rows, err := c.Person.Query().Order(person.BySignedInAt(), person.ByID()).
		Select(person.FieldID, person.FieldName, person.FieldEmail, person.FieldEmailVerified, person.FieldGroups).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load everybody: %w", err)
	}
	return rows, nil
}

// Hopes are who can still decide on a request, and what nobody is there to give.
type Hopes struct {
	Able    []approval.Voter
	Wanting []approval.Want // nothing where it can still be approved
}

// Hopes says who can still decide on a request.
func (s *Store) Hopes(ctx context.Context, r failover.Request) (Hopes, error) {
	return readOnce(ctx, "hopes of "+r.Code, func() (Hopes, error) {
		b, err := s.Ballot(ctx, r)
		if err != nil {
			return Hopes{}, err
		}
		return s.hopes(ctx, b)
	})
}

func (s *Store) hopes(ctx context.Context, b approval.Ballot) (Hopes, error) {
	all, err := s.Electorate(ctx)
	if err != nil {
		return Hopes{}, err
	}
	able := b.Able(all)
	return Hopes{able, b.Possible(able)}, nil
}

// somebodyCan refuses what the rules leave to nobody.
func (t *tx) somebodyCan(now catalog.Catalog, b approval.Ballot) error {
	all, err := t.electorate(now)
	if err != nil {
		return err
	}
	wants := b.Possible(b.Able(all))
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
