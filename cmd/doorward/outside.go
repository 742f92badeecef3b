package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"doorward/configs"
	"doorward/runtime/external"
	"doorward/runtime/invoke"
)

// openOutside makes what calls the services of others.
func (h *house) openOutside(context.Context) error {
	authorities, err := newAuthorities(h.o.OutboundCA, h.log, h.now)
	if err != nil {
		return err
	}
	if h.invoker, err = newInvoker(&h.o, h.metrics, h.log, h.now); err != nil {
		return err
	}
	h.closes = append(h.closes, func(context.Context) error { h.invoker.Close(); return nil })
	h.metrics.gauge("doorward_outside_calls", "Calls of outside services that are under way.", func() float64 {
		n := 0
		for _, s := range h.invoker.States() {
			n += s.Concurrent
		}
		return float64(n)
	})
	h.google, h.elsewhere = recaptchaClient(h.invoker), providerClient(h.invoker, authorities)
	h.callBy(wayOut{h.invoker, authorities}, liveSecrets(func() *configs.Registry { return h.registry }))
	return nil
}

// callBy has all calls made by a sender.
func (h *house) callBy(s external.Sender, secrets external.Secrets) {
	h.calls = caller{s, h.log}
	h.services = services{external.New(s, secrets, h.now), h.log}
}

// liveSecrets are the secrets of external services as they are at this moment.
type liveSecrets func() *configs.Registry

// Secret implements external.Secrets.
func (l liveSecrets) Secret(ctx context.Context, env, service, name string, origins []string) (string, error) {
	return l().Secret(ctx, env, service, name, origins)
}

// newInvoker makes the one way out. What the operator has opened is logged, and the
// demo reaches the voucher desk, which is on this very node.
func newInvoker(o *options, observer invoke.Observer, log *slog.Logger, now func() time.Time) (*invoke.Invoker, error) {
	var openings []invoke.Opening
	for _, s := range o.OutboundAllow {
		opening, err := invoke.ParseOpening(s)
		if err != nil {
			return nil, fmt.Errorf("--outbound-allow: %w; give networks and ports such as 10.1.2.0/24:8443, with ENVIRONMENT= before it for one environment", err)
		}
		log.Info("outside calls may reach", "opening", opening.String())
		openings = append(openings, opening)
	}
	guard, err := invoke.NewGuard(append(openings, o.demoOpenings()...), nil)
	if err != nil {
		return nil, fmt.Errorf("--outbound-allow: %w", err)
	}
	return invoke.New(invoke.Options{Guard: guard, Observer: observer, Log: log, Now: now}), nil
}

// demoOpenings let the demo's environment call the node that serves it, where that
// is on loopback.
func (o *options) demoOpenings() []invoke.Opening {
	host, port, err := net.SplitHostPort(o.Listen)
	n, errPort := strconv.ParseUint(port, 10, 16)
	if o.Config != "" || !isLoopback(host) || err != nil || errPort != nil || n == 0 {
		return nil
	}
	return []invoke.Opening{
		{Env: demoEnvironment, Network: netip.MustParsePrefix("127.0.0.1/32"), Port: uint16(n)},
		{Env: demoEnvironment, Network: netip.MustParsePrefix("::1/128"), Port: uint16(n)},
	}
}

// authoritiesFor is how long a changed file of --outbound-ca is not looked at.
const authoritiesFor = 30 * time.Second

// authorities are the certificate authorities that services are trusted by: the
// system's, and those of a file, which may be replaced while we run.
type authorities struct {
	file string // empty: the system's alone
	log  *slog.Logger
	now  func() time.Time

	mu      sync.Mutex
	looked  time.Time
	changed time.Time // of the file that config was read from
	config  *tls.Config
}

// newAuthorities fails when the file cannot be read now. Later it goes on with what
// it has read last.
func newAuthorities(file string, log *slog.Logger, now func() time.Time) (*authorities, error) {
	a := &authorities{file: file, log: log, now: now}
	if file == "" {
		return a, nil
	}
	a.looked = now()
	if err := a.read(); err != nil {
		return nil, fmt.Errorf("--outbound-ca: %w", err)
	}
	return a, nil
}

// tls is the same pointer as long as the file is.
func (a *authorities) tls() *tls.Config {
	if a.file == "" {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := a.now(); now.Sub(a.looked) >= authoritiesFor {
		a.looked = now
		if err := a.read(); err != nil {
			a.log.Error("certificate authorities not taken over; the present ones go on", "error", err)
		}
	}
	return a.config
}

// read takes the file over when it has changed.
func (a *authorities) read() error {
	info, err := os.Stat(a.file)
	if err != nil || info.ModTime().Equal(a.changed) {
		return err
	}
	pem, err := os.ReadFile(a.file)
	if err != nil {
		return err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return errors.New(a.file + " holds no certificate")
	}
	a.changed, a.config = info.ModTime(), &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return nil
}
