package buyers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// lookupPatience is how long a till waits for the name server.
const lookupPatience = 500 * time.Millisecond

// destination is where a till sends a purchase.
type destination struct{ site, address string }

// Till looks its site up and remembers the answer for its TTL. All tills share it, so all move at the same moment.
type Till struct {
	server, record string

	mu      sync.Mutex
	known   destination
	expires time.Time
}

// NewTill asks a name server for a record.
func NewTill(server, record string) *Till { return &Till{server: server, record: record} }

// Address is host:port of the till's site.
func (t *Till) Address(ctx context.Context) (string, error) {
	to, err := t.lookup(ctx)
	return to.address, err
}

// lookup fails if the name server cannot be asked and the last answer has expired: a till that went on with it would
// call a site that the shop has left.
func (t *Till) lookup(ctx context.Context) (destination, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.expires) {
		return t.known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupPatience)
	defer cancel()
	answer, err := t.ask(ctx, t.record, dns.TypeSRV)
	if err != nil {
		return destination{}, err
	}
	for _, rr := range answer.Answer {
		if srv, ok := rr.(*dns.SRV); ok {
			return t.follow(ctx, srv, answer.Extra)
		}
	}
	return destination{}, fmt.Errorf("%s has no SRV record", t.record)
}

func (t *Till) follow(ctx context.Context, srv *dns.SRV, extra []dns.RR) (destination, error) {
	host := address(srv.Target, extra)
	if host == "" {
		answer, err := t.ask(ctx, srv.Target, dns.TypeA)
		if err != nil {
			return destination{}, err
		}
		if host = address(srv.Target, answer.Answer); host == "" {
			return destination{}, fmt.Errorf("%s has no address", srv.Target)
		}
	}
	slug, _, _ := strings.Cut(srv.Target, ".")
	t.known = destination{site: slug, address: net.JoinHostPort(host, strconv.Itoa(int(srv.Port)))}
	t.expires = time.Now().Add(time.Duration(srv.Hdr.Ttl) * time.Second)
	return t.known, nil
}

func address(name string, records []dns.RR) string {
	for _, rr := range records {
		if a, ok := rr.(*dns.A); ok && strings.EqualFold(a.Hdr.Name, name) {
			return a.A.String()
		}
	}
	return ""
}

func (t *Till) ask(ctx context.Context, name string, kind uint16) (*dns.Msg, error) {
	client := &dns.Client{Timeout: lookupPatience}
	answer, _, err := client.ExchangeContext(ctx, new(dns.Msg).SetQuestion(name, kind), t.server)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", name, err)
	}
	if answer.Rcode != dns.RcodeSuccess {
		return nil, errors.New("look up " + name + ": " + dns.RcodeToString[answer.Rcode])
	}
	return answer, nil
}
