package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"keyholder/internal/fault"
	"keyholder/web/api"
	"keyholder/web/view"
)

var statuses = map[fault.Kind]int{
	fault.Internal: http.StatusInternalServerError, fault.Invalid: http.StatusUnprocessableEntity,
	fault.NotFound: http.StatusNotFound, fault.Forbidden: http.StatusForbidden, fault.Conflict: http.StatusConflict,
	fault.Unavailable: http.StatusServiceUnavailable, fault.SignInAgain: http.StatusForbidden,
}

var headlines = map[int]string{
	http.StatusUnprocessableEntity: "This cannot be right", http.StatusNotFound: "Not found",
	http.StatusForbidden: "Not allowed", http.StatusConflict: "Someone was first",
	http.StatusServiceUnavailable: "Not available now", http.StatusRequestEntityTooLarge: "Too much at once",
	http.StatusMethodNotAllowed: "Not possible here", http.StatusUnsupportedMediaType: "Not possible here",
}

// retryKey is where a handler leaves the address at which an act that failed is begun again.
const retryKey = "retry"

// noPage is what is said where nothing is.
const noPage = "There is no page at this address."

// fail is the one place that knows status codes and error pages.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if fault.KindOf(err) == fault.SignInAgain {
		s.answer(c, c.Redirect(http.StatusSeeOther, view.SignInAgainPath(returnTo(c.Request()))))
		return
	}
	status, page := errorPage(err)
	page.Request = c.Response().Header().Get(echo.HeaderXRequestID)
	if status == http.StatusServiceUnavailable {
		s.log.WarnContext(c.Request().Context(), "something does not answer", "path", c.Path(), "error", err)
		page.Retry = returnTo(c.Request())
	}
	if retry, ok := c.Get(retryKey).(string); ok {
		page.Retry = retry
	}
	if status == http.StatusInternalServerError {
		s.log.ErrorContext(c.Request().Context(), "request failed", "method", c.Request().Method, "path", c.Path(),
			"request", page.Request, "error", err)
	}
	if strings.HasPrefix(c.Request().URL.Path, api.Root) {
		s.answer(c, api.Send(c.Response(), problemOf(status, page)))
		return
	}
	page.Page = s.page(c, page.Headline)
	page.Live = false
	s.answer(c, s.render(c, status, view.ErrorPage(page)))
}

// answer logs an error page that could not be sent; there is nobody left to tell.
func (s *Server) answer(c echo.Context, err error) {
	if err != nil {
		s.log.WarnContext(c.Request().Context(), "the error page was not sent", "error", err)
	}
}

// errorPage is the status of an error, and what people are told.
func errorPage(err error) (int, view.Error) {
	page := view.Error{}
	status := http.StatusInternalServerError
	var sent *echo.HTTPError
	switch told := fault.As(err); {
	case told != nil && told.Kind != fault.Internal:
		status = statuses[told.Kind]
		page.Message, page.Rule, page.Who, page.Fields = told.Message, told.Rule, told.Who, told.Fields
	case errors.As(err, &sent) && sent.Code < http.StatusInternalServerError:
		status = sent.Code
		page.Message = map[int]string{
			http.StatusNotFound:              noPage,
			http.StatusRequestEntityTooLarge: "The form is larger than any that a person fills in. Nothing was saved.",
			http.StatusMethodNotAllowed:      "This address does not take that.",
			http.StatusUnsupportedMediaType:  "This was not sent as a page of the portal sends a form. Nothing was saved.",
		}[status]
	}
	page.Headline = headlines[status]
	if status == http.StatusInternalServerError {
		page.Headline = "Something broke on our side"
		page.Message = "It has been logged. Quote the number below to whoever runs Keyholder; what you did may not have been saved."
	}
	return status, page
}

// statusOf is the status that goes with an error.
func statusOf(err error) int { return statuses[fault.KindOf(err)] }
