package httpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// Access gives and takes roles at an identity or privileged-access system over HTTP: one call for each role. It is for that system
// to end what is open of what is taken.
type Access struct {
	calls *Connector
}

var _ connector.Granter = (*Access)(nil)

// NewAccess makes it. It resolves references to secrets with secrets, at each call.
func NewAccess(secrets connector.Secrets) *Access { return &Access{calls: New(secrets)} }

// Kind is "http".
func (*Access) Kind() string { return Kind }

// Check validates params and touches nothing.
func (*Access) Check(p connector.Params) error {
	_, err := readAccess(p)
	return err
}

// System is the address where one looks who has what, without its query.
func (*Access) System(p connector.Params) string {
	got, err := readAccess(p)
	if err != nil {
		return ""
	}
	u, err := url.Parse(got.Holders.URL)
	if err != nil {
		return ""
	}
	return u.Host + u.EscapedPath()
}

// Account is the mail address, in small letters; empty where somebody has none.
func (*Access) Account(_ string, h connector.Holder) string {
	return strings.ToLower(strings.TrimSpace(h.Mail))
}

// Signs says that people sign in to the system as they always do.
func (*Access) Signs() bool { return false }

// Holdings reads the list. That nobody has a role may also mean that the system does not know it: it does not say.
func (a *Access) Holdings(
	ctx context.Context, p connector.Params, roles []string,
) ([]connector.Holding, connector.Observation, error) {
	got, err := readAccess(p)
	if err != nil {
		return nil, connector.Observation{Source: Kind, At: time.Now().UTC(), Error: connector.Words(err)}, err
	}
	held, o, err := a.seen(ctx, got)
	return slices.DeleteFunc(held, func(h connector.Holding) bool { return !slices.Contains(roles, h.Role) }), o, err
}

// Bring takes and gives role by role; what cannot be done of one keeps none of the others from being done.
func (a *Access) Bring(ctx context.Context, key string, p connector.Params, w connector.Wanted) (connector.Evidence, error) {
	got, err := readAccess(p)
	if err == nil {
		err = checkWanted(w)
	}
	if err != nil {
		return connector.Evidence{}, err
	}
	w.Account = spelled(w.Account)
	return a.bring(ctx, key, got, w)
}

// Take takes one role from any account. Which accounts rule the system is known only there: it refuses.
func (a *Access) Take(ctx context.Context, key string, p connector.Params, account, role string) (connector.Evidence, error) {
	got, err := readAccess(p)
	if err == nil {
		wrong := fault.Wrong{}
		checkNames(wrong, "account", account)
		checkNames(wrong, "role", role)
		err = connector.CannotGive(wrong)
	}
	if err != nil {
		return connector.Evidence{}, err
	}
	return a.bring(ctx, key, got, connector.Wanted{Account: spelled(account), Managed: []string{role}})
}

func (a *Access) bring(ctx context.Context, key string, p accessParams, w connector.Wanted) (connector.Evidence, error) {
	var e connector.Evidence
	if key == "" || len(key) > longestKey || !headerValue(key) {
		return e, refuse("key", "is not usable as an idempotency key")
	}
	held, o, err := a.seen(ctx, p)
	if e.Before = kept(o, held, w); err != nil {
		return e, err
	}
	acts := p.due(held, w)
	if len(acts) == 0 {
		e.Already, e.After = true, e.Before
		return e, nil
	}
	var failed []failure
	var did, ids []string
	for _, change := range acts {
		one, err := a.change(key, p, change).Bring(ctx)
		if one.Did != "" {
			did, ids = append(did, change.words+" ("+one.Did+")"), append(ids, one.RequestID)
		}
		if err != nil {
			failed = append(failed, failure{change.words, err})
		}
	}
	e.Did, e.RequestID = strings.Join(did, "; "), strings.Join(slices.DeleteFunc(ids, func(id string) bool { return id == "" }), " ")
	held, o, err = a.seen(ctx, p)
	e.After = kept(o, held, w)
	if err != nil && len(failed) == 0 {
		return e, err
	}
	e.Already = len(did) == 0 && len(failed) == 0
	return e, together(failed)
}

// due is one act on one role.
type due struct {
	access
	act   string // give or take
	call  call
	words string
}

// due are the acts that bring what is wanted: first those that take.
func (p accessParams) due(held []connector.Holding, w connector.Wanted) []due {
	var takes, gives []due
	for _, role := range slices.Compact(slices.Sorted(slices.Values(w.Managed))) {
		one := access{account: w.Account, role: role}
		if !slices.Contains(w.Roles, role) {
			if len(of(held, w.Account, []string{role})) > 0 {
				takes = append(takes, due{access: one, act: "take", call: *p.Take, words: "taken " + role + " from " + w.Account})
			}
			continue
		}
		one.until = w.Until
		if is, _ := p.Holders.given(held, one); !is {
			words := "given " + role + " to " + w.Account
			if !w.Until.IsZero() {
				words += w.Until.UTC().Format(" until 2006-01-02 15:04:05 UTC")
			}
			gives = append(gives, due{access: one, act: "give", call: *p.Give, words: words})
		}
	}
	return append(takes, gives...)
}

func (a *Access) change(key string, p accessParams, one due) connector.Change {
	var held []connector.Holding // when it was last looked
	return connector.Change{
		Look: func(ctx context.Context) (o connector.Observation, err error) {
			held, o, err = a.seen(ctx, p)
			return o, err
		},
		Done: func(connector.Observation) (bool, string) {
			if one.act == "give" {
				return p.Holders.given(held, one.access)
			}
			return len(of(held, one.account, []string{one.role})) == 0, fmt.Sprintf("%s still has %s", one.account, one.role)
		},
		Act: func(ctx context.Context) (string, string, error) {
			to, err := one.fill(one.call)
			if err != nil {
				return "", "", connector.NotDone(err)
			}
			return a.calls.act(ctx, one.key(key, one.act), p.looking(), to)
		},
		Wait: p.Wait.Or(defaultWait),
	}
}

// kept is what was seen of one account: the record of one person's access is not one of everybody's.
func kept(o connector.Observation, held []connector.Holding, w connector.Wanted) connector.Observation {
	if o.Error != "" {
		o.Body = nil
		return o
	}
	raw, err := json.Marshal(struct {
		Account  string              `json:"account"`
		Holdings []connector.Holding `json:"holdings"`
	}{w.Account, of(held, w.Account, w.Managed)})
	if err == nil {
		raw, err = connector.Document(raw)
	}
	if err != nil {
		o.Error = err.Error()
	}
	o.Body = raw
	return o
}

// failure is an act that did not come about.
type failure struct {
	words string
	err   error
}

// together is one error of several.
func together(failed []failure) error {
	if len(failed) == 0 {
		return nil
	}
	var said []string
	var all []error
	for _, one := range failed {
		said, all = append(said, "Not "+one.words+": "+connector.Words(one.err)), append(all, one.err)
	}
	return &fault.Error{Kind: fault.KindOf(all[0]), Message: strings.Join(said, " "), Err: errors.Join(all...)}
}
