package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// addRecords puts every kind of record on the API.
func (a *API) addRecords() {
	add(a, huma.Operation{Method: http.MethodGet, Path: v1 + "/catalog", Summary: "What the catalogue holds"}, access.See, a.home)
	add(a, huma.Operation{Method: http.MethodGet, Path: v1 + "/catalog-changes", Summary: "What changed, newest first"}, access.See, a.changes)
	add(a, huma.Operation{Method: http.MethodGet, Path: requests, Summary: "What waits for a second person, oldest first"}, access.See, a.changeRequests)
	add(a, huma.Operation{Method: http.MethodGet, Path: requests + "/{code}", Summary: "One change request"}, access.See, a.changeRequest)
	addKind[catalog.Settings](a, catalog.KindSettings)
	addKind[catalog.Site](a, catalog.KindSite)
	addKind[catalog.Tier](a, catalog.KindTier)
	addKind[catalog.Capability](a, catalog.KindCapability)
	addKind[catalog.Segment](a, catalog.KindSegment)
	addKind[catalog.Tenant](a, catalog.KindTenant)
	addKind[catalog.Outlet](a, catalog.KindOutlet)
	addKind[catalog.ThirdParty](a, catalog.KindThirdParty)
	addKind[catalog.DataSet](a, catalog.KindDataSet)
	addKind[catalog.ConsistencyGroup](a, catalog.KindConsistencyGroup)
	addKind[catalog.Service](a, catalog.KindService)
	addKind[catalog.DegradedModeRule](a, catalog.KindRule)
	addKind[catalog.Flow](a, catalog.KindFlow)
	addKind[catalog.Signal](a, catalog.KindSignal)
	addKind[catalog.Policy](a, catalog.KindPolicy)
	addKind[catalog.Assignment](a, catalog.KindAssignment)
	addKind[catalog.Deputy](a, catalog.KindDeputy)
	addKind[catalog.StandingOrder](a, catalog.KindStandingOrder)
	addKind[catalog.Channel](a, catalog.KindChannel)
	addKind[catalog.System](a, catalog.KindSystem)
	addKind[catalog.Eligibility](a, catalog.KindEligibility)
}

// addKind puts the records of one kind on the API.
func addKind[T any](a *API, k catalog.Kind) {
	all := v1 + "/catalog/" + string(k)
	one := all + "/{slug}"
	tags := []string{nameOf[T]()}
	add(a, huma.Operation{Method: http.MethodGet, Path: all, Summary: "List " + k.Many(), Tags: tags}, access.See,
		func(ctx context.Context, in *listIn) (*listOut[T], error) { return list[T](ctx, a, k, in) })
	add(a, huma.Operation{Method: http.MethodGet, Path: one, Summary: "Read one " + k.One(), Tags: tags}, access.See,
		func(ctx context.Context, in *readIn) (*recordOut[T], error) { return read[T](ctx, a, k, in) })
	add(a, huma.Operation{Method: http.MethodPut, Path: one, Summary: "Add or change one " + k.One(), Tags: tags}, k.EditedBy(),
		func(ctx context.Context, in *writeIn[T]) (*recordOut[T], error) { return write(ctx, a, k, in) })
	add(a, huma.Operation{Method: http.MethodDelete, Path: one, Summary: "Retire one " + k.One(), DefaultStatus: http.StatusNoContent, Tags: tags}, k.EditedBy(),
		func(ctx context.Context, in *retireIn) (*retireOut, error) { return retire(ctx, a, k, in) })
}

// AsOf is embedded where the catalogue can be read as it was.
type AsOf struct {
	On string `query:"on" doc:"As it was on a day (2026-11-23) or at a moment (2026-11-23T14:00:00Z); as it is now, where nothing is said."`
}

func (q AsOf) catalog(ctx context.Context, s *store.Store) (store.CatalogVersion, error) {
	if q.On == "" {
		return s.Catalog(ctx)
	}
	at, err := time.Parse(time.RFC3339, q.On)
	if day, dayErr := time.Parse(time.DateOnly, q.On); dayErr == nil {
		at, err = day.Add(24*time.Hour-time.Nanosecond), nil
	}
	if err != nil {
		return store.CatalogVersion{}, fault.Wrong{"on": "must be a day such as 2026-11-23, or a moment such as 2026-11-23T14:00:00Z"}.Err()
	}
	return s.CatalogOn(ctx, at)
}

type homeOut struct {
	Body struct {
		Version int            `json:"version" doc:"Of the catalogue; each change makes the next one."`
		Records map[string]int `json:"records" doc:"How many there are of each kind."`
	}
}

