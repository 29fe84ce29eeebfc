package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"keyholder/ent"
	"keyholder/ent/accessgrant"
	"keyholder/ent/accessholding"
	"keyholder/internal/audit"
	"keyholder/internal/breakglass"
	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// holderPrefix begins what the processes call somebody who has access to a system.
const holderPrefix = "access/"

// HolderCode is what the processes call somebody who has access to a system.
func HolderCode(system, person string) string { return holderPrefix + system + "/" + person }

// HolderOf reads a code back.
func HolderOf(code string) (system, person string, ok bool) {
	rest, ok := strings.CutPrefix(code, holderPrefix)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/")
}

// AccountOf is what was last read back of somebody on a system; nothing, where there was nothing to read.
func (s *Store) AccountOf(ctx context.Context, system, person string) (breakglass.Account, error) {
	return loadAccount(ctx, s.client, system, person)
}

func loadAccount(ctx context.Context, c *ent.Client, system, person string) (breakglass.Account, error) {
	row, err := c.AccessHolding.Get(ctx, holdingID(system, person))
	if ent.IsNotFound(err) {
		return breakglass.Account{System: system}, nil
	}
	if err != nil {
		return breakglass.Account{}, fmt.Errorf("load the account of %s on %s: %w", person, system, err)
	}
	return accountOf(row)
}

func holdingID(system, person string) string { return system + "/" + person }

// Accounts are what was last read back of some people on some systems.
type Accounts map[string]breakglass.Account

// Of is that of one person on one system; nothing, where there was nothing to read.
func (a Accounts) Of(system, person string) breakglass.Account {
	if account, ok := a[holdingID(system, person)]; ok {
		return account
	}
	return breakglass.Account{System: system, Holder: breakglass.Holder{ID: person}}
}

