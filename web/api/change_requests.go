package api

import (
	"context"
	"time"

	"keyholder/internal/approval"
	changing "keyholder/internal/change"
)

const requests = v1 + "/change-requests"

func requestPath(code string) string { return requests + "/" + code }

type changeRequest struct {
	Code       string         `json:"code"`
	State      approval.State `json:"state" enum:"requested,approved,rejected,expired,withdrawn"`
	Requester  string         `json:"requester"`
	Why        string         `json:"why,omitempty"`
	Source     string         `json:"source,omitempty" doc:"The commit that files came from."`
	FiledAt    time.Time      `json:"filed_at"`
	ExpiresAt  time.Time      `json:"expires_at"`
	DecidedAt  *time.Time     `json:"decided_at,omitempty"`
	Confirming bool           `json:"confirming" doc:"What it is about has changed; its requester must confirm how it reads now, in the portal."`
	Version    int            `json:"version,omitempty" doc:"The version of the catalogue that it made."`
	Terms      changing.Terms `json:"terms" doc:"What it would change."`
}

func (a *API) said(r changing.Request) changeRequest {
	now := a.Store.Now()
	return changeRequest{
		r.Code, r.Standing(now), r.Requester.Name, r.Why, r.Source, r.FiledAt, r.ExpiresAt, r.DecidedAt, r.MustConfirm(now), r.Applied, r.Terms,
	}
}

type changeRequestsOut struct {
	Body struct {
		Requests []changeRequest `json:"change_requests"`
	}
}

func (a *API) changeRequests(ctx context.Context, _ *struct{}) (*changeRequestsOut, error) {
	open, err := a.Store.OpenChangeRequests(ctx)
	out := &changeRequestsOut{}
	out.Body.Requests = []changeRequest{}
	for _, r := range open {
		if said := a.said(r); said.State == approval.Requested {
			out.Body.Requests = append(out.Body.Requests, said)
		}
	}
	return out, err
}

type changeRequestIn struct {
	Code string `path:"code" maxLength:"40"`
}

type changeRequestOut struct{ Body changeRequest }

func (a *API) changeRequest(ctx context.Context, in *changeRequestIn) (*changeRequestOut, error) {
	r, err := a.Store.ChangeRequest(ctx, in.Code)
	if err != nil {
		return nil, err
	}
	return &changeRequestOut{a.said(r)}, nil
}
