package pgrole

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

const longestWords = 300 // of what the server said

// explain says in words what went wrong with the server. The errors of pgx are not used as they are, because they name the login
// and the database, which are part of the address.
func (s *session) explain(err error) error {
	if fault.As(err) != nil {
		return err
	}
	f := &fault.Error{Kind: fault.Unavailable}
	if said, ok := errors.AsType[*pgconn.PgError](err); ok {
		f.Kind, f.Message = s.refused(said)
		return f
	}
	dial, isDial := errors.AsType[*net.OpError](err)
	isDial = isDial && dial.Op == "dial"
	_, isLookup := errors.AsType[*net.DNSError](err)
	var netErr net.Error
	switch {
	case errors.Is(err, context.Canceled):
		f.Message, f.Err = s.name+" was called off.", context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		f.Message, f.Err = fmt.Sprintf("%s did not answer within %s.", s.name, s.timeout), context.DeadlineExceeded
	case isLookup:
		f.Message = s.name + ": its host name cannot be found."
	case isDial:
		f.Message = fmt.Sprintf("%s cannot be reached: %s.", s.name, tidy(root(dial).Error()))
	default:
		f.Message = fmt.Sprintf("%s broke off, or is no PostgreSQL: %s.", s.name, tidy(root(err).Error()))
	}
	return f
}

// refused is what the server said. Of a refused sign-in it repeats nothing: that names the login.
func (s *session) refused(said *pgconn.PgError) (fault.Kind, string) {
	switch {
	case strings.HasPrefix(said.Code, "28"):
		return fault.Unavailable, s.name + " does not let Keyholder sign in: the login or its password is wrong, or may not come from here."
	case said.Code == "57014" || said.Code == "55P03":
		return fault.Unavailable, fmt.Sprintf("%s did not answer within %s.", s.name, s.timeout)
	case said.Code == "42501":
		return fault.Conflict, fmt.Sprintf("%s does not let the login of Keyholder do this: %s.", s.name, tidy(said.Message))
	}
	return fault.Unavailable, fmt.Sprintf("%s refused: %s (%s).", s.name, tidy(said.Message), tidy(said.Code))
}

// root is the innermost cause, which says nothing of the address.
func root(err error) error {
	for {
		var next error
		switch wraps := err.(type) { //nolint:errorlint // this is what walks the chain
		case interface{ Unwrap() error }:
			next = wraps.Unwrap()
		case interface{ Unwrap() []error }:
			if all := wraps.Unwrap(); len(all) > 0 {
				next = all[0]
			}
		}
		if next == nil {
			return err
		}
		err = next
	}
}

// tidy makes what the server calls something or says harmless to show and keep, on one line.
func tidy(s string) string {
	return connector.Tidy(strings.NewReplacer("\n", "", "\t", "").Replace(s), longestWords)
}