func (a *API) home(ctx context.Context, in *AsOf) (*homeOut, error) {
	version, err := in.catalog(ctx, a.Store)
	if err != nil {
		return nil, err
	}
	out := &homeOut{}
	out.Body.Version, out.Body.Records = version.Version, map[string]int{}
	for _, k := range catalog.Kinds() {
		out.Body.Records[string(k)] = version.Count(k)
	}
	return out, nil
}

type change struct {
	Version int       `json:"version"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Why     string    `json:"why,omitempty"`
	Source  string    `json:"source,omitempty" doc:"The commit that files came from."`
	Records int       `json:"records" doc:"How many it changed."`
}

type changesIn struct {
	Before int `query:"before" minimum:"0" doc:"Only versions older than this."`
	Limit  int `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

type changesOut struct {
	Body struct {
		Changes []change `json:"changes"`
	}
}

func (a *API) changes(ctx context.Context, in *changesIn) (*changesOut, error) {
	all, err := a.Store.CatalogChanges(ctx, in.Before, in.Limit)
	out := &changesOut{}
	out.Body.Changes = []change{}
	for _, c := range all {
		out.Body.Changes = append(out.Body.Changes, change{c.Version, c.By, c.At, c.Why, c.Source, c.Records})
	}
	return out, err
}

type listIn struct {
	AsOf
	After string `query:"after" doc:"Only those whose short name comes after this."`
	Text  string `query:"text" doc:"Only those whose name or short name holds this."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type listOut[T any] struct {
	Body struct {
		Version int    `json:"version" doc:"Of the catalogue that they were read from."`
		Records []T    `json:"records"`
		Next    string `json:"next,omitempty" doc:"What to send as \"after\" for those that follow."`
	}
}

func list[T any](ctx context.Context, a *API, k catalog.Kind, in *listIn) (*listOut[T], error) {
	version, err := in.catalog(ctx, a.Store)
	if err != nil {
		return nil, err
	}
	out := &listOut[T]{}
	out.Body.Version, out.Body.Records = version.Version, []T{}
	last, holds := "", strings.ToLower(in.Text)
	for e := range version.Of(k) {
		if e.Slug <= in.After || holds != "" && !strings.Contains(strings.ToLower(e.Name), holds) && !strings.Contains(e.Slug, holds) {
			continue
		}
		if len(out.Body.Records) == in.Limit {
			out.Body.Next = last
			break
		}
		out.Body.Records, last = append(out.Body.Records, e.Record.(T)), e.Slug
	}
	return out, nil
}

// OneRecord is embedded where one record is meant. (The library reads what is embedded only where it is exported.)
type OneRecord struct {
	Slug string `path:"slug" maxLength:"80" doc:"Its short name."`
}

type readIn struct {
	OneRecord
	AsOf
}

type recordOut[T any] struct {
	Status int
	ETag   string `header:"ETag" doc:"Send it back as If-Match to change what was read, and nothing newer."`
	At     string `header:"Location" doc:"With 202: the change request. Nothing is changed before a second person has approved it."`
	Body   kept[T]
}

type kept[T any] struct {
	Since   int    `json:"since" doc:"The version of the catalogue that it stands since."`
	Managed bool   `json:"managed" doc:"Files say what it is, and say it again when they are applied."`
	Locked  bool   `json:"locked" doc:"Only files may change it."`
	Record  T      `json:"record" doc:"With 202: as it would be."`
	Request string `json:"change_request,omitempty" doc:"With 202: the code of the change request."`
}

func read[T any](ctx context.Context, a *API, k catalog.Kind, in *readIn) (*recordOut[T], error) {
	if in.On != "" {
		version, err := in.catalog(ctx, a.Store)
		if err != nil {
			return nil, err
		}
		e, ok := version.Entry(catalog.Ref{Kind: k, Slug: in.Slug})
		if !ok {
			return nil, fault.Missing(k.One(), in.Slug)
		}
		return &recordOut[T]{Status: http.StatusOK, Body: kept[T]{Record: e.Record.(T)}}, nil
	}
	return standing[T](ctx, a, k, in.Slug, http.StatusOK)
}

func standing[T any](ctx context.Context, a *API, k catalog.Kind, slug string, status int) (*recordOut[T], error) {
	stands, err := a.Store.Standing(ctx, catalog.Ref{Kind: k, Slug: slug})
	if err != nil {
		return nil, err
	}
	if stands == nil {
		return nil, fault.Missing(k.One(), slug)
	}
	return &recordOut[T]{
		Status: status, ETag: strconv.Quote(strconv.Itoa(stands.Since)),
		Body: kept[T]{Since: stands.Since, Managed: stands.Managed, Locked: stands.Locked, Record: stands.Record.(T)},
	}, nil
}

type writeIn[T any] struct {
	OneRecord
	IfMatch     string `header:"If-Match" doc:"The ETag of what is changed."`
	IfNoneMatch string `header:"If-None-Match" doc:"* adds a record, and changes none."`
	Body        struct {
		Why    string `json:"why,omitempty" maxLength:"1000" doc:"It is kept with the change."`
		Record T      `json:"record"`
	}
}

func write[T any](ctx context.Context, a *API, k catalog.Kind, in *writeIn[T]) (*recordOut[T], error) {
	base, err := baseOf(in.IfMatch, in.IfNoneMatch)
	if err != nil {
		return nil, err
	}
	e, err := catalog.DecodeWith(k, func(into any) error {
		*into.(*T) = in.Body.Record
		return nil
	})
	if err != nil {
		return nil, err
	}
	if e.Slug != in.Slug {
		return nil, fault.Wrong{"slug": "must be that of the address, " + in.Slug + ": a short name never changes"}.Err()
	}
	why, err := reason(in.Body.Why)
	if err != nil {
		return nil, err
	}
	asked, err := a.edit(ctx, store.Edit{Change: catalog.Change{Ref: e.Ref, Record: e.Record}, Base: base, Why: why})
	if err != nil {
		return nil, outdated(err)
	}
	if asked != "" {
		return &recordOut[T]{Status: http.StatusAccepted, At: requestPath(asked), Body: kept[T]{Since: base, Record: e.Record.(T), Request: asked}}, nil
	}
	status := http.StatusOK
	if base == 0 {
		status = http.StatusCreated
	}
	return standing[T](ctx, a, k, in.Slug, status)
}

type retireIn struct {
	OneRecord
	IfMatch string `header:"If-Match" doc:"The ETag of what is retired."`
	Why     string `query:"why" maxLength:"1000" doc:"It is kept with the change."`
}

type retireOut struct {
	Status int
	At     string `header:"Location" doc:"With 202: the change request. Nothing is retired before a second person has approved it."`
}

func retire(ctx context.Context, a *API, k catalog.Kind, in *retireIn) (*retireOut, error) {
	base, err := baseOf(in.IfMatch, "")
	if err != nil {
		return nil, err
	}
	why, err := reason(in.Why)
	if err != nil {
		return nil, err
	}
	asked, err := a.edit(ctx, store.Edit{Change: catalog.Change{Ref: catalog.Ref{Kind: k, Slug: in.Slug}}, Base: base, Why: why})
	if err != nil {
		return nil, outdated(err)
	}
	if asked != "" {
		return &retireOut{Status: http.StatusAccepted, At: requestPath(asked)}, nil
	}
	return &retireOut{Status: http.StatusNoContent}, nil
}

// edit makes an edit, or asks a second person for it where one does not make it alone; then it returns the code of that request.
func (a *API) edit(ctx context.Context, e store.Edit) (asked string, err error) {
	two, err := a.Store.NeedsTwo(ctx, e.Change)
	if err != nil {
		return "", err
	}
	if !two {
		_, err = a.Store.EditRecord(ctx, principal(ctx), e)
		return "", err
	}
	r, err := a.Store.ProposeEdit(ctx, principal(ctx), store.NewID(), e)
	return r.Code, err
}

// The rules of the API's own.
const (
	ruleSayWhat  = "say-what-is-changed" // a write names what it was based on
	ruleOutdated = store.RuleEditedMeanwhile
)

// baseOf is the version that a write is based on; 0 where it adds a record.
func baseOf(match, none string) (int, error) {
	if strings.TrimSpace(none) == "*" && match == "" {
		return 0, nil
	}
	base, err := strconv.Atoi(strings.Trim(strings.TrimPrefix(strings.TrimSpace(match), "W/"), `"`))
	if err != nil || base < 1 {
		return 0, &Problem{
			Status: http.StatusPreconditionRequired, Title: "What is changed?", Rule: ruleSayWhat,
			Detail: "Send the ETag of what you have read as If-Match, or \"If-None-Match: *\" to add a record.",
		}
	}
	return base, nil
}

// outdated gives an edit of what somebody else has changed the status that HTTP has for it.
func outdated(err error) error {
	if f := fault.As(err); f != nil && f.Rule == ruleOutdated {
		return &Problem{Status: http.StatusPreconditionFailed, Title: "Someone was first", Detail: f.Message, Rule: f.Rule}
	}
	return err
}

func reason(why string) (string, error) {
	why = strings.TrimSpace(why)
	if len(why) > approval.MaxText {
		return "", fault.Wrong{"why": "is too long"}.Err()
	}
	return why, nil
}