// AccountsOf are those of the holders of grants.
func (s *Store) AccountsOf(ctx context.Context, grants []breakglass.Grant) (Accounts, error) {
	if len(grants) == 0 {
		return nil, nil
	}
	ids := make([]string, len(grants))
	for i, g := range grants {
		ids[i] = holdingID(g.System, g.Holder.ID)
	}
	rows, err := s.client.AccessHolding.Query().Where(accessholding.IDIn(ids...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load accounts: %w", err)
	}
	all := make(Accounts, len(rows))
	for _, row := range rows {
		if all[row.ID], err = accountOf(row); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func accountOf(row *ent.AccessHolding) (breakglass.Account, error) {
	a := breakglass.Account{Verifier: row.Verifier, Version: row.Revision}
	if err := json.Unmarshal(row.Body, &a); err != nil {
		return a, fmt.Errorf("read the account %s: %w", row.ID, err)
	}
	return a, nil
}

func (t *tx) saveAccount(a *breakglass.Account) error {
	body, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("write an account: %w", err)
	}
	id := holdingID(a.System, a.Holder.ID)
	t.changed = true
	n := 1
	if a.Version == 0 {
		err = t.AccessHolding.Create().SetID(id).SetSystem(a.System).SetPersonID(a.Holder.ID).SetAccount(a.Name).SetVerifier(a.Verifier).SetBody(body).Exec(t.ctx)
	} else {
		n, err = t.AccessHolding.Update().Where(accessholding.ID(id), accessholding.Revision(a.Version)).
			SetAccount(a.Name).SetVerifier(a.Verifier).SetBody(body).SetRevision(a.Version + 1).Save(t.ctx)
	}
	if err != nil {
		return fmt.Errorf("save the account %s: %w", id, err)
	}
	if n == 0 {
		return errStale
	}
	a.Version++
	return nil
}

// Settling is one try at bringing a system to what somebody is to have on it, as the record had it when the intent was committed. With
// nothing to be brought about it says when to look again.
type Settling struct {
	Nothing  bool          // what is there is what should be
	Done     bool          // and nothing more will come
	Wait     time.Duration // until the clock alone changes it
	System   catalog.System
	Holder   breakglass.Holder
	Has      []breakglass.Has
	Account  string
	Verifier string
	Nth      int
	Attempt  int
}

// act ties the intent of an attempt to its outcome in the record.
func (a Settling) act() string {
	return fmt.Sprintf("%s/%d/%d", HolderCode(a.System.Slug, a.Holder.ID), a.Nth, a.Attempt)
}

// Key makes the effect on the real system once: it is the same for every attempt at the same change.
func (a Settling) Key() string {
	return fmt.Sprintf("keyholder/%s/%d", HolderCode(a.System.Slug, a.Holder.ID), a.Nth)
}

// Until is when the system itself is to refuse; zero where nothing is to be given.
func (a Settling) Until() time.Time {
	var until time.Time
	for _, h := range a.Has {
		if h.Until.After(until) {
			until = h.Until
		}
	}
	return until
}

// looksAt is what is known of one person on one system in a transaction.
type looksAt struct {
	grants  []breakglass.Grant // those that are open
	locks   []breakglass.Lock
	account breakglass.Account
	system  catalog.System
	now     time.Time
}

func (s *Store) looksAt(t *tx, system, person string) (l looksAt, err error) {
	if l.now, err = t.moment(); err != nil {
		return l, err
	}
	l.grants, err = grantsOf(t.ctx, t.AccessGrant.Query().Where(accessgrant.HolderID(person), accessgrant.System(system), accessgrant.Open(true)))
	if err != nil {
		return l, err
	}
	if l.locks, err = locksOn(t.ctx, t.Client()); err != nil {
		return l, err
	}
	if l.account, err = loadAccount(t.ctx, t.Client(), system, person); err != nil || len(l.grants) == 0 && l.account.Version == 0 {
		return l, err
	}
	l.system, err = s.systemFor(t, l, system)
	return l, err
}

// systemFor is the system as it is described now; as it was when access was asked for, where it is described no more. Whatever was given,
// or may have been, is among its roles: it is taken back, whatever may be given now.
func (s *Store) systemFor(t *tx, l looksAt, slug string) (catalog.System, error) {
	version, err := s.Catalog(t.ctx)
	if err != nil {
		return catalog.System{}, err
	}
	system, ok := version.System(slug)
	roles := slices.Concat(l.account.Has, l.account.Wants)
	for _, g := range l.grants {
		roles = append(roles, breakglass.Has{Role: g.Role})
		if !ok {
			r, err := loadAccess(t.ctx, t.Client(), g.Code)
			if err != nil {
				return system, err
			}
			system, ok = r.Terms.System, true
		}
	}
	if !ok {
		return system, fault.Missing("system", slug)
	}
	for _, h := range roles {
		if !slices.Contains(system.RoleNames(), h.Role) {
			system.Roles = append(slices.Clip(system.Roles), catalog.TargetRole{Role: h.Role})
		}
	}
	return system, nil
}

// accessHolds refuses to change how a system is reached, or to take it away, while somebody has access to it: what was given is taken back
// where it was given.
func (t *tx) accessHolds(changes []catalog.Change) error {
	for _, c := range changes {
		if c.Kind != catalog.KindSystem {
			continue
		}
		open, err := grantsOf(t.ctx, t.AccessGrant.Query().Where(accessgrant.System(c.Slug), accessgrant.Open(true)))
		if err != nil {
			return err
		}
		after, _ := c.Record.(catalog.System)
		for _, g := range open {
			r, err := loadAccess(t.ctx, t.Client(), g.Code)
			if err != nil {
				return err
			}
			given := r.Terms.System
			same, err := sameJSON(after.Params, given.Params)
			if err != nil {
				return err
			}
			if after.Connector != given.Connector || !same {
				return fault.Late(breakglass.RuleEnded, "%s has access to %s by %s, or it is not seen to be gone yet. How it is reached changes after that.", g.Holder.Name, given.Name, g.Code)
			}
		}
	}
	return nil
}

func sameJSON(a, b json.RawMessage) (bool, error) {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b), nil
	}
	one, err := canonical.JSON(a)
	if err != nil {
		return false, fmt.Errorf("compare parameters: %w", err)
	}
	other, err := canonical.JSON(b)
	return string(one) == string(other), err
}

