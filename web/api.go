package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/web/api"
	"keyholder/web/view"
)

// addAPI puts the JSON API beside the pages.
func (s *Server) addAPI(e *echo.Echo) []api.Operation {
	return api.Add(e, api.Config{Store: s.store, Version: s.config.Version, Bearer: func(ctx context.Context, token string) (access.Principal, error) { return s.signin.Bearer(ctx, token) }, Explain: s.explain, Decode: s.config.Decode})
}

// explain puts a fault in the words that an error page would say it in.
func (s *Server) explain(ctx context.Context, err error) api.Problem {
	request := audit.OriginOf(ctx).Request
	status, page := errorPage(err)
	if status == http.StatusInternalServerError {
		s.log.ErrorContext(ctx, "request of the API failed", "request", request, "error", err)
	}
	page.Request = request
	return problemOf(status, page)
}

// problemOf says to a program what an error page says to people.
func problemOf(status int, page view.Error) api.Problem {
	p := api.Problem{
		Status: status, Title: page.Headline, Detail: page.Message, Rule: page.Rule, Who: page.Who, Fields: page.Fields, Request: page.Request,
	}
	switch {
	case len(p.Fields) > 0:
		p.Detail = "Some of what was sent is wrong."
	case status == http.StatusNotFound && p.Detail == noPage:
		p.Detail = "There is nothing at this address: " + api.Description + " says what there is."
	}
	return p
}
