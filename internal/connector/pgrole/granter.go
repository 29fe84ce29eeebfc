package pgrole

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// Kind is how catalogs name this kind.
const Kind = "postgres-role"

// Granter gives and takes roles on PostgreSQL. It signs in for each call and keeps nothing.
type Granter struct {
	secrets connector.Secrets
}

var _ connector.Granter = (*Granter)(nil)

// New makes it. It resolves references to addresses with secrets, at each call.
func New(secrets connector.Secrets) *Granter { return &Granter{secrets: secrets} }

// Kind is "postgres-role".
func (*Granter) Kind() string { return Kind }

// Check validates params and touches nothing.
func (*Granter) Check(p connector.Params) error {
	_, err := read(p)
	return err
}

// System is the reference to the address: the address itself is a secret.
func (*Granter) System(p connector.Params) string {
	got, err := read(p)
	if err != nil {
		return ""
	}
	return got.Connection
}

// Account is "kh_", the letters and digits of the name, and a part of the digest of the system and the ID: two people never share one,
// nor do two systems that are one server, and a person whose name changes gets another.
func (*Granter) Account(system string, h connector.Holder) string { return accountOf(system, h) }

// Signs says that the accounts are Keyholder's own.
func (*Granter) Signs() bool { return true }

// Holdings reads the members of roles, in each way that they are. A superuser is listed only as a member.
func (g *Granter) Holdings(
	ctx context.Context, p connector.Params, roles []string,
) ([]connector.Holding, connector.Observation, error) {
	failed := connector.Observation{Source: Kind, At: time.Now().UTC()}
	got, err := read(p)
	if err == nil {
		wrong := fault.Wrong{}
		checkRoles(wrong, "roles", roles)
		err = connector.CannotGive(wrong)
	}
	if err != nil {
		failed.Error = connector.Words(err)
		return nil, failed, err
	}
	s, err := g.open(ctx, got, "looks")
	if err != nil {
		return nil, unseen(got, err), err
	}
	defer s.close()
	held, err := s.holdings(ctx, roles)
	if err != nil {
		return nil, s.observed(nil, err), err
	}
	seen := struct {
		Holdings []connector.Holding `json:"holdings"`
		LeftOut  int                 `json:"left_out,omitempty"`
		Missing  []string            `json:"missing,omitempty"`
	}{Holdings: fitting(held)}
	seen.LeftOut = len(held) - len(seen.Holdings)
	_, seen.Missing, err = s.known(ctx, roles)
	if err == nil {
		err = s.missing(seen.Missing)
	}
	return held, s.observed(seen, nil), err
}

func (s *session) holdings(ctx context.Context, roles []string) ([]connector.Holding, error) {
	edges, err := list(ctx, s, pgx.RowToStructByPos[edge], edgesDown, roles)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range edges {
		names = append(names, e.Member)
	}
	members, err := list(ctx, s, pgx.RowToStructByPos[login],
		`SELECT `+loginColumns+` FROM pg_roles r WHERE r.rolname::text = ANY ($1::text[]) ORDER BY r.rolname`, names)
	if err != nil {
		return nil, err
	}
	ways := reachOf(edges)
	sorted := slices.Compact(slices.Sorted(slices.Values(roles)))
	var held []connector.Holding
	for _, member := range members {
		held = append(held, ways.holdings(member, sorted)...)
	}
	return held, nil
}
