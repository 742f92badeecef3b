package audit

import (
	"bytes"
	"context"
	"io"
	"log/slog"

	"doorward/runtime/flow"
)

// Lines is the Log that writes each event as one line, message "audit", at level
// Info and of the time at which it happened; a batch is one write. Like every
// line of the log, one that cannot be written is lost in silence.
type Lines struct {
	out    io.Writer
	batch  bytes.Buffer
	format slog.Handler // writes to batch
}

// NewLines writes to out in the format of a handler.
func NewLines(out io.Writer, format func(io.Writer) slog.Handler) *Lines {
	l := &Lines{out: out}
	l.format = format(&l.batch)
	return l
}

// Append writes the events with the fields that are set. It never fails.
func (l *Lines) Append(ctx context.Context, events []flow.Event) error {
	l.batch.Reset()
	for _, e := range events {
		r := slog.NewRecord(e.At, slog.LevelInfo, "audit", 0)
		r.AddAttrs(attributes(e)...)
		_ = l.format.Handle(ctx, r) // a buffer takes everything
	}
	_, _ = l.out.Write(l.batch.Bytes())
	return nil
}

func attributes(e flow.Event) []slog.Attr {
	attrs := make([]slog.Attr, 0, 9)
	attrs = append(attrs, slog.String("type", string(e.Type)))
	for _, f := range [...]struct{ key, value string }{
		{"env", e.Env},
		{"flow", e.Flow},
		{"application", e.Application},
		{"user", e.User},
		{"session", e.Session},
		{"remoteIp", e.RemoteIP},
		{"reason", e.Reason},
	} {
		if f.value != "" {
			attrs = append(attrs, slog.String(f.key, f.value))
		}
	}
	return append(attrs, slog.Time("at", e.At))
}

// Fan gives each event to every recorder, in order.
type Fan []flow.Recorder

// Record passes e on.
func (f Fan) Record(ctx context.Context, e flow.Event) {
	for _, r := range f {
		r.Record(ctx, e)
	}
}
