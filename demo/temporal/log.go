package temporal

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// noNexus is what the server says at every start because it has no HTTP port. It needs none.
const noNexus = "HTTP API port has not been set."

// serverLog carries what the server says at warn and above into our log. While the server is being stopped its parts
// complain about each other's absence; quiet keeps that out of the log.
type serverLog struct {
	to    *slog.Logger
	quiet *atomic.Bool
}

var _ log.WithLogger = serverLog{}

func (l serverLog) Debug(string, ...tag.Tag) {}
func (l serverLog) Info(string, ...tag.Tag)  {}

func (l serverLog) Warn(msg string, tags ...tag.Tag)   { l.write(slog.LevelWarn, msg, tags) }
func (l serverLog) Error(msg string, tags ...tag.Tag)  { l.write(slog.LevelError, msg, tags) }
func (l serverLog) DPanic(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// Panic and Fatal must not return: the server's code after them counts on that.
func (l serverLog) Panic(msg string, tags ...tag.Tag) { l.end(msg, tags) }
func (l serverLog) Fatal(msg string, tags ...tag.Tag) { l.end(msg, tags) }

func (l serverLog) With(tags ...tag.Tag) log.Logger {
	return serverLog{to: slog.New(l.to.Handler().WithAttrs(attributes(tags))), quiet: l.quiet}
}

func (l serverLog) end(msg string, tags []tag.Tag) {
	l.quiet.Store(false)
	l.write(slog.LevelError, msg, tags)
	panic("temporal server: " + msg)
}

func (l serverLog) write(level slog.Level, msg string, tags []tag.Tag) {
	if l.quiet.Load() || strings.HasPrefix(msg, noNexus) {
		return
	}
	l.to.LogAttrs(context.Background(), level, msg, attributes(tags)...)
}

func attributes(tags []tag.Tag) []slog.Attr {
	attrs := make([]slog.Attr, 0, len(tags))
	for _, t := range tags {
		attrs = append(attrs, slog.Any(t.Key(), t.Value()))
	}
	return attrs
}
