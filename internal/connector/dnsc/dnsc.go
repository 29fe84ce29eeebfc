package dnsc

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// Kind is how plans name this connector.
const Kind = "dns"

// Connector looks at record sets and moves them with RFC 2136 updates.
type Connector struct {
	secrets connector.Secrets
}

var _ connector.Connector = (*Connector)(nil)

// New makes the connector. It resolves the TSIG secret with secrets, at each update.
func New(secrets connector.Secrets) *Connector { return &Connector{secrets: secrets} }

// Kind is "dns".
func (*Connector) Kind() string { return Kind }

// Check validates params and touches nothing.
func (*Connector) Check(p connector.Params) error {
	_, err := read(p)
	return err
}

// System is the authoritative server.
func (*Connector) System(p connector.Params) string {
	got, err := read(p)
	if err != nil {
		return ""
	}
	return got.Server
}

// Observe asks the authoritative server.
func (*Connector) Observe(ctx context.Context, p connector.Params) (connector.Observation, error) {
	got, err := read(p)
	if err != nil {
		return connector.Observation{Source: Kind, At: time.Now().UTC(), Error: err.Error()}, err
	}
	o, _, err := look(ctx, got)
	return o, err
}

// Apply moves the record set from the values in from to those in to.
func (c *Connector) Apply(ctx context.Context, _ string, p connector.Params) (connector.Evidence, error) {
	got, err := read(p)
	if err != nil {
		return connector.Evidence{}, err
	}
	if !got.acts() {
		return connector.Evidence{}, &fault.Error{
			Kind: fault.Invalid, Message: "The parameters cannot be used: without from and to they can only observe.",
			Fields: map[string]string{"to": "is missing"},
		}
	}
	return c.move(ctx, got, got.from, got.to)
}

// Stands looks whether the record set has the values in to.
func (*Connector) Stands(ctx context.Context, p connector.Params) (bool, string, connector.Observation) {
	got, err := read(p)
	if err != nil {
		return false, connector.Words(err), connector.Observation{}
	}
	o, seen, err := look(ctx, got)
	if err != nil {
		return false, connector.Words(err), o
	}
	return seen.authoritative && same(seen.records, got.to), seen.why(got, got.to), o
}

// Undo moves the record set back.
func (c *Connector) Undo(ctx context.Context, _ string, p connector.Params) (connector.Evidence, error) {
	got, err := read(p)
	if err != nil {
		return connector.Evidence{}, err
	}
	if !got.acts() {
		return connector.Evidence{}, connector.ErrNoUndo
	}
	return c.move(ctx, got, got.to, got.from)
}

// move needs no idempotency key: the update carries the old values as its prerequisite, so that a second one is refused
// by the server itself.
func (c *Connector) move(ctx context.Context, p params, from, to []dns.RR) (connector.Evidence, error) {
	var seen view
	change := connector.Change{
		Look: func(ctx context.Context) (o connector.Observation, err error) {
			o, seen, err = look(ctx, p)
			return o, err
		},
		Done: func(connector.Observation) (bool, string) {
			return seen.authoritative && same(seen.records, to), seen.why(p, to)
		},
		Ready: func(connector.Observation) error { return seen.ready(p, from, to) },
		Act:   func(ctx context.Context) (string, string, error) { return c.update(ctx, p, from, to) },
		Wait:  p.Wait.Or(defaultWait),
	}
	return change.Bring(ctx)
}

// view is what the last look saw, parsed.
type view struct {
	records       []dns.RR
	authoritative bool
}

func (v view) why(p params, want []dns.RR) string {
	if !v.authoritative {
		return fmt.Sprintf("%s does not answer for %s as its authority", p.Server, p.Name)
	}
	return fmt.Sprintf("%s %s is %s, wanted %s", p.Name, p.Type, list(v.records), list(want))
}

