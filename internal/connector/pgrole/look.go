package pgrole

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// The comment that marks a login as one that Keyholder made; and that what it lost may still be in its open sessions. It is set in
// one transaction with what takes a role, so that whoever comes after a worker that died in between knows.
const (
	made   = "Made by Keyholder."
	uncut  = made + " Its sessions are to be ended."
	usable = `coalesce((to_jsonb(m)->>'inherit_option')::bool, true) OR coalesce((to_jsonb(m)->>'set_option')::bool, true)` // before 16 always
)

// login is one role as the server says, whether people can sign in as it or not.
type login struct {
	Name     string
	OID      uint32
	SignsIn  bool
	Super    bool
	Powers   bool       // it makes roles or databases, as no login of ours does
	Bypasses bool       // it replicates or is held by no row's policy, as no login of ours
	Inherits bool       // it has what its roles may without becoming them
	Until    *time.Time // nil: for ever
	Comment  string
	Logs     string // what the server writes down of what it does, where that is said for it alone
}

const loginColumns = `r.rolname::text, r.oid, r.rolcanlogin, r.rolsuper, r.rolcreatedb OR r.rolcreaterole, r.rolreplication OR r.rolbypassrls,
	r.rolinherit, CASE WHEN r.rolvaliduntil < 'infinity' THEN greatest(r.rolvaliduntil, 'epoch') END, coalesce(shobj_description(r.oid, 'pg_authid'), ''),
	coalesce((SELECT split_part(c, '=', 2) FROM unnest(r.rolconfig) c WHERE c LIKE 'log\_statement=%'), '')`

// edgesFrom reads memberships; its % is the recursive part that says which, as pairs of role and member.
const edgesFrom = `WITH RECURSIVE found AS (%s)
	SELECT r.rolname::text, b.rolname::text, coalesce(g.rolname::text, ''), m.admin_option, ` + usable + `
	FROM (SELECT DISTINCT roleid, member FROM found) f JOIN pg_auth_members m USING (roleid, member)
	JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles b ON b.oid = m.member LEFT JOIN pg_roles g ON g.oid = m.grantor
	ORDER BY 1, 2, 3`

var (
	edgesUp = fmt.Sprintf(edgesFrom, `SELECT roleid, member FROM pg_auth_members WHERE member = $1
		UNION SELECT m.roleid, m.member FROM pg_auth_members m JOIN found ON m.member = found.roleid`)
	edgesDown = fmt.Sprintf(edgesFrom, `SELECT roleid, member FROM pg_auth_members
			WHERE roleid IN (SELECT oid FROM pg_roles WHERE rolname::text = ANY ($1::text[]))
		UNION SELECT m.roleid, m.member FROM pg_auth_members m JOIN found ON m.roleid = found.member`)
)

// state is what is known of one account.
type state struct {
	login
	there    bool
	edges    []edge
	holds    []connector.Holding
	sessions []int
	password *string // its verifier, or that there is none; nil: not to be seen
}

// account reads one account. Sessions are those of all who have what it has by being members of it.
func (s *session) account(ctx context.Context, name string, roles []string) (state, error) {
	var st state
	var err error
	st.login, err = one(ctx, s, pgx.RowToStructByPos[login], `SELECT `+loginColumns+` FROM pg_roles r WHERE r.rolname::text = $1`, name)
	if st.there = st.OID != 0; err != nil || !st.there {
		st.Name = name
		return st, err
	}
	if st.edges, err = list(ctx, s, pgx.RowToStructByPos[edge], edgesUp, st.OID); err != nil {
		return st, err
	}
	st.holds = reachOf(st.edges).holdings(st.login, roles)
	if st.sessions, err = s.sessions(ctx, st.OID); err != nil {
		return st, err
	}
	return st, s.readPassword(ctx, &st)
}

// readPassword reads the verifier where the login of Keyholder may.
func (s *session) readPassword(ctx context.Context, st *state) error {
	may, err := one(ctx, s, pgx.RowTo[bool], `SELECT has_column_privilege('pg_authid', 'rolpassword', 'SELECT') AND has_column_privilege('pg_authid', 'oid', 'SELECT')`)
	if err != nil || !may {
		return err
	}
	verifier, err := one(ctx, s, pgx.RowTo[string], `SELECT coalesce(rolpassword, '') FROM pg_authid WHERE oid = $1`, st.OID)
	st.password = &verifier
	return err
}

// known says which roles the server has, and which it has not.
func (s *session) known(ctx context.Context, roles []string) (known, missing []string, err error) {
	known, err = list(ctx, s, pgx.RowTo[string], `SELECT rolname::text FROM pg_roles WHERE rolname::text = ANY ($1::text[]) ORDER BY 1`, roles)
	return known, without(roles, known), err
}

// missing is the error for roles that the server does not know.
func (s *session) missing(roles []string) error {
	if len(roles) == 0 {
		return nil
	}
	return &fault.Error{Kind: fault.NotFound, Message: fmt.Sprintf("There is no role %s on %s.", named(roles), s.name)}
}

// named lists names in a sentence.
func named(names []string) string {
	shown := make([]string, 0, len(names))
	for _, name := range names {
		shown = append(shown, `"`+tidy(name)+`"`)
	}
	return strings.Join(shown, ", ")
}

// MarshalJSON writes what is kept as evidence, and nothing of a password.
func (st state) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Account  string              `json:"account"`
		There    bool                `json:"there"`
		SignsIn  bool                `json:"signs_in"`
		Until    *time.Time          `json:"until,omitempty"`
		Holdings []connector.Holding `json:"holdings"`
		LeftOut  int                 `json:"left_out,omitempty"`
		Sessions int                 `json:"sessions"`
	}{st.Name, st.there, st.SignsIn, st.Until, fitting(st.holds), len(st.holds) - len(fitting(st.holds)), len(st.sessions)})
}

// fitting are the first of a list, so many that a document holds them.
func fitting(list []connector.Holding) []connector.Holding {
	size := 1024
	for i, h := range list {
		raw, err := json.Marshal(h)
		if size += len(raw) + 1; err != nil || size > connector.MaxDocument {
			return list[:i]
		}
	}
	return append([]connector.Holding{}, list...)
}

func document(what any) (json.RawMessage, error) {
	raw, err := json.Marshal(what)
	if err != nil {
		return nil, fmt.Errorf("write down what was seen: %w", err)
	}
	return connector.Document(raw)
}
