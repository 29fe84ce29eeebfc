package httpc

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// Activity reads over HTTP what a system, or whatever gathers its logs, wrote down of what an account did.
type Activity struct {
	calls *Connector
}

var _ connector.ActivityLog = (*Activity)(nil)

// NewActivity makes it. It resolves references to secrets with secrets, at each call.
func NewActivity(secrets connector.Secrets) *Activity { return &Activity{calls: New(secrets)} }

// What the address of a log may refer to, beside the account. Both times are RFC 3339 in UTC.
const (
	fromVariable = "use.from"
	toVariable   = "use.until"
)

type activityParams struct {
	URL     string             `json:"url"` // refers to ${access.account}, and may to ${use.from} and ${use.until}
	Headers map[string]string  `json:"headers"`
	List    string             `json:"list"`  // points to an array; empty: the document is one
	At      string             `json:"at"`    // within an element: when, as in RFC 3339
	Text    string             `json:"text"`  // within an element: what was done; empty: the whole element
	Next    string             `json:"next"`  // points to the address of what follows; empty: nothing does
	Delay   connector.Duration `json:"delay"` // how long until all of it is written down
	Timeout connector.Duration `json:"timeout"`
}

// defaultDelay is how long those who gather logs may take.
const defaultDelay = time.Minute

// Settles is the delay that params say, a minute unless they do.
func (*Activity) Settles(p connector.Params) time.Duration {
	got, err := readActivity(p)
	if err != nil {
		return 0
	}
	return got.Delay.Or(defaultDelay)
}

// Kind is "http".
func (*Activity) Kind() string { return Kind }

// Check validates params and touches nothing.
func (*Activity) Check(p connector.Params) error {
	_, err := readActivity(p)
	return err
}

func readActivity(p connector.Params) (activityParams, error) {
	var got activityParams
	if err := connector.Decode(p, &got); err != nil {
		return activityParams{}, err
	}
	wrong := fault.Wrong{}
	l := look{URL: got.URL, Headers: got.Headers}
	found := fault.Wrong{}
	l.check(found, "observe")
	for field, problem := range found {
		wrong.Add(strings.TrimPrefix(field, "observe."), "%s", problem)
	}
	if got.At == "" {
		wrong.Add("at", "is missing")
	}
	for field, pointer := range map[string]string{"list": got.List, "at": got.At, "text": got.Text, "next": got.Next} {
		checkPointer(wrong, field, pointer)
	}
	got.Timeout.Check(wrong, "timeout")
	got.Delay.Check(wrong, "delay")
	if wrong["url"] == "" && !strings.Contains(got.URL, "${"+accountVariable+"}") {
		wrong.Add("url", "must refer to ${%s}: what others did is nobody's activity but theirs", accountVariable)
	}
	if _, err := got.address(connector.Use{Account: "ada@example.org"}); err != nil && wrong["url"] == "" {
		wrong.Add("url", "%s", strings.TrimSuffix(connector.Words(err), "."))
	}
	return got, wrong.Err()
}

// address is where a use is asked for.
func (p activityParams) address(u connector.Use) (string, error) {
	return fillURL(p.URL, map[string]string{
		accountVariable: u.Account, fromVariable: u.From.Add(-connector.ClockSlack).UTC().Format(time.RFC3339),
		toVariable: u.Until.Add(connector.ClockSlack + time.Second).UTC().Format(time.RFC3339),
	})
}

// Activity asks for one use, and for what follows, of the same host.
func (l *Activity) Activity(ctx context.Context, p connector.Params, u connector.Use) (connector.Activity, error) {
	a := connector.Activity{}
	got, err := readActivity(p)
	if err != nil {
		return a, err
	}
	at, err := got.address(u)
	if err != nil {
		return a, err
	}
	var all []connector.ActivityEntry
	asks := params{Observe: &look{URL: at, Headers: got.Headers, ExpectStatus: 200}, Timeout: got.Timeout}
	seen, read, more, err := l.calls.pages(ctx, asks, got.Next, func(o connector.Observation) error {
		found, err := got.entries(o, u)
		all = append(all, found...)
		return err
	})
	if a.Source = seen.Source; err != nil {
		return a, err
	}
	if more {
		a.Lacks("Only %d answers were read, and more follow.", read)
	}
	slices.SortStableFunc(all, func(x, y connector.ActivityEntry) int { return x.At.Compare(y.At) })
	for _, e := range all {
		a.Add(e)
	}
	a.Close()
	return a, nil
}

// entries are those of one answer that were in the use.
func (p activityParams) entries(o connector.Observation, u connector.Use) ([]connector.ActivityEntry, error) {
	list, err := elements(o, p.List)
	if err != nil {
		return nil, err
	}
	var all []connector.ActivityEntry
	for _, element := range list {
		when, err := textAt(element, p.At)
		if err != nil {
			return nil, err
		}
		at, err := time.Parse(time.RFC3339, when)
		if err != nil {
			return nil, fmt.Errorf("%s has at %s no time as in RFC 3339", element.Source, p.At)
		}
		text := string(element.Body)
		if p.Text != "" {
			if text, err = textAt(element, p.Text); err != nil {
				return nil, err
			}
		}
		if u.Covers(at) {
			all = append(all, connector.ActivityEntry{At: at.UTC(), Text: text})
		}
	}
	return all, nil
}
