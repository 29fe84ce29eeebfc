package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyholder/ent"
	"keyholder/ent/person"
	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/failover"
)

// Identity is what the provider vouches for.
type Identity struct {
	Issuer     string
	Subject    string
	Name       string
	Email      string
	Groups     []string
	SignedInAt time.Time // auth_time
}

// SignIn keeps who signed in and returns their id.
func (s *Store) SignIn(ctx context.Context, who Identity) (string, error) {
	return s.keepIdentity(ctx, who, "session.sign-in", "signed in")
}

func (s *Store) keepIdentity(ctx context.Context, who Identity, action, how string) (string, error) {
	var id string
	if who.Groups == nil {
		who.Groups = []string{}
	}
	err := s.act(ctx, nobody, func(t *tx) error {
		row, err := t.Person.Query().Where(person.Issuer(who.Issuer), person.Subject(who.Subject)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			id = NewID()
			err = t.Person.Create().SetID(id).SetIssuer(who.Issuer).SetSubject(who.Subject).SetName(who.Name).
				SetEmail(who.Email).SetGroups(who.Groups).SetSignedInAt(who.SignedInAt).SetCreatedAt(t.now).Exec(ctx)
		case err == nil:
			id = row.ID
			err = row.Update().SetName(who.Name).SetEmail(who.Email).SetGroups(who.Groups).SetSignedInAt(who.SignedInAt).Exec(ctx)
		}
		if err != nil {
			return fmt.Errorf("keep who signed in: %w", err)
		}
		t.record(audit.Event{
			Actor: failover.Person{ID: id, Name: who.Name}, Action: action, Object: id,
			Text: who.Name + " " + how + ".", Detail: detail(map[string]any{"issuer": who.Issuer, "subject": who.Subject, "groups": who.Groups}),
		})
		return nil
	})
	return id, err
}

// Recognise keeps who showed a token of the provider and returns their id. It is on record when they are new or their groups
// have changed: a program shows its token with each call.
func (s *Store) Recognise(ctx context.Context, who Identity) (string, error) {
	row, err := s.client.Person.Query().Where(person.Issuer(who.Issuer), person.Subject(who.Subject)).Only(ctx)
	if err == nil && row.Name == who.Name && slices.Equal(row.Groups, who.Groups) {
		return row.ID, nil
	}
	if err != nil && !ent.IsNotFound(err) {
		return "", fmt.Errorf("look for who showed a token: %w", err)
	}
	return s.keepIdentity(ctx, who, "session.token", "is known by a token from now on")
}

// SignedOut records that somebody left.
func (s *Store) SignedOut(ctx context.Context, who access.Principal) error {
	return s.act(ctx, failover.Person{ID: who.ID, Name: who.Name}, func(t *tx) error {
		t.record(audit.Event{Action: "session.sign-out", Object: who.ID, Text: who.Name + " signed out."})
		return nil
	})
}

// Principal loads a person with the roles that they hold now. ok is false where there is no such person.
func (s *Store) Principal(ctx context.Context, id string) (p access.Principal, ok bool, err error) {
	row, err := readOnce(ctx, "person "+id, func() (*ent.Person, error) { return s.client.Person.Get(ctx, id) })
	if ent.IsNotFound(err) {
		return access.Principal{}, false, nil
	}
	if err != nil {
		return access.Principal{}, false, fmt.Errorf("load person %s: %w", id, err)
	}
	catalog, err := s.Catalog(ctx)
	if err != nil {
		return access.Principal{}, false, err
	}
	return access.Principal{ID: row.ID, Name: row.Name, Roles: catalog.RolesOf(row.Groups), SignedInAt: row.SignedInAt.UTC()}, true, nil
}

// rolesNow reads a person's roles anew, so that one who lost a role does not vote with it.
func (s *Store) rolesNow(ctx context.Context, t *tx, id string) ([]access.Role, error) {
	row, err := t.Person.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load person %s: %w", id, err)
	}
	catalog, err := s.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	return catalog.RolesOf(row.Groups), nil
}
