package connector

import (
	"context"
	"time"
)

// Granter gives and takes access on one kind of real system. It is safe for concurrent use.
type Granter interface {
	Kind() string

	// Check validates params strictly (unknown fields are errors) and touches nothing. Its errors are fault.Invalid and
	// name the field.
	Check(p Params) error

	// System names the system that params are about, such as its host and port; empty where they say none.
	System(p Params) string

	// Account is what the real system calls a person who has access to it by the catalogue's system of that slug.
	Account(system string, h Holder) string

	// Signs says whether the account is one that Keyholder makes, with a password of its own; otherwise people sign in to
	// the system as they always do.
	Signs() bool

	// Holdings reads which accounts have any of the roles, directly or by way of others. It changes nothing. Where the system does
	// not know one of the roles, the error names it, and the holdings are those of the others.
	Holdings(ctx context.Context, p Params, roles []string) ([]Holding, Observation, error)

	// Bring lets an account have exactly the roles that are wanted, of those that are managed, and leaves every other role
	// alone. It looks first, acts only where something differs, and looks again: without an error what is wanted holds.
	// Whatever an account loses it loses in sessions that are open too. An error still returns the evidence so far.
	Bring(ctx context.Context, key string, p Params, w Wanted) (Evidence, error)

	// Take takes one role from any account that has it directly, such as one to which it was given around Keyholder, and
	// ends what the account has open. Accounts that rule the system are refused. Without an error the account has not the role.
	Take(ctx context.Context, key string, p Params, account, role string) (Evidence, error)
}

// Holder is a person who may get access.
type Holder struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Mail string `json:"mail,omitempty"`
}

// Wanted is what an account is to have.
type Wanted struct {
	Account  string    `json:"account"`
	Holder   Holder    `json:"holder"`
	Roles    []string  `json:"roles,omitempty"` // it is to have; none: it is to have none, and not to sign in
	Managed  []string  `json:"managed"`         // all that may be given or taken
	Until    time.Time `json:"until,omitzero"`  // when the system itself is to refuse, where it can
	Verifier string    `json:"-"`               // of the account's password, where it signs in by one; never the password
}

// Holding is one role that one account has.
type Holding struct {
	Account string     `json:"account"`
	Role    string     `json:"role"`
	Via     []string   `json:"via,omitempty"`   // the roles by way of which, from the account's on; none: directly
	Until   *time.Time `json:"until,omitempty"` // when the system itself refuses
	SignsIn bool       `json:"signs_in"`        // the account can sign in, as far as the system says
}
