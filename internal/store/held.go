package store

import (
	"context"
	"fmt"

	"keyholder/ent"
	"keyholder/ent/person"
	"keyholder/internal/approval"
)

// held is what one attempt at an act is decided by: the catalogue in force, and whoever has a part in it. Rules and roles are then of
// one version, and it takes two queries, however many have voted.
type held struct {
	version CatalogVersion
	people  map[string]*ent.Person
}

// heldKey leads to it.
type heldKey struct{}

// held reads what a question is decided by, for somebody who votes on it. It is read anew in each attempt.
func (s *Store) held(ctx context.Context, c *ent.Client, q approval.Question, voter string) (context.Context, error) {
	version, err := s.Catalog(ctx)
	if err != nil {
		return ctx, err
	}
	ids := []string{voter, q.Requester.ID}
	for _, d := range q.Votes() {
		ids = append(ids, d.By.ID)
	}
	rows, err := c.Person.Query().Where(person.IDIn(ids...)).All(ctx)
	if err != nil {
		return ctx, fmt.Errorf("load who has a part in %s: %w", q.Code, err)
	}
	h := held{version, map[string]*ent.Person{}}
	for _, row := range rows {
		h.people[row.ID] = row
	}
	return context.WithValue(ctx, heldKey{}, h), nil
}

// personBy loads the record of a person.
func personBy(ctx context.Context, c *ent.Client, id string) (*ent.Person, error) {
	if h, ok := ctx.Value(heldKey{}).(held); ok && h.people[id] != nil {
		return h.people[id], nil
	}
	return readOnce(ctx, "person "+id, func() (*ent.Person, error) { return c.Person.Get(ctx, id) })
}