// ready refuses to move what the plan did not know.
func (v view) ready(p params, from, to []dns.RR) error {
	if v.authoritative && same(v.records, from) {
		return nil
	}
	message := v.why(p, to) + "; nothing was changed"
	if v.authoritative {
		message = fmt.Sprintf("%s %s is %s, which is neither what the plan moves from (%s) nor to (%s). Nothing was changed.",
			p.Name, p.Type, list(v.records), list(from), list(to))
	}
	return &fault.Error{Kind: fault.Conflict, Message: message}
}

func list(set []dns.RR) string {
	if len(set) == 0 {
		return "not there"
	}
	return strings.Join(values(set), ", ")
}

type body struct {
	Records       []string `json:"records"`
	TTL           uint32   `json:"ttl"`
	Serial        uint32   `json:"serial"`
	Authoritative bool     `json:"authoritative"`
}

func look(ctx context.Context, p params) (connector.Observation, view, error) {
	o := connector.Observation{Source: fmt.Sprintf("%s %s at %s", p.Type, p.Name, p.Server), At: time.Now().UTC()}
	v, err := see(ctx, p, &o)
	if err != nil {
		o.Error = connector.Words(err)
	}
	return o, v, err
}

// see asks for the zone first: a server that serves only a parent or a cache must not be taken for the authority.
func see(ctx context.Context, p params, o *connector.Observation) (view, error) {
	zone, err := query(ctx, p, p.Zone, dns.TypeSOA)
	if err != nil {
		return view{}, err
	}
	soa, ok := first(zone, p.Zone).(*dns.SOA)
	if !ok {
		message := fmt.Sprintf("%s does not serve the zone %s (it answered %s).", p.Server, p.Zone, rcode(zone))
		return view{}, &fault.Error{Kind: fault.Conflict, Message: message}
	}
	answer, err := query(ctx, p, p.Name, dns.StringToType[p.Type])
	if err != nil {
		return view{}, err
	}
	o.Status = rcode(answer)
	if answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError {
		message := fmt.Sprintf("%s answered %s when asked for %s %s.", p.Server, o.Status, p.Name, p.Type)
		return view{}, &fault.Error{Kind: fault.Unavailable, Message: message}
	}
	v := view{records: matching(answer, p), authoritative: zone.Authoritative && answer.Authoritative}
	raw, err := json.Marshal(body{
		Records: values(v.records), TTL: lowestTTL(v.records), Serial: soa.Serial, Authoritative: v.authoritative,
	})
	if err != nil {
		return view{}, fmt.Errorf("write DNS observation: %w", err)
	}
	if o.Body, err = connector.Document(raw); err != nil {
		return view{}, fmt.Errorf("keep DNS observation: %w", err)
	}
	return v, nil
}

func first(m *dns.Msg, name string) dns.RR {
	for _, rr := range m.Answer {
		if rr.Header().Rrtype == dns.TypeSOA && dns.CanonicalName(rr.Header().Name) == dns.CanonicalName(name) {
			return rr
		}
	}
	return nil
}

// matching leaves out what an answer holds besides the set that was asked for.
func matching(m *dns.Msg, p params) []dns.RR {
	var set []dns.RR
	for _, rr := range m.Answer {
		h := rr.Header()
		asked := h.Rrtype == dns.StringToType[p.Type] && h.Class == dns.ClassINET
		if asked && dns.CanonicalName(h.Name) == dns.CanonicalName(p.Name) {
			set = append(set, rr)
		}
	}
	return set
}

func lowestTTL(set []dns.RR) uint32 {
	var ttl uint32
	for i, rr := range set {
		if i == 0 || rr.Header().Ttl < ttl {
			ttl = rr.Header().Ttl
		}
	}
	return ttl
}

func rcode(m *dns.Msg) string {
	if name, known := dns.RcodeToString[m.Rcode]; known {
		return name
	}
	return fmt.Sprintf("code %d", m.Rcode)
}
