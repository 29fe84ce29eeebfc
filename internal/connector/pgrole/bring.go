package pgrole

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// Bring takes roles in one transaction, gives in the next, and then ends what is open of what was taken. What can be taken is taken even
// where something else cannot be given; the error then says what is left.
func (g *Granter) Bring(ctx context.Context, key string, p connector.Params, w connector.Wanted) (connector.Evidence, error) {
	var e connector.Evidence
	got, err := read(p)
	if err == nil {
		err = checkWanted(w)
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
	return s.bring(ctx, w)
}

func (s *session) bring(ctx context.Context, w connector.Wanted) (connector.Evidence, error) {
	var e connector.Evidence
	if err := s.lock(ctx, w.Account); err != nil {
		return e, err
	}
	before, err := s.account(ctx, w.Account, w.Managed)
	if e.Before = s.observed(before, err); err != nil {
		return e, err
	}
	if err := s.ours(before); err != nil {
		return e, err
	}
	known, _, err := s.known(ctx, w.Managed)
	if err != nil {
		return e, err
	}
	takes, gives := plan(before, w, known, s.version)
	done, failed, err := s.change(ctx, takes)
	e.Did = told(done)
	if err != nil {
		return e, err
	}
	given, notGiven, refused := s.change(ctx, append(gives, s.writtenDown(before, w, known)...))
	done, failed = append(done, given...), append(failed, notGiven...)
	e.Did = told(done)
	cut, err := s.cutAfter(ctx, before, w, done)
	if cut > 0 {
		e.Did = strings.TrimPrefix(e.Did+"; "+countSessions(cut), "; ")
	}
	if err = errors.Join(err, refused); err != nil {
		return e, err
	}
	after, err := s.account(ctx, w.Account, w.Managed)
	if e.After = s.observed(after, err); err != nil {
		return e, err
	}
	err = s.left(after, w, known, failed)
	e.Already = e.Did == "" && err == nil
	return e, err
}

// ours refuses accounts that Keyholder did not make.
func (s *session) ours(st state) error {
	switch {
	case !st.there:
		return nil
	case !strings.HasPrefix(st.Comment, made):
		return refused("The account %q is there on %s, but Keyholder did not make it, and leaves it alone.", st.Name, s.name)
	}
	return nil
}

func refused(format string, args ...any) error {
	return &fault.Error{Kind: fault.Conflict, Message: fmt.Sprintf(format, args...)}
}

// change does all steps in one transaction. Of those that stand alone it tells what failed.
func (s *session) change(ctx context.Context, steps []step) (done []step, failed []error, err error) {
	if len(steps) == 0 {
		return nil, nil, nil
	}
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	tx, err := s.Begin(limited)
	if err != nil {
		return nil, nil, s.explain(err)
	}
	for _, one := range steps {
		err := s.do(ctx, tx, one)
		switch {
		case err == nil:
			done = append(done, one)
		case one.alone && !s.IsClosed():
			failed = append(failed, err)
		default:
			return nil, nil, err // closing the session rolls back
		}
	}
	limited, cancel = context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := tx.Commit(limited); err != nil {
		return done, failed, s.explain(err) // it may be kept all the same
	}
	return done, failed, nil
}

func (s *session) do(ctx context.Context, tx pgx.Tx, one step) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, one.sql)
		return err
	})
	switch {
	case err == nil:
		return nil
	case one.silent && !s.IsClosed():
		return &fault.Error{Kind: fault.Unavailable, Message: s.name + " did not take the password's verifier."}
	case one.words != "":
		why := s.explain(err)
		return &fault.Error{Kind: fault.KindOf(why), Message: fmt.Sprintf("Not %s: %s", one.words, connector.Words(why)), Err: why}
	}
	return s.explain(err)
}

// cutAfter ends the account's sessions where something was taken, now or by a call that did not come to this; and where it is to
// have none.
func (s *session) cutAfter(ctx context.Context, before state, w connector.Wanted, done []step) (n int, err error) {
	took := slices.ContainsFunc(done, func(one step) bool { return one.takes })
	due := took || strings.HasPrefix(before.Comment, uncut)
	if !before.there || !due && (len(w.Roles) > 0 || len(before.sessions) == 0) {
		return 0, nil
	}
	if n, err = s.cut(ctx, before); err != nil || !due {
		return n, err
	}
	return n, s.exec(ctx, comment(before.Name, made).sql)
}

// left says what is not as it is wanted. It is looked for in what is there after all, whatever the statements said.
func (s *session) left(st state, w connector.Wanted, known []string, failed []error) error {
	var said []string
	kind := fault.Conflict
	for _, err := range failed {
		said, kind = append(said, connector.Words(err)), fault.KindOf(err)
	}
	if err := s.missing(without(w.Roles, known)); err != nil {
		said, kind = append(said, connector.Words(err)), fault.NotFound
	}
	if len(failed) == 0 {
		said = append(said, lacking(st, w, known)...)
		if s.logs != "" && st.there && st.SignsIn && st.Logs != s.logs {
			said = append(said, "What "+st.Name+" does is not written down after all.")
		}
	}
	said = append(said, keeping(st, w)...)
	if len(said) == 0 {
		return nil
	}
	return &fault.Error{Kind: kind, Message: strings.Join(said, " ")}
}

// lacking says what the account should have and has not.
func lacking(st state, w connector.Wanted, known []string) []string {
	var said []string
	for _, role := range w.Roles {
		direct := func(h connector.Holding) bool { return h.Role == role && len(h.Via) == 0 }
		if slices.Contains(known, role) && !slices.ContainsFunc(st.holds, direct) {
			said = append(said, fmt.Sprintf("%s has not got %q after all.", st.Name, tidy(role)))
		}
	}
	switch {
	case !st.there || len(w.Roles) == 0:
	case !st.SignsIn:
		said = append(said, st.Name+" cannot sign in after all.")
	case !w.Until.IsZero() && (st.Until == nil || st.Until.Sub(w.Until).Abs() >= time.Millisecond):
		said = append(said, st.Name+" is not valid until when it should be.")
	case w.Verifier != "" && st.password != nil && *st.password != w.Verifier:
		said = append(said, "The password of "+st.Name+" is not the one that was set.")
	}
	return said
}

// keeping says what the account has and should not have. What comes with a wanted role is meant.
func keeping(st state, w connector.Wanted) []string {
	var said []string
	for _, h := range st.holds {
		switch {
		case slices.Contains(w.Roles, h.Role):
		case len(h.Via) == 0:
			said = append(said, fmt.Sprintf("%s still has %q.", st.Name, tidy(h.Role)))
		case !slices.Contains(w.Roles, h.Via[0]):
			said = append(said, fmt.Sprintf("%s still has %q by way of %s, which Keyholder does not manage there: take %s from it, or %q from that.",
				st.Name, tidy(h.Role), named(h.Via), named(h.Via[:1]), tidy(h.Role)))
		}
	}
	if st.there && len(w.Roles) == 0 && st.SignsIn {
		said = append(said, st.Name+" can still sign in.")
	}
	if len(w.Roles) == 0 && len(st.sessions) > 0 {
		said = append(said, fmt.Sprintf("%s still has %d sessions open.", st.Name, len(st.sessions)))
	}
	return said
}

// without are the names that are not among others, each once.
func without(names, others []string) []string {
	var left []string
	for _, name := range names {
		if !slices.Contains(others, name) && !slices.Contains(left, name) {
			left = append(left, name)
		}
	}
	return left
}
