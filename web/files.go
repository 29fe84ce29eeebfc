package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/canonical"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// File is a file of records.
type File struct {
	Name string // for the messages
	Body []byte
}

// Files reads and writes records as files.
type Files interface {
	// Read reads files on top of what is in force. What is wrong with them is a fault.Invalid, a line for each.
	Read(ctx context.Context, files []File) (store.Bundle, error)
	Write(w io.Writer, b store.Bundle) error
	Schema() ([]byte, error)
}

// The bounds of what the page of files takes and shows.
const (
	maxFiles       = 33 << 20 // bytes of a post: the files that are read have 32 MiB at most, and there is a form around them
	mostFiles      = 200
	filesShown     = 1 << 20 // bytes of files that are shown for more work on them
	changesPlanned = 200
	linesPlanned   = 20
	typedFile      = "typed.yaml"
)

// fileAct is what was sent of files.
type fileAct struct {
	files       []File
	why, source string
	prune, lock bool
	base        int    // the version of the catalogue that the plan was made on; 0 where there was none
	seen        string // the digest of what the plan was made of
}

// digest names what is to be applied.
func (a fileAct) digest() string {
	all := []byte(strconv.FormatBool(a.prune) + strconv.FormatBool(a.lock))
	for _, f := range a.files {
		all = append(all, canonical.DigestBytes("keyholder/file/1", append([]byte(f.Name+"\x00"), f.Body...))...)
	}
	return canonical.DigestBytes("keyholder/files/1", all)
}

func (a fileAct) manner() store.Manner {
	return store.Manner{Source: a.source, Why: a.why, Prune: a.prune, Lock: a.lock}
}

// showFiles draws the page on which files are tried and applied.
func (s *Server) showFiles(c echo.Context) error {
	return s.filesPage(c, http.StatusOK, fileAct{}, view.FilesPage{})
}

func (s *Server) filesPage(c echo.Context, status int, a fileAct, p view.FilesPage) error {
	p.Page = s.page(c, "Files")
	p.Typing = true
	p.MayApply = principal(c).May(access.ApplyCatalog)
	p.Why, p.Source, p.Prune, p.Lock = a.why, a.source, a.prune, a.lock
	size := 0
	for _, f := range a.files {
		size += len(f.Body)
		if p.Hidden = p.Hidden || !utf8.Valid(f.Body); size > filesShown {
			p.Hidden = true
		}
	}
	if !p.Hidden {
		for _, f := range a.files {
			p.Files = append(p.Files, view.TypedFile{Name: f.Name, Body: string(f.Body)})
		}
	}
	if len(p.Files) == 0 {
		p.Files = []view.TypedFile{{Name: typedFile}}
	}
	return s.render(c, status, view.FilesPageOf(p))
}

// exportFiles answers with everything that is in force, as one file that can be applied.
func (s *Server) exportFiles(c echo.Context) error {
	b, err := s.store.Export(c.Request().Context())
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "application/yaml; charset=utf-8")
	h.Set(echo.HeaderContentDisposition, `attachment; filename="catalogue.yaml"`)
	return s.config.Files.Write(c.Response(), b)
}

// showSchema answers with the schema of a record, for editors.
func (s *Server) showSchema(c echo.Context) error {
	body, err := s.config.Files.Schema()
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/schema+json", body)
}

// takeFiles tries files, or applies what was tried.
func (s *Server) takeFiles(c echo.Context) error {
	a, err := readFileAct(c)
	if fields := fieldsOf(err); fields != nil {
		return s.filesPage(c, http.StatusUnprocessableEntity, a, view.FilesPage{Wrong: fields})
	}
	if err != nil {
		return err
	}
	select { // one at a time: a large one takes seconds and much memory
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-c.Request().Context().Done():
		return c.Request().Context().Err()
	}
	b, err := s.config.Files.Read(c.Request().Context(), a.files)
	if f := fault.As(err); f != nil && f.Kind == fault.Invalid {
		return s.filesPage(c, http.StatusUnprocessableEntity, a, view.FilesPage{Errors: strings.Split(f.Message, "\n")})
	}
	if err != nil {
		return err
	}
	if a.seen != a.digest() {
		return s.planFiles(c, http.StatusOK, a, b, nil)
	}
	return s.applyFiles(c, a, b)
}

// planFiles shows what applying would change.
func (s *Server) planFiles(c echo.Context, status int, a fileAct, b store.Bundle, refused error) error {
	plan, err := s.store.Preview(c.Request().Context(), b, a.manner())
	if refusal := refusal("It cannot be applied", err); refusal != nil && err != nil && statusOf(err) < http.StatusInternalServerError {
		return s.filesPage(c, statusOf(err), a, view.FilesPage{Problem: refusal, Errors: fieldLines(err)})
	}
	if err != nil {
		return err
	}
	p := view.FilesPage{Planned: true, ByTwo: plan.ByTwo, Act: store.NewID(), Base: plan.Base, Seen: a.digest(), Problem: refusal("Nothing was applied yet", refused), Total: len(plan.Changes)}
	for _, change := range plan.Changes[:min(len(plan.Changes), changesPlanned)] {
		p.Changes = append(p.Changes, plannedLine(change))
	}
	p.Others = plan.Applied
	return s.filesPage(c, status, a, p)
}

