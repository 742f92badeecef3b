package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"doorward/configs"
	"doorward/demo"
	"doorward/management"
	"doorward/oidc"
	"doorward/runtime/definition"
	"doorward/runtime/filter"
	"doorward/runtime/flow"
	"doorward/runtime/httpapi"
	"doorward/runtime/passkey"
)

// How a stop goes. Source: design of the house; the whole is 25 s at most.
const (
	drainTime = 5 * time.Second  // ready is red, requests are still taken
	stopTime  = 20 * time.Second // drain, and what runs is finished
	closeTime = 5 * time.Second  // stores are written and closed
	traceTime = time.Second      // of it, for spans; what lasts is written behind them
)

// settleTime is how long a start takes at most, with the first answer, as a rule.
const settleTime = 250 * time.Millisecond

func serveCommand(getenv func(string) string) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve; without arguments the built-in demo on http://localhost:8080",
		Args:  cobra.NoArgs,
	}
	o.register(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := fromEnvironment(c.Flags(), getenv); err != nil {
			return err
		}
		if err := o.settle(getenv); err != nil {
			return err
		}
		if getenv("GOGC") == "" && getenv("GOMEMLIMIT") == "" {
			// Little lives long here, so a larger heap is cheaper than a busier
			// collector, and cheapest while somebody waits for the first answer; the
			// limit keeps hashing, 19 MiB a time, from inflating it.
			debug.SetGCPercent(1000)
			time.AfterFunc(settleTime, func() { debug.SetGCPercent(400) })
			debug.SetMemoryLimit(512 << 20)
		}
		return serve(c.Context(), o, getenv, c.OutOrStdout(), c.ErrOrStderr())
	}
	return c
}

// logFormat is the handler of the format that was asked for.
func (o options) logFormat(w io.Writer) slog.Handler {
	if o.LogFormat == "json" {
		return slog.NewJSONHandler(w, nil)
	}
	return slog.NewTextHandler(w, nil)
}

// wholeWrites lets several logs write to one place.
type wholeWrites struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *wholeWrites) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}

// serve runs until ctx ends, then stops so that no request is lost.
func serve(ctx context.Context, o options, getenv func(string) string, stdout, stderr io.Writer) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP) // which would end a process that starts or stops
	defer signal.Stop(hangup)
	h, err := build(ctx, o, stderr)
	if err != nil {
		return err
	}
	if getenv("GOMAXPROCS") == "" {
		h.hasher.Beside(newRoom().beside)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	server, err := h.faces(background, getenv)
	if err == nil {
		err = h.answer(ctx, background, server, hangup, stdout)
	}
	stop()
	c, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	return errors.Join(err, h.close(c))
}

// faces puts everything that answers requests on one server.
func (h *house) faces(ctx context.Context, getenv func(string) string) (*httpapi.Server, error) {
	proxies, err := h.o.proxies()
	if err != nil {
		return nil, err
	}
	var engine flows = h.engine
	tracer, err := newTracer(ctx, getenv, h.log)
	if err != nil {
		return nil, err
	}
	if tracer != nil {
		h.closes = append(h.closes, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, traceTime)
			defer cancel()
			return tracer.Shutdown(ctx)
		})
		engine = traced{engine, tracer.Tracer("doorward")}
	}
	var actions []flow.Action
	for _, k := range h.kinds {
		actions = append(actions, k.Meta().Actions...)
	}
	server, err := httpapi.New(httpapi.Parts{ //nolint:contextcheck // requests have contexts of their own
		Tenants: h.registry, Engine: engine, Actions: actions, Metrics: h.metrics, Events: h.events, Log: h.log, Now: h.now,
		Checks: h.checks, Proxies: proxies, Drain: h.o.drain(),
	})
	if err != nil {
		return nil, err
	}
	provider := oidc.New(oidc.Parts{
		Tenants: h.registry, Engine: engine, Codes: h.codes, Grants: h.codes, Users: h.users, SigningKeys: h.signing, Tries: h.expiring,
		Forms: h.ring, Pages: oidcPages{server}, Events: h.events, Log: h.log, Now: h.now,
	})
	provider.Register(server)
	h.mobiles = h.openMobiles(ctx, server)
	h.showAccounts(server, engine) //nolint:contextcheck // requests have contexts of their own
	h.showAuthorities(server)
	h.showAuthentications(server, provider, engine)
	server.Handle(http.MethodGet, passkey.WellKnown, relatedOrigins{h.registry, server}) //nolint:contextcheck // as above
	h.manage(server, provider)                                                           //nolint:contextcheck // as above
	if h.mails != nil {
		demo.NewOutbox(h.kept, h.log, h.demo() != nil).Register(server)
	}
	return server, h.showDemo(server)
}

