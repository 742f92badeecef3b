package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/devices/client"
	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/httpapi"
	"doorward/runtime/mfa"
)

// mobiles is a node that devices speak to.
type mobiles struct {
	*house
	t      *testing.T
	base   string // of the demo's environment
	server *httpapi.Server
	user   directory.User
	state  string
}

// newMobiles serves the demo; gateway may be empty, or where its pushes go.
func newMobiles(t *testing.T, gateway string) *mobiles {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir, data, log := t.TempDir(), t.TempDir(), &strings.Builder{}
	o := options{
		Listen: ln.Addr().String(), BaseURL: "http://" + ln.Addr().String(), Data: data,
		Database: filepath.Join(data, "doorward.db"), Keys: filepath.Join(data, "keys.json"), LogFormat: "text",
	}
	if gateway != "" {
		o.Config = withGateway(t, dir, gateway)
		u, err := url.Parse(gateway)
		if err != nil {
			t.Fatal(err)
		}
		o.OutboundAllow = []string{u.Hostname() + "/32:" + u.Port()}
	}
	h, err := build(t.Context(), o, log)
	if err != nil {
		t.Fatal(err)
	}
	server, err := h.faces(t.Context(), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		_ = h.close(ctx)
	})
	m := &mobiles{house: h, t: t, base: o.BaseURL + "/" + demoEnvironment, server: server, state: filepath.Join(t.TempDir(), "d", "devices.json")}
	if m.user, err = h.users.Create(t.Context(), directory.User{Env: demoEnvironment, Username: "lovelace", Enabled: true}, "", ""); err != nil {
		t.Fatal(err)
	}
	return m
}

