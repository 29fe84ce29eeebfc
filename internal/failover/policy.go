package failover

import (
	"keyholder/internal/access"
	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// Policy says whose approval a request needs. It is kept with the request, as it was when the request was judged.
type Policy struct {
	Slug         string           `json:"slug"`
	Name         string           `json:"name"`
	Approvals    int              `json:"approvals"`      // persons besides the requester
	Roles        []access.Role    `json:"roles"`          // who may vote
	RecentSignIn catalog.Duration `json:"recent_sign_in"` // how old a voter's sign-in may be
	Lifetime     catalog.Duration `json:"lifetime"`       // how long a request waits
}

// Digest names what the policy says.
func (p Policy) Digest() (string, error) { return canonical.Digest("keyholder/policy/1", p) }

// Validate finds what makes the policy unfit: one that nobody could meet, or one that asks nobody.
func (p Policy) Validate() error {
	wrong := fault.Wrong{}
	if p.Slug == "" || p.Name == "" {
		wrong.Add("policy", "needs a slug and a name")
	}
	if p.Approvals < 1 {
		wrong.Add("approvals", "must be at least 1: nobody decides on their own request")
	}
	if len(p.Roles) == 0 {
		wrong.Add("roles", "must name at least one role")
	}
	for _, r := range p.Roles {
		if !r.May(access.Decide) {
			wrong.Add("roles", "%q is not a role that may decide", r)
		}
	}
	if p.RecentSignIn <= 0 || p.Lifetime <= 0 {
		wrong.Add("lifetime", "lifetime and recent_sign_in must be longer than nothing")
	}
	return wrong.Err()
}
