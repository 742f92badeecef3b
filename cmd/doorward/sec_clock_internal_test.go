package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorward/runtime/flow"
)

// clocked is the whole house in this process, with a clock that tests turn.
type clocked struct {
	*testing.T
	base  string
	house *house
	at    atomic.Int64 // it stands still unless it is turned
}

func (c *clocked) now() time.Time       { return time.Unix(0, c.at.Load()) }
func (c *clocked) pass(d time.Duration) { c.at.Add(int64(d)) }

// clockedHouse serves testdata/config by a clock of its own.
func clockedHouse(t *testing.T) *clocked {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &clocked{T: t, base: "http://" + l.Addr().String()}
	c.at.Store(time.Now().UnixNano())
	dir := t.TempDir()
	o := options{
		Listen: l.Addr().String(), BaseURL: c.base, Data: dir, Config: "testdata/config", Rate: 100_000,
		Database: filepath.Join(dir, "doorward.db"), Keys: filepath.Join(dir, "keys.json"),
	}
	c.house = &house{o: o, out: io.Discard, log: slog.New(slog.DiscardHandler), now: c.now, metrics: newMetrics(), checks: map[string]func(context.Context) error{}}
	h := c.house
	for _, step := range []func(context.Context) error{h.openKeys, h.openDirectory, h.openSessions, h.openOutside, h.openConfiguration, h.openDelivery, h.openEngine} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	server, err := h.faces(t.Context(), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		server.Drain = 0
		_ = server.Shutdown(ctx)
		_ = h.close(ctx)
	})
	return c
}

const (
	guardedBase  = "/e6000000-0000-4000-8000-000000000001"
	guardedLodge = "e6000000-0000-4000-8000-0000000000a1"
	guardedAdmin = "e6000000-0000-4000-8000-0000000000d1"
)

// call sends a request and reads the JSON that answers it; a redirect is its address.
func (c *clocked) call(client *http.Client, method, path, media string, body any, header ...string) (int, map[string]any) {
	c.Helper()
	var b []byte
	switch v := body.(type) {
	case nil:
	case string:
		b = []byte(v)
	default:
		b, _ = json.Marshal(v)
	}
	req, err := http.NewRequestWithContext(c.Context(), method, c.base+path, bytes.NewReader(b))
	if err != nil {
		c.Fatal(err)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]any
	if location := res.Header.Get("Location"); location != "" && res.StatusCode == http.StatusFound {
		u, _ := url.Parse(location)
		return res.StatusCode, map[string]any{"flow": u.Query().Get("flowId")}
	}
	_ = json.NewDecoder(res.Body).Decode(&out) // an empty one is none
	return res.StatusCode, out
}

// walker is a browser in the middle of a sign-on.
type walker struct {
	*clocked
	client *http.Client
	flow   string
}