func fieldLines(err error) []string {
	var lines []string
	for name, what := range fieldsOf(err) {
		lines = append(lines, name+" "+what)
	}
	slices.Sort(lines)
	return lines
}

func plannedLine(c store.RecordChange) view.RecordChange {
	line := view.RecordChange{Kind: c.Kind.One(), Name: c.Slug, Verb: "is changed", Path: view.RecordPath(c.Ref)}
	switch {
	case c.Before == nil:
		line.Verb, line.Path = "is added", ""
		return line
	case c.Record == nil:
		line.Verb = "is retired"
		return line
	}
	differences := c.Differences()
	for _, d := range differences[:min(len(differences), linesPlanned)] {
		line.Lines = append(line.Lines, d.String())
	}
	if more := len(differences) - len(line.Lines); more > 0 {
		line.Lines = append(line.Lines, fmt.Sprintf("and %d more", more))
	}
	if len(differences) == 0 {
		line.Verb = "is kept in files from now on"
	}
	return line
}

func (s *Server) applyFiles(c echo.Context, a fileAct, b store.Bundle) error {
	m := a.manner()
	m.Base = a.base
	who := principal(c)
	applied, err := s.store.Apply(c.Request().Context(), who.Person(), b, m)
	if f := fault.As(err); f != nil && f.Rule == store.RuleFourEyes {
		return s.proposeFiles(c, a, b, m)
	}
	switch fault.KindOf(err) { //nolint:exhaustive // the others are not the person's to mend
	case fault.Conflict, fault.Forbidden, fault.Invalid:
		if err != nil {
			return s.planFiles(c, statusOf(err), a, b, err)
		}
	}
	if err != nil {
		return err
	}
	if len(applied) == 0 {
		applied = store.Applied{"Nothing changed: all of it is in force already."}
	}
	s.flash(c, strings.Join(applied[:min(len(applied), 3)], " "))
	return c.Redirect(http.StatusSeeOther, view.CatalogPath())
}

// proposeFiles asks a second person for what files change.
func (s *Server) proposeFiles(c echo.Context, a fileAct, b store.Bundle, m store.Manner) error {
	filed, err := s.store.ProposeBundle(c.Request().Context(), principal(c).Person(), actID(c.FormValue("act")), b, m)
	if f := fault.As(err); f != nil && (f.Kind == fault.Conflict || f.Kind == fault.Forbidden || f.Kind == fault.Invalid) {
		return s.planFiles(c, statusOf(err), a, b, err)
	}
	if err != nil {
		return err
	}
	s.flash(c, filed.Code+" is proposed. It is in force when enough others have approved it.")
	return c.Redirect(http.StatusSeeOther, view.ChangeRequestPath(filed.Code))
}

// readFileAct reads the form of the page of files: what was typed, then what was chosen.
func readFileAct(c echo.Context) (fileAct, error) {
	r, wrong := c.Request(), fault.Wrong{}
	a := fileAct{
		why: text(wrong, "why", r.FormValue("why"), "", approval.MaxText), source: text(wrong, "source", r.FormValue("source"), "", 200),
		prune: r.FormValue("prune") != "", lock: r.FormValue("lock") != "", seen: r.FormValue("seen"),
	}
	a.base, _ = strconv.Atoi(r.FormValue("base"))
	names := r.Form["name"]
	for i, body := range r.Form["body"] {
		if strings.TrimSpace(body) == "" {
			continue
		}
		name := typedFile
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		a.files = append(a.files, File{Name: name, Body: []byte(strings.ReplaceAll(body, "\r\n", "\n"))})
	}
	if r.MultipartForm != nil {
		for _, sent := range r.MultipartForm.File["file"] {
			f, err := fileOf(sent)
			if err != nil {
				return a, err
			}
			if len(f.Body) > 0 {
				a.files = append(a.files, f)
			}
		}
	}
	switch {
	case len(a.files) == 0:
		wrong.Add("body", "Choose files, or type a record.")
	case len(a.files) > mostFiles:
		wrong.Add("body", "At most %d files at once.", mostFiles)
		a.files = nil
	}
	return a, wrong.Err()
}

func fileOf(sent *multipart.FileHeader) (File, error) {
	f, err := sent.Open()
	if err != nil {
		return File{}, fmt.Errorf("open what was sent: %w", err)
	}
	body, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return File{}, fmt.Errorf("read what was sent: %w", err)
	}
	name := path.Base(sent.Filename)
	if !typed(name) || name == "" {
		name = "file.yaml"
	}
	return File{Name: name, Body: body}, nil
}
