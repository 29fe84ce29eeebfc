package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const problemType = "application/problem+json"

// Problem says why something was not done, as RFC 9457 has it.
type Problem struct {
	Status  int               `json:"status" doc:"The status code, once more."`
	Title   string            `json:"title" doc:"What kind of problem it is."`
	Detail  string            `json:"detail,omitempty" doc:"What is wrong, in a sentence."`
	Rule    string            `json:"rule,omitempty" doc:"The rule that said no."`
	Who     string            `json:"who,omitempty" doc:"Who may."`
	Fields  map[string]string `json:"fields,omitempty" doc:"What is wrong with each field."`
	Request string            `json:"request,omitempty" doc:"The number of the request in the log."`
}

// Error is the problem in a line.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus is the status code that goes with it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is what a problem is sent as.
func (p *Problem) ContentType(string) string { return problemType }

// Send answers with a problem.
func Send(w http.ResponseWriter, p Problem) error {
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	return json.NewEncoder(w).Encode(p)
}

//nolint:gochecknoinits // the library asks this variable what an error looks like
func init() {
	huma.NewError = newProblem
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return newProblem(status, message, errs...)
	}
}

// newProblem is what the library finds wrong by itself: a body that is no JSON, a field that is not known. What broke on
// our side is not shown.
func newProblem(status int, message string, errs ...error) huma.StatusError {
	p := &Problem{Status: status, Title: http.StatusText(status), Detail: message}
	if status >= http.StatusInternalServerError {
		p.Detail = "Something broke on our side. It may not have been saved."
		return p
	}
	for _, err := range errs {
		var detail *huma.ErrorDetail
		if !errors.As(err, &detail) {
			continue
		}
		if p.Fields == nil {
			p.Fields = map[string]string{}
		}
		at := detail.Location
		for _, begin := range []string{"body.record.", "body.", "query.", "path.", "header."} {
			at = strings.TrimPrefix(at, begin)
		}
		p.Fields[at] = detail.Message
	}
	return p
}
