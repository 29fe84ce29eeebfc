package web

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// healthz says that this process answers.
func (s *Server) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readiness names what is missing before the portal can do its work. A sign-in provider that is away is a warning:
// whoever is signed in can go on.
type readiness struct {
	Ready    bool     `json:"ready"`
	Missing  []string `json:"missing"`
	Warnings []string `json:"warnings"`
}

func (s *Server) readyz(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 3*time.Second)
	defer cancel()
	answer := readiness{Missing: []string{}, Warnings: []string{}}
	if err := s.store.Ping(ctx); err != nil {
		answer.Missing = append(answer.Missing, "database: "+err.Error())
	} else if err := s.store.CheckSchema(ctx); err != nil {
		answer.Missing = append(answer.Missing, "schema: "+err.Error())
	}
	if err := s.process.Healthy(ctx); err != nil {
		answer.Missing = append(answer.Missing, err.Error())
	}
	if err := s.signin.Healthy(ctx); err != nil {
		answer.Warnings = append(answer.Warnings, err.Error())
	}
	answer.Ready = len(answer.Missing) == 0
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
	}
	return c.JSON(status, answer)
}
