package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/store"
)

// The rhythms of access.
const (
	driftEvery   = 20 * time.Second // what was given around Keyholder is found within a minute, also where one reading fails
	takeEvery    = time.Second
	overdueEvery = 30 * time.Second
	systemWithin = 15 * time.Second // one reading of one system
)

// drift reads who has what on every system, all at the same time, and has what no grant explains found.
func (w *Watch) drift(ctx context.Context) error {
	version, err := w.Store.Catalog(ctx)
	if err != nil {
		return err
	}
	failed := make([]error, len(version.Systems))
	var all sync.WaitGroup
	for i, system := range version.Systems {
		all.Go(func() {
			asked, err := w.Store.AccessNow(ctx)
			if err != nil {
				failed[i] = err
				return
			}
			seen, unread := w.readSystem(ctx, system)
			if ctx.Err() == nil && !w.misses.first(system.Slug, unread != "") {
				failed[i] = w.Store.SystemRead(ctx, system, seen, asked, unread)
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// misses knows which systems could not be read when they were last asked.
type misses struct {
	mu sync.Mutex
	by map[string]bool
}

// first says whether a system could not be read for the first time: a system that is just starting is no finding yet.
func (m *misses) first(system string, missed bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.by[system]
	if m.by == nil {
		m.by = map[string]bool{}
	}
	m.by[system] = missed
	return missed && !before
}

// readSystem is who has what on a system, and why nobody can tell.
func (w *Watch) readSystem(ctx context.Context, system catalog.System) (seen []breakglass.SeenThere, unread string) {
	ctx, cancel := context.WithTimeout(ctx, systemWithin)
	defer cancel()
	granter, err := w.Connectors.Access.Get(system.Connector)
	if err != nil {
		return nil, connector.Words(err)
	}
	holdings, _, err := granter.Holdings(ctx, system.Params, system.RoleNames())
	if err != nil {
		return nil, connector.Words(err)
	}
	for _, h := range holdings {
		seen = append(seen, breakglass.SeenThere{Account: h.Account, Role: h.Role, Via: h.Via})
	}
	return seen, ""
}

// take takes what no grant explains and somebody wants taken. What does not go is tried again.
func (w *Watch) take(ctx context.Context) error {
	findings, err := w.Store.AccessFindings(ctx)
	if err != nil || len(findings) == 0 {
		return err
	}
	version, err := w.Store.Catalog(ctx)
	if err != nil {
		return err
	}
	for _, f := range findings {
		system, ok := version.System(f.System)
		if f.Wanted == nil || f.Kind != breakglass.Unexplained || !ok || f.Trouble.Rests(w.Store.Now()) {
			continue
		}
		if err := w.takeOne(ctx, system, f); err != nil {
			return err
		}
	}
	return nil
}

func (w *Watch) takeOne(ctx context.Context, system catalog.System, f breakglass.Finding) error {
	if err := w.Store.BeginTake(ctx, f); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, systemWithin)
	defer cancel()
	granter, err := w.Connectors.Access.Get(system.Connector)
	var evidence connector.Evidence
	if err == nil {
		evidence, err = granter.Take(within, takeKey(f), system.Params, f.Account, f.Role)
	}
	if ctx.Err() != nil {
		return nil // the next worker looks before it acts
	}
	failed := ""
	if err != nil {
		failed = connector.Words(err)
	}
	return w.Store.Taken(ctx, f, failed, evidence)
}

// takeKey names one attempt: what was answered and had no effect would be answered the same way again.
func takeKey(f breakglass.Finding) string {
	attempts := 0
	if f.Trouble != nil {
		attempts = f.Trouble.Attempts
	}
	return fmt.Sprintf("keyholder/take/%s/%d", f.ID, attempts)
}

// accessing is a request for access as messages speak of it.
func (w *Watch) accessing(r breakglass.Request) matter {
	return matter{
		Question: r.Question, code: r.Code, path: "/access/" + r.Code, why: r.Reason,
		what:   fmt.Sprintf("get %s on %s for %s", r.Terms.Role, r.Terms.System.Name, catalog.Lasting(r.Allowed.D())),
		ballot: func(ctx context.Context) (approval.Ballot, error) { return w.Store.AccessBallot(ctx, r) },
	}
}

// accessMatters are the requests for access that stand so: open, or decided and nobody was told.
func (w *Watch) accessMatters(ctx context.Context, standing func(approval.State) bool) ([]matter, error) {
	open, err := w.Store.OpenAccess(ctx)
	if err != nil {
		return nil, err
	}
	decided, err := w.Store.UntoldAccess(ctx)
	if err != nil {
		return nil, err
	}
	var all []matter
	for _, r := range open {
		if r.State == approval.Requested && standing(r.State) {
			all = append(all, w.accessing(r))
		}
	}
	for _, r := range decided {
		if standing(r.State) {
			all = append(all, w.accessing(r))
		}
	}
	return all, nil
}

// tellOfFindings tells those in command what was found on systems that no grant explains.
func (w *Watch) tellOfFindings(ctx context.Context) error {
	findings, err := w.Store.AccessFindings(ctx)
	if err != nil {
		return err
	}
	var messages []store.Message
	for _, f := range findings {
		about := "finding:" + f.ID
		if w.toldOfFindings[about] {
			continue
		}
		everybody, err := w.Store.Electorate(ctx)
		if err != nil {
			return err
		}
		for _, p := range everybody {
			if p.Mail != "" && p.May(access.RevokeAccess) {
				messages = append(messages, store.Message{
					About: about, Occasion: approval.Drifted, To: p.Person(), Address: p.Mail, Subject: fmt.Sprintf("Access on %s: %s", f.System, f.Words()),
					Text: w.letter("/access", fmt.Sprintf("On %s: %s.", f.System, f.Words())),
				})
			}
		}
	}
	if err := w.Store.Tell(ctx, messages); err != nil {
		return err
	}
	if w.toldOfFindings == nil {
		w.toldOfFindings = map[string]bool{}
	}
	for _, f := range findings {
		w.toldOfFindings["finding:"+f.ID] = true
	}
	return nil
}
