package httpc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// seen looks who has what. A list of which any part cannot be read is not used at all: what it does not say would pass for absent.
func (a *Access) seen(ctx context.Context, p accessParams) ([]connector.Holding, connector.Observation, error) {
	var all []connector.Holding
	o, read, more, err := a.calls.pages(ctx, p.looking(), p.Holders.Next, func(o connector.Observation) error {
		held, err := p.Holders.read(o)
		all = append(all, held...)
		return err
	})
	if err == nil && more {
		err = &fault.Error{Kind: fault.Unavailable, Message: fmt.Sprintf("%s goes on after %d answers: that is more than is read.", o.Source, read)}
		o.Error = connector.Words(err)
	}
	return all, o, err
}

func (h *holders) read(o connector.Observation) ([]connector.Holding, error) {
	list, err := elements(o, h.List)
	if err != nil {
		return nil, err
	}
	held := make([]connector.Holding, 0, len(list))
	for _, element := range list {
		one, err := h.holding(element)
		if err != nil {
			return nil, err
		}
		held = append(held, one)
	}
	return held, nil
}

// elements are those of the array that a pointer leads to.
func elements(o connector.Observation, pointer string) ([]connector.Observation, error) {
	raw, err := connector.Point(o, pointer)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || list == nil {
		return nil, fmt.Errorf("what is at %q is not an array", pointer)
	}
	all := make([]connector.Observation, len(list))
	for i, element := range list {
		all[i] = connector.Observation{Source: fmt.Sprintf("element %d", i), Body: element}
	}
	return all, nil
}

func (h *holders) holding(element connector.Observation) (connector.Holding, error) {
	one := connector.Holding{SignsIn: true} // nothing says otherwise
	var err error
	if one.Account, err = textAt(element, h.Account); err != nil {
		return one, err
	}
	if one.Role, err = textAt(element, h.Role); err != nil {
		return one, err
	}
	one.Account = spelled(one.Account)
	if h.Until == "" {
		return one, nil
	}
	if _, err := connector.Point(element, h.Until); err != nil {
		return one, nil //nolint:nilerr // nothing is there, and so no end
	}
	end, err := textAt(element, h.Until)
	if err != nil {
		return one, err
	}
	until, err := time.Parse(time.RFC3339, end)
	if err != nil {
		return one, fmt.Errorf("%s has at %s no time as in RFC 3339", element.Source, h.Until)
	}
	until = until.UTC()
	one.Until = &until
	return one, nil
}

// textAt is the string that a pointer leads to; an empty one names nothing.
func textAt(o connector.Observation, pointer string) (string, error) {
	raw, err := connector.Point(o, pointer)
	if err != nil {
		return "", err
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil || strings.TrimSpace(s) == "" {
		return "", fmt.Errorf("%s has at %s no text", o.Source, pointer)
	}
	return s, nil
}

// spelled writes mail addresses in one way. What is none is left as the system spells it.
func spelled(account string) string {
	if strings.Contains(account, "@") {
		return strings.ToLower(strings.TrimSpace(account))
	}
	return account
}

// of are the holdings of one account, of some roles.
func of(held []connector.Holding, account string, roles []string) []connector.Holding {
	return slices.DeleteFunc(slices.Clone(held), func(h connector.Holding) bool {
		return h.Account != account || !slices.Contains(roles, h.Role)
	})
}

// given says whether an account has a role until then, as far as the system says until when; where it is listed twice the later end counts.
func (h *holders) given(held []connector.Holding, want access) (bool, string) {
	mine := of(held, want.account, []string{want.role})
	if len(mine) == 0 {
		return false, fmt.Sprintf("%s does not have %s", want.account, want.role)
	}
	if h.Until == "" {
		return true, ""
	}
	end := mine[0].Until
	for _, one := range mine[1:] {
		if end != nil && (one.Until == nil || one.Until.After(*end)) {
			end = one.Until
		}
	}
	switch {
	case end == nil && want.until.IsZero():
		return true, ""
	case end != nil && !want.until.IsZero() && end.Truncate(time.Second).Equal(want.until.Truncate(time.Second)):
		return true, ""
	}
	return false, fmt.Sprintf("%s has %s, but not until when it should", want.account, want.role)
}
