package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/person"
	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
)

// Identity is what the provider vouches for.
type Identity struct {
	Issuer     string
	Subject    string
	Name       string
	Email      string
	Verified   bool // the provider says that the address is theirs
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
				SetEmail(who.Email).SetEmailVerified(who.Verified).SetGroups(who.Groups).SetSignedInAt(who.SignedInAt).SetCreatedAt(t.now).Exec(ctx)
		case err == nil:
			id = row.ID
			err = row.Update().SetName(who.Name).SetEmail(who.Email).SetEmailVerified(who.Verified).SetGroups(who.Groups).SetSignedInAt(who.SignedInAt).Exec(ctx)
		}
		if err != nil {
			return fmt.Errorf("keep who signed in: %w", err)
		}
		t.record(audit.Event{
			Actor: access.Person{ID: id, Name: who.Name}, Action: action, Object: id,
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
	if err == nil && row.Name == who.Name && row.Email == who.Email && row.EmailVerified == who.Verified && slices.Equal(row.Groups, who.Groups) {
		return row.ID, nil
	}
	if err != nil && !ent.IsNotFound(err) {
		return "", fmt.Errorf("look for who showed a token: %w", err)
	}
	return s.keepIdentity(ctx, who, "session.token", "is known by a token from now on")
}

// SignedOut records that somebody left.
func (s *Store) SignedOut(ctx context.Context, who access.Principal) error {
	return s.act(ctx, who.Person(), func(t *tx) error {
		t.record(audit.Event{Action: "session.sign-out", Object: who.ID, Text: who.Name + " signed out."})
		return nil
	})
}

// Principal loads a person with the roles that they hold now. ok is false where there is no such person.
func (s *Store) Principal(ctx context.Context, id string) (p access.Principal, ok bool, err error) {
	return s.principal(ctx, s.client, id)
}

// principalNow reads anew who somebody is and which roles they hold, so that one who lost a role does not act with it.
func (s *Store) principalNow(ctx context.Context, t *tx, by access.Principal) (access.Principal, error) {
	now, _, err := s.principal(ctx, t.Client(), by.ID)
	by.Mail, by.Grants, by.Roles, by.Instead = now.Mail, now.Grants, now.Roles, now.Instead
	return by, err
}

func (s *Store) principal(ctx context.Context, c *ent.Client, id string) (p access.Principal, ok bool, err error) {
	row, err := readOnce(ctx, "person "+id, func() (*ent.Person, error) { return c.Person.Get(ctx, id) })
	if ent.IsNotFound(err) {
		return access.Principal{}, false, nil
	}
	if err != nil {
		return access.Principal{}, false, fmt.Errorf("load person %s: %w", id, err)
	}
	version, err := s.Catalog(ctx)
	if err != nil {
		return access.Principal{}, false, err
	}
	who := identityOf(row)
	var failed error
	grants := version.GrantsOf(who, func(mail string) (catalog.Identity, bool) {
		absent, found, err := byMail(ctx, c, mail)
		failed = errors.Join(failed, err)
		return absent, found
	}, s.Now())
	if failed != nil {
		return access.Principal{}, false, failed
	}
	p = access.Principal{ID: row.ID, Name: row.Name, Mail: who.Mail, Instead: version.Instead(who.Mail, s.Now()), SignedInAt: row.SignedInAt.UTC()}
	return p.With(grants), true, nil
}

func identityOf(row *ent.Person) catalog.Identity {
	who := catalog.Identity{Groups: row.Groups}
	if row.EmailVerified {
		who.Mail = row.Email
	}
	return who
}

// byMail finds who has a verified mail address: of several accounts, the one that signed in last.
func byMail(ctx context.Context, c *ent.Client, mail string) (catalog.Identity, bool, error) {
	rows, err := readOnce(ctx, "mail "+mail, func() ([]*ent.Person, error) {
		return c.Person.Query().Where(person.EmailEqualFold(mail), person.EmailVerified(true)).Order(person.BySignedInAt(sql.OrderDesc())).Limit(1).All(ctx)
	})
	if err != nil {
		return catalog.Identity{}, false, fmt.Errorf("look for who has an address: %w", err)
	}
	if len(rows) == 0 {
		return catalog.Identity{}, false, nil
	}
	return identityOf(rows[0]), true, nil
}