// manage puts the management API on the server.
func (h *house) manage(server *httpapi.Server, provider *oidc.Provider) {
	editor := configs.NewEditor(h.store, h.kinds, h.o.BaseURL, h.now, uuid.NewString)
	editor.Counting("population", func(ctx context.Context, env, id string) (int, error) {
		return h.users.Count(ctx, env, filter.Compare{Attribute: "population.id", Op: filter.Equal, Value: id})
	})
	management.New(management.Parts{
		Tenants: h.registry, Workers: provider, Editor: editor, Users: h.users, Passwords: h.passwords, Accounts: h.accounts, Consents: h.consents,
		Devices: h.devices, Factors: h.factors, Certificates: h.issued, Links: h.links,
		Invoker: h.services, Targets: targets{h.invoker}, Outbox: h.outgoing, Phones: h.phones,
		Events: h.events, Log: h.log, Now: h.now, Reload: h.reload, Posted: h.wakeMail, Administrators: h.o.Administrators,
		Metadata: management.Metadata{
			Kinds: h.kinds, Triggers: definition.Triggers,
			Describe: func(k flow.Stepper, trigger string, config json.RawMessage, of management.Resources) (json.RawMessage, error) {
				return definition.Metadata(k, trigger, config, of)
			},
		},
	}).Register(server)
}

// reload serves a change of the configuration at once, with the keys it needs, and
// has the other nodes do the same.
func (h *house) reload(ctx context.Context) error {
	if err := h.registry.Reload(ctx); err != nil {
		return err
	}
	h.warnUnmailed()
	h.announce(ctx)
	return h.ensureKeys(ctx)
}

// announce has the other nodes look for a change now; they look every half second
// anyway.
func (h *house) announce(ctx context.Context) {
	if h.nodes == nil {
		return
	}
	if err := h.nodes.Announce(ctx); err != nil {
		h.log.Warn("the other nodes see the change when they look next", "error", err)
	}
}

// The demo's relying party is one of its own applications.
const (
	demoEnvironment = "d0000000-0000-4000-8000-000000000001"
	demoWeb         = "d0000000-0000-4000-8000-0000000000a1"
	demoJourneys    = "d0000000-0000-4000-8000-0000000000a4"
	demoStepUp      = "Multi_Factor" // a sign-on policy of its
)

// journeys are the demo's flow definitions; nil where an earlier demo was seeded,
// which had none.
func (h *house) journeys(b *configs.Bundle) *demo.Journeys {
	app, ok := b.Application(demoJourneys)
	if !ok {
		return nil
	}
	j := &demo.Journeys{ClientID: app.ID, ClientSecret: app.Secret, RedirectURI: h.o.BaseURL + demo.JourneyCallbackPath, Policies: b.Assigned(app)}
	if slices.Contains(j.Policies, demoStepUp) {
		j.StepUp = demoStepUp
	}
	for _, d := range b.FlowDefinitions() {
		if d.Enabled && d.Trigger == flow.TriggerExperience {
			address := b.Environment().ExperienceURL(d.ID) + "?redirectUri=" + url.QueryEscape(app.HomePageURL)
			j.Experiences = append(j.Experiences, demo.Experience{Name: d.Name, Address: address})
		}
	}
	return j
}

// demo is the environment of the demo's relying party; nil when something else is served.
func (h *house) demo() *configs.Bundle {
	b, ok := h.registry.Bundle(demoEnvironment)
	if h.o.Config != "" || !ok {
		return nil
	}
	return b
}

