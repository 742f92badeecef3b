package audit

import (
	"context"
	"log/slog"

	"doorward/runtime/flow"
)

// Lines writes each event as one line of the log, message "audit", at level
// Info. It is the sink that needs nothing; what a full disk means is the
// log handler's decision.
type Lines struct{ log *slog.Logger }

// NewLines writes to log.
func NewLines(log *slog.Logger) *Lines { return &Lines{log: log} }

// Record writes e with the fields that are set.
func (l *Lines) Record(ctx context.Context, e flow.Event) {
	l.log.LogAttrs(ctx, slog.LevelInfo, "audit", attributes(e)...)
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
