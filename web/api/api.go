package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// Root is where the API begins. Nothing under it knows of sessions: whoever calls shows a token with each request.
const Root = "/api/"

const v1 = Root + "v1"

const description = Root + "openapi"

// Description is where the API is described, for anyone.
const Description = description + ".json"

// maxBody bounds what one request may send.
const maxBody = 256 << 10

// slowest is how long the body of a request may take to arrive.
const slowest = 10 * time.Second

// Config is what the API stands on.
type Config struct {
	Store   *store.Store
	Version string
	Bearer  func(ctx context.Context, token string) (access.Principal, error)
	Explain func(ctx context.Context, err error) Problem // puts a fault in words, as it does for pages
	// Decode decrypts what processes keep in Temporal, as JSON that only Temporal's tools read, and says how many payloads were asked for.
	Decode func(body []byte) (answer []byte, asked int, err error)
}

// Operation is one thing that can be asked of the API, with the one permission that it needs.
type Operation struct {
	Method, Path string
	Needs        access.Permission
}

// API is the JSON API.
type API struct {
	Config
	huma       huma.API
	operations []Operation
}

// Add puts the API on a router and returns what can be asked of it.
func Add(e *echo.Echo, c Config) []Operation {
	settings := huma.DefaultConfig("Keyholder", c.Version)
	settings.OpenAPIPath, settings.DocsPath, settings.SchemasPath, settings.CreateHooks = description, "", "", nil
	settings.RejectUnknownQueryParameters = true
	settings.Info.Description = "The catalogue of what a retailer runs, and what stops when something fails. The same records as the pages, by the same rules."
	settings.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "A token that the sign-in provider issued for this API."},
	}
	a := &API{Config: c, huma: humaecho.New(e, settings)}
	a.huma.UseMiddleware(a.guard)
	a.addRecords()
	a.addImpact()
	a.addFindings()
	a.addOutlets()
	a.addAccess()
	a.addCodec()
	return a.operations
}

const needs = "needs"

// add puts one operation under its permission. What it returns in error is put in words where all others are.
func add[I, O any](a *API, o huma.Operation, perm access.Permission, do func(context.Context, *I) (*O, error)) {
	o.OperationID = operationID(o)
	o.Security = []map[string][]string{{"bearer": {}}}
	o.Metadata = map[string]any{needs: perm}
	o.MaxBodyBytes, o.BodyReadTimeout = cmp.Or(o.MaxBodyBytes, maxBody), slowest
	o.Errors = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}
	a.operations = append(a.operations, Operation{o.Method, o.Path, perm})
	huma.Register(a.huma, o, func(ctx context.Context, in *I) (*O, error) {
		if o.Method == http.MethodGet {
			var err error
			if ctx, _, err = a.Store.AsOf(ctx); err != nil {
				return nil, a.explain(ctx, err)
			}
		}
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.explain(ctx, err)
		}
		return out, nil
	})
}

// operationID is the operation's method and path in words: "get-catalog-service-slug".
func operationID(o huma.Operation) string {
	words := strings.FieldsFunc(strings.TrimPrefix(strings.TrimPrefix(o.Path, v1), Root), func(r rune) bool { return strings.ContainsRune("/{}", r) })
	return strings.ToLower(o.Method) + "-" + strings.Join(words, "-")
}

type principalKey struct{}

func principal(ctx context.Context) access.Principal {
	p, _ := ctx.Value(principalKey{}).(access.Principal)
	return p
}

// guard lets in whoever shows a token and has the operation's permission, and records who has not.
func (a *API) guard(ctx huma.Context, next func(huma.Context)) {
	token, isBearer := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
	if !isBearer || token == "" {
		a.refuse(ctx, Problem{Status: http.StatusUnauthorized, Title: "Who are you?", Detail: "Show a token that the sign-in provider issued for this API: \"Authorization: Bearer …\"."})
		return
	}
	who, err := a.Bearer(ctx.Context(), token)
	if f := fault.As(err); f != nil && f.Rule == "bearer-token" {
		a.refuse(ctx, Problem{Status: http.StatusUnauthorized, Title: "Who are you?", Detail: f.Message, Rule: f.Rule})
		return
	}
	if err != nil {
		a.refuse(ctx, a.Explain(ctx.Context(), err))
		return
	}
	perm, _ := ctx.Operation().Metadata[needs].(access.Permission)
	if perm == "" || !who.May(perm) {
		refusal := fault.Refused("permission:"+string(perm), access.Titles(access.Holders(perm)), "Your role does not allow this.")
		address := ctx.URL()
		if err := a.Store.Refused(ctx.Context(), who.Person(), "api."+string(perm), address.Path, refusal); err != nil {
			a.refuse(ctx, a.Explain(ctx.Context(), err))
			return
		}
		a.refuse(ctx, a.Explain(ctx.Context(), refusal))
		return
	}
	next(huma.WithValue(ctx, principalKey{}, who))
}

func (a *API) refuse(ctx huma.Context, p Problem) {
	if p.Status == http.StatusUnauthorized {
		ctx.SetHeader("WWW-Authenticate", "Bearer")
	}
	ctx.SetHeader("Content-Type", problemType)
	ctx.SetStatus(p.Status)
	_ = a.huma.Marshal(ctx.BodyWriter(), "application/json", p) // nobody is left to tell where it fails
}

func (a *API) explain(ctx context.Context, err error) error {
	var told *Problem
	if !errors.As(err, &told) {
		p := a.Explain(ctx, err)
		told = &p
	}
	return told
}

// listOf makes an empty list of none, which JSON would call null.
func listOf[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// nameOf names a type in the description: "Service".
func nameOf[T any]() string { return reflect.TypeFor[T]().Name() }
