package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/web/api"
)

// addAPI puts the JSON API beside the pages.
func (s *Server) addAPI(e *echo.Echo) []api.Operation {
	return api.Add(e, api.Config{Store: s.store, Version: s.config.Version, Bearer: func(ctx context.Context, token string) (access.Principal, error) { return s.signin.Bearer(ctx, token) }, Explain: s.explain})
}

// explain puts a fault in the words that an error page would say it in.
func (s *Server) explain(ctx context.Context, err error) api.Problem {
	request := audit.OriginOf(ctx).Request
	status, page := errorPage(err)
	if status == http.StatusInternalServerError {
		s.log.ErrorContext(ctx, "request of the API failed", "request", request, "error", err)
	}
	return api.Problem{
		Status: status, Title: page.Headline, Detail: page.Message, Rule: page.Rule, Who: page.Who, Fields: page.Fields, Request: request,
	}
}
