package web

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// bindForm reads a posted form into a struct whose fields are all text, so that nothing typed is lost to a conversion.
func bindForm(c echo.Context, form any) error {
	if err := (&echo.DefaultBinder{}).BindBody(c, form); err != nil {
		return &fault.Error{Kind: fault.Invalid, Message: "The form could not be read. Open the page again and send it once more.", Err: err}
	}
	return nil
}

// bindQuery reads the query into a struct whose fields are all text.
func bindQuery(c echo.Context, form any) error {
	if err := (&echo.DefaultBinder{}).BindQueryParams(c, form); err != nil {
		return &fault.Error{Kind: fault.Invalid, Message: "The address could not be read. Open the page again from its link.", Err: err}
	}
	return nil
}

// actID is the id that a page gave an act, so that a doubled click is one act. A form that was not made by a page has
// none, and gets a new one.
func actID(sent string) string {
	if id, err := uuid.Parse(sent); err == nil {
		return id.String()
	}
	return store.NewID()
}

// text checks a line or more that a person typed, and returns it without the space around it.
func text(wrong fault.Wrong, field, typed, ask string, most int) string {
	typed = strings.TrimSpace(strings.ReplaceAll(typed, "\r\n", "\n"))
	switch n := utf8.RuneCountInString(typed); {
	case n == 0 && ask != "":
		wrong.Add(field, "%s", ask)
	case n > most:
		wrong.Add(field, "This has %d characters; at most %d fit.", n, most)
	}
	return typed
}

// formTime is how forms write a time, in UTC: a browser's own input would show it by the browser's habits, with a.m. and
// p.m. in some.
const formTime = "2006-01-02 15:04:05"

// parseTime reads a time as people write it.
func parseTime(typed string) (time.Time, bool) {
	for _, layout := range []string{formTime, "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.RFC3339} {
		if t, err := time.Parse(layout, strings.TrimSpace(typed)); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// ceilingOf reads a loss ceiling. A planned move accepts no loss, whatever was typed.
func ceilingOf(wrong fault.Wrong, mode failover.Mode, kind, most string) failover.Ceiling {
	if mode == failover.Planned {
		return failover.Ceiling{Kind: failover.CeilingOrders}
	}
	c := failover.Ceiling{Kind: failover.CeilingKind(kind)}
	switch c.Kind {
	case failover.CeilingUnknown:
		return c
	case failover.CeilingOrders, failover.CeilingSeconds:
	default:
		wrong.Add("ceiling", "Choose in what the most acceptable loss is counted.")
		return c
	}
	n, err := strconv.ParseInt(strings.TrimSpace(most), 10, 64)
	if err != nil || n < 0 || n > failover.MaxCeiling {
		wrong.Add("most", "Type a whole number from 0 to %d.", failover.MaxCeiling)
		return c
	}
	c.Value = n
	return c
}

// fieldsOf are the messages at the fields of a form that an error carries.
func fieldsOf(err error) map[string]string {
	if f := fault.As(err); f != nil && f.Kind == fault.Invalid {
		return f.Fields
	}
	return nil
}
