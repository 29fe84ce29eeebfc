package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/web/view"
)

// accessFindings are what was found on systems that no grant explains, with the button that puts it right for those who may press it.
func (s *Server) accessFindings(ctx context.Context, who access.Principal) ([]view.AccessFinding, error) {
	found, err := s.store.AccessFindings(ctx)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	lines := make([]view.AccessFinding, len(found))
	for i, f := range found {
		lines[i] = view.AccessFinding{What: foundWords(f), System: version.NameOf(catalog.KindSystem, f.System), Since: f.Seen, State: putRightWords(f)}
		if _, err := f.PutRight(who, s.store.Now()); err == nil {
			lines[i].Put = &view.NoteForm{Path: view.PutRightPath(f.ID), Label: putRightLabel(f), Boundary: f.Kind == breakglass.Unexplained}
		}
	}
	return lines, nil
}

// foundWords leaves names as the system spells them.
func foundWords(f breakglass.Finding) string {
	if f.Kind == breakglass.Unread {
		return sentence(f.Words())
	}
	return f.Words()
}

func putRightWords(f breakglass.Finding) string {
	words := ""
	if f.Wanted != nil {
		words = fmt.Sprintf("%s asked at %s to put it right.", f.Wanted.By.Name, approval.Clock(f.Wanted.At))
	}
	if f.Trouble != nil {
		words += fmt.Sprintf(" It does not go, after %d attempts: %s", f.Trouble.Attempts, f.Trouble.Why)
	}
	return words
}

func putRightLabel(f breakglass.Finding) string {
	if f.Kind == breakglass.Missing {
		return fmt.Sprintf("Give %s to %s again", f.Role, f.Account)
	}
	return fmt.Sprintf("Take %s from %s", f.Role, f.Account)
}

// putAccessRight has a finding put right. Pressed twice it is asked for once.
func (s *Server) putAccessRight(c echo.Context) error {
	err := s.store.PutRight(c.Request().Context(), principal(c), c.Param("id"))
	if refusedHere(err) {
		return s.accessesPage(c, statusOf(err), freezeForm{}, typedAccess{typedVote: typedVote{problem: refusal("It was not asked for", err)}})
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, view.AccessesPath())
}
