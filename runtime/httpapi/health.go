package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"doorward/static"
	"doorward/wire"
)

// checkTimeout is how long one check of /readyz may take.
const checkTimeout = time.Second

// healthz says that the process lives.
func (s *Server) healthz(_ context.Context, x *exchange) error {
	x.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	x.Response().SetBodyString("ok\n")
	return nil
}

// readyz says whether requests may be sent here. What a check found goes to the
// log; outside only its name is shown.
func (s *Server) readyz(ctx context.Context, x *exchange) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	names := slices.Sorted(maps.Keys(s.Checks))
	failed := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { failed[i] = check(ctx, s.Checks[name]) })
	}
	wg.Wait()
	ready := !s.draining.Load()
	status := "ready"
	if !ready {
		status = "draining"
	}
	var checks []string
	for i, name := range names {
		state := "up"
		if failed[i] != nil {
			ready, state, status = false, "down", "not ready"
			s.Log.LogAttrs(ctx, slog.LevelWarn, "not ready", slog.String("check", name), slog.String("error", failed[i].Error()))
		}
		checks = append(checks, fmt.Sprintf("%q:%q", name, state))
	}
	if !ready {
		x.Status(http.StatusServiceUnavailable)
		x.Set(fiber.HeaderRetryAfter, "1")
	}
	x.Set(fiber.HeaderContentType, wire.JSON)
	x.Response().SetBodyString(fmt.Sprintf(`{"status":%q,"checks":{%s}}`, status, strings.Join(checks, ",")))
	return nil
}

func check(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f(ctx)
}

// static serves the built-in assets, whose names change with their content.
func (s *Server) static(_ context.Context, x *exchange) error {
	a, ok := s.assets.Find(static.Prefix + x.Params("*"))
	if !ok {
		return nothingHere()
	}
	x.Set(fiber.HeaderContentType, a.Type)
	x.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	x.Response().SetBodyRaw(a.Body)
	return nil
}
