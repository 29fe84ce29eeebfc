package httpc

import (
	"encoding/json"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

const (
	defaultWait    = 5 * time.Second
	defaultTimeout = 2 * time.Second
)

type params struct {
	Observe    *look                   `json:"observe"`
	DoneWhen   []connector.Expectation `json:"done_when"`
	Apply      *call                   `json:"apply"`
	Undo       *call                   `json:"undo"`
	UndoneWhen []connector.Expectation `json:"undone_when"`
	Secret     string                  `json:"secret"`
	Wait       connector.Duration      `json:"wait"`
	Timeout    connector.Duration      `json:"timeout"`
}

type look struct {
	URL          string            `json:"url"`
	Headers      map[string]string `json:"headers"`
	ExpectStatus int               `json:"expect_status"`
}

type call struct {
	Method string          `json:"method"`
	URL    string          `json:"url"`
	Body   json.RawMessage `json:"body"`
}

func read(p connector.Params) (params, error) {
	var got params
	if err := connector.Decode(p, &got); err != nil {
		return params{}, err
	}
	wrong := fault.Wrong{}
	if got.Observe == nil {
		wrong.Add("observe", "is missing: without looking nothing can be known or done")
	} else {
		got.Observe.check(wrong, "observe")
	}
	connector.CheckExpectations(wrong, "done_when", got.DoneWhen)
	connector.CheckExpectations(wrong, "undone_when", got.UndoneWhen)
	got.Wait.Check(wrong, "wait")
	got.Timeout.Check(wrong, "timeout")
	got.checkActs(wrong)
	if got.Secret != "" {
		if err := connector.CheckSecret(got.Secret); err != nil {
			wrong.Add("secret", "%v", err)
		}
	}
	return got, wrong.Err()
}

func (p params) checkActs(wrong fault.Wrong) {
	switch {
	case p.Apply != nil:
		p.Apply.check(wrong, "apply")
		if len(p.DoneWhen) == 0 {
			wrong.Add("done_when", "is missing: an act needs a desired state to look for")
		}
	case p.Undo != nil:
		wrong.Add("undo", "must not be given without apply")
	case p.Secret != "":
		wrong.Add("secret", "must not be given without apply: only acts are signed")
	}
	if p.Undo != nil {
		p.Undo.check(wrong, "undo")
	} else if len(p.UndoneWhen) > 0 {
		wrong.Add("undone_when", "must not be given without undo")
	}
}

func (l *look) check(wrong fault.Wrong, within string) {
	checkURL(wrong, within+".url", l.URL)
	if l.ExpectStatus == 0 {
		l.ExpectStatus = http.StatusOK
	}
	if l.ExpectStatus < 200 || l.ExpectStatus > 599 {
		wrong.Add(within+".expect_status", "must be between 200 and 599")
	}
	for name, value := range l.Headers {
		field := within + ".headers." + name
		switch {
		case !headerName(name) || !headerValue(value):
			wrong.Add(field, "is not a valid header")
		case textproto.CanonicalMIMEHeaderKey(name) == "Host":
			wrong.Add(field, "cannot be set; the url says the host")
		case carriesSecret(name) && connector.CheckSecret(value) != nil:
			wrong.Add(field, "%v", connector.CheckSecret(value))
		}
	}
}

// carriesSecret says that the value of a header is a credential, and so is given by reference.
func carriesSecret(name string) bool {
	return slices.Contains([]string{"authorization", "proxy-authorization", "cookie", "x-api-key"}, strings.ToLower(name))
}

func (c *call) check(wrong fault.Wrong, field string) {
	checkURL(wrong, field+".url", c.URL)
	acting := []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	if !slices.Contains(acting, c.Method) {
		wrong.Add(field+".method", "must be one of %s", strings.Join(acting, ", "))
	}
}

func checkURL(wrong fault.Wrong, field, raw string) {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		wrong.Add(field, "is missing")
	case err != nil: // the error repeats the address, which may hold what nobody should see
		wrong.Add(field, "is not a valid address")
	case u.Scheme != "http" && u.Scheme != "https":
		wrong.Add(field, "must begin with http:// or https://")
	case u.Hostname() == "":
		wrong.Add(field, "names no host")
	case u.User != nil:
		wrong.Add(field, "must hold no user or password")
	case u.Fragment != "":
		wrong.Add(field, "must hold no #fragment")
	}
}

// headerName says that s is a token of RFC 9110.
func headerName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func headerValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
