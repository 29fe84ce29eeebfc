package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/person"
	"keyholder/ent/rolereview"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// ReviewEvery is how long after one review of who holds which role the next is due: half a year.
const ReviewEvery = 183 * 24 * time.Hour

// reviewRecent is how old the sign-in of whoever signs a review may be.
const reviewRecent = 15 * time.Minute

// RuleSignedAsShown has a signature stand under what was read, not under what came after.
const RuleSignedAsShown = "signed-as-shown"

// Holding is one assignment with whom it gives its role.
type Holding struct {
	catalog.Assignment
	People []access.Person `json:"people"` // who have signed in
}

// Holdings are who holds what at some moment.
type Holdings struct {
	At       time.Time
	Version  int // of the catalogue
	All      []Holding
	Deputies []catalog.Deputy
	Shared   [][]access.Person // accounts with one verified address: they are one person
	Digest   string
}

// HoldingsOn are who held what by a version of the catalogue at some moment, with the groups that people last signed in with.
func (s *Store) HoldingsOn(ctx context.Context, version CatalogVersion, at time.Time) (Holdings, error) {
	return holdings(ctx, s.client, version, at)
}

func holdings(ctx context.Context, c *ent.Client, version CatalogVersion, at time.Time) (h Holdings, err error) {
	h.At, h.Version = at, version.Version
	rows, err := c.Person.Query().Where(person.CreatedAtLTE(at)).Order(person.ByName(), person.ByID()).All(ctx)
	if err != nil {
		return h, fmt.Errorf("load everybody: %w", err)
	}
	by := map[string][]access.Person{}
	mails := map[string][]access.Person{}
	nobody := func(string) (catalog.Identity, bool) { return catalog.Identity{}, false }
	for _, row := range rows {
		who, one := identityOf(row), access.Person{ID: row.ID, Name: row.Name}
		if who.Mail != "" {
			mails[strings.ToLower(who.Mail)] = append(mails[strings.ToLower(who.Mail)], one)
		}
		for _, g := range version.GrantsOf(who, nobody, at) {
			if g.For == "" {
				by[g.By] = append(by[g.By], one)
			}
		}
	}
	for i := range version.Assignments {
		if a := version.Assignments[i]; version.InForce(a.From, a.Until, at) {
			h.All = append(h.All, Holding{a, by[a.Slug]})
		}
	}
	for _, d := range version.Deputies {
		if version.InForce(d.From, d.Until, at) {
			h.Deputies = append(h.Deputies, d)
		}
	}
	for _, accounts := range mails {
		if len(accounts) > 1 {
			h.Shared = append(h.Shared, accounts)
		}
	}
	slices.SortFunc(h.Shared, func(a, b []access.Person) int { return strings.Compare(a[0].ID, b[0].ID) })
	h.Digest, err = canonical.Digest("keyholder/who-holds-what/1", map[string]any{"assignments": h.All, "deputies": h.Deputies, "shared": h.Shared})
	return h, err
}

// Review is one signed review of who holds which role.
type Review struct {
	ID      string
	Catalog int
	Digest  string
	Note    string
	By      access.Person
	At, Due time.Time
}

// Reviews are the latest reviews, newest first.
func (s *Store) Reviews(ctx context.Context, most int) ([]Review, error) {
	return readOnce(ctx, fmt.Sprintf("%d reviews", most), func() ([]Review, error) {
		rows, err := s.client.RoleReview.Query().Order(rolereview.ByAt(sql.OrderDesc())).Limit(most).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load reviews of roles: %w", err)
		}
		all := make([]Review, len(rows))
		for i, row := range rows {
			all[i] = Review{row.ID, row.Catalog, row.Digest, row.Note, access.Person{ID: row.PersonID, Name: row.PersonName}, row.At.UTC(), row.Due.UTC()}
		}
		return all, nil
	})
}

// SignReview keeps that somebody has reviewed who holds what, as the digest names it.
func (s *Store) SignReview(ctx context.Context, by access.Principal, r Review) (Review, error) {
	err := s.personal(ctx, by.Person(), "roles.review", "roles", func(t *tx) error {
		if there, err := t.RoleReview.Query().Where(rolereview.ID(r.ID)).Exist(ctx); err != nil || there {
			return err
		}
		if err := approval.Recent(by, reviewRecent, t.now, "A signature"); err != nil {
			return err
		}
		version, err := s.Catalog(ctx)
		if err != nil {
			return err
		}
		now, err := holdings(ctx, t.Client(), version, t.now)
		if err != nil {
			return err
		}
		if now.Digest != r.Digest {
			return fault.Late(RuleSignedAsShown, "Who holds what has changed since you read it. Read it again, and sign that.")
		}
		r.By, r.Catalog, r.At, r.Due = access.Person{ID: by.ID, Name: by.Name}, now.Version, t.now, t.now.Add(ReviewEvery)
		err = t.RoleReview.Create().SetID(r.ID).SetCatalog(r.Catalog).SetDigest(r.Digest).SetNote(r.Note).
			SetPersonID(r.By.ID).SetPersonName(r.By.Name).SetAt(r.At).SetDue(r.Due).Exec(ctx)
		if err != nil {
			return fmt.Errorf("save review of roles: %w", err)
		}
		t.record(audit.Event{
			Action: "roles.review", Object: "roles", Text: by.Name + " reviewed who holds which role; the next review is due on " + r.Due.Format(time.DateOnly) + ".",
			Detail: detail(map[string]any{"catalog": r.Catalog, "digest": r.Digest, "note": r.Note, "due": r.Due}),
		})
		return nil
	})
	return r, err
}
