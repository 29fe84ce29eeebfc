package pgrole

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// The bounds of what is read of a server's log for one use.
const (
	chunk    = 1 << 20
	mostRead = 128 << 20
	near     = 256 << 10 // how near to the first line of a use one gets by halving
)

// hourTwice is how far the times of lines may be from their order, where a zone has an hour twice in autumn and its letters are not known.
const hourTwice = 2 * time.Hour

// logFile is one file of the log.
type logFile struct {
	Path string
	Size int64
}

func setting(ctx context.Context, s *session, name string) (string, error) {
	return one(ctx, s, pgx.RowTo[string], `SELECT coalesce(current_setting($1, true), '')`, name)
}

// logFiles are those that were written to since a moment, the oldest first.
func (s *session) logFiles(ctx context.Context, since time.Time) ([]logFile, error) {
	collects, err := setting(ctx, s, "logging_collector")
	if err != nil {
		return nil, err
	}
	kinds, err := setting(ctx, s, "log_destination")
	if err != nil {
		return nil, err
	}
	if collects != "on" || !bytes.Contains([]byte(kinds), []byte("jsonlog")) {
		message := fmt.Sprintf("%s keeps no log that can be read: set logging_collector to on, and jsonlog in log_destination.", s.name)
		return nil, &fault.Error{Kind: fault.Conflict, Message: message}
	}
	return list(ctx, s, pgx.RowToStructByPos[logFile],
		`SELECT current_setting('log_directory') || '/' || name, size FROM pg_ls_logdir() WHERE name LIKE '%.json' AND modification >= $1 ORDER BY modification, name`, since)
}

// part reads a part of a file.
func (s *session) part(ctx context.Context, file logFile, from, length int64) ([]byte, error) {
	return one(ctx, s, pgx.RowTo[[]byte], `SELECT pg_read_binary_file($1, $2, $3, true)`, file.Path, from, length)
}

// readLog takes from one file what an account did in a use. What is read is taken from the budget, in bytes.
func (s *session) readLog(ctx context.Context, file logFile, u logUse, a *connector.Activity, budget *int64) error {
	at, err := s.begins(ctx, file, u)
	if err != nil {
		return err
	}
	var rest []byte // of a line that goes on in the next part
	for at < file.Size {
		if *budget <= 0 {
			a.Lacks("Only %d MiB of the log were read.", mostRead>>20)
			return nil
		}
		raw, err := s.part(ctx, file, at, min(chunk, file.Size-at))
		if err != nil {
			return err
		}
		if len(raw) == 0 {
			a.Lacks("A file of the log was removed or cut short while it was read.")
			return nil
		}
		at += int64(len(raw))
		*budget -= int64(len(raw))
		lines := bytes.Split(append(rest, raw...), []byte("\n"))
		rest = bytes.Clone(lines[len(lines)-1])
		for _, line := range lines[:len(lines)-1] {
			if e, ok := u.entry(line); ok {
				a.Add(e)
			}
		}
		if u.over(lines) {
			return nil
		}
	}
	if e, ok := u.entry(rest); ok { // the last line, where nothing ends it
		a.Add(e)
	}
	return nil
}

// lacks notes what the log cannot say of a use: what was before its oldest file or before the server started, and what it does not write
// down.
func (s *session) lacks(ctx context.Context, files []logFile, u logUse, a *connector.Activity) error {
	type server struct {
		Started time.Time
		Writes  bool
	}
	is, err := one(ctx, s, pgx.RowToStructByPos[server], `SELECT pg_postmaster_start_time(), current_setting('log_statement') <> 'none'
		OR EXISTS (SELECT FROM pg_roles r, unnest(r.rolconfig) c WHERE r.rolname::text = $1 AND c LIKE 'log\_statement=%' AND c <> 'log_statement=none')`, u.Account)
	if err != nil {
		return err
	}
	if is.Started.After(u.From) {
		a.Lacks("The server started at %s, after the use began: what was done before, perhaps on another, may be missing.", clock(is.Started))
	}
	if !is.Writes {
		a.Lacks("Statements are not written down: log_statement is none there, and nothing says otherwise for this login.")
	}
	if len(files) == 0 {
		a.Lacks("There is no log of that time.")
		return nil
	}
	head, err := s.part(ctx, files[0], 0, near)
	if err != nil {
		return err
	}
	if at, ok := u.first(bytes.Split(head, []byte("\n"))); ok && at.After(u.From.Add(connector.ClockSlack)) {
		a.Lacks("The log goes back to %s only, which is after the use began.", clock(at))
	}
	return nil
}

func clock(at time.Time) string { return at.UTC().Format("15:04:05 UTC") }

// begins is somewhat before the first line of a use: the log is in the order of time, and a day's is long.
func (s *session) begins(ctx context.Context, file logFile, u logUse) (int64, error) {
	low, high := int64(0), file.Size
	for high-low > near {
		middle := (low + high) / 2
		raw, err := s.part(ctx, file, middle, near)
		if err != nil {
			return 0, err
		}
		lines := bytes.Split(raw, []byte("\n"))
		at, ok := u.first(lines[1:])
		if !ok {
			return low, nil
		}
		if at.Before(u.From.Add(-hourTwice)) {
			low = middle
		} else {
			high = middle
		}
	}
	return low, nil
}

// first is when the first of some lines was written that says so.
func (u logUse) first(lines [][]byte) (time.Time, bool) {
	for _, raw := range lines {
		var line logLine
		if json.Unmarshal(raw, &line) != nil {
			continue
		}
		if at, err := u.time(line.Timestamp); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// over says that some lines begin after the use: lines of several processes are a little out of order, and no more.
func (u logUse) over(lines [][]byte) bool {
	at, ok := u.first(lines)
	return ok && at.After(u.Until.Add(hourTwice))
}
