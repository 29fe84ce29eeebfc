package httpc

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// Kind is how plans name this connector.
const Kind = "http"

// Connector looks and acts over HTTP.
type Connector struct {
	secrets connector.Secrets
	looks   *http.Client
	acts    *http.Client
}

var _ connector.Connector = (*Connector)(nil)

// New makes the connector. It resolves references to secrets with secrets, at each call.
func New(secrets connector.Secrets) *Connector {
	acts := transport()
	// On a kept connection net/http repeats a request that carries an Idempotency-Key when the connection breaks.
	acts.DisableKeepAlives = true
	return &Connector{secrets: secrets, looks: client(transport()), acts: client(acts)}
}

func transport() *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // evidence must come from the system itself
		DisableCompression:     true,
		MaxResponseHeaderBytes: connector.MaxDocument,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
	}
}

func client(t *http.Transport) *http.Client {
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Kind is "http".
func (*Connector) Kind() string { return Kind }

// Check validates params and touches nothing.
func (*Connector) Check(p connector.Params) error {
	_, err := read(p)
	return err
}

// System is the host, and the port where one is said.
func (*Connector) System(p connector.Params) string {
	got, err := read(p)
	if err != nil {
		return ""
	}
	u, err := url.Parse(got.Observe.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// Observe does one GET.
func (c *Connector) Observe(ctx context.Context, p connector.Params) (connector.Observation, error) {
	got, err := read(p)
	if err != nil {
		return connector.Observation{Source: Kind, At: time.Now().UTC(), Error: err.Error()}, err
	}
	return c.look(ctx, got)
}

// Apply brings about what done_when says.
func (c *Connector) Apply(ctx context.Context, key string, p connector.Params) (connector.Evidence, error) {
	got, err := read(p)
	if err != nil {
		return connector.Evidence{}, err
	}
	if got.Apply == nil {
		return connector.Evidence{}, refuse("apply", "is missing: these parameters can only observe")
	}
	return c.bring(ctx, key, got, *got.Apply, got.DoneWhen)
}

// Stands looks whether done_when holds.
func (c *Connector) Stands(ctx context.Context, p connector.Params) (bool, string, connector.Observation) {
	got, err := read(p)
	if err != nil {
		return false, connector.Words(err), connector.Observation{}
	}
	if len(got.DoneWhen) == 0 {
		return false, "the step does not say by what one sees that it is done", connector.Observation{}
	}
	seen, err := c.look(ctx, got)
	if err != nil {
		return false, connector.Words(err), seen
	}
	holds, why := connector.Holds(seen, got.DoneWhen)
	return holds, why, seen
}

// Undo brings about what undone_when says. Without undone_when the answer to the call is the only proof, and the call is
// made each time.
func (c *Connector) Undo(ctx context.Context, key string, p connector.Params) (connector.Evidence, error) {
	got, err := read(p)
	if err != nil {
		return connector.Evidence{}, err
	}
	if got.Undo == nil {
		return connector.Evidence{}, connector.ErrNoUndo
	}
	return c.bring(ctx, key, got, *got.Undo, got.UndoneWhen)
}

func (c *Connector) bring(
	ctx context.Context, key string, p params, to call, want []connector.Expectation,
) (connector.Evidence, error) {
	if key == "" || len(key) > 255 || !headerValue(key) {
		return connector.Evidence{}, refuse("key", "is not usable as an idempotency key")
	}
	change := connector.Change{
		Look: func(ctx context.Context) (connector.Observation, error) { return c.look(ctx, p) },
		Act:  func(ctx context.Context) (string, string, error) { return c.act(ctx, key, p, to) },
		Wait: p.Wait.Or(defaultWait),
	}
	if len(want) > 0 {
		change.Done = func(o connector.Observation) (bool, string) { return connector.Holds(o, want) }
	}
	return change.Bring(ctx)
}

func refuse(field, problem string) error {
	return &fault.Error{
		Kind:    fault.Invalid,
		Message: "The parameters cannot be used: " + field + " " + problem + ".",
		Fields:  map[string]string{field: problem},
	}
}
