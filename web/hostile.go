package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"keyholder/internal/fault"
)

// readForm reads a query and a form within bounds and refuses what no person types: invalid UTF-8 and control
// characters but line breaks and tabs.
func readForm(c echo.Context) error {
	r := c.Request()
	if r.Method == http.MethodPost {
		if err := http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(slowest)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		r.Body = http.MaxBytesReader(c.Response(), r.Body, maxBody)
	}
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return echo.NewHTTPError(http.StatusRequestEntityTooLarge)
		}
		return &fault.Error{Kind: fault.Invalid, Message: "The form could not be read.", Err: err}
	}
	for _, name := range c.ParamNames() {
		if value, err := url.PathUnescape(c.Param(name)); err != nil || !typed(value) {
			return fault.Missing("page", "this address")
		}
	}
	for _, values := range r.Form {
		for _, value := range values {
			if !typed(value) {
				return &fault.Error{Kind: fault.Invalid, Message: "The form holds characters that nobody types. Nothing was saved."}
			}
		}
	}
	return nil
}

// typed says whether a person could have typed the text.
func typed(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' || r == '\uFFFE' || r == '\uFFFF' {
			return false
		}
	}
	return true
}