// showDemo serves the demo's relying party when the demo is what is served.
func (h *house) showDemo(server *httpapi.Server) error {
	b := h.demo()
	if b == nil {
		return nil
	}
	app, ok := b.Application(demoWeb)
	if !ok {
		return nil
	}
	rp, err := demo.New(demo.Config{
		Account: b.Environment().AccountURL(""), Journeys: h.journeys(b),
		Issuer: b.Environment().Issuer(), ClientID: app.ID, ClientSecret: app.Secret,
		RedirectURI: h.o.BaseURL + demo.CallbackPath, AfterSignOut: h.o.BaseURL + demo.HomePath,
		Client: h.ownClient(), Log: h.log, Now: h.now, Outbox: h.mails != nil,
	})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	rp.Register(server)
	return nil
}

// kept are the messages that were not sent.
func (h *house) kept() []demo.Mail {
	var out []demo.Mail
	for _, m := range h.mails.Messages() {
		out = append(out, demo.Mail{Channel: string(m.Channel), To: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML, Template: m.Template, Language: m.Language, At: m.At})
	}
	return out
}

// ownClient reaches this very node, whatever its base URL resolves to here and whoever
// speaks TLS for it.
func (h *house) ownClient() *http.Client {
	host, port, _ := net.SplitHostPort(h.o.Listen) // settle has split it before
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = "localhost"
	}
	dialer := &net.Dialer{Timeout: time.Second}
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, net.JoinHostPort(host, port))
	}
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{Proxy: nil, DialContext: dial, DialTLSContext: dial}}
}

// answer listens, says so, and serves until ctx ends.
func (h *house) answer(ctx, background context.Context, server *httpapi.Server, hangup <-chan os.Signal, stdout io.Writer) error {
	// What the start took is given back once nobody waits for the first answer any more.
	defer time.AfterFunc(settleTime, debug.FreeOSMemory).Stop()
	listeners, err := listen(ctx, h.o.Listen)
	if err != nil {
		return err
	}
	failed := make(chan error, len(listeners)+1)
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }() //nolint:contextcheck // requests end at Shutdown, not with ctx
	}
	if h.o.Metrics != "" {
		m := h.metrics.server(h.o.Metrics)
		ml, err := (&net.ListenConfig{}).Listen(ctx, "tcp", h.o.Metrics)
		if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		go func() { _ = m.Serve(ml) }()
		defer func() { _ = m.Close() }()
	}
	h.tend(background)
	h.greet(stdout)
	for {
		select {
		case err := <-failed:
			return fmt.Errorf("listener: %w", err)
		case <-hangup:
			if err := errors.Join(h.apply(background), h.ensureKeys(background)); err != nil {
				h.log.Error("configuration not applied; the present one goes on", "error", err)
			}
			h.announce(background)
		case <-ctx.Done():
			h.log.Info("stopping", "grace", stopTime.String())
			c, cancel := context.WithTimeout(background, stopTime)
			defer cancel()
			return server.Shutdown(c)
		}
	}
}

// listen opens the address; localhost is both loopback addresses, of which the
// IPv6 one may be missing on a machine.
func listen(ctx context.Context, addr string) ([]net.Listener, error) {
	var lc net.ListenConfig
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--listen %q: %w", addr, err)
	}
	if host != "localhost" {
		l, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("--listen: %w", err)
		}
		return []net.Listener{l}, nil
	}
	v4, err := lc.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	v6, err := lc.Listen(ctx, "tcp6", net.JoinHostPort("::1", port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, errors.Join(fmt.Errorf("--listen: %w", err), v4.Close())
	}
	if err != nil {
		return []net.Listener{v4}, nil //nolint:nilerr // no IPv6 on this machine
	}
	return []net.Listener{v4, v6}, nil
}

// greet says what to open.
func (h *house) greet(w io.Writer) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nserving %s\n", version(), h.o.BaseURL)
	if h.demo() != nil {
		fmt.Fprintf(&b, "\n  open %s%s\n  and sign on as ada with Correct-Horse-9, or make an account\n", h.o.BaseURL, demo.HomePath)
	}
	if h.mails != nil {
		fmt.Fprintf(&b, "  mail, SMS and calls land at %s%s\n\n", h.o.BaseURL, demo.OutboxPath)
	}
	_, _ = io.WriteString(w, b.String())
}
