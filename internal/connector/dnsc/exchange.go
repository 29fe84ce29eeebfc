package dnsc

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

const (
	udpSize = 1232 // what passes every path unfragmented
	fudge   = 300  // seconds that two clocks may differ, by RFC 8945
)

// query asks over UDP, and over TCP where the answer was cut.
func query(ctx context.Context, p params, name string, kind uint16) (*dns.Msg, error) {
	m := new(dns.Msg).SetQuestion(name, kind)
	m.RecursionDesired = false
	m.SetEdns0(udpSize, false)
	client := &dns.Client{Net: "udp", Timeout: p.Timeout.Or(defaultTimeout)}
	got, err := exchange(ctx, client, p.Server, m)
	if err == nil && got.Truncated {
		client.Net = "tcp"
		got, err = exchange(ctx, client, p.Server, m)
	}
	if err != nil {
		return nil, explain(p, err)
	}
	if len(got.Question) != 1 || !strings.EqualFold(got.Question[0].Name, name) || got.Question[0].Qtype != kind {
		return nil, &fault.Error{Kind: fault.Unavailable, Message: p.Server + " answered another question than was asked."}
	}
	return got, nil
}

// exchange obeys the cancelling of ctx, which dns.Client does not.
func exchange(ctx context.Context, client *dns.Client, server string, m *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, client.Timeout)
	defer cancel()
	conn, err := client.DialContext(ctx, server)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			_ = conn.Close() // nothing is lost with it: the answer is complete or there is none
		}
	}()
	got, _, err := client.ExchangeWithConnContext(ctx, m, conn)
	if err != nil && ctx.Err() != nil {
		return got, fmt.Errorf("exchange: %w", ctx.Err())
	}
	if err != nil {
		return got, fmt.Errorf("exchange: %w", err)
	}
	return got, nil
}

// update sends one signed update over TCP, which unlike UDP does not deliver twice.
func (c *Connector) update(ctx context.Context, p params, from, to []dns.RR) (did, requestID string, err error) {
	name := fmt.Sprintf("UPDATE %s at %s: %s %s from %s to %s", p.Zone, p.Server, p.Name, p.Type, list(from), list(to))
	key, err := c.key(p)
	if err != nil {
		return name + " was not sent", "", connector.NotDone(err)
	}
	m := p.message(from, to)
	requestID = strconv.Itoa(int(m.Id))
	client := &dns.Client{
		Net: "tcp", Timeout: p.Timeout.Or(defaultTimeout),
		TsigSecret: map[string]string{dns.CanonicalName(p.TSIG.Name): key},
	}
	got, err := exchange(ctx, client, p.Server, m)
	if got != nil && got.Response && got.Id == m.Id && got.Rcode != dns.RcodeSuccess {
		return name + " answered " + rcode(got), requestID, refusal(p, got)
	}
	if err != nil {
		return name + " got no answer that can be trusted", requestID, explain(p, err)
	}
	did = name + " answered " + rcode(got)
	if got.IsTsig() == nil { // dns.Client verifies a signature, but does not miss one
		return did, requestID, &fault.Error{
			Kind: fault.Unavailable, Message: p.Server + " answered the update without a signature, which proves nothing.",
		}
	}
	return did, requestID, nil
}

func (c *Connector) key(p params) (string, error) {
	secret, err := c.secrets.Resolve(p.TSIG.Secret)
	if err != nil {
		return "", err
	}
	key := string(secret.Reveal())
	if _, err := base64.StdEncoding.DecodeString(key); err != nil {
		return "", &fault.Error{Kind: fault.Unavailable, Message: fmt.Sprintf("The secret %s is not base64.", p.TSIG.Secret)}
	}
	return key, nil
}

// message makes the update: if the set is exactly from, replace it by to.
func (p params) message(from, to []dns.RR) *dns.Msg {
	m := new(dns.Msg).SetUpdate(p.Zone)
	m.Used(clones(from)) // writes into the records it is given
	m.RemoveRRset(to[:1])
	m.Insert(clones(to))
	m.SetTsig(dns.CanonicalName(p.TSIG.Name), algorithms[p.TSIG.Algorithm], fudge, time.Now().Unix())
	return m
}

func clones(set []dns.RR) []dns.RR {
	list := make([]dns.RR, 0, len(set))
	for _, rr := range set {
		list = append(list, dns.Copy(rr))
	}
	return list
}

// refusal says in words why the server did not update.
func refusal(p params, got *dns.Msg) error {
	why := map[int]string{
		dns.RcodeNXRrset:        "the records are no longer those the plan moves from",
		dns.RcodeNameError:      "the records are no longer those the plan moves from",
		dns.RcodeYXRrset:        "the records are no longer those the plan moves from",
		dns.RcodeYXDomain:       "the records are no longer those the plan moves from",
		dns.RcodeRefused:        "it does not let the key " + p.TSIG.Name + " change these records",
		dns.RcodeNotAuth:        "it is not the authority for the zone, or does not accept the key " + p.TSIG.Name,
		dns.RcodeNotZone:        "the name is not in the zone",
		dns.RcodeNotImplemented: "it takes no updates",
		dns.RcodeFormatError:    "it could not read the update",
	}[got.Rcode]
	if t := got.IsTsig(); t != nil && t.Error != dns.RcodeSuccess {
		why = map[uint16]string{
			dns.RcodeBadSig:  "the secret of the key " + p.TSIG.Name + " is not the one it knows",
			dns.RcodeBadKey:  "it does not know the key " + p.TSIG.Name,
			dns.RcodeBadTime: "its clock and this worker's differ too much",
		}[t.Error]
	}
	if why == "" {
		message := fmt.Sprintf("%s answered the update with %s.", p.Server, rcode(got))
		return &fault.Error{Kind: fault.Unavailable, Message: message}
	}
	message := fmt.Sprintf("%s refused the update (%s): %s.", p.Server, rcode(got), why)
	return connector.NotDone(&fault.Error{Kind: fault.Conflict, Message: message})
}

// explain says in words what went wrong on the way.
func explain(p params, err error) error {
	f := &fault.Error{Kind: fault.Unavailable, Err: err}
	dial, isOp := errors.AsType[*net.OpError](err)
	lookup, isLookup := errors.AsType[*net.DNSError](err)
	timeout := isOp && dial.Timeout() || errors.Is(err, context.DeadlineExceeded)
	switch {
	case errors.Is(err, context.Canceled):
		f.Message = "The question to " + p.Server + " was called off."
	case isLookup:
		f.Message = fmt.Sprintf("The name server %s cannot be found.", lookup.Name)
	case timeout:
		f.Message = fmt.Sprintf("The name server %s did not answer within %s.", p.Server, p.Timeout.Or(defaultTimeout))
	case errors.Is(err, dns.ErrSig), errors.Is(err, dns.ErrTime), errors.Is(err, dns.ErrSecret), errors.Is(err, dns.ErrKeyAlg):
		f.Message = fmt.Sprintf("The answer of %s to the update is not signed as it must be.", p.Server)
	case isOp:
		f.Message = fmt.Sprintf("The name server %s cannot be reached: %v.", p.Server, errors.Unwrap(dial))
	default:
		f.Message = fmt.Sprintf("The name server %s broke off or answered what cannot be read: %v.", p.Server, err)
	}
	if isLookup || isOp && dial.Op == "dial" {
		return connector.NotDone(f)
	}
	return f
}
