package pgrole

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keyholder/internal/connector"
)

// connections is how many an account may have open: a person with two tools, and no more.
const connections = 10

// step is one statement of a change, and what people are told of it; nothing where it is of no interest.
type step struct {
	sql   string
	words string
	// alone says that its failure must not keep the others from being done: what is taken is taken, whatever cannot be given.
	alone bool
	takes bool
	// silent says that what the server says of it is not repeated.
	silent bool
}

// plan is what brings an account from its state to what is wanted, of the roles that the server knows: what is taken, and what is given.
func plan(st state, w connector.Wanted, known []string, version int) (takes, gives []step) {
	give := slices.DeleteFunc(slices.Clone(w.Roles), func(role string) bool { return !slices.Contains(known, role) })
	slices.Sort(give)
	give = slices.Compact(give)
	if !st.there && len(give) == 0 {
		return nil, nil
	}
	if st.there {
		takes = asMade(st)
	}
	if len(w.Roles) > 0 {
		gives = append(allow(st, w), grants(st, give)...)
	} else {
		takes = append(takes, forbid(st)...)
	}
	takes = append(takes, revokes(st, w, version)...)
	if slices.ContainsFunc(takes, func(one step) bool { return one.takes }) {
		takes = append(takes, comment(st.Name, uncut))
	}
	return takes, gives
}

// allow lets the account sign in, until then.
func allow(st state, w connector.Wanted) []step {
	var steps []step
	name := quoted(st.Name)
	if !st.there {
		steps = append(steps, step{
			sql:   fmt.Sprintf("CREATE ROLE %s LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT CONNECTION LIMIT %d", name, connections),
			words: "made the login " + st.Name,
		}, comment(st.Name, made))
	} else if !st.SignsIn {
		steps = append(steps, step{sql: "ALTER ROLE " + name + " LOGIN", words: "let " + st.Name + " sign in"})
	}
	if until := w.Until.UTC().Truncate(time.Microsecond); w.Until.IsZero() && st.Until != nil {
		steps = append(steps, step{sql: "ALTER ROLE " + name + " VALID UNTIL 'infinity'", words: "valid for ever"})
	} else if !w.Until.IsZero() && (st.Until == nil || !st.Until.Equal(until)) {
		steps = append(steps, step{
			sql:   fmt.Sprintf("ALTER ROLE %s VALID UNTIL '%s'", name, until.Format("2006-01-02 15:04:05.999999Z07:00")),
			words: "valid until " + until.Format("2006-01-02 15:04:05 UTC"),
		})
	}
	if w.Verifier != "" && (st.password == nil || *st.password != w.Verifier) {
		// a verifier has no quote in it, by its form
		steps = append(steps, step{sql: fmt.Sprintf("ALTER ROLE %s PASSWORD '%s'", name, w.Verifier), words: "set its password", silent: true})
	}
	return steps
}

// writtenDown has the server write down what the login does. Where it does not, nothing is given: what nobody can look at afterwards is not
// done.
func (s *session) writtenDown(st state, w connector.Wanted, known []string) []step {
	given := slices.ContainsFunc(w.Roles, func(role string) bool { return slices.Contains(known, role) })
	if s.logs == "" || st.Logs == s.logs || !given {
		return nil
	}
	// the value is one of three words
	sql := fmt.Sprintf("ALTER ROLE %s SET log_statement = '%s'", quoted(st.Name), s.logs)
	return []step{{sql: sql, words: "set to write down what " + st.Name + " does"}}
}

// asMade takes back powers that the login was given since. Those that only a superuser takes stand alone.
func asMade(st state) []step {
	var steps []step
	if st.Super {
		steps = append(steps, step{sql: "ALTER ROLE " + quoted(st.Name) + " NOSUPERUSER", words: "taken the powers of a superuser", takes: true, alone: true})
	}
	if st.Powers || !st.Inherits {
		sql := "ALTER ROLE " + quoted(st.Name) + " NOCREATEDB NOCREATEROLE INHERIT"
		steps = append(steps, step{sql: sql, words: "set back what it may", takes: st.Powers})
	}
	if st.Bypasses {
		sql := "ALTER ROLE " + quoted(st.Name) + " NOREPLICATION NOBYPASSRLS"
		steps = append(steps, step{sql: sql, words: "taken the right to replicate and to bypass policies", alone: true})
	}
	return steps
}

// forbid keeps the account from signing in. Without LOGIN its password would do nothing; without a password nothing comes back with LOGIN.
func forbid(st state) []step {
	var steps []step
	name := quoted(st.Name)
	if st.SignsIn {
		steps = append(steps, step{sql: "ALTER ROLE " + name + " NOLOGIN", words: "no longer lets " + st.Name + " sign in", takes: true})
	}
	if st.password == nil && st.SignsIn || st.password != nil && *st.password != "" {
		steps = append(steps, step{sql: "ALTER ROLE " + name + " PASSWORD NULL"})
	}
	return steps
}

// grants gives each role that the account has not directly: what it has by way of another may go with that.
func grants(st state, roles []string) []step {
	var steps []step
	for _, role := range roles {
		if !slices.ContainsFunc(st.edges, func(e edge) bool { return e.Member == st.Name && e.Role == role && e.Usable }) {
			steps = append(steps, step{sql: "GRANT " + quoted(role) + " TO " + quoted(st.Name), words: "granted " + tidy(role), alone: true})
		}
	}
	return steps
}

// revokes takes what is managed and not wanted, and the right to give on what is wanted.
func revokes(st state, w connector.Wanted, version int) []step {
	var steps []step
	for _, e := range st.edges {
		if e.Member != st.Name || !slices.Contains(w.Managed, e.Role) {
			continue
		}
		if !slices.Contains(w.Roles, e.Role) {
			steps = append(steps, revoke(e, "", version))
		} else if e.Admin {
			steps = append(steps, revoke(e, "ADMIN OPTION FOR ", version))
		}
	}
	return steps
}

// revoke takes one membership. Since PostgreSQL 16 each grantor's is one of its own; before, there is one, whoever gave it.
func revoke(e edge, only string, version int) step {
	by, words := "", "revoked "+tidy(e.Role)
	if version >= 160000 && e.Grantor != "" {
		by = " GRANTED BY " + quoted(e.Grantor)
	}
	if only != "" {
		words = "revoked the right to give on " + tidy(e.Role)
	}
	return step{sql: fmt.Sprintf("REVOKE %s%s FROM %s%s CASCADE", only, quoted(e.Role), quoted(e.Member), by), words: words, takes: true}
}

func comment(account, text string) step {
	return step{sql: fmt.Sprintf("COMMENT ON ROLE %s IS '%s'", quoted(account), text)} // both texts are constants without a quote
}

// told is what was done, in words.
func told(steps []step) string {
	var words []string
	for _, one := range steps {
		if one.words != "" {
			words = append(words, one.words)
		}
	}
	return strings.Join(words, ", ")
}