// BeginSettle commits the intent to bring a system to what somebody is to have on it now; account says what the system calls them. Where
// that is there already it notes what has been given and what is gone, and says when to look again.
func (s *Store) BeginSettle(ctx context.Context, system, person string, account func(catalog.System, breakglass.Holder) (string, error)) (Settling, error) {
	var a Settling
	err := s.act(ctx, audit.Worker, func(t *tx) error {
		a = Settling{}
		l, err := s.looksAt(t, system, person)
		if err != nil {
			return err
		}
		if len(l.grants) == 0 && (l.account.Version == 0 || l.account.Is(nil)) {
			a.Nothing, a.Done = true, true
			return nil
		}
		if err := l.attempts(t, system); err != nil {
			return err
		}
		if a = l.settling(); a.Nothing {
			return t.readBack(l, &a)
		}
		bare := l.account.Version == 0 || l.account.Is(nil)
		l.account = l.account.Tries(a.Has, l.now)
		if l.account.Name == "" || bare { // while there is something, it stays, whatever its holder is called by then
			if l.account.Name, err = account(l.system, a.Holder); err != nil {
				return err
			}
		}
		l.account.Holder, a.Account, a.Nth = a.Holder, l.account.Name, l.account.Nth
		if l.account.Trouble != nil {
			a.Attempt = l.account.Trouble.Attempts
		}
		for i := range l.grants {
			g := &l.grants[i]
			if g.Given == nil {
				g.Account = a.Account
			}
			if err := t.saveIfNew(*g); err != nil {
				return err
			}
		}
		t.record(audit.Event{Action: "access.settle", Object: HolderCode(system, person), Outcome: audit.Intent, Act: a.act(), Text: fmt.Sprintf("%s is to have %s on %s.", a.Holder.Name, rolesWords(a.Has), l.system.Name)})
		return t.saveAccount(&l.account)
	})
	return a, err
}

// attempts moves the clocks of what has not been given yet. How long it may last hangs on what there was before, also where that is gone.
func (l *looksAt) attempts(t *tx, system string) error {
	if !slices.ContainsFunc(l.grants, func(g breakglass.Grant) bool { return g.Given == nil && g.Ended == nil }) {
		return nil
	}
	beside, err := grantsOf(t.ctx, t.AccessGrant.Query().Where(heldBy(l.grants[0].Holder), accessgrant.System(system), accessgrant.EndsAtGT(l.now.Add(-unbroken))))
	if err != nil {
		return err
	}
	for i, g := range l.grants {
		l.grants[i] = g.Attempt(beside, l.account.Clean, l.now)
	}
	return nil
}

// saveIfNew saves a grant that is not as it was loaded.
func (t *tx) saveIfNew(g breakglass.Grant) error {
	row, err := t.AccessGrant.Get(t.ctx, g.ID)
	if err != nil {
		return fmt.Errorf("load the grant %s: %w", g.Code, err)
	}
	before, err := grantOf(row)
	if err != nil || reflect.DeepEqual(before, g) {
		return err
	}
	return t.saveGrant(g)
}

func rolesWords(has []breakglass.Has) string {
	if len(has) == 0 {
		return "nothing"
	}
	words := make([]string, len(has))
	for i, h := range has {
		words[i] = fmt.Sprintf("%s until %s", h.Role, h.Until.UTC().Format("15:04:05 UTC"))
	}
	return strings.Join(words, ", ")
}

// settling is what is to be brought about, if anything.
func (l looksAt) settling() Settling {
	a := Settling{System: l.system, Holder: l.account.Holder, Verifier: l.account.Verifier}
	if len(l.grants) > 0 {
		a.Holder = l.grants[0].Holder
	}
	a.Has = breakglass.Effective(l.grants, l.locks, l.now)
	a.Nothing = l.account.Is(a.Has)
	return a
}

