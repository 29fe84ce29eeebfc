package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

func (a *API) addAccess() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: v1 + "/access/check", Summary: "Whether somebody has a role on a system now",
		Description: "Answered from the record alone, as of this moment: what has ended, was taken back or is frozen is refused at once, whether or not the system has been told yet.",
	}, access.SeeAccess, a.checkAccess)
}

type accessCheckIn struct {
	Person string `query:"person" required:"true" minLength:"1" maxLength:"320" doc:"The person's id, or their verified mail address."`
	System string `query:"system" required:"true" minLength:"1" maxLength:"100" doc:"By its short name in the catalogue."`
	Role   string `query:"role" required:"true" minLength:"1" maxLength:"320" doc:"As the system calls it."`
}

type accessCheckOut struct {
	Body struct {
		Has   bool       `json:"has"`
		Until *time.Time `json:"until,omitempty" doc:"When it ends, unless it is taken back or frozen before."`
		AsOf  time.Time  `json:"as_of"`
	}
}

// checkAccess refuses to answer about a system or a role that is not in the catalogue: whoever asks would take a slip for a no for ever.
func (a *API) checkAccess(ctx context.Context, in *accessCheckIn) (*accessCheckOut, error) {
	version, err := a.Store.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	system, ok := version.System(in.System)
	switch {
	case !ok:
		return nil, fault.Missing(catalog.KindSystem.One(), in.System)
	case !slices.Contains(system.RoleNames(), in.Role):
		return nil, fault.Wrong{"role": "is none of those that are given on " + system.Name}.Err()
	}
	until, asOf, err := a.Store.HoldsRole(ctx, in.Person, in.System, in.Role)
	if err != nil {
		return nil, err
	}
	out := &accessCheckOut{}
	out.Body.AsOf = asOf
	if !until.IsZero() {
		out.Body.Has, out.Body.Until = true, &until
	}
	return out, nil
}
