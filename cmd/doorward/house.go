package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"doorward/account"
	"doorward/audit"
	"doorward/configs"
	"doorward/delivery"
	"doorward/devices"
	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/certificate"
	"doorward/runtime/engine"
	"doorward/runtime/federation"
	"doorward/runtime/flow"
	"doorward/runtime/invoke"
	"doorward/runtime/mfa"
	"doorward/runtime/passkey"
	"doorward/runtime/passwordpolicy"
	"doorward/session"
	"doorward/steps"
)

// house is everything that lives as long as the process. Parts are added in the
// order they depend on each other and closed in the opposite one.
type house struct {
	o       options
	out     io.Writer // of the log
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics

	ring      *keys.Ring
	db        *directory.DB
	hasher    *directory.Hasher
	users     *directory.Users
	codes     *directory.Codes
	signing   *directory.SigningKeys
	accounts  *directory.Accounts
	passwords *directory.Passwords
	consents  *directory.Consents
	links     *directory.Links
	abroad    identityProviders
	store     *directory.Resources
	files     *configs.Files // as they were applied last; nil: none were
	registry  *configs.Registry
	events    flow.Recorder
	engine    *engine.Engine
	kinds     []flow.Kind
	mails     *delivery.Recent // where messages go without a mail server; nil with one
	mailer    *delivery.Worker // nil before delivery is open
	unmailed  *sync.Map        // environments that were warned of; nil where mail goes somewhere
	outgoing  *directory.Outbox
	phones    phones
	invoker   *invoke.Invoker                                      // nil: nobody is called
	google    *http.Client                                         // asks reCAPTCHA
	elsewhere func(env string, p federation.Provider) *http.Client // asks identity providers
	services  services
	calls     caller
	nodes     *session.Redis // through which nodes hear of each other; nil: there is one
	sessions  stores
	expiring  expiring
	devices   *directory.Devices
	factors   *mfa.Service
	models    *passkey.Metadata // of authenticators; nil: none are known
	mobiles   *devices.Face     // nil: nothing here is asked by devices
	issued    *directory.Certificates
	authority *certificate.Service

	checks map[string]func(context.Context) error
	closes []func(context.Context) error
}

// build opens the stores and puts the house together; it serves nothing yet.
func build(ctx context.Context, o options, stderr io.Writer) (*house, error) {
	out := &wholeWrites{w: stderr}
	h := &house{o: o, out: out, log: slog.New(o.logFormat(out)), now: time.Now, metrics: newMetrics(), checks: map[string]func(context.Context) error{}}
	for _, step := range []func(context.Context) error{h.openKeys, h.openDirectory, h.openSessions, h.openOutside, h.openConfiguration, h.openDelivery, h.openEngine} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, h.close(ctx))
		}
	}
	return h, nil
}

// close ends the parts, youngest first.
func (h *house) close(ctx context.Context) error {
	var errs []error
	for i := len(h.closes) - 1; i >= 0; i-- {
		errs = append(errs, h.closes[i](ctx))
	}
	h.closes = nil
	return errors.Join(errs...)
}

func (h *house) openKeys(context.Context) error {
	if h.o.sharesStore() { // a ring that is shared is made on purpose
		if _, err := os.Stat(h.o.Keys); err != nil {
			return fmt.Errorf("key ring: %w; make one with `doorward keys new %s` and give it to every node", err, h.o.Keys)
		}
	}
	ring, created, err := keys.LoadOrCreate(h.o.Keys)
	if err != nil {
		return fmt.Errorf("key ring: %w", err)
	}
	if created {
		h.log.Info("made a key ring", "file", h.o.Keys)
	}
	h.ring = ring
	return nil
}

func (h *house) openDirectory(ctx context.Context) error {
	db, err := directory.Open(ctx, directory.Options{Path: h.o.Database, Now: h.now, KeepEvents: h.o.AuditKeep})
	if err != nil {
		return fmt.Errorf("database: %w", err) // which says where, and keeps the password
	}
	h.closes = append(h.closes, func(context.Context) error { return db.Close() })
	h.db = db
	h.checks["database"] = db.Health
	cores := runtime.GOMAXPROCS(0) // unlike NumCPU it knows of a container's quota
	h.hasher = directory.NewHasher(directory.DefaultParams(), cores, h.now)
	h.users = directory.NewUsers(db, h.hasher, h.now).Telling(h.ring)
	h.codes = directory.NewCodes(db, h.now)
	h.signing = directory.NewSigningKeys(db, h.ring, h.now)
	h.store = directory.NewResources(db, h.ring)
	h.outgoing = directory.NewOutbox(db, h.ring, h.now)

	batch := audit.NewBatch(directory.NewAuditLog(db), h.log)            //nolint:contextcheck // Close ends it
	lines := audit.NewBatch(audit.NewLines(h.out, h.o.logFormat), h.log) //nolint:contextcheck // as above
	h.closes = append(h.closes, batch.Close, lines.Close)
	h.events = audit.Fan{lines, batch, h.metrics}
	h.metrics.gauge("doorward_audit_events_waiting", "Security events not yet in the database.", func() float64 {
		_, _, waiting := batch.Counts()
		return float64(waiting)
	})
	h.metrics.gauge("doorward_audit_events_lost", "Security events that the database did not take; they are in the log.", func() float64 {
		_, lost, _ := batch.Counts()
		return float64(lost)
	})
	return nil
}

