package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
)

func (a *API) addFindings() {
	add(a, huma.Operation{Method: http.MethodGet, Path: v1 + "/findings", Summary: "Where the catalogue breaks its own rules"}, access.See, a.findings)
}

type findingsIn struct {
	Rule       string `query:"rule"`
	Tier       string `query:"tier"`
	Capability string `query:"capability"`
	Owner      string `query:"owner"`
	Accepted   bool   `query:"accepted" doc:"Also those that somebody lives with for a while."`
}

type finding struct {
	Key        string      `json:"key" doc:"Names the finding as long as it stands."`
	Rule       string      `json:"rule"`
	At         catalog.Ref `json:"at"`
	What       string      `json:"what"`
	Why        string      `json:"why" doc:"Why it matters."`
	Mend       string      `json:"mend" doc:"What would mend it."`
	Owner      string      `json:"owner,omitempty"`
	Tier       string      `json:"tier,omitempty"`
	Capability string      `json:"capability,omitempty"`
	Accepted   *accepted   `json:"accepted,omitempty"`
}

type accepted struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

type findingsOut struct {
	Body struct {
		Findings []finding `json:"findings" doc:"The gravest rules first."`
	}
}

func (a *API) findings(ctx context.Context, in *findingsIn) (*findingsOut, error) {
	found, err := a.Store.Findings(ctx)
	if err != nil {
		return nil, err
	}
	out := &findingsOut{}
	out.Body.Findings = []finding{}
	for _, f := range found.All {
		if f.Accepted != nil && !in.Accepted || differs(in.Rule, string(f.Rule)) || differs(in.Tier, f.Tier) ||
			differs(in.Capability, f.Capability) || differs(in.Owner, f.Owner) {
			continue
		}
		one := finding{f.Key(), string(f.Rule), f.At, f.What, f.Rule.Why(), f.Mend, f.Owner, f.Tier, f.Capability, nil}
		if f.Accepted != nil {
			one.Accepted = &accepted{f.Accepted.By.Name, f.Accepted.Reason, f.Accepted.Until}
		}
		out.Body.Findings = append(out.Body.Findings, one)
	}
	return out, nil
}

func differs(asked, is string) bool { return asked != "" && asked != is }
