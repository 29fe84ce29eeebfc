package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/changerequest"
	"keyholder/ent/run"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
)

// PastSince is what was approved since some moment: requests, change requests and exceptions, of each at most some, the newest first;
// and whether there is more.
func (s *Store) PastSince(ctx context.Context, since time.Time, most int) (past []change.Past, more bool, err error) {
	w := witness{s: s, ctx: ctx, since: since, most: most, known: map[string]*ent.Person{}, mails: map[string]catalog.Identity{}}
	everybody, err := readOnce(ctx, "everybody", func() ([]*ent.Person, error) { return s.everybody(ctx) })
	if err != nil {
		return nil, false, err
	}
	for _, row := range everybody {
		w.known[row.ID] = row
		if who := identityOf(row); who.Mail != "" { // the last to sign in comes last
			w.mails[strings.ToLower(who.Mail)] = who
		}
	}
	version, err := s.Catalog(ctx)
	if err != nil {
		return nil, false, err
	}
	w.catalog = version.Catalog
	for _, load := range []func() ([]change.Past, error){w.requests, w.changes, w.exceptions} {
		some, err := load()
		if err != nil {
			return nil, false, err
		}
		more = more || len(some) > most
		past = append(past, some[:min(len(some), most)]...)
	}
	return past, more || w.cut, nil
}

// witness says of people who decided once what the record still knows of them.
type witness struct {
	s       *Store
	ctx     context.Context
	since   time.Time
	most    int
	known   map[string]*ent.Person
	mails   map[string]catalog.Identity
	catalog catalog.Catalog
	cut     bool // there are runs that were not looked at
}

// then is somebody at a moment, by what is assigned today: with the roles that they held, where these were kept.
func (w *witness) then(p access.Person, roles []access.Role, at time.Time) (access.Principal, bool) {
	one := access.Principal{ID: p.ID, Name: p.Name}
	if row := w.known[p.ID]; row != nil {
		who := identityOf(row)
		one.Mail, one.Instead = who.Mail, w.catalog.Instead(who.Mail, at)
		one = one.With(w.catalog.GrantsOf(who, w.byMail, at))
	}
	if roles == nil {
		return one, true
	}
	return change.AsThen(one, roles)
}

func (w *witness) byMail(mail string) (catalog.Identity, bool) {
	who, ok := w.mails[strings.ToLower(mail)]
	return who, ok
}

// of is what every sort has in common.
func (w *witness) of(q approval.Question) change.Past {
	p := change.Past{Code: q.Code, Filed: q.FiledAt}
	if q.DecidedAt != nil {
		p.Decided = *q.DecidedAt
	}
	p.Ballot.Requester, _ = w.then(q.Requester, nil, q.FiledAt)
	p.Ballot.Faceless = q.Faceless
	for _, d := range q.Votes() {
		voter, guessed := w.then(d.By, d.Roles, d.At)
		p.Guessed = p.Guessed || guessed
		if d.Verdict == approval.Approve {
			p.Ballot.Yes = append(p.Ballot.Yes, voter)
		} else {
			p.Ballot.No = append(p.Ballot.No, voter)
		}
	}
	return p
}

func services(slugs []string) []catalog.Ref {
	refs := make([]catalog.Ref, len(slugs))
	for i, slug := range slugs {
		refs[i] = catalog.Ref{Kind: catalog.KindService, Slug: slug}
	}
	return refs
}

func (w *witness) requests() ([]change.Past, error) {
	approved, err := w.s.ApprovedSince(w.ctx, w.since, w.most+1)
	all := make([]change.Past, len(approved))
	for i, r := range approved {
		all[i] = w.of(r.Question)
		all[i].About, all[i].InAdvance = services(r.Terms.Services), r.Order.Slug != "" && len(r.Votes()) == 0
		all[i].RulesIn = func(c catalog.Catalog) (approval.Rules, error) {
			return approval.RulesOf(c, r.Terms.Decided(r.FiledAt))
		}
	}
	return all, err
}

func (w *witness) changes() ([]change.Past, error) {
	rows, err := w.s.client.ChangeRequest.Query().Where(changerequest.StateEQ(approval.Approved), changerequest.DecidedAtGTE(w.since)).
		Order(changerequest.ByFiledAt(sql.OrderDesc())).Limit(w.most + 1).All(w.ctx)
	if err != nil {
		return nil, fmt.Errorf("load approved change requests: %w", err)
	}
	approved, err := changeRequestsOf(w.ctx, w.s.client, rows)
	all := make([]change.Past, len(approved))
	for i, r := range approved {
		all[i] = w.of(r.Question)
		all[i].About = r.Terms.Judged()
		all[i].RulesIn = func(c catalog.Catalog) (approval.Rules, error) { return r.Terms.RulesOf(c, r.FiledAt) }
	}
	return all, err
}

// exceptions are those of the newest runs. Which roles people held who confirmed them was not kept.
func (w *witness) exceptions() ([]change.Past, error) {
	rows, err := w.s.client.Run.Query().Order(run.ByStartedAt(sql.OrderDesc())).Limit(w.most + 1).All(w.ctx)
	if err != nil {
		return nil, fmt.Errorf("load runs: %w", err)
	}
	w.cut = len(rows) > w.most && rows[w.most].StartedAt.After(w.since)
	var all []change.Past
	for _, row := range rows[:min(len(rows), w.most)] {
		r := runOf(row)
		for _, x := range r.Exceptions {
			if x.ConfirmedAt != nil && !x.ConfirmedAt.Before(w.since) {
				all = append(all, w.exception(r, x))
			}
		}
	}
	return all, nil
}

func (w *witness) exception(r failover.Run, x failover.Exception) change.Past {
	p := change.Past{Code: r.Code + " (" + strings.ToLower(x.Kind.Title()) + ")", About: services(r.Terms.Services), Filed: x.At, Decided: *x.ConfirmedAt, Guessed: true}
	p.Ballot.Requester, _ = w.then(x.By, nil, x.At)
	for _, by := range append(slices.Clone(x.Others), *x.Confirmed) {
		voter, _ := w.then(by, nil, *x.ConfirmedAt)
		p.Ballot.Yes = append(p.Ballot.Yes, voter)
	}
	p.RulesIn = func(c catalog.Catalog) (approval.Rules, error) { return approval.RulesOf(c, x.Decided(r.Terms)) }
	return p
}
