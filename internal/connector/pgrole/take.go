package pgrole

import (
	"context"
	"slices"
	"strings"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// Take revokes a direct membership, whoever gave it, and ends the sessions of the account and of its members. They are ended even
// where the membership is gone already: a call that did not come to its end may have left them.
func (g *Granter) Take(ctx context.Context, key string, p connector.Params, account, role string) (connector.Evidence, error) {
	var e connector.Evidence
	got, err := read(p)
	if err == nil {
		wrong := fault.Wrong{}
		checkRoles(wrong, "account", []string{account})
		checkRoles(wrong, "role", []string{role})
		err = connector.CannotGive(wrong)
	}
	if err != nil {
		return e, err
	}
	s, err := g.open(ctx, got, key)
	if err != nil {
		e.Before = unseen(got, err)
		return e, err
	}
	defer s.close()
	return s.take(ctx, account, role)
}

func (s *session) take(ctx context.Context, account, role string) (connector.Evidence, error) {
	var e connector.Evidence
	if err := s.lock(ctx, account); err != nil {
		return e, err
	}
	roles := []string{role}
	before, err := s.account(ctx, account, roles)
	if e.Before = s.observed(before, err); err != nil {
		return e, err
	}
	if err := s.takeable(ctx, before, role); err != nil {
		return e, err
	}
	if !before.there {
		e.Already, e.After = true, e.Before
		return e, nil
	}
	nothing := connector.Wanted{Account: account, Managed: roles}
	done, _, err := s.change(ctx, revokes(before, nothing, s.version))
	e.Did = told(done)
	if err != nil {
		return e, err
	}
	n, err := s.cut(ctx, before)
	if n > 0 {
		e.Did = strings.TrimPrefix(e.Did+"; "+countSessions(n), "; ")
	}
	if err != nil {
		return e, err
	}
	after, err := s.account(ctx, account, roles)
	if e.After = s.observed(after, err); err != nil {
		return e, err
	}
	err = s.stillHas(after)
	e.Already = e.Did == "" && err == nil
	return e, err
}

// takeable refuses accounts that would keep everything all the same, and those by which the server and Keyholder itself work.
func (s *session) takeable(ctx context.Context, st state, role string) error {
	_, missing, err := s.known(ctx, []string{role})
	if err != nil {
		return err
	}
	switch {
	case len(missing) > 0:
		return s.missing(missing)
	case st.Super:
		return refused("%q on %s is a superuser: it has every role in any case, and Keyholder leaves it alone.", tidy(st.Name), s.name)
	case st.Name == s.admin:
		return refused("%q is the login by which Keyholder works on %s: it takes nothing from itself.", tidy(st.Name), s.name)
	case strings.HasPrefix(st.Name, "pg_"):
		return refused("%q is a part of PostgreSQL itself: Keyholder leaves it alone.", tidy(st.Name))
	}
	return nil
}

func (s *session) stillHas(st state) error {
	said := keeping(state{login: login{Name: st.Name}, holds: st.holds}, connector.Wanted{})
	if len(said) == 0 {
		return nil
	}
	return &fault.Error{Kind: fault.Conflict, Message: strings.Join(slices.Compact(said), " ")}
}
