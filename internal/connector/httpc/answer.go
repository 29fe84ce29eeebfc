package httpc

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

const (
	longestText    = 4 << 10 // of an answer that is no JSON
	longestExcerpt = 200     // of an answer in an error
)

// answer is a response that was read to its end or to the bound.
type answer struct {
	code      int
	status    string
	isJSON    bool // it says so
	tooLarge  bool
	body      []byte
	requestID string
}

func exchange(client *http.Client, req *http.Request) (answer, error) {
	res, err := client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("call: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // what could be read has been read
	var got answer
	got.code, got.status = res.StatusCode, statusOf(res.StatusCode)
	media, _, mediaErr := mime.ParseMediaType(res.Header.Get("Content-Type"))
	got.isJSON = mediaErr == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
	if id := res.Header.Get("X-Request-Id"); len(id) <= 200 {
		got.requestID = connector.Tidy(id, 200)
	}
	got.body, err = io.ReadAll(io.LimitReader(res.Body, connector.MaxDocument+1))
	if err != nil {
		return got, fmt.Errorf("read answer: %w", err)
	}
	got.tooLarge = len(got.body) > connector.MaxDocument
	return got, nil
}

// statusOf does not repeat the reason phrase that was sent, because that is free text of the other side.
func statusOf(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// document gives the body as JSON; text that does not claim to be JSON becomes {"text": …}.
func (a answer) document() (json.RawMessage, error) {
	if a.tooLarge {
		return nil, fmt.Errorf("with more than %d bytes", connector.MaxDocument)
	}
	if len(a.body) == 0 {
		return nil, nil
	}
	doc, err := connector.Document(a.body)
	if err == nil {
		return doc, nil
	}
	if a.isJSON || json.Valid(a.body) {
		return nil, fmt.Errorf("its JSON cannot be used: %w", err)
	}
	doc, err = json.Marshal(map[string]string{"text": connector.Tidy(string(a.body), longestText)})
	if err != nil {
		return nil, fmt.Errorf("keep the text: %w", err)
	}
	return doc, nil
}

// unexpected explains a status that was not wanted, with the beginning of what the other side said about it.
func (a answer) unexpected(name, expected string) error {
	message := fmt.Sprintf("%s answered %s, where %s.", name, a.status, expected)
	if a.code/100 == 3 {
		message += " Redirects are not followed."
	}
	if said := connector.Tidy(string(a.body), longestExcerpt); said != "" {
		message += " It said: " + said
	}
	kind := fault.Unavailable
	if a.code/100 == 4 && a.code != http.StatusTooManyRequests && a.code != http.StatusRequestTimeout {
		kind = fault.Conflict
	}
	return &fault.Error{Kind: kind, Message: message}
}
