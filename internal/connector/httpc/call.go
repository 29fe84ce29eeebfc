package httpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// look does the GET of params. The observation of a failed look carries the words of its error.
func (c *Connector) look(ctx context.Context, p params) (connector.Observation, error) {
	name := nameOf(http.MethodGet, p.Observe.URL)
	o := connector.Observation{Source: name, At: time.Now().UTC()}
	err := c.get(ctx, name, p, &o)
	if err != nil {
		o.Error = connector.Words(err)
	}
	return o, err
}

func (c *Connector) get(ctx context.Context, name string, p params, o *connector.Observation) error {
	timeout := p.Timeout.Or(defaultTimeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Observe.URL, nil)
	if err != nil {
		return refuse("observe.url", "is not a valid address")
	}
	req.Header.Set("Accept", "application/json, text/plain;q=0.5, */*;q=0.1")
	for header, value := range p.Observe.Headers {
		if carriesSecret(header) {
			secret, err := c.secrets.Resolve(value)
			if err != nil {
				return err
			}
			value = string(secret.Reveal())
		}
		req.Header.Set(header, value)
	}
	got, err := exchange(c.looks, req)
	if err != nil {
		return explain(name, timeout, err)
	}
	o.Status = got.status
	o.Body, err = got.document()
	if got.code != p.Observe.ExpectStatus {
		return got.unexpected(name, fmt.Sprintf("%d was expected", p.Observe.ExpectStatus))
	}
	if err != nil {
		return &fault.Error{Kind: fault.Unavailable, Message: fmt.Sprintf("%s answered %s, but %v.", name, got.status, err)}
	}
	return nil
}

// act makes the one call. Its error is marked NotDone where the call certainly had no effect.
func (c *Connector) act(ctx context.Context, key string, p params, to call) (did, requestID string, err error) {
	name := nameOf(to.Method, to.URL)
	timeout := p.Timeout.Or(defaultTimeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := c.request(ctx, key, p.Secret, to)
	if err != nil {
		return name + " was not sent", "", connector.NotDone(err)
	}
	got, err := exchange(c.acts, req)
	if err != nil {
		err = explain(name, timeout, err)
		return name + " got no answer", key, err
	}
	did = name + " answered " + got.status
	requestID = key
	if theirs := got.requestID; theirs != "" {
		requestID = theirs
	}
	if got.code/100 == 2 {
		return did, requestID, nil
	}
	err = got.unexpected(name, "success was expected")
	if got.code/100 == 4 {
		err = connector.NotDone(err)
	}
	return did, requestID, err
}

func (c *Connector) request(ctx context.Context, key, secret string, to call) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, to.Method, to.URL, bytes.NewReader(to.Body))
	if err != nil {
		return nil, refuse("url", "is not a valid address")
	}
	if len(to.Body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Idempotency-Key", key)
	if secret == "" {
		return req, nil
	}
	value, err := c.secrets.Resolve(secret)
	if err != nil {
		return nil, err
	}
	sign(req, value, to.Body, time.Now())
	return req, nil
}

// nameOf names a call in messages and evidence: without its query, which may hold what is nobody's business.
func nameOf(method, raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return method
	}
	return method + " " + u.Scheme + "://" + u.Host + u.EscapedPath()
}

// explain says in words what went wrong on the way. The errors of net/http are not used as they are, because they repeat
// the whole address.
func explain(name string, timeout time.Duration, err error) error {
	if cause, ok := errors.AsType[*url.Error](err); ok {
		err = cause.Err
	}
	kind := &fault.Error{Kind: fault.Unavailable, Err: err}
	dial, isDial := errors.AsType[*net.OpError](err)
	isDial = isDial && dial.Op == "dial"
	lookup, isLookup := errors.AsType[*net.DNSError](err)
	var netErr net.Error
	switch {
	case errors.Is(err, context.Canceled):
		kind.Message = name + " was called off."
	case isLookup:
		kind.Message = fmt.Sprintf("%s: the host name %s cannot be found.", name, lookup.Name)
	case isDial && !errors.Is(err, context.DeadlineExceeded):
		kind.Message = fmt.Sprintf("%s cannot be reached: %v.", name, errors.Unwrap(dial))
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		kind.Message = fmt.Sprintf("%s did not answer within %s.", name, timeout)
	default:
		kind.Message = fmt.Sprintf("%s broke off: %v.", name, strings.TrimPrefix(root(err).Error(), "net/http: "))
	}
	if isDial || isLookup {
		return connector.NotDone(kind)
	}
	return kind
}

// root is the innermost cause: what wraps it here says only what this file was doing.
func root(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}
