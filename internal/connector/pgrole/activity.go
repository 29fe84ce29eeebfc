package pgrole

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// LogKind is how catalogs name the kind that reads PostgreSQL's own log.
const LogKind = "postgres-log"

// Log reads in PostgreSQL's log, as the server keeps it in JSON (since 15), what a login did. It signs in for each call and keeps nothing.
type Log struct {
	signsIn *Granter
}

var _ connector.ActivityLog = (*Log)(nil)

// NewLog makes it. It resolves references to addresses with secrets, at each call.
func NewLog(secrets connector.Secrets) *Log { return &Log{signsIn: New(secrets)} }

// Kind is "postgres-log".
func (*Log) Kind() string { return LogKind }

// Check validates params and touches nothing.
func (*Log) Check(p connector.Params) error {
	_, err := readLogParams(p)
	return err
}

type logParams struct {
	Connection string             `json:"connection"` // refers to the URL of a login that may read the server's log
	Timeout    connector.Duration `json:"timeout"`    // of each question to the server
}

func readLogParams(p connector.Params) (params, error) {
	var got logParams
	if err := connector.Decode(p, &got); err != nil {
		return params{}, err
	}
	all := params{Connection: got.Connection, Timeout: got.Timeout}
	return all, all.check().Err()
}

// settles is how long the server may take to write down what was done.
const settles = 3 * time.Second

// Settles is how long the server may take to write down what was done.
func (*Log) Settles(connector.Params) time.Duration { return settles }

// Activity reads the log's files that were written to since the use began.
func (l *Log) Activity(ctx context.Context, p connector.Params, u connector.Use) (connector.Activity, error) {
	a := connector.Activity{}
	got, err := readLogParams(p)
	if err != nil {
		return a, err
	}
	a.Source = "The log of " + nameOf(got)
	s, err := l.signsIn.open(ctx, got, "reads the log")
	if err != nil {
		return a, err
	}
	defer s.close()
	use, err := s.useOf(ctx, u)
	if err != nil {
		return a, err
	}
	files, err := s.logFiles(ctx, u.From.Add(-connector.ClockSlack))
	if err != nil {
		return a, err
	}
	if err := s.lacks(ctx, files, use, &a); err != nil {
		return a, err
	}
	budget := int64(mostRead)
	for _, file := range files {
		if err := s.readLog(ctx, file, use, &a, &budget); err != nil {
			return a, err
		}
	}
	a.Close()
	slices.SortStableFunc(a.Entries, func(x, y connector.ActivityEntry) int { return x.At.Compare(y.At) })
	return a, nil
}

// logLine is what is used of a line of the log.
type logLine struct {
	Timestamp string `json:"timestamp"`
	User      string `json:"user"`
	Database  string `json:"dbname"`
	PID       int    `json:"pid"`
	Host      string `json:"remote_host"`
	Severity  string `json:"error_severity"`
	Message   string `json:"message"`
	Detail    string `json:"detail"`
	Statement string `json:"statement"`
}

// entry reads a line; of one that is of somebody else or none at all it says so.
func (u logUse) entry(raw []byte) (connector.ActivityEntry, bool) {
	var line logLine
	if !bytes.Contains(raw, u.mark) || json.Unmarshal(raw, &line) != nil || line.User != u.Account {
		return connector.ActivityEntry{}, false
	}
	at, err := u.time(line.Timestamp)
	if err != nil || !u.Covers(at) {
		return connector.ActivityEntry{}, false
	}
	text := hidden(line.Message)
	if line.Severity != "LOG" {
		text = line.Severity + ": " + text
	}
	for _, more := range []string{line.Detail, line.Statement} {
		if more != "" {
			text += "\n" + hidden(more) // each by itself: a quote in one begins nothing in the next
		}
	}
	from := strings.TrimSpace(line.Database + " " + line.Host)
	return connector.ActivityEntry{At: at, Text: fmt.Sprintf("[%d %s] %s", line.PID, from, text)}, true
}

// logUse is a use, with how the log writes its login and its times.
type logUse struct {
	connector.Use
	mark []byte
	zone *time.Location
}

// time reads "2026-11-27 06:00:00.123 CET". Letters that the server's zone does not know are left to the zone itself.
func (u logUse) time(s string) (time.Time, error) {
	at, err := time.ParseInLocation("2006-01-02 15:04:05.999 MST", s, u.zone)
	if err == nil && at.Location() == u.zone {
		return at.UTC(), nil
	}
	if i := strings.LastIndexByte(s, ' '); i > len("2006-01-02") {
		s = s[:i]
	}
	at, err = time.ParseInLocation("2006-01-02 15:04:05.999", s, u.zone)
	return at.UTC(), err //nolint:wrapcheck // nobody is told: the line is left out
}

func (s *session) useOf(ctx context.Context, u connector.Use) (logUse, error) {
	mark, err := json.Marshal(u.Account)
	if err != nil {
		return logUse{}, fmt.Errorf("write a login: %w", err)
	}
	name, err := setting(ctx, s, "log_timezone")
	if err != nil {
		return logUse{}, err
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return logUse{}, &fault.Error{Kind: fault.Unavailable, Message: fmt.Sprintf("%s writes its log in the time zone %q, which is not known here.", s.name, tidy(name))}
	}
	return logUse{Use: u, mark: append([]byte(`"user":`), mark...), zone: zone}, nil
}
