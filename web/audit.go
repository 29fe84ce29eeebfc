package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// auditPage is how many lines a page of the record has, auditExport how many an export reads at a time.
const (
	auditPage   = 50
	auditExport = 500
)

// auditFilter reads the filter that the address holds.
func auditFilter(c echo.Context, limit int) (store.Filter, error) {
	f := store.Filter{
		Object: c.QueryParam("object"), Actor: c.QueryParam("actor"), Action: c.QueryParam("action"),
		Outcome: c.QueryParam("outcome"), Limit: limit,
	}
	if before := c.QueryParam("before"); before != "" {
		n, err := strconv.ParseInt(before, 10, 64)
		if err != nil || n < 1 {
			return f, fault.Wrong{"before": "must be the number of a line"}.Err()
		}
		f.Before = n
	}
	return f, nil
}

func (s *Server) showAudit(c echo.Context) error {
	filter, err := auditFilter(c, auditPage+1)
	if err != nil {
		return err
	}
	lines, err := s.store.Record(c.Request().Context(), filter)
	if err != nil {
		return err
	}
	page := s.page(c, "Record")
	a := view.Audit{Page: page, Filter: view.AuditFilter{Object: filter.Object, Actor: filter.Actor, Action: filter.Action, Outcome: filter.Outcome, Before: filter.Before}}
	if len(lines) > auditPage {
		lines = lines[:auditPage]
		a.Older = view.AuditPath(a.Filter.At(lines[len(lines)-1].Seq))
	}
	for _, line := range lines {
		a.Lines = append(a.Lines, auditLine(line))
	}
	a.Live = filter.Before == 0
	return s.render(c, http.StatusOK, view.AuditPage(a))
}

func auditLine(line store.Line) view.AuditLine {
	var detail bytes.Buffer
	if len(line.Detail) > 0 && json.Indent(&detail, line.Detail, "", "  ") != nil {
		detail.Reset()
		detail.Write(line.Detail)
	}
	return view.AuditLine{
		Seq: line.Seq, At: line.At, Actor: line.Actor.Name, ActorID: line.Actor.ID, Action: line.Action, Object: line.Object,
		ObjectPath: objectPath(line.Object), Outcome: line.Outcome, Open: line.Open, Rule: line.Rule, Text: line.Text,
		Detail: detail.String(), Digest: line.Digest, Address: line.Origin.Address, Request: line.Origin.Request,
	}
}

// objectPath is the page of what a line is about, where it has one.
func objectPath(object string) string {
	switch {
	case strings.HasPrefix(object, "FO-"):
		if code, _, ok := strings.Cut(object, "/"); ok { // an exception to a run
			return view.RunPath(code)
		}
		return view.RequestPath(object)
	case strings.HasPrefix(object, "IN-"):
		return view.IncidentPath(object)
	case strings.HasPrefix(object, store.ModeCode):
		code, _, _ := strings.Cut(object, "/")
		return view.ModePath(code)
	case strings.HasPrefix(object, store.AccessCode):
		return view.AccessPath(object)
	case strings.HasPrefix(object, "CH-"):
		return view.ChangeRequestPath(object)
	case strings.HasPrefix(object, "channel/"):
		return view.MessagesPath()
	case object == "catalog" || strings.HasPrefix(object, "catalog/"):
		return "/" + object
	}
	return ""
}

// auditCSV exports every line that the filter chooses. A cell that a spreadsheet would run is quoted.
func (s *Server) auditCSV(c echo.Context) error {
	return s.export(c, "text/csv; charset=utf-8", "keyholder-record.csv", &csvLines{})
}

// auditJSON exports the same lines as one array.
func (s *Server) auditJSON(c echo.Context) error {
	return s.export(c, echo.MIMEApplicationJSON, "keyholder-record.json", &jsonLines{})
}

// writer writes lines of the record, a page at a time; the last call has none.
type writer interface {
	write(w io.Writer, lines []store.Line) error
}

// export streams the record as it is kept, so that no export is too large and none is cut short without a sign: where
// it cannot go on, the connection breaks.
func (s *Server) export(c echo.Context, kind, name string, form writer) error {
	filter, err := auditFilter(c, auditExport)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	lines, err := s.store.Record(ctx, filter)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, kind)
	h.Set(echo.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	c.Response().WriteHeader(http.StatusOK)
	for err == nil {
		if err = form.write(c.Response(), lines); err != nil || len(lines) == 0 {
			break
		}
		filter.Before = lines[len(lines)-1].Seq
		lines, err = s.store.Record(ctx, filter)
	}
	if err != nil {
		s.log.WarnContext(ctx, "an export of the record broke off", "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// csvLines writes lines as rows under a head.
type csvLines struct{ begun bool }

func (f *csvLines) write(out io.Writer, lines []store.Line) error {
	w := csv.NewWriter(out)
	var rows [][]string
	if !f.begun {
		f.begun = true
		rows = append(rows, []string{"seq", "at", "actor", "actor_id", "action", "object", "outcome", "open", "rule", "text", "detail", "act", "address", "request", "digest"})
	}
	for _, l := range lines {
		row := []string{
			strconv.FormatInt(l.Seq, 10), l.At.Format(time.RFC3339Nano), l.Actor.Name, l.Actor.ID, l.Action, l.Object,
			string(l.Outcome), strconv.FormatBool(l.Open), l.Rule, l.Text, string(l.Detail), l.Act, l.Origin.Address, l.Origin.Request, l.Digest,
		}
		for i := range row {
			row[i] = inert(row[i])
		}
		rows = append(rows, row)
	}
	return w.WriteAll(rows)
}

// jsonLines writes lines as members of one array.
type jsonLines struct{ begun bool }

func (f *jsonLines) write(out io.Writer, lines []store.Line) error {
	var b bytes.Buffer
	if !f.begun {
		b.WriteString("[")
	}
	for _, l := range lines {
		if f.begun {
			b.WriteString(",")
		}
		f.begun = true
		b.WriteString("\n")
		body, err := json.Marshal(l)
		if err != nil {
			return err
		}
		b.Write(body)
	}
	if len(lines) == 0 {
		b.WriteString("\n]\n")
	}
	_, err := out.Write(b.Bytes())
	return err
}

// inert keeps a spreadsheet from running a cell.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