// withGateway is the demo's configuration with the service of docs/devices.md that
// pushes go by.
func withGateway(t *testing.T, dir, gateway string) string {
	t.Helper()
	if err := os.CopyFS(dir, configs.Demo); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/devices.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(name string) string {
		_, after, _ := strings.Cut(string(page), "```json "+name+"\n")
		text, _, _ := strings.Cut(after, "```")
		return strings.NewReplacer("{service}", gatewayID, "https://push.example.com", gateway).Replace(text)
	}
	for file, text := range map[string]string{
		"externalServices/gateway.json": strings.Replace(block("service"), "{", `{"id":"`+gatewayID+`",`, 1), "notificationsSettings.json": block("settings"),
	} {
		if err := os.WriteFile(filepath.Join(dir, "demo", file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// key is a pairing key of the user.
func (m *mobiles) key() string {
	m.t.Helper()
	key, err := device.NewPairingKey(rand.Reader, device.Numeric)
	if err != nil {
		m.t.Fatal(err)
	}
	err = m.devices.CreatePairing(m.t.Context(), directory.Pairing{
		Env: demoEnvironment, UserID: m.user.ID, ID: uuid.NewString(), Application: "d0000000-0000-4000-8000-0000000000a2", Hash: m.ring.Derive(device.PairingPurpose, demoEnvironment, key), ExpiresAt: m.now().Add(10 * time.Minute),
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return key
}

// paired is the device that the state file holds; there is one.
func (m *mobiles) paired(more ...string) device.Device {
	m.t.Helper()
	if out, err := m.run(append([]string{"pair", device.PairingURI(m.base, m.key())}, more...)...); err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
	all, err := m.devices.List(m.t.Context(), demoEnvironment, m.user.ID)
	if err != nil || len(all) == 0 {
		m.t.Fatalf("%v, %v", all, err)
	}
	return all[len(all)-1]
}

// run is `doorward device`.
func (m *mobiles) run(args ...string) (string, error) {
	var out bytes.Buffer
	err := run(m.t.Context(), append([]string{"device", "--state", m.state}, args...), func(string) string { return "" }, nil, &out, io.Discard)
	return out.String(), err
}

// ask sends a push to a device, as the service of factors does.
func (m *mobiles) ask(d device.Device, number string) device.Push {
	m.t.Helper()
	p, err := m.devices.CreatePush(m.t.Context(), directory.NewPush{Push: device.Push{
		Env: demoEnvironment, ID: uuid.NewString(), UserID: m.user.ID, Device: d.ID, Flow: uuid.NewString(), Number: number,
		Client: device.ClientOf(netip.MustParseAddr("203.0.113.7"), "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"), Application: "Acme\x1b[2J Portal", ExpiresAt: m.now().Add(time.Minute),
	}})
	if err != nil {
		m.t.Fatal(err)
	}
	m.mobiles.Ring(p.Env, p.Device)
	return p
}

func (m *mobiles) became(id string) device.PushState {
	m.t.Helper()
	p, err := m.devices.Push(m.t.Context(), demoEnvironment, id)
	if err != nil {
		m.t.Fatal(err)
	}
	return p.State
}

// TestTheDeviceCommand plays a device against a node, as a script does.
func TestTheDeviceCommand(t *testing.T) {
	m := newMobiles(t, "")
	d := m.paired("--name", "Test phone", "--algorithm", "EdDSA")
	if d.Type != device.Mobile || d.Status != device.Active || d.Name != "Test phone" {
		t.Fatalf("%+v", d)
	}
	info, err := os.Stat(m.state)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the keys: %v, %v", info, err)
	}
	if out, err := m.run("list"); err != nil || !strings.Contains(out, d.ID+"  lovelace  "+m.base+"  active") {
		t.Errorf("%q, %v", out, err)
	}
	m.shows(d)
	for name, row := range map[string]struct {
		number, says string
		args         []string
		want         device.PushState
	}{
		"approve":                {"", "approved", []string{"--approve"}, device.PushApproved},
		"reject":                 {"", "rejected", []string{"--reject"}, device.PushRejected},
		"approve with a number":  {"47", "approved", []string{"--approve", "--number", "47"}, device.PushApproved},
		"approve with another":   {"47", "that is not the number", []string{"--approve", "--number", "48"}, device.PushRejected},
		"reject one of a number": {"47", "rejected", []string{"--reject"}, device.PushRejected},
	} {
		t.Run(name, func(t *testing.T) {
			p := m.ask(d, row.number)
			out, err := m.run(append([]string{"watch", "--once"}, row.args...)...)
			if err != nil || m.became(p.ID) != row.want || !strings.Contains(out, row.says) {
				t.Errorf("%s, %v: %s", m.became(p.ID), err, out)
			}
			if !strings.Contains(out, "sign-on to Acme?[2J Portal as lovelace\n  from 203.0.113.7, Firefox on Windows\n") {
				t.Errorf("it shows %q", out)
			}
		})
	}
	p := m.ask(d, "47")
	if out, err := m.run("watch", "--once", "--approve"); err == nil || m.became(p.ID) != device.PushPending {
		t.Errorf("approved without its number: %v: %s", err, out)
	}
	if out, err := m.run("unpair"); err != nil || !strings.Contains(out, "unpaired "+d.ID) {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := m.run("list"); err != nil || out != "" {
		t.Errorf("after it has gone: %q, %v", out, err)
	}
}

// shows holds that the device shows the code that the server takes, also where it does
// not reach the server, and none that the server does not take.
func (m *mobiles) shows(d device.Device) {
	m.t.Helper()
	out, err := m.run("code", d.ID)
	code, left, _ := strings.Cut(out, "  for ")
	if err != nil || len(code) != 6 || !strings.HasSuffix(left, " s\n") {
		m.t.Fatalf("%q, %v", out, err)
	}
	try := directory.Try{Judged: directory.Judged{Env: demoEnvironment, UserID: m.user.ID, ID: d.ID}, Compare: func(seed []byte, _ int64) (int64, bool) {
		is, _ := m.factors.Computed(&d)
		for i := range int64(2) { // it may have become the one before
			c := client.Codes{Secret: base32.StdEncoding.EncodeToString(seed), Algorithm: is.Algorithm, Digits: is.Digits, Period: int(is.Period / time.Second)}
			if at := m.now().Add(-is.Period * time.Duration(i)); code == first(c.At(at)) {
				return at.Unix() / int64(c.Period), true
			}
		}
		return 0, false
	}}
	for _, want := range []bool{true, false} {
		if st, err := m.devices.Try(m.t.Context(), try); err != nil || st.OK != want {
			m.t.Errorf("%s: %+v, %v", code, st, err)
		}
	}
	kept, err := os.ReadFile(m.state)
	if err != nil {
		m.t.Fatal(err)
	}
	for text, row := range map[string]struct{ of, want string }{
		strings.Replace(string(kept), m.base, "http://127.0.0.1:9/"+demoEnvironment, 1): {d.ID, ""},
		strings.Replace(string(kept), `"codes"`, `"unknown"`, 1):                        {d.ID, "pair it anew"},
	} {
		if err := os.WriteFile(m.state, []byte(text), 0o600); err != nil {
			m.t.Fatal(err)
		}
		if out, err := m.run("code", row.of); row.want == "" && (err != nil || len(out) < 6) || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			m.t.Errorf("%q, %v", out, err)
		}
	}
	if err := os.WriteFile(m.state, kept, 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func first(code string, _ time.Duration, _ error) string { return code }

// TestTheDeviceCommandAsks plays the person before the terminal, who is there before
// the push is.
func TestTheDeviceCommandAsks(t *testing.T) {
	m := newMobiles(t, "")
	d := m.paired()
	for name, row := range map[string]struct {
		number, typed string
		want          device.PushState
	}{
		"yes":              {"", "y", device.PushApproved},
		"no":               {"", "n", device.PushRejected},
		"just return":      {"", "", device.PushRejected},
		"the number":       {"31", "31", device.PushApproved},
		"no number":        {"31", "y", device.PushRejected},
		"one nobody shows": {"31", "3131", device.PushRejected},
	} {
		t.Run(name, func(t *testing.T) {
			in, typing := io.Pipe()
			out := &shown{}
			done := make(chan error, 1)
			go func() {
				done <- run(t.Context(), []string{"device", "--state", m.state, "watch", "--once"}, func(string) string { return "" }, in, out, io.Discard)
			}()
			out.await(t, "waiting for sign-ons of lovelace")
			p := m.ask(d, row.number)
			if row.number == "" {
				out.await(t, "approve? [y/N] ")
			} else {
				out.await(t, "which number does the sign-on show? ")
			}
			if _, err := fmt.Fprintln(typing, row.typed); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil || m.became(p.ID) != row.want {
				t.Errorf("%s, %v: %s", m.became(p.ID), err, out)
			}
			_ = typing.Close()
		})
	}
}

// shown is what a terminal shows.
type shown struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shown) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *shown) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *shown) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !strings.Contains(s.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not say %q: %s", text, s)
		}
	}
}

func TestTheDeviceCommandSaysWhatIsWrong(t *testing.T) {
	m := newMobiles(t, "")
	ctx := t.Context()
	for name, row := range map[string]struct {
		args []string
		want string
	}{
		"nothing paired":          {[]string{"watch"}, "pair it with"},
		"a key without its place": {[]string{"pair", "123456789012"}, "give --environment"},
		"a wrong key":             {[]string{"pair", "123456789012", "--environment", m.base}, "The pairing key is wrong"},
		"an address of the web":   {[]string{"pair", "https://login.example/pair"}, "begins with doorward://pair?"},
		"an algorithm":            {[]string{"pair", "123456789012", "--environment", m.base, "--algorithm", "HS256"}, "ES256 or EdDSA"},
		"both answers":            {[]string{"watch", "--approve", "--reject"}, "none of the others can be"},
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := m.run(row.args...); err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "123456789012") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	d := m.paired()
	if err := m.devices.Block(ctx, demoEnvironment, m.user.ID, d.ID); err != nil {
		t.Fatal(err)
	}
	if out, err := m.run("list"); err != nil || !strings.Contains(out, "blocked") {
		t.Errorf("%v: %s", err, out)
	}
	if err := m.devices.Delete(ctx, demoEnvironment, m.user.ID, d.ID, nil, "e1"); err != nil {
		t.Fatal(err)
	}
	if out, err := m.run("watch"); err == nil || !strings.Contains(err.Error(), "pair it again") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := m.run("list"); err != nil || !strings.Contains(out, "removed") {
		t.Errorf("%v: %s", err, out)
	}
	if err := os.Chmod(m.state, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := m.run("list"); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("keys that others may read: %v", err)
	}
}

// TestAPushGoesByAPushService: what leaves says that something waits, to whom, and
// nothing else.
func TestAPushGoesByAPushService(t *testing.T) {
	got := make(chan string, 10)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- string(b)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer gateway.Close()
	m := newMobiles(t, gateway.URL)
	d := m.paired()
	p := m.ask(d, "47")
	post := func() {
		t.Helper()
		if _, err := (factorMessages{m.house}).Post(t.Context(), mfa.Message{Effect: "e-" + p.ID, Message: flow.Message{
			Env: p.Env, Channel: flow.Push, Template: flow.PushMessage, To: d.ID, ExpiresAt: p.ExpiresAt,
		}}); err != nil {
			t.Fatal(err)
		}
	}
	post()
	select {
	case body := <-got:
		for _, want := range []string{`"device":"` + d.ID + `"`, `"token":""`, `"id":"`, "A sign-on waits for your answer."} {
			if !strings.Contains(body, want) {
				t.Errorf("%s is not in %s", want, body)
			}
		}
		for _, never := range []string{"lovelace", "203.0.113.7", "Portal", p.ID, p.Flow} {
			if strings.Contains(body, never) {
				t.Errorf("%s is in %s", never, body)
			}
		}
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came")
	}
	post()
	select {
	case body := <-got:
		t.Errorf("a repeat: %s", body)
	case <-time.After(2 * time.Second):
	}
}

// TestWhoWaitsIsAnsweredWhenTheNodeStops: a device that waits keeps no node from
// stopping.
func TestWhoWaitsIsAnsweredWhenTheNodeStops(t *testing.T) {
	m := newMobiles(t, "")
	m.paired()
	s, err := client.ReadState(m.state)
	if err != nil {
		t.Fatal(err)
	}
	_, c, err := (&machine{state: s}).one("")
	if err != nil {
		t.Fatal(err)
	}
	l, err := c.Pushes(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := c.Pushes(t.Context(), l.Known, 25*time.Second)
		answered <- err
	}()
	time.Sleep(300 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	if err := m.server.Shutdown(ctx); err != nil {
		t.Errorf("the node does not stop: %v", err)
	}
	if err := <-answered; err != nil {
		t.Errorf("who waited has no answer: %v", err)
	}
}