// readBack notes on the grants what was last read back: which are given, and which are gone. Then it says when to look again.
func (t *tx) readBack(l looksAt, a *Settling) error {
	open := 0
	for i, before := range l.grants {
		there, covers := false, ""
		for _, h := range l.account.Has {
			if h.Role == before.Role {
				there, covers = true, strings.Join(h.By, ", ")
			}
		}
		g := before.ReadBack(there, covers, l.now)
		if g.Account == "" && g.Given != nil {
			g.Account = l.account.Name
		}
		if g.Open() {
			open++
		}
		if err := t.saveIfNew(g); err != nil {
			return err
		}
		t.sayReadBack(before, g)
		l.grants[i] = g
	}
	if a.Done = open == 0; a.Done && l.account.Verifier != "" {
		l.account.Verifier = "" // nobody signs in by it any more
		if err := t.saveAccount(&l.account); err != nil {
			return err
		}
	}
	if next := breakglass.Changes(l.grants, l.now); !next.IsZero() {
		a.Wait = next.Sub(l.now)
	}
	return nil
}

func (t *tx) sayReadBack(before, after breakglass.Grant) {
	switch {
	case before.Given == nil && after.Given != nil:
		t.record(audit.Event{Action: "access.given", Object: after.Code, Text: fmt.Sprintf("%s has %s until %s.", after.Holder.Name, after.Role, after.Until.UTC().Format("15:04:05 UTC"))})
	case before.Confirmed == nil && after.Confirmed != nil && after.Covered != "":
		t.record(audit.Event{Action: "access.gone", Object: after.Code, Text: fmt.Sprintf("%s has ended; %s still covers %s.", after.Code, after.Covered, after.Role)})
	case before.Confirmed == nil && after.Confirmed != nil:
		t.record(audit.Event{Action: "access.gone", Object: after.Code, Text: fmt.Sprintf("%s of %s is gone, read back %s after its end.", after.Role, after.Holder.Name, after.Confirmed.Sub(after.End()).Round(time.Millisecond))})
	}
}

// Settled commits that what an attempt was to bring about was read back, and says what is next.
func (s *Store) Settled(ctx context.Context, a Settling, did string, evidence any) (Settling, error) {
	var next Settling
	err := s.act(ctx, audit.Worker, func(t *tx) error {
		l, err := s.looksAt(t, a.System.Slug, a.Holder.ID)
		if err != nil {
			return err
		}
		t.settleAttempt(a, audit.Held, did, evidence)
		if l.account.Nth != a.Nth { // somebody else has begun another change meanwhile: nobody knows what is there now
			l.account = l.account.Forgotten()
			return errors.Join(t.saveAccount(&l.account), t.settleSoon(a.System.Slug, a.Holder.ID))
		}
		l.account = l.account.Settled(a.Has, a.Verifier, l.now)
		if err := t.saveAccount(&l.account); err != nil {
			return err
		}
		if next = l.settling(); !next.Nothing {
			return nil
		}
		return t.readBack(l, &next)
	})
	return next, err
}

// SettleFailed commits that an attempt did not succeed. It is tried again until it does.
func (s *Store) SettleFailed(ctx context.Context, a Settling, f breakglass.Failure, evidence any) error {
	return s.act(ctx, audit.Worker, func(t *tx) error {
		h, err := loadAccount(ctx, t.Client(), a.System.Slug, a.Holder.ID)
		if err != nil {
			return err
		}
		t.settleAttempt(a, audit.Failed, f.Why, evidence)
		if h.Nth != a.Nth {
			return t.settleSoon(a.System.Slug, a.Holder.ID) // it is no failure of what is to be done now
		}
		h = h.Failed(f, t.now)
		return t.saveAccount(&h)
	})
}

func (t *tx) settleAttempt(a Settling, outcome audit.Outcome, text string, evidence any) {
	e := audit.Event{Action: "access.settle", Object: HolderCode(a.System.Slug, a.Holder.ID), Outcome: outcome, Act: a.act(), Text: a.Holder.Name + " on " + a.System.Name + ": " + text}
	if evidence != nil {
		e.Detail = detail(evidence)
	}
	t.record(e)
}