func (c *clocked) browser() *walker {
	c.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.Fatal(err)
	}
	return &walker{clocked: c, client: &http.Client{
		Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// start asks for a policy.
func (w *walker) start(acr string) {
	w.Helper()
	q := url.Values{
		"response_type": {"code"}, "client_id": {guardedLodge}, "redirect_uri": {"https://app.guarded.example/cb"}, "scope": {"openid"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {strings.Repeat("c", 43)}, "code_challenge_method": {"S256"}, "acr_values": {acr},
	}
	_, got := w.call(w.client, http.MethodGet, guardedBase+"/as/authorize?"+q.Encode(), "", nil)
	w.flow, _ = got["flow"].(string)
}

// act submits an action and returns what the answer comes to: a status of the flow,
// or the details of a refusal.
func (w *walker) act(action string, body any, header ...string) string {
	w.Helper()
	status, got := w.call(w.client, http.MethodPost, guardedBase+"/flows/"+w.flow, "application/vnd.pingidentity."+action+"+json", body, header...)
	if status == http.StatusOK {
		return fmt.Sprint(got["status"])
	}
	details, _ := got["details"].([]any)
	for _, d := range details {
		m, _ := d.(map[string]any)
		return fmt.Sprint(status, " ", m["code"], "@", m["target"])
	}
	return fmt.Sprint(status, " ", got["code"])
}

// people makes a user, with a postbox if mailed, and returns what they sign on with.
func (c *clocked) people(name string, mailed bool) map[string]string {
	c.Helper()
	worker := &http.Client{Timeout: 30 * time.Second}
	req, err := http.NewRequestWithContext(c.Context(), http.MethodPost, c.base+guardedBase+"/as/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(guardedAdmin, "guarded-admin-secret-93fe")
	res, err := worker.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	var token struct {
		Value string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&token); err != nil || token.Value == "" {
		c.Fatal(res.Status, err)
	}
	users := "/v1/environments" + guardedBase + "/users"
	user := map[string]any{"username": name, "email": name + "@clock.example", "password": map[string]string{"value": "Clock-Right-Horse-1"}, "population": map[string]string{"id": "e6000000-0000-4000-8000-0000000000b1"}}
	status, made := c.call(worker, http.MethodPost, users, "application/vnd.pingidentity.user.import+json", user, "Authorization", "Bearer "+token.Value)
	if status != http.StatusCreated {
		c.Fatal(status, made)
	}
	if mailed {
		box := map[string]string{"type": "EMAIL", "email": name + "@clock.example", "status": "ACTIVE"}
		if status, made := c.call(worker, http.MethodPost, fmt.Sprint(users, "/", made["id"], "/devices"), "application/json", box, "Authorization", "Bearer "+token.Value); status != http.StatusCreated {
			c.Fatal(status, made)
		}
	}
	return map[string]string{"username": name, "password": "Clock-Right-Horse-1"}
}

// mailed is the newest code that went to somebody.
func (c *clocked) mailed(name string) string {
	c.Helper()
	found := ""
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end) && found == ""; time.Sleep(10 * time.Millisecond) {
		for _, m := range c.house.mails.Messages() {
			if m.Template == "otp" && m.To == name+"@clock.example" && m.Channel == flow.Email {
				found = regexp.MustCompile(`\b\d{10}\b`).FindString(m.Text)
			}
		}
	}
	if found == "" {
		c.Fatal("no code was mailed")
	}
	return found
}

// A code ends by the server's clock, to the second, and so does the time in which who
// has signed on may add a device without doing so once more. Source: ASVS 6.5.5, 7.5.1.
func TestSec_OTP_EXPIRED_to_the_second(t *testing.T) {
	c := clockedHouse(t)
	for name, tt := range map[string]struct {
		after time.Duration
		want  string
	}{"early": {299 * time.Second, "COMPLETED"}, "late": {301 * time.Second, "400 INVALID_OTP@otp"}} {
		who := c.people(name, true)
		w := c.browser()
		w.start("Multi_Factor")
		if got := w.act("usernamePassword.check", who); got != "OTP_REQUIRED" {
			t.Fatalf("after the password: %s", got)
		}
		code := c.mailed(name)
		c.pass(tt.after)
		if got := w.act("otp.check", map[string]string{"otp": code}, "Date", time.Now().UTC().Format(time.RFC1123)); got != tt.want {
			t.Errorf("after %v: %s, want %s", tt.after, got, tt.want)
		}
	}

	who := c.people("stale", false)
	w := c.browser()
	w.start("Single_Factor")
	if got := w.act("usernamePassword.check", who); got != "COMPLETED" {
		t.Fatalf("with one factor: %s", got)
	}
	c.pass(9 * time.Minute)
	w.start("Multi_Factor")
	if got := w.act("device.create", map[string]string{"type": "TOTP"}); got != "ACTIVATION_REQUIRED" {
		t.Errorf("nine minutes after the password: %s", got)
	}
	w.start("Multi_Factor")
	c.pass(2 * time.Minute)
	if got := w.act("device.create", map[string]string{"type": "TOTP"}); got == "ACTIVATION_REQUIRED" {
		t.Error("eleven minutes after the password a device is added without it")
	}
	w.start("Multi_Factor")
	if got := w.act("device.create", map[string]string{"type": "TOTP"}); !strings.HasPrefix(got, "400 ACTION_NOT_OFFERED") {
		t.Errorf("before the password was given once more: %s", got)
	}
	if got := w.act("usernamePassword.check", map[string]string{"password": who["password"]}); got != "DEVICE_ENROLLMENT_REQUIRED" {
		t.Errorf("after it: %s", got)
	}
}
