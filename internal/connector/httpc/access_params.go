package httpc

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

const (
	longestName = 320 // of an account or a role, in bytes; as long as a mail address can be
	longestKey  = 255
)

// What the calls that give and take may refer to.
const (
	accountVariable = "access.account"
	roleVariable    = "access.role"
	untilVariable   = "access.until" // RFC 3339 in UTC; empty: without end
)

type accessParams struct {
	Holders *holders           `json:"holders"`
	Give    *call              `json:"give"`
	Take    *call              `json:"take"`
	Secret  string             `json:"secret"`
	Wait    connector.Duration `json:"wait"`
	Timeout connector.Duration `json:"timeout"`
}

// holders says where it is written who has what.
type holders struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	List    string            `json:"list"`    // points to an array; empty: the document is one
	Account string            `json:"account"` // within an element
	Role    string            `json:"role"`    // within an element
	Until   string            `json:"until"`   // within an element; empty: the system does not say
	Next    string            `json:"next"`    // points to the address of what follows; empty: nothing does
}

func readAccess(p connector.Params) (accessParams, error) {
	var got accessParams
	if err := connector.Decode(p, &got); err != nil {
		return accessParams{}, err
	}
	wrong := fault.Wrong{}
	if got.Holders == nil {
		wrong.Add("holders", "is missing: without looking nothing can be known or done")
	} else {
		got.Holders.check(wrong)
	}
	checkCall(wrong, "give", got.Give)
	checkCall(wrong, "take", got.Take)
	got.Wait.Check(wrong, "wait")
	got.Timeout.Check(wrong, "timeout")
	if got.Secret != "" {
		if err := connector.CheckSecret(got.Secret); err != nil {
			wrong.Add("secret", "%v", err)
		}
	}
	return got, wrong.Err()
}

func (h *holders) check(wrong fault.Wrong) {
	l := look{URL: h.URL, Headers: h.Headers}
	l.check(wrong, "holders")
	for field, pointer := range map[string]string{"account": h.Account, "role": h.Role, "list": h.List, "until": h.Until, "next": h.Next} {
		if pointer == "" && (field == "account" || field == "role") {
			wrong.Add("holders."+field, "is missing")
		}
		checkPointer(wrong, "holders."+field, pointer)
	}
}

func checkPointer(wrong fault.Wrong, field, pointer string) {
	found := fault.Wrong{}
	connector.CheckExpectations(found, "p", []connector.Expectation{{Pointer: pointer, Is: "eq", Value: ""}})
	if problem := found["p[0].pointer"]; problem != "" {
		wrong.Add(field, "%s", problem)
	}
}

// checkCall checks the address as it stands: where it holds a variable outside of its path and query, it is none.
func checkCall(wrong fault.Wrong, field string, c *call) {
	if c == nil {
		wrong.Add(field, "is missing: what is given must be taken again")
		return
	}
	c.check(wrong, field)
	sample := access{account: "ada@example.org", role: "reader"}
	if _, err := sample.fill(*c); err != nil {
		wrong.Add(field, "%s", strings.TrimSuffix(connector.Words(err), "."))
	}
}

// looking are the parameters of the look at who has what.
func (p accessParams) looking() params {
	l := look{URL: p.Holders.URL, Headers: p.Holders.Headers, ExpectStatus: 200}
	return params{Observe: &l, Secret: p.Secret, Wait: p.Wait, Timeout: p.Timeout}
}

// access is what one call gives or takes.
type access struct {
	account string
	role    string
	until   time.Time
}

func (a access) end() string {
	if a.until.IsZero() {
		return ""
	}
	return a.until.UTC().Format(time.RFC3339)
}

// fill puts the variables into a call.
func (a access) fill(c call) (call, error) {
	vars := map[string]string{accountVariable: a.account, roleVariable: a.role, untilVariable: a.end()}
	var err error
	if c.URL, err = fillURL(c.URL, vars); err != nil {
		return call{}, err
	}
	if len(c.Body) > 0 {
		c.Body, err = connector.Fill(c.Body, vars)
	}
	return c, err
}

// fillURL puts variables into an address. They are escaped, so that none can change the path or add to the query.
func fillURL(address string, vars map[string]string) (string, error) {
	escaped := map[string]string{}
	for name, value := range vars {
		escaped[name] = escape(value)
	}
	raw, err := json.Marshal(address)
	if err != nil {
		return "", fmt.Errorf("write down an address: %w", err)
	}
	if raw, err = connector.Fill(raw, escaped); err != nil {
		return "", err
	}
	if err := json.Unmarshal(raw, &address); err != nil {
		return "", fmt.Errorf("read an address: %w", err)
	}
	return address, nil
}

// escape is for the path as well as for the query: neither takes a + for anything but a space or itself.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// key names one act on one role, as long as a header may be. The end is a part of it: a later end is another act.
func (a access) key(base, act string) string {
	key := base + "/" + escape(a.role) + "/" + act
	if end := a.end(); end != "" {
		key += "/" + end
	}
	if len(key) > longestKey {
		sum := sha256.Sum256([]byte(key))
		key = hex.EncodeToString(sum[:])
	}
	return key
}

// checkNames refuses names that could mean something else on their way.
func checkNames(wrong fault.Wrong, field string, names ...string) {
	for _, name := range names {
		switch {
		case name == "":
			wrong.Add(field, "holds an empty name")
		case len(name) > longestName:
			wrong.Add(field, "holds a name of more than %d bytes", longestName)
		case name == "." || name == ".." || connector.Tidy(name, longestName) != name || strings.ContainsAny(name, "\n\t"):
			wrong.Add(field, "holds a name that cannot be sent")
		}
	}
}

// checkWanted refuses what must not reach the system.
func checkWanted(w connector.Wanted) error {
	if w.Account == "" {
		who := w.Holder.Name
		if who == "" {
			who = "This person"
		}
		message := who + " has no mail address, and this system knows people by that."
		return &fault.Error{Kind: fault.Invalid, Message: message, Fields: map[string]string{"account": "is missing"}}
	}
	wrong := fault.Wrong{}
	checkNames(wrong, "account", w.Account)
	checkNames(wrong, "managed", w.Managed...)
	for _, role := range w.Roles {
		if !slices.Contains(w.Managed, role) {
			wrong.Add("roles", "holds a role that is not managed, and would never be taken back")
		}
	}
	return connector.CannotGive(wrong)
}
