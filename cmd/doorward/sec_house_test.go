package main_test

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	_ "modernc.org/sqlite"

	visit "doorward/internal/journey"
	"doorward/internal/mailtest"
	"doorward/internal/nodetest"
	"doorward/internal/pgtest"
	"doorward/internal/redistest"
)

// The environments of testdata/config.
const (
	firstEnv  = "e1000000-0000-4000-8000-000000000001"
	secondEnv = "e2000000-0000-4000-8000-000000000001" // on the same host, with the same usernames
	hostedEnv = "e3000000-0000-4000-8000-000000000001" // on a host of its own
	hostedURL = "login.hosted.example"
	fourthEnv = "e4000000-0000-4000-8000-000000000001" // on the same host; managed in management_test.go
	vendorEnv = "e5000000-0000-4000-8000-000000000001" // likewise; tells who has an account
	noFlow    = "00000000-0000-4000-8000-000000000000"
)

// The applications of testdata/config, and which policies they are assigned.
var (
	shop  = visit.App{Env: firstEnv, ID: "e1000000-0000-4000-8000-0000000000a1", Secret: "shop-secret-5f2a91", RedirectURI: "https://shop.example/cb"}
	phone = visit.App{Env: firstEnv, ID: "e1000000-0000-4000-8000-0000000000a2", RedirectURI: "http://127.0.0.1/callback", PiFlow: true}
	vault = visit.App{Env: firstEnv, ID: "e1000000-0000-4000-8000-0000000000a3", Secret: "vault-secret-77c01e", RedirectURI: "https://vault.example/cb"}   // Double
	wiki  = visit.App{Env: firstEnv, ID: "e1000000-0000-4000-8000-0000000000a4", Secret: "wiki-secret-b83d40", RedirectURI: "https://wiki.example/cb"}     // Single_Factor, Double
	desk  = visit.App{Env: firstEnv, ID: "e1000000-0000-4000-8000-0000000000a6", Secret: "office-secret-0d6e2f", RedirectURI: "https://office.example/cb"} // Office
	spa   = visit.App{Env: firstEnv, ID: "e1000000-0000-4000-8000-0000000000a5", RedirectURI: "https://login.app.example/cb", PiFlow: true}
	shop2 = visit.App{Env: secondEnv, ID: "e2000000-0000-4000-8000-0000000000a1", Secret: "second-secret-9a7f13", RedirectURI: "https://shop.example/cb"}
)

// passwords are those of the users of testdata/config.
var passwords = map[string]string{
	"ada": "Ada-Right-Horse-1", "bea": "Bea-Right-Horse-2", "dora": "Dora-Right-Horse-3", "una": "Una-Right-Horse-4", "otto": "Otto-Right-Horse-5",
	"enum-wrong": "Wrong-Right-Horse-6",
}

// lasting is a testing.TB of which what is started lives until TestMain ends. It
// speaks for the test that runs now.
type lasting struct {
	testing.TB
	ends []func()
}

func (l *lasting) Cleanup(f func())         { l.ends = append(l.ends, f) }
func (l *lasting) Context() context.Context { return context.Background() }
func (l *lasting) Failed() bool             { return false }

// TempDir lies in memory where that is to be had: these tests are not about disks,
// and share theirs with tests that are.
func (l *lasting) TempDir() string {
	dir, err := os.MkdirTemp("/dev/shm", "doorward-lab")
	if err != nil {
		dir, err = os.MkdirTemp("", "doorward-lab")
	}
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// lab is the deployment that the security tests share: two processes, one Redis,
// one database file. Its tests run one after the other.
type lab struct {
	tb      lasting
	server  bool // its database lies on PostgreSQL
	options nodetest.Options
	config  string   // folder of its configuration; empty: testdata/config
	more    []string // flags
	redis   *redistest.Server
	mail    *mailtest.Server
	nodes   []*nodetest.Node
	metrics []string
	site    *visit.Site
	file    string
	keys    string // file of the key ring
	db      *sql.DB
	partner *partner       // whom the nodes may call
	dead    *nodetest.Node // that a test has killed; nil: none
	open    sync.Once
}

var theLab lab

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range slices.Backward(theLab.tb.ends) {
		end()
	}
	pgtest.Clean()
	nodetest.Clean()
	os.Exit(code)
}

