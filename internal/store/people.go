package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	Unsaid     bool      // whether the address is theirs: the provider says neither that it is nor that it is not
	SignedInAt time.Time // auth_time
	IssuedAt   time.Time // when the provider said all this; as of the sign-in, where that is not known
}

// saidAt is when the provider said who they are: a person's record keeps it, so that what it said before does not come back.
func (who Identity) saidAt() time.Time {
	if who.IssuedAt.After(who.SignedInAt) {
		return who.IssuedAt
	}
	return who.SignedInAt
}

// SignIn keeps who signed in and returns their id.
func (s *Store) SignIn(ctx context.Context, who Identity) (string, error) {
	var id string
	err := s.act(ctx, nobody, func(t *tx) error {
		row, err := t.whoIs(who)
		if err == nil {
			id, err = t.keepIdentity(row, who, "session.sign-in", "signed in")
		}
		return err
	})
	return id, err
}

// whoIs is the record of who the provider speaks of, or nil.
func (t *tx) whoIs(who Identity) (*ent.Person, error) { return knownPerson(t.ctx, t.Client(), who) }

func knownPerson(ctx context.Context, c *ent.Client, who Identity) (*ent.Person, error) {
	row, err := c.Person.Query().Where(person.Issuer(who.Issuer), person.Subject(who.Subject)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for who this is: %w", err)
	}
	return row, nil
}

func (t *tx) keepIdentity(row *ent.Person, who Identity, action, how string) (id string, err error) {
	if who.Groups == nil {
		who.Groups = []string{}
	}
	if row == nil {
		id = NewID()
		err = t.Person.Create().SetID(id).SetIssuer(who.Issuer).SetSubject(who.Subject).SetName(who.Name).SetEmail(who.Email).
			SetEmailVerified(who.Verified).SetGroups(who.Groups).SetSignedInAt(who.saidAt()).SetCreatedAt(t.now).Exec(t.ctx)
	} else {
		id = row.ID
		err = row.Update().SetName(who.Name).SetEmail(who.Email).SetEmailVerified(who.Verified).SetGroups(who.Groups).SetSignedInAt(who.saidAt()).Exec(t.ctx)
	}
	if err != nil {
		return "", fmt.Errorf("keep who signed in: %w", err)
	}
	t.record(audit.Event{
		Actor: access.Person{ID: id, Name: who.Name}, Action: action, Object: id,
		Text: who.Name + " " + how + ".", Detail: detail(map[string]any{"issuer": who.Issuer, "subject": who.Subject, "groups": who.Groups}),
	})
	return id, nil
}

// Recognise keeps who showed a token of the provider and returns their id. A token that the provider has signed before what is known
// changes nothing: it would bring back what has been taken away since. It is on record when they are new or something has changed: a
// program shows its token with each call.
func (s *Store) Recognise(ctx context.Context, who Identity) (string, error) {
	row, err := knownPerson(ctx, s.client, who)
	if err != nil {
		return "", err
	}
	if row != nil && who.saysNothingNew(row) {
		return row.ID, nil
	}
	var id string
	err = s.act(ctx, nobody, func(t *tx) error {
		row, err := t.whoIs(who)
		if err != nil {
			return err
		}
		if row != nil {
			id = row.ID
			if who.saysNothingNew(row) {
				return nil
			}
			if who = who.besides(row); who.isAs(row) {
				t.changed = true // it says who was there last
				return row.Update().SetSignedInAt(who.saidAt()).Exec(ctx)
			}
		}
		id, err = t.keepIdentity(row, who, "session.token", "is known by a token from now on")
		return err
	})
	return id, err
}

// saysNothingNew says whether a token is older than what is known, or the one that it is known by.
func (who Identity) saysNothingNew(row *ent.Person) bool {
	said, known := who.saidAt(), row.SignedInAt
	return said.Before(known) || said.Equal(known) && who.besides(row).isAs(row)
}

func (who Identity) isAs(row *ent.Person) bool {
	return row.Name == who.Name && row.Email == who.Email && row.EmailVerified == who.Verified && slices.Equal(row.Groups, who.Groups)
}

// besides is what a token says, with what is known of the address where it leaves that out: tokens for programs often do.
func (who Identity) besides(row *ent.Person) Identity {
	switch {
	case who.Email == "":
		who.Email, who.Verified = row.Email, row.EmailVerified
	case who.Unsaid && strings.EqualFold(who.Email, row.Email):
		who.Verified = row.EmailVerified
	}
	return who
}

// SignedOut records that somebody left.
func (s *Store) SignedOut(ctx context.Context, who access.Principal) error {
	return s.act(ctx, who.Person(), func(t *tx) error {
		t.record(audit.Event{Action: "session.sign-out", Object: who.ID, Text: who.Name + " signed out."})
		return nil
	})
}

// Principal loads a person with the roles that they hold now. ok is false where there is no such person. When they signed in is said
// by their session or token, and set by who reads that; the record knows only when the provider last spoke of them.
func (s *Store) Principal(ctx context.Context, id string) (p access.Principal, ok bool, err error) {
	return s.principal(ctx, s.client, id)
}

// principalNow reads anew who somebody is and which roles they hold, so that one who lost a role does not act with it.
func (s *Store) principalNow(ctx context.Context, t *tx, by access.Principal) (access.Principal, error) {
	now, _, err := s.principal(ctx, t.Client(), by.ID)
	by.Mail, by.Grants, by.Roles, by.Instead, by.Groups = now.Mail, now.Grants, now.Roles, now.Instead, now.Groups
	return by, err
}

func (s *Store) principal(ctx context.Context, c *ent.Client, id string) (p access.Principal, ok bool, err error) {
	row, err := personBy(ctx, c, id)
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
	p = access.Principal{ID: row.ID, Name: row.Name, Mail: who.Mail, Groups: row.Groups, Instead: version.Instead(who.Mail, s.Now()), SignedInAt: row.SignedInAt.UTC()}
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