func (h *house) openConfiguration(ctx context.Context) error {
	var registry *configs.Registry
	policies := func(env, population string) passwordpolicy.Policy { return passwordPolicies(registry)(env, population) }
	h.passwords = directory.NewPasswords(h.db, h.hasher, h.ring, policies, h.now)
	h.accounts = directory.NewAccounts(h.db, h.hasher, h.ring, policies, h.now)
	h.consents = directory.NewConsents(h.db, h.now)
	h.links = directory.NewLinks(h.db, h.ring, h.now)
	served := func() *configs.Registry { return registry }
	var err error
	if h.models, err = readModels(h.o.FIDOMetadata, passkey.MetadataRoots, h.now(), h.log); err != nil {
		return err
	}
	h.factors = h.newFactors(served)
	h.issued = directory.NewCertificates(h.db, h.ring, h.now)
	h.authority = certificate.NewService(h.issued, authorityPlaces{served}, h.now)
	h.abroad = identityProviders{served, federation.NewClient(h.elsewhere, h.now), h.log}
	h.kinds = steps.Builtin(parts(catalogue{
		users: h.users, passwords: h.passwords, accounts: h.accounts, consents: h.consents,
		ring: h.ring, registry: served, wake: h.wakeMail, now: h.now, captcha: newCaptcha(served, h.google),
		factors: h.factors, services: h.services, calls: h.calls, certificates: h.authority, links: h.links,
		providers: h.abroad,
	}))
	registry = configs.NewRegistry(h.store, h.kinds, h.o.BaseURL)
	h.registry = registry
	if err := h.apply(ctx); err != nil {
		return err
	}
	return h.ensureKeys(ctx)
}

// apply reads the configuration files and makes the store say the same.
func (h *house) apply(ctx context.Context) error {
	seeded, err := h.seeded(ctx)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if !seeded {
		if err := h.applyFiles(ctx); err != nil {
			return err
		}
	}
	if err := h.registry.Reload(ctx); err != nil {
		return err
	}
	h.warnUnmailed()
	return h.refuseDemo()
}

// seeded reports whether there is nothing to be read: the built-in demo is put
// into a database once.
func (h *house) seeded(ctx context.Context) (bool, error) {
	if h.o.Config != "" {
		return false, nil
	}
	there, err := h.store.Environments(ctx)
	return slices.ContainsFunc(there, func(r flow.Resource) bool { return r.ID == demoEnvironment }), err
}

// demoFiles are the demo's, with the voucher desk where this node is. Plans pin the
// addresses of services, so that {base} cannot stand there.
type demoFiles struct {
	fs.FS
	base string
}

// ReadFile implements fs.ReadFileFS.
func (f demoFiles) ReadFile(name string) ([]byte, error) {
	b, err := fs.ReadFile(f.FS, name)
	if path.Base(path.Dir(name)) == "externalServices" && !strings.HasSuffix(f.base, ":0") { // a port that is yet to be chosen is none
		b = bytes.ReplaceAll(b, []byte("http://localhost:8080"), []byte(f.base))
	}
	return b, err
}

func (h *house) applyFiles(ctx context.Context) error {
	var fsys fs.FS = demoFiles{configs.Demo, h.o.BaseURL}
	if h.o.Config != "" {
		if at, err := os.Stat(h.o.Config); err != nil || !at.IsDir() {
			return fmt.Errorf("--config %s: there is no such directory", h.o.Config)
		}
		fsys = os.DirFS(h.o.Config)
	}
	files, err := configs.Load(fsys, h.kinds)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if !h.mayServeDemo() && files.DemoSecrets() {
		return errDemoAbroad // before it is in the database, which is good for nothing else then
	}
	there, err := h.store.Environments(ctx)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	for _, env := range files.Abandoned(there) {
		h.log.Warn("an environment is given to files, and no folder has it; it goes on as it is: put its folder back, with managed false to change or delete it by the API", "environment", env)
	}
	changes, err := configs.Diff(ctx, files, h.store)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	for _, c := range news(changes) { // said before it is done, removals above all
		h.log.Info("configuration", "change", c.String())
	}
	if changes, err = configs.Apply(ctx, files, h.store, seeds{h.users, h.devices}); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	h.files = files
	for _, c := range news(changes) {
		h.events.Record(ctx, flow.Event{Type: flow.ConfigurationApply, Reason: string(c.Verb) + " " + c.Kind, At: h.now()})
	}
	return nil
}

