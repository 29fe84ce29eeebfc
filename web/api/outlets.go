package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyholder/internal/access"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

func (a *API) addOutlets() {
	path, tags := v1+"/outlets/{slug}/report", []string{"Outlet"}
	add(a, huma.Operation{
		Method: http.MethodPut, Path: path, Summary: "Say what an outlet has queued", DefaultStatus: http.StatusNoContent, Tags: tags,
		Description: "What an outlet has sold and not handed over yet, and when it last handed everything over. It takes the place of what it said before.",
	}, access.ReportOutlet, a.report)
	add(a, huma.Operation{Method: http.MethodGet, Path: path, Summary: "Read what an outlet said last", Tags: tags}, access.See, a.reported)
}

type report struct {
	QueuedValue    float64   `json:"queued_value" doc:"Money that it has sold for and not handed over yet."`
	QueuedOrders   int       `json:"queued_orders" doc:"Orders that it has not handed over yet."`
	SynchronisedAt time.Time `json:"synchronised_at" doc:"When it last handed everything over."`
}

type reportIn struct {
	OneRecord
	Body report
}

func (a *API) report(ctx context.Context, in *reportIn) (*struct{}, error) {
	return &struct{}{}, a.Store.ReportOutlet(ctx, principal(ctx), in.Slug, store.OutletReport{
		QueuedValue: in.Body.QueuedValue, QueuedOrders: in.Body.QueuedOrders, SynchronisedAt: in.Body.SynchronisedAt,
	})
}

type reportedOut struct {
	Body struct {
		report
		At time.Time `json:"at" doc:"When it said so."`
	}
}

func (a *API) reported(ctx context.Context, in *OneRecord) (*reportedOut, error) {
	last, err := a.Store.OutletReport(ctx, in.Slug)
	if err != nil {
		return nil, err
	}
	if last == nil {
		return nil, fault.Missing("report of an outlet", in.Slug)
	}
	out := &reportedOut{}
	out.Body.report, out.Body.At = report{last.QueuedValue, last.QueuedOrders, last.SynchronisedAt}, last.At
	return out, nil
}
