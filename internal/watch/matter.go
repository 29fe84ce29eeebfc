package watch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// matter is a request of whatever sort, as messages speak of it.
type matter struct {
	approval.Question
	code     string // as people say it
	faceless bool   // no person asked for it
	path     string // of its page
	what     string // what is asked for: "move Checkout from Leeds to Dublin"
	why      string
	ballot   func(context.Context) (approval.Ballot, error)
}

func (m matter) message(o approval.Occasion, to access.Person, address, subject, text string) store.Message {
	return store.Message{About: m.Code, Occasion: o, To: to, Address: address, Subject: subject, Text: text}
}

// open are the matters that wait for a decision.
func (w *Watch) open(ctx context.Context) ([]matter, error) {
	requests, err := w.Store.OpenRequests(ctx)
	if err != nil {
		return nil, err
	}
	changes, err := w.Store.OpenChangeRequests(ctx)
	if err != nil {
		return nil, err
	}
	return w.matters(ctx, requests, changes, func(s approval.State) bool { return s == approval.Requested })
}

// decided are the matters whose outcome nobody has been told.
func (w *Watch) decided(ctx context.Context) ([]matter, error) {
	requests, err := w.Store.Untold(ctx)
	if err != nil {
		return nil, err
	}
	changes, err := w.Store.UntoldChanges(ctx)
	if err != nil {
		return nil, err
	}
	return w.matters(ctx, requests, changes, func(s approval.State) bool { return s != approval.Requested })
}

// matters are requests and changes as messages speak of them, and the exceptions to open runs that stand so.
func (w *Watch) matters(ctx context.Context, requests []failover.Request, changes []change.Request, standing func(approval.State) bool) ([]matter, error) {
	runs, err := w.Store.OpenRuns(ctx)
	if err != nil {
		return nil, err
	}
	all, err := w.modeMatters(ctx, standing)
	if err != nil {
		return nil, err
	}
	accesses, err := w.accessMatters(ctx, standing)
	all = append(all, accesses...)
	if err != nil || len(requests)+len(changes)+len(runs) == 0 {
		return all, err
	}
	version, err := w.Store.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		all = append(all, w.moving(version.Catalog, r))
	}
	for _, r := range changes {
		all = append(all, w.changing(version.Catalog, r))
	}
	for _, r := range runs {
		for _, x := range r.Exceptions {
			if m := w.excepting(version.Catalog, r, x); standing(m.State) && (m.State != approval.Requested || r.Pends(x, w.Store.Now())) {
				all = append(all, m)
			}
		}
	}
	return all, nil
}

func (w *Watch) moving(c catalog.Catalog, r failover.Request) matter {
	return matter{
		Question: r.Question, code: r.Code, faceless: r.Order.Slug != "", path: "/a/" + r.Code, why: r.Reason,
		what:   moveWords(c, r.Terms),
		ballot: func(ctx context.Context) (approval.Ballot, error) { return w.Store.Ballot(ctx, r) },
	}
}

func (w *Watch) changing(c catalog.Catalog, r change.Request) matter {
	return matter{
		Question: r.Question, code: r.Code, path: "/change-requests/" + r.Code, why: r.Why, what: r.Terms.Words(c),
		ballot: func(ctx context.Context) (approval.Ballot, error) { return w.Store.ChangeBallot(ctx, r) },
	}
}

// excepting is a way past a rule of a run, which a second person confirms or refuses.
func (w *Watch) excepting(c catalog.Catalog, r failover.Run, x failover.Exception) matter {
	q := approval.Question{ID: x.ID, Code: r.Code + "/" + x.ID, Requester: x.By, Round: 1, Open: true, FiledAt: x.At, ExpiresAt: x.At.Add(forgottenAfter)}
	if x.Until != nil {
		q.ExpiresAt = *x.Until
	}
	q.State = x.State(w.Store.Now())
	return matter{
		Question: q, code: r.Code, path: "/runs/" + r.Code, why: x.Reason, what: fmt.Sprintf("%s (%s)", strings.ToLower(x.Kind.Title()), moveWords(c, r.Terms)),
		ballot: func(ctx context.Context) (approval.Ballot, error) { return w.Store.BallotOn(ctx, r, x) },
	}
}

// forgottenAfter is how long a proposal without an end of its own is spoken of.
const forgottenAfter = 24 * time.Hour

func moveWords(c catalog.Catalog, t failover.Terms) string {
	names := make([]string, len(t.Services))
	for i, slug := range t.Services {
		names[i] = c.ServiceName(slug)
	}
	return fmt.Sprintf("move %s from %s to %s", strings.Join(names, ", "), c.SiteName(t.From), c.SiteName(t.To))
}
