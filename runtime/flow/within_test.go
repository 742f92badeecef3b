package flow_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"doorward/runtime/flow"
)

// Within is what context.WithTimeout is, to whoever looks, waits or makes another one
// of it.
func TestWithin(t *testing.T) {
	t.Parallel()
	const d = time.Minute
	type made struct{}
	type maker func(context.Context, time.Duration) (context.Context, context.CancelFunc)
	for name, use := range map[string]func(parent context.Context, within maker) []any{
		"nothing happens": func(parent context.Context, within maker) []any {
			ctx, end := within(parent, d)
			defer end()
			at, ok := ctx.Deadline()
			return []any{ctx.Err(), time.Until(at), ok}
		},
		"the time is up, and nobody waits": func(parent context.Context, within maker) []any {
			ctx, end := within(parent, d)
			defer end()
			time.Sleep(d + time.Millisecond)
			return []any{ctx.Err()}
		},
		"the time is up, and somebody waits": func(parent context.Context, within maker) []any {
			ctx, end := within(parent, d)
			defer end()
			start := time.Now()
			<-ctx.Done()
			return []any{ctx.Err(), time.Since(start)}
		},
		"it ends, and nobody waits": func(parent context.Context, within maker) []any {
			ctx, end := within(parent, d)
			end()
			first := ctx.Err()
			<-ctx.Done()
			end()
			return []any{first, ctx.Err()}
		},
		"it ends, and somebody waits": func(parent context.Context, within maker) []any {
			ctx, end := within(parent, d)
			go func() { time.Sleep(time.Second); end() }()
			<-ctx.Done()
			return []any{ctx.Err()}
		},
		"its parent ends, and nobody waits": func(parent context.Context, within maker) []any {
			parent, cancel := context.WithCancel(parent)
			ctx, end := within(parent, d)
			defer end()
			cancel()
			return []any{ctx.Err()}
		},
		"its parent ends, and somebody waits": func(parent context.Context, within maker) []any {
			parent, cancel := context.WithCancel(parent)
			ctx, end := within(parent, d)
			defer end()
			go cancel()
			<-ctx.Done()
			return []any{ctx.Err()}
		},
		"its parent has less time": func(parent context.Context, within maker) []any {
			parent, cancel := context.WithTimeout(parent, time.Second)
			defer cancel()
			ctx, end := within(parent, d)
			defer end()
			at, _ := ctx.Deadline()
			left := time.Until(at)
			<-ctx.Done()
			return []any{ctx.Err(), left}
		},
		"its child ends with it": func(parent context.Context, within maker) []any {
			ctx, end := within(context.WithValue(parent, made{}, "kept"), d)
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			grandchild, done := within(child, time.Hour)
			defer done()
			end()
			<-grandchild.Done()
			return []any{child.Err(), grandchild.Err(), grandchild.Value(made{}), ctx.Value(made{})}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				standard, ours := maker(context.WithTimeout), maker(flow.Within)
				want, got := use(t.Context(), standard), use(t.Context(), ours)
				for i := range want {
					w, isErr := want[i].(error)
					g, _ := got[i].(error)
					if isErr && !errors.Is(g, w) || !isErr && got[i] != want[i] {
						t.Errorf("got %v, want %v", got, want)
					}
				}
			})
		})
	}
}
