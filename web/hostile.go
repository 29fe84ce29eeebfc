package web

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"keyholder/internal/fault"
	"keyholder/web/view"
)

// readForm reads a query and a form within bounds and refuses what no person types: invalid UTF-8 and control
// characters but line breaks and tabs.
func readForm(c echo.Context) error {
	r := c.Request()
	if err := parseForm(c); err != nil {
		return err
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

// parseForm takes only the one encoding that pages send: the binder reads others past the checks made here.
func parseForm(c echo.Context) error {
	r := c.Request()
	if r.Method != http.MethodPost || r.ContentLength == 0 {
		return formError(r.ParseForm())
	}
	want, most, read := echo.MIMEApplicationForm, int64(maxBody), r.ParseForm
	if c.Path() == view.FilesPath() {
		want, most, read = echo.MIMEMultipartForm, maxFiles, func() error { return r.ParseMultipartForm(maxFiles) }
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); err != nil || kind != want {
		return echo.NewHTTPError(http.StatusUnsupportedMediaType)
	}
	if err := readBy(c, time.Now().Add(slowest)); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(c.Response(), r.Body, most)
	if err := formError(read()); err != nil {
		return err
	}
	return readBy(c, time.Time{}) // left in place it would end the context of a handler that takes longer
}

// readBy bounds how long the rest of a request may take; zero is for ever.
func readBy(c echo.Context, at time.Time) error {
	err := http.NewResponseController(c.Response()).SetReadDeadline(at)
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("bound the time for a form: %w", err)
	}
	return nil
}

func formError(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return echo.NewHTTPError(http.StatusRequestEntityTooLarge)
	case err != nil:
		return &fault.Error{Kind: fault.Invalid, Message: "The form could not be read.", Err: err}
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