func (l *lab) start() {
	tb := &l.tb
	l.redis, l.mail = redistest.Start(tb), mailtest.Start(tb)
	if l.config == "" {
		l.config = "testdata/config"
	}
	config, err := filepath.Abs(l.config)
	if err != nil {
		tb.Fatal(err)
	}
	data := tb.TempDir()
	l.file = filepath.Join(data, "shared.db")
	l.keys = nodetest.NewKeys(tb, data)
	l.partner = newPartner(tb, data)
	o := nodetest.Options{Redis: l.redis.URL(), Keys: l.keys, DB: l.database()}
	for range 2 {
		metrics := nodetest.FreeAddr(tb)
		o.Args = []string{"--config", config, "--log-format", "json", "--metrics-listen", metrics, "--smtp", l.mail.URL(), "--mail-from", "First <no-reply@first.example>"}
		o.Args = append(append(o.Args, l.partner.flags()...), l.more...)
		l.nodes, l.metrics = append(l.nodes, nodetest.Start(tb, o)), append(l.metrics, metrics)
		o.BaseURL = l.nodes[0].Base
	}
	l.options = o
	l.site = visit.At(l.nodes...)
	l.site.Hide(l.redis.Addr)
	l.site.Hide(data)
	for _, s := range l.partner.servers {
		l.site.Hide(s.Listener.Addr().String())
	}
	tb.Cleanup(func() { _ = l.db.Close() })
}

// database is where the nodes keep what lasts, at which the tests look too.
func (l *lab) database() string {
	driver, place, url := "sqlite", "file:"+l.file+"?_pragma=busy_timeout(5000)", l.file
	if l.server {
		url = pgtest.Database(&l.tb)
		driver, place = "pgx", url
	}
	db, err := sql.Open(driver, place)
	if err != nil {
		l.tb.Fatal(err)
	}
	l.db = db
	return url
}

// trial is one test in the lab.
type trial struct {
	*testing.T
	*lab
	trail visit.Trail
	from  []int // how much of each log was there before

	earlier string // log of nodes that others have taken the place of
}

// newTrial begins a test; what must hold of every test is checked at its end.
func newTrial(t *testing.T) *trial {
	t.Helper()
	if testing.Short() {
		t.Skip("runs whole processes; make test runs it")
	}
	l := &theLab
	l.tb.TB = t
	l.open.Do(l.start)
	if l.site == nil {
		t.Fatal("the lab did not start")
	}
	return l.trial(t)
}

// apart begins a test in a deployment of its own, beside others.
func apart(t *testing.T) *trial {
	t.Helper()
	return apartOn(t, false)
}

// apartOn may have its database on PostgreSQL.
func apartOn(t *testing.T, server bool) *trial {
	t.Helper()
	if testing.Short() {
		t.Skip("runs whole processes; make test runs it")
	}
	l := &lab{tb: lasting{TB: t}, server: server}
	t.Cleanup(func() {
		for _, end := range slices.Backward(l.tb.ends) {
			end()
		}
	})
	l.start()
	return l.trial(t)
}

func (l *lab) trial(t *testing.T) *trial {
	t.Helper()
	x := &trial{T: t, lab: l}
	for _, n := range l.nodes {
		x.from = append(x.from, len(n.Log()))
	}
	t.Cleanup(x.always)
	return x
}

func (x *trial) browser() *visit.Client { return x.site.Browser(x.T, &x.trail) }
func (x *trial) device() *visit.Client  { return x.site.Device(x.T, &x.trail) }

// always is what holds after every test: each error is in the log once, with its
// reason; no secret is where it could be found; the processes live.
func (x *trial) always() {
	failures := x.trail.Failures()
	if !x.await(func() bool { return x.unlogged(failures) == "" }) {
		x.Error(x.unlogged(failures))
	}
	for place, text := range x.dump() {
		for _, secret := range x.trail.In(text) {
			x.Errorf("%s: there is a %s in it", place, secret)
		}
	}
	for _, n := range x.nodes {
		if err := n.Signal(syscall.Signal(0)); err != nil && n != x.dead {
			x.Errorf("node %s is gone: %v", n.Addr, err)
		}
	}
	if x.Failed() {
		lines := bytes.Split(x.logs(), []byte("\n"))
		x.Logf("%s", bytes.Join(lines[max(0, len(lines)-12):], []byte("\n")))
	}
}