// news are the changes that say something: of an environment that is new, that it
// is, and not all that it has.
func news(changes []configs.Change) []configs.Change {
	added := map[string]bool{}
	for _, c := range changes {
		if c.Kind == "environment" && c.Verb == configs.Adds {
			added[c.Environment] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(changes), func(c configs.Change) bool {
		return c.Verb == configs.Keeps || added[c.Environment] && c.Kind != "environment"
	})
}

// errDemoAbroad keeps published secrets from being served to a network.
var errDemoAbroad = errors.New("the configuration is the demo, whose secrets are published, and --listen or --base-url is not loopback; give your own with --config, or --allow-demo-secrets if you mean it")

func (h *house) mayServeDemo() bool { return h.o.AllowDemoSecrets || h.o.loopback() }

// refuseDemo refuses a demo that an earlier run has put into the database.
func (h *house) refuseDemo() error {
	if h.mayServeDemo() {
		return nil
	}
	for _, b := range h.registry.Bundles() {
		if b.Environment().Demo {
			return fmt.Errorf("the database holds the demo (environment %s), whose secrets are published, and --listen or --base-url is not loopback; use another database, or --allow-demo-secrets if you mean it", b.Environment().ID)
		}
	}
	return nil
}

// ensureKeys makes the signing keys that applications need and do not have, and the
// certificate authorities of environments from which people sign on to Windows.
func (h *house) ensureKeys(ctx context.Context) error {
	for _, b := range h.registry.Bundles() {
		if err := h.ensureAuthority(ctx, b); err != nil {
			return err
		}
		for _, algorithm := range b.SigningAlgorithms() {
			made, err := h.signing.Ensure(ctx, b.Environment().ID, algorithm)
			if err != nil {
				return fmt.Errorf("signing key %s of environment %s: %w", algorithm, b.Environment().ID, err)
			}
			if made {
				h.events.Record(ctx, flow.Event{Type: flow.SigningKeyCreated, Env: b.Environment().ID, Reason: algorithm, At: h.now()})
			}
		}
	}
	return nil
}

// stores are the two halves of what expires.
type stores interface {
	engine.Executions
	engine.Sessions
	engine.SessionIndex
	account.Sessions
}

func (h *house) openEngine(context.Context) (err error) {
	h.engine, err = engine.New(engine.Parts{
		Executions: h.sessions, Sessions: h.sessions, Index: h.sessions, Plans: h.registry, Users: userFacts{h.users}, Keys: h.ring, Events: h.events,
		Kinds: h.kinds, Rates: engine.Rates{Starts: h.o.Rate, Submits: h.o.Rate}, Now: h.now, Random: rand.Reader,
	})
	return err
}

func (h *house) openSessions(ctx context.Context) error {
	if h.o.Redis != "" {
		r, err := session.Open(ctx, session.Options{URL: h.o.Redis, Now: h.now, AcceptLoss: h.o.AcceptUnsafeRedis})
		if err != nil {
			return fmt.Errorf("redis: %w", err)
		}
		h.closes = append(h.closes, func(context.Context) error { return r.Close() })
		h.checks["redis"] = r.Health
		h.nodes, h.sessions, h.expiring = r, r, r
		return nil
	}
	m := session.NewMemory(session.DefaultMemory, h.now)
	h.closes = append(h.closes, func(context.Context) error { return m.Close() })
	snapshot := filepath.Join(h.o.Data, "flows.snapshot")
	missed := m.Restore(snapshot, h.ring)
	if missed != nil {
		h.log.Warn("the flows of the last run are not taken over", "file", snapshot, "error", missed)
	}
	h.closes = append(h.closes, func(context.Context) error {
		if missed != nil && m.Used() == 0 { // a start that was refused, of the wrong ring it may be: the next one has it
			return nil
		}
		return m.Snapshot(snapshot, h.ring)
	})
	h.metrics.gauge("doorward_memory_store_bytes", "What live flows take of the memory store.", func() float64 { return float64(m.Used()) })
	h.sessions, h.expiring = session.NewEmbedded(m, session.NewSQLSessions(h.db, h.now)), m
	return nil
}

// tend does what has to be done now and then, until ctx ends.
func (h *house) tend(ctx context.Context) {
	failed := func(err error) { h.log.Error("configuration not taken over", "error", err) }
	go h.registry.Watch(ctx, 500*time.Millisecond, failed)
	if h.nodes != nil {
		go h.nodes.Announcements(ctx, func() {
			if err := h.registry.Reload(ctx); err != nil && ctx.Err() == nil {
				failed(err)
			}
		})
	}
	go func() {
		tick := time.NewTicker(time.Minute)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if _, err := h.db.Sweep(ctx); err != nil && ctx.Err() == nil {
					h.log.Error("expired rows not deleted", "error", err)
				}
				if err := h.ensureKeys(ctx); err != nil && ctx.Err() == nil {
					h.log.Error("signing keys", "error", err)
				}
			}
		}
	}()
}
