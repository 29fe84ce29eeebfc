package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// reviewsListed bounds how many past reviews are shown.
const reviewsListed = 10

// reviewForm is what the signature under a review posts.
type reviewForm struct {
	Act    string `form:"act"`
	Digest string `form:"digest"`
	Note   string `form:"note"`
}

func (s *Server) showRoles(c echo.Context) error {
	return s.rolesPage(c, http.StatusOK, reviewForm{}, nil)
}

// rolesPage draws who holds which role, and who signed that.
func (s *Server) rolesPage(c echo.Context, status int, typed reviewForm, refused error) error {
	ctx, now := c.Request().Context(), s.store.Now()
	version, asOf, err := s.catalogOf(c)
	if err != nil {
		return err
	}
	at := now
	if asOf != nil {
		at = earlier(now, asOf.At)
	}
	held, err := s.store.HoldingsOn(ctx, version, at)
	if err != nil {
		return err
	}
	reviews, err := s.store.Reviews(ctx, reviewsListed)
	if err != nil {
		return err
	}
	p := view.Roles{
		Page: s.page(c, "Who holds which role"), AsOf: asOf, Deputies: deputyLines(held.Deputies), Shared: sharedLines(held.Shared), Due: dueWords(reviews, now),
		Problem: refusal("It was not signed", refused), Note: typed.Note, Wrong: fieldsOf(refused),
	}
	for _, role := range access.Roles() {
		p.Roles = append(p.Roles, roleLines(role, held))
	}
	for _, r := range reviews {
		p.Reviews = append(p.Reviews, view.ReviewLine{
			By: r.By.Name, At: r.At, Due: r.Due.Format(time.DateOnly), Note: r.Note, Digest: r.Digest, Version: r.Catalog,
			Path: view.RolesPath() + "?" + url.Values{"on": {r.At.Format(time.RFC3339Nano)}}.Encode(),
		})
	}
	if who := principal(c); asOf == nil && who.May(access.ReviewRoles) {
		p.Sign = &view.SignReview{Act: actID(typed.Act), Digest: held.Digest}
	}
	p.Live = false // what is signed stays what was read
	return s.render(c, status, view.RolesPage(p))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// roleLines are the assignments of one role.
func roleLines(role access.Role, held store.Holdings) view.RoleHeld {
	lines := view.RoleHeld{Title: role.Title()}
	for _, h := range held.All {
		if h.Role != role {
			continue
		}
		line := view.HeldBy{Path: view.RecordPath(catalog.Ref{Kind: catalog.KindAssignment, Slug: h.Slug}), Name: h.Name, To: h.Person, Scope: h.Scope().String()}
		if h.Group != "" {
			line.To = "the group " + h.Group
		}
		if h.Until != "" {
			line.Scope += ", until " + h.Until
		}
		line.People = strings.Join(personNames(h.People), ", ") // all: what is signed is what was shown
		lines.Held = append(lines.Held, line)
	}
	return lines
}

func personNames(people []access.Person) []string {
	names := make([]string, len(people))
	for i, p := range people {
		names[i] = p.Name
	}
	return names
}

func deputyLines(deputies []catalog.Deputy) []string {
	lines := make([]string, len(deputies))
	for i, d := range deputies {
		lines[i] = fmt.Sprintf("%s stands in for %s until %s (%s)", d.Person, d.For, d.Until, d.Name)
	}
	return lines
}

// sharedLines name accounts that are one person.
func sharedLines(shared [][]access.Person) []string {
	lines := make([]string, len(shared))
	for i, accounts := range shared {
		lines[i] = fmt.Sprintf("%s: %d accounts with one verified address. They have one vote.", joined(personNames(accounts)), len(accounts))
	}
	return lines
}

// dueWords say when the next review is due.
func dueWords(reviews []store.Review, now time.Time) string {
	switch {
	case len(reviews) == 0:
		return "Nobody has reviewed this yet. It is due now."
	case reviews[0].Due.Before(now):
		return "The next review was due on " + reviews[0].Due.Format(time.DateOnly) + "."
	}
	return "The next review is due on " + reviews[0].Due.Format(time.DateOnly) + "."
}

// reviewRoles signs who holds which role, as it was shown.
func (s *Server) reviewRoles(c echo.Context) error {
	form, wrong := reviewForm{}, fault.Wrong{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	note := text(wrong, "note", form.Note, "", approval.MaxText)
	err := wrong.Err()
	if err == nil {
		_, err = s.store.SignReview(c.Request().Context(), principal(c), store.Review{ID: actID(form.Act), Digest: form.Digest, Note: note})
	}
	switch {
	case fieldsOf(err) != nil || fault.KindOf(err) == fault.Conflict:
		form.Act = ""
		return s.rolesPage(c, statusOf(err), form, err)
	case fault.KindOf(err) == fault.SignInAgain:
		return c.Redirect(http.StatusSeeOther, view.SignInAgainPath(view.RolesPath()))
	case err != nil:
		return err
	}
	s.flash(c, "Your review is signed and kept.")
	return c.Redirect(http.StatusSeeOther, view.RolesPath())
}

// reviewDue asks whoever may review for a review that is due.
func (s *Server) reviewDue(ctx context.Context, p *view.Now, who access.Principal, now time.Time) error {
	if !who.May(access.ReviewRoles) {
		return nil
	}
	reviews, err := s.store.Reviews(ctx, 1)
	if err != nil || len(reviews) > 0 && reviews[0].Due.After(now) {
		return err
	}
	w := view.Waiting{Title: "Review who holds which role", Why: dueWords(reviews, now), Path: view.RolesPath(), Since: now}
	if len(reviews) > 0 {
		w.Since = reviews[0].Due
	}
	p.Waiting = append(p.Waiting, w)
	return nil
}
