package watch

import (
	"context"
	"fmt"
	"strings"

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
	path   string // of its page
	what   string // what is asked for: "move Checkout from Leeds to Dublin"
	why    string
	ballot func(context.Context) (approval.Ballot, error)
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
	return w.matters(ctx, requests, changes)
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
	return w.matters(ctx, requests, changes)
}

func (w *Watch) matters(ctx context.Context, requests []failover.Request, changes []change.Request) ([]matter, error) {
	if len(requests)+len(changes) == 0 {
		return nil, nil
	}
	version, err := w.Store.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]matter, 0, len(requests)+len(changes))
	for _, r := range requests {
		all = append(all, w.moving(version.Catalog, r))
	}
	for _, r := range changes {
		all = append(all, w.changing(version.Catalog, r))
	}
	return all, nil
}

func (w *Watch) moving(c catalog.Catalog, r failover.Request) matter {
	names := make([]string, len(r.Terms.Services))
	for i, slug := range r.Terms.Services {
		names[i] = c.ServiceName(slug)
	}
	return matter{
		Question: r.Question, path: "/a/" + r.Code, why: r.Reason,
		what:   fmt.Sprintf("move %s from %s to %s", strings.Join(names, ", "), c.SiteName(r.Terms.From), c.SiteName(r.Terms.To)),
		ballot: func(ctx context.Context) (approval.Ballot, error) { return w.Store.Ballot(ctx, r) },
	}
}

func (w *Watch) changing(c catalog.Catalog, r change.Request) matter {
	return matter{
		Question: r.Question, path: "/change-requests/" + r.Code, why: r.Why, what: r.Terms.Words(c),
		ballot: func(ctx context.Context) (approval.Ballot, error) { return w.Store.ChangeBallot(ctx, r) },
	}
}
