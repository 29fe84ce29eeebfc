package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// auditPage is how many lines a page of the record has, auditExport how many an export.
const (
	auditPage   = 50
	auditExport = 10000
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
	page, err := s.page(c, "Record")
	if err != nil {
		return err
	}
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
		return view.RequestPath(object)
	case strings.HasPrefix(object, "IN-"):
		return view.IncidentPath(object)
	}
	return ""
}

// auditCSV exports the lines that the filter chooses. A cell that a spreadsheet would run is quoted.
func (s *Server) auditCSV(c echo.Context) error {
	lines, err := s.export(c)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	w := csv.NewWriter(&body)
	rows := [][]string{{"seq", "at", "actor", "actor_id", "action", "object", "outcome", "rule", "text", "detail", "digest"}}
	for _, l := range lines {
		rows = append(rows, []string{
			strconv.FormatInt(l.Seq, 10), l.At.Format(time.RFC3339Nano), l.Actor.Name, l.Actor.ID, l.Action, l.Object,
			string(l.Outcome), l.Rule, l.Text, string(l.Detail), l.Digest,
		})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = inert(row[i])
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="keyholder-record.csv"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8", body.Bytes())
}

// inert keeps a spreadsheet from running a cell.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func (s *Server) auditJSON(c echo.Context) error {
	lines, err := s.export(c)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="keyholder-record.json"`)
	return c.JSON(http.StatusOK, lines)
}

func (s *Server) export(c echo.Context) ([]store.Line, error) {
	filter, err := auditFilter(c, auditExport)
	if err != nil {
		return nil, err
	}
	return s.store.Record(c.Request().Context(), filter)
}
