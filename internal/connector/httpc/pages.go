package httpc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// mostPages is how many answers are read of one list.
const mostPages = 100

// pages looks, and looks again where an answer says that more follows, at the address that next points to in it. It says how many answers
// there were, and whether more follow than are read. The observation is the first one's.
func (c *Connector) pages(ctx context.Context, p params, next string, each func(connector.Observation) error) (seen connector.Observation, read int, more bool, err error) {
	asked := map[string]bool{}
	for at := p.Observe.URL; at != ""; {
		if asked[at] || len(asked) == mostPages {
			return seen, len(asked), true, nil
		}
		asked[at] = true
		l := *p.Observe
		l.URL, p.Observe = at, &l
		o, err := c.look(ctx, p)
		if len(asked) == 1 {
			seen = o
		}
		if err != nil {
			return o, len(asked), false, err
		}
		if err := each(o); err != nil {
			err = &fault.Error{Kind: fault.Unavailable, Message: fmt.Sprintf("%s answered no list that can be used: %v.", o.Source, err)}
			o.Error = connector.Words(err)
			return o, len(asked), false, err
		}
		if at, err = following(o, next, at); err != nil {
			return o, len(asked), false, err
		}
	}
	return seen, len(asked), false, nil
}

// following is where what follows is, or nothing. It is never another host than the one that was described: that would be told what it has no
// business with.
func following(o connector.Observation, next, at string) (string, error) {
	if next == "" {
		return "", nil
	}
	raw, err := connector.Point(o, next)
	if err != nil {
		return "", nil //nolint:nilerr // nothing is there: nothing follows
	}
	var to string
	if err := json.Unmarshal(raw, &to); err != nil {
		return "", &fault.Error{Kind: fault.Unavailable, Message: fmt.Sprintf("%s has at %s no address of what follows.", o.Source, next)}
	}
	if to == "" {
		return "", nil
	}
	here, err := url.Parse(at)
	if err != nil {
		return "", refuse("url", "is not a valid address")
	}
	there, err := here.Parse(to)
	if err != nil || there.Scheme != here.Scheme || there.Host != here.Host {
		return "", &fault.Error{Kind: fault.Unavailable, Message: o.Source + " says that more follows elsewhere, where Keyholder does not ask."}
	}
	return there.String(), nil
}
