package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"keyholder/internal/signin"
	"keyholder/web/view"
)

// signIn sends a person to the issuer, at once where they are on the way to a page.
func (s *Server) signIn(c echo.Context) error {
	return s.toIssuer(c, local(c.QueryParam("return")), false)
}

// signInAgain asks the issuer for a fresh sign-in, for acts that need a recent one.
func (s *Server) signInAgain(c echo.Context) error {
	return s.toIssuer(c, local(c.QueryParam("return")), true)
}

func (s *Server) toIssuer(c echo.Context, back string, anew bool) error {
	there, err := s.signin.Begin(c.Request().Context(), back, anew)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, there)
}

// signedIn is where the issuer sends people back to.
func (s *Server) signedIn(c echo.Context) error {
	back, err := s.signin.Finish(c.Request().Context(), signin.Callback{
		State: c.QueryParam("state"), Code: c.QueryParam("code"),
		Error: c.QueryParam("error"), Description: c.QueryParam("error_description"),
	})
	if err != nil {
		// The page does not show the cause, and whoever runs the portal has to mend it.
		s.log.WarnContext(c.Request().Context(), "nobody was signed in", "error", err)
		c.Set(retryKey, view.SignInPath(local(back)))
		return errors.Join(err, s.recordFailedSignIn(c.Request().Context(), err))
	}
	return c.Redirect(http.StatusSeeOther, local(back))
}

// recordFailedSignIn puts on record that somebody who is signed in was refused a recent sign-in. One by nobody known is
// only logged: the record is not for strangers to fill.
func (s *Server) recordFailedSignIn(ctx context.Context, refused error) error {
	who, known, err := s.signin.Principal(ctx)
	if err != nil || !known {
		return err
	}
	return s.store.Refused(ctx, who.Person(), "session.sign-in", who.ID, refused)
}

func (s *Server) signOut(c echo.Context) error {
	there, err := s.signin.Leave(c.Request().Context(), view.SignedOutPath())
	if err != nil {
		return err
	}
	if there == "" {
		there = view.SignedOutPath()
	}
	return c.Redirect(http.StatusSeeOther, there)
}

func (s *Server) signedOut(c echo.Context) error {
	page := s.page(c, "Signed out")
	page.Live = false
	return s.render(c, http.StatusOK, view.SignedOutPage(page))
}

// showMe shows a person their own session, and one without a role who can help.
func (s *Server) showMe(c echo.Context) error {
	chosen, err := s.store.ChosenChannels(c.Request().Context(), principal(c).ID)
	if err != nil {
		return err
	}
	return s.mePage(c, http.StatusOK, chosen, nil)
}

// mePage draws it with an order of channels, as it is or as it was typed.
func (s *Server) mePage(c echo.Context, status int, channels []string, wrong error) error {
	p, who := view.Me{Page: s.page(c, "You")}, principal(c)
	version, err := s.store.Catalog(c.Request().Context())
	if err != nil {
		return err
	}
	p.SignedInAt, p.NoRole = who.SignedInAt, len(who.Roles) == 0
	if !p.NoRole {
		p.Ways, p.Typing = ways(version.Catalog, who, s.config.Mail, channels, wrong), true
	}
	return s.render(c, status, view.MePage(p))
}
