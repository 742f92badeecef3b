package devices_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorward/devices/client"
	"doorward/devices/proof"
	"doorward/runtime/device"
	"doorward/runtime/flow"
)

func TestADeviceIsPairedAnswersAndGoes(t *testing.T) {
	h := open(t)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*client.Client{"ES256": h.fresh(envID, p256(t)), "EdDSA": h.fresh(envID, edKey)} {
		t.Run(name, func(t *testing.T) {
			code := h.key(envID, ada)
			r, err := c.Pair(t.Context(), code[:4]+" "+code[4:8]+"-"+code[8:], "Pixel 9", "token-of-the-push-service")
			if err != nil || r.User.Username != "ada" || r.Status != "ACTIVE" || r.Environment.Name != "Acme" || r.Application.Name != "Acme App" {
				t.Fatalf("%+v, %v", r, err)
			}
			if d, _ := h.Mobile(t.Context(), envID, r.ID); d.Alert != "token-of-the-push-service" || d.Name != "Pixel 9" {
				t.Errorf("kept: %+v", d)
			}
			if again, err := c.Show(t.Context()); err != nil || again.ID != r.ID || again.Name != "Pixel 9" {
				t.Errorf("shown: %+v, %v", again, err)
			}
			id := h.send(r.ID, "")
			l, err := c.Pushes(t.Context(), "", 0)
			if err != nil || len(l.Pushes) != 1 {
				t.Fatalf("%+v, %v", l, err)
			}
			p := l.Pushes[0]
			if p.ID != id || p.User.Username != "ada" || p.Application.Name != "Acme Portal" || p.From.Address != "203.0.113.7" || p.From.Browser != "Firefox on Linux" || len(p.Numbers) != 0 {
				t.Errorf("%+v", p)
			}
			v, err := c.Answer(t.Context(), id, true, "")
			if err != nil || v.State != "APPROVED" || h.state(id) != device.PushApproved {
				t.Errorf("%+v, %v, %s", v, err, h.state(id))
			}
			if err := c.Unpair(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Show(t.Context()); !client.Removed(err) {
				t.Errorf("after it has gone: %v", err)
			}
		})
	}
	if h.said(flow.DeviceActivated) != 2 || h.said(flow.DeviceDeleted) != 2 {
		t.Errorf("events: %+v", h.events)
	}
}

func TestAPairingKeyIsGoodOnceAndForAWhile(t *testing.T) {
	h := open(t)
	refused := func(t *testing.T, c *client.Client, code string) string {
		t.Helper()
		_, err := c.Pair(t.Context(), code, "Pixel", "")
		var p *client.Problem
		if !errors.As(err, &p) || p.Status != http.StatusBadRequest || c.ID != "" {
			t.Fatalf("%v", err)
		}
		return p.Message
	}
	used, old := h.key(envID, ada), h.key(envID, ada)
	first := h.fresh(envID, p256(t))
	r, err := first.Pair(t.Context(), used, "Pixel", "")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.fresh(envID, first.Key).Pair(t.Context(), used, "Pixel", ""); err != nil || again.ID != r.ID {
		t.Errorf("the same key again, whose answer was lost: %+v, %v", again, err)
	}
	other := h.key(otherEnv, ada)
	messages := map[string]bool{
		refused(t, h.fresh(envID, p256(t)), used):           true,
		refused(t, h.fresh(envID, p256(t)), "000000000000"): true,
		refused(t, h.fresh(envID, p256(t)), "not a key"):    true,
		refused(t, h.fresh(envID, p256(t)), other):          true,
	}
	h.pass(11 * time.Minute)
	messages[refused(t, h.fresh(envID, p256(t)), old)] = true
	if len(messages) != 1 {
		t.Errorf("they can be told apart: %v", messages)
	}
}

func TestPairingSaysWhatToDo(t *testing.T) {
	h := open(t)
	c := h.paired(envID, ada)
	if _, err := h.fresh(envID, c.Key).Pair(t.Context(), h.key(envID, bob), "Pixel", ""); err == nil || !strings.Contains(err.Error(), "Make a new key") {
		t.Errorf("a key that is another device's: %v", err)
	}
	h.full = true
	if _, err := h.fresh(envID, p256(t)).Pair(t.Context(), h.key(envID, ada), "Pixel", ""); err == nil || !strings.Contains(err.Error(), "Remove one") {
		t.Errorf("too many: %v", err)
	}
	for _, name := range []string{"", " ", "a\nb", "\x1b[2J", strings.Repeat("x", 101)} {
		h.pass(2 * time.Minute)
		if _, err := h.fresh(envID, p256(t)).Pair(t.Context(), h.key(envID, ada), name, ""); err == nil {
			t.Errorf("called %q", name)
		}
	}
	h.pass(2 * time.Minute)
	if _, err := h.fresh(envID, p256(t)).Pair(t.Context(), h.key(envID, ada), "Pixel", "a token\n"); err == nil {
		t.Error("a token with a line of its own")
	}
}

// asked is a request as somebody sends it who is not the client.
type asked struct {
	method, path, body string
	header             http.Header
}

func (h *house) ask(a asked) (int, string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), a.method, h.URL+a.path, strings.NewReader(a.body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header = a.header
	if a.body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := h.Client().Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// signed is a request with the proof that a device makes of it.
func (h *house) signed(c *client.Client, method, path, body string, at time.Time) asked {
	h.t.Helper()
	token, err := proof.Sign(c.Key, c.ID, proof.Request{Method: method, URL: h.URL + path, Body: []byte(body)}, at, rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	return asked{method, path, body, http.Header{"Authorization": {"Device " + token}}}
}

// TestNobodyElseIsTaken: every way of not being the device is answered alike.
func TestNobodyElseIsTaken(t *testing.T) {
	h := open(t)
	c, thief := h.paired(envID, ada), h.paired(envID, bob)
	push := h.send(c.ID, "")
	path := "/" + envID + "/devices/v1/pushes/" + push
	const yes = `{"answer":"APPROVE"}`
	good := func() asked { return h.signed(c, http.MethodPost, path, yes, h.now()) }
	unknown := *c
	unknown.ID = uuid.NewString()
	stolen := *thief
	stolen.ID = c.ID
	nobody := *c
	nobody.ID = ""
	for name, a := range map[string]asked{
		"no proof":                   {http.MethodPost, path, yes, http.Header{}},
		"a bearer token":             {http.MethodPost, path, yes, http.Header{"Authorization": {"Bearer abc"}}},
		"another scheme":             {http.MethodPost, path, yes, http.Header{"Authorization": {strings.Replace(good().header.Get("Authorization"), "Device", "DPoP", 1)}}},
		"two proofs":                 {http.MethodPost, path, yes, http.Header{"Authorization": {good().header.Get("Authorization"), good().header.Get("Authorization")}}},
		"no such device":             h.signed(&unknown, http.MethodPost, path, yes, h.now()),
		"another device's key":       h.signed(&stolen, http.MethodPost, path, yes, h.now()),
		"a key and no device":        h.signed(&nobody, http.MethodPost, path, yes, h.now()),
		"another path":               {http.MethodPost, path, yes, h.signed(c, http.MethodPost, path+"0", yes, h.now()).header},
		"another body":               {http.MethodPost, path, yes, h.signed(c, http.MethodPost, path, `{"answer":"REJECT"}`, h.now()).header},
		"another method":             {http.MethodPost, path, yes, h.signed(c, http.MethodGet, path, yes, h.now()).header},
		"another environment":        h.signed(c, http.MethodPost, strings.Replace(path, envID, otherEnv, 1), yes, h.now()),
		"a query that is not signed": {http.MethodPost, path + "?x=1", yes, good().header},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := h.ask(a)
			if status != http.StatusUnauthorized || !strings.Contains(body, "is not signed by the key of a device that is paired here") {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	if h.state(push) != device.PushPending {
		t.Errorf("it was answered: %s", h.state(push))
	}
	if status, body := h.ask(good()); status != http.StatusOK {
		t.Errorf("the device itself: %d %s", status, body)
	}
}

func TestAProofIsTakenOnceAndInTime(t *testing.T) {
	h := open(t)
	c := h.paired(envID, ada)
	path := "/" + envID + "/devices/v1/device"
	a := h.signed(c, http.MethodGet, path, "", h.now())
	if status, body := h.ask(a); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := h.ask(a); status != http.StatusUnauthorized || !strings.Contains(body, "has been used") || h.said(flow.DeviceReplayed) != 1 {
		t.Errorf("again: %d %s, %d events", status, body, h.said(flow.DeviceReplayed))
	}
	for _, off := range []time.Duration{-2 * time.Minute, 2 * time.Minute} {
		if status, body := h.ask(h.signed(c, http.MethodGet, path, "", h.now().Add(off))); status != http.StatusUnauthorized || !strings.Contains(body, "Set the device's clock") {
			t.Errorf("%v: %d %s", off, status, body)
		}
	}
	var wins int
	var mu sync.Mutex
	var wg sync.WaitGroup
	a = h.signed(c, http.MethodGet, path, "", h.now())
	for range 8 {
		wg.Go(func() {
			if status, _ := h.ask(a); status == http.StatusOK {
				mu.Lock()
				wins++
				mu.Unlock()
			}
		})
	}
	if wg.Wait(); wins != 1 {
		t.Errorf("eight at once: %d were taken", wins)
	}
	late := *c
	late.Now = func() time.Time { return h.now().Add(-time.Hour) } // and goes by the server's Date
	if _, err := late.Show(t.Context()); err != nil {
		t.Errorf("a device whose clock is an hour late: %v", err)
	}
}

func TestAPushIsAnsweredByItsOwnDeviceAlone(t *testing.T) {
	h := open(t)
	mine, other := h.paired(envID, ada), h.paired(envID, ada)
	foreign := h.paired(otherEnv, ada)
	id := h.send(mine.ID, "")
	for name, row := range map[string]struct {
		c  *client.Client
		id string
	}{
		"another device of the same person": {other, id},
		"a device of another environment":   {foreign, id},
		"a push that never was":             {mine, uuid.NewString()},
		"an id that is none":                {mine, "x%00"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := row.c.Answer(t.Context(), row.id, true, "")
			var p *client.Problem
			if !errors.As(err, &p) || p.Status != http.StatusNotFound {
				t.Errorf("%v", err)
			}
		})
	}
	if l, err := other.Pushes(t.Context(), "", 0); err != nil || len(l.Pushes) != 0 {
		t.Errorf("shown to another: %+v, %v", l, err)
	}
	if h.state(id) != device.PushPending {
		t.Errorf("it was answered: %s", h.state(id))
	}
}

func TestTheNumberIsMatched(t *testing.T) {
	h := open(t)
	c := h.paired(envID, ada)
	h.pass(time.Minute)
	places := map[int]int{}
	for i := range 40 {
		if i%10 == 0 {
			h.pass(2 * time.Minute)
		}
		id := h.send(c.ID, "07")
		l, err := c.Pushes(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.Pushes(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		n := numbers(l, id)
		if len(n) != 3 || !slices.Contains(n, "07") || !slices.Equal(n, numbers(again, id)) || len(slices.Compact(slices.Sorted(slices.Values(n)))) != 3 || len(n[0]+n[1]+n[2]) != 6 {
			t.Fatalf("%v, then %v", n, numbers(again, id))
		}
		places[slices.Index(n, "07")]++
		if _, err := c.Answer(t.Context(), id, false, ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(places) != 3 {
		t.Errorf("the right one is always at the same places: %v", places)
	}
	h.pass(2 * time.Minute)
	for name, row := range map[string]struct {
		number, reason string
		state          device.PushState
		refused        bool
	}{
		"right":     {"07", "", device.PushApproved, false},
		"wrong":     {"70", "WRONG_NUMBER", device.PushRejected, false},
		"unpadded":  {"7", "WRONG_NUMBER", device.PushRejected, false},
		"forgotten": {"", "", device.PushPending, true},
	} {
		t.Run(name, func(t *testing.T) {
			id := h.send(c.ID, "07")
			v, err := c.Answer(t.Context(), id, true, row.number)
			if (err != nil) != row.refused || v.Reason != row.reason || h.state(id) != row.state {
				t.Errorf("%+v, %v, %s", v, err, h.state(id))
			}
			if row.state != device.PushRejected {
				return
			}
			if _, err := c.Answer(t.Context(), id, true, "07"); err == nil || h.state(id) != device.PushRejected {
				t.Errorf("a second choice: %v, %s", err, h.state(id))
			}
		})
	}
}

func numbers(l client.Listing, id string) []string {
	for _, p := range l.Pushes {
		if p.ID == id {
			return p.Numbers
		}
	}
	return nil
}

func TestOneOfTwoAnswersWins(t *testing.T) {
	h := open(t)
	c := h.paired(envID, ada)
	id := h.send(c.ID, "")
	var mu sync.Mutex
	won := map[string]int{}
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			mine := *c
			v, err := mine.Answer(t.Context(), id, i%2 == 0, "")
			var p *client.Problem
			if err != nil && (!errors.As(err, &p) || p.Status != http.StatusConflict) {
				t.Errorf("%v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			won[v.State]++
		})
	}
	wg.Wait()
	if won["APPROVED"] > 0 && won["REJECTED"] > 0 || won[""] != 5 {
		t.Errorf("%v", won)
	}
	late := h.send(c.ID, "")
	h.pass(41 * time.Second)
	if _, err := c.Answer(t.Context(), late, true, ""); err == nil || !strings.Contains(err.Error(), "no longer waits") {
		t.Errorf("too late: %v", err)
	}
}

func TestABlockedOrLockedDeviceIsToldWhatToDo(t *testing.T) {
	h := open(t)
	c := h.paired(envID, ada)
	id := h.send(c.ID, "")
	h.change(c.ID, func(d *device.Device) { d.LockedUntil = h.now().Add(time.Minute) })
	if _, err := c.Answer(t.Context(), id, true, ""); err == nil || !strings.Contains(err.Error(), "is locked") {
		t.Errorf("locked: %v", err)
	}
	h.change(c.ID, func(d *device.Device) { d.BlockedAt = h.now() })
	for name, err := range map[string]error{
		"approve": second(c.Answer(t.Context(), id, true, "")), "reject": second(c.Answer(t.Context(), id, false, "")), "list": second(c.Pushes(t.Context(), "", 0)),
	} {
		if err == nil || !strings.Contains(err.Error(), "is blocked") {
			t.Errorf("blocked, %s: %v", name, err)
		}
	}
	if h.state(id) != device.PushPending {
		t.Errorf("it was answered: %s", h.state(id))
	}
	if r, err := c.Show(t.Context()); err != nil || !r.Blocked || r.LockedUntil.IsZero() {
		t.Errorf("shown: %+v, %v", r, err)
	}
	h.change(c.ID, func(d *device.Device) { d.BlockedAt = time.Time{} })
	if _, err := c.Answer(t.Context(), id, false, ""); err != nil || h.state(id) != device.PushRejected || h.said(flow.PushRejected) != 1 {
		t.Errorf("a locked device may say no: %v", err)
	}
	h.change(c.ID, func(d *device.Device) { d.BlockedAt = h.now() })
	if err := c.Unpair(t.Context()); err == nil {
		t.Error("a blocked device has taken itself away, and the block with it")
	}
	h.change(c.ID, func(d *device.Device) { d.BlockedAt = time.Time{} })
	if err := c.Unpair(t.Context()); err != nil {
		t.Errorf("a device may go: %v", err)
	}
}

func TestRequestsAreReadStrictly(t *testing.T) {
	h := open(t)
	c := h.paired(envID, ada)
	answer := "/" + envID + "/devices/v1/pushes/" + h.send(c.ID, "")
	list := "/" + envID + "/devices/v1/pushes"
	for name, row := range map[string]struct {
		a      asked
		status int
	}{
		"no answer":          {h.signed(c, "POST", answer, `{}`, h.now()), 400},
		"maybe":              {h.signed(c, "POST", answer, `{"answer":"MAYBE"}`, h.now()), 400},
		"in lower case":      {h.signed(c, "POST", answer, `{"answer":"approve"}`, h.now()), 400},
		"a member more":      {h.signed(c, "POST", answer, `{"answer":"APPROVE","user":"x"}`, h.now()), 400},
		"a doubled member":   {h.signed(c, "POST", answer, `{"answer":"REJECT","answer":"APPROVE"}`, h.now()), 400},
		"a list":             {h.signed(c, "POST", answer, `[]`, h.now()), 400},
		"a long wait":        {h.signed(c, "GET", list+"?wait=26", "", h.now()), 400},
		"a negative wait":    {h.signed(c, "GET", list+"?wait=-1", "", h.now()), 400},
		"waits":              {h.signed(c, "GET", list+"?wait=1&wait=2", "", h.now()), 400},
		"another parameter":  {h.signed(c, "GET", list+"?user=x", "", h.now()), 400},
		"no environment":     {h.signed(c, "GET", strings.Replace(list, envID, native, 1), "", h.now()), 404},
		"another media type": {with(h.signed(c, "POST", answer, `{"answer":"APPROVE"}`, h.now()), "text/plain"), 415},
	} {
		t.Run(name, func(t *testing.T) {
			if status, body := h.ask(row.a); status != row.status {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

func with(a asked, media string) asked {
	a.header.Set("Content-Type", media)
	return a
}

func second[T any](_ T, err error) error { return err }

func TestGuessingIsSlow(t *testing.T) {
	h := open(t)
	limited := 0
	for range 15 {
		_, err := h.fresh(envID, p256(t)).Pair(t.Context(), "123456789012", "Pixel", "")
		var p *client.Problem
		if errors.As(err, &p) && p.Status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited != 5 || h.said(flow.RequestLimited) != 5 {
		t.Errorf("%d of 15 were limited, and 10 are let pass; %d events", limited, h.said(flow.RequestLimited))
	}
}

func TestAWaitEndsWithNews(t *testing.T) {
	h := open(t)
	c := h.paired(envID, ada)
	l, err := c.Pushes(t.Context(), "", 25*time.Second) // nothing is known yet: answered at once
	if err != nil || l.Known == "" {
		t.Fatalf("%+v, %v", l, err)
	}
	waits := func(known string, wait time.Duration) <-chan client.Listing {
		out := make(chan client.Listing, 1)
		mine := *c
		go func() {
			l, err := mine.Pushes(t.Context(), known, wait)
			if err != nil {
				t.Error(err)
			}
			out <- l
		}()
		return out
	}
	expect := func(name string, got <-chan client.Listing, pushes int) client.Listing {
		t.Helper()
		select {
		case l := <-got:
			if len(l.Pushes) != pushes {
				t.Errorf("%s: %+v", name, l)
			}
			return l
		case <-time.After(15 * time.Second):
			t.Fatalf("%s: it still waits", name)
		}
		return client.Listing{}
	}
	got := waits(l.Known, 25*time.Second)
	time.Sleep(100 * time.Millisecond) // it may wait, or not yet: both must do
	h.send(c.ID, "")
	h.face.Ring(envID, c.ID)
	l = expect("a push of this node", got, 1)

	failed := make(chan error, 10)
	go h.face.Watch(t.Context(), func(err error) { failed <- err })
	got = waits(l.Known, 25*time.Second)
	time.Sleep(1200 * time.Millisecond)
	h.send(c.ID, "")
	l = expect("a push of another node", got, 2)

	if expect("nothing new", waits(l.Known, time.Second), 2).Known != l.Known {
		t.Error("nothing new has another mark")
	}
	got = waits(l.Known, 25*time.Second)
	time.Sleep(100 * time.Millisecond)
	close(h.stopping)
	expect("the process ends", got, 2)
	if len(failed) > 0 {
		t.Error(<-failed)
	}
}

func TestAStrangersTextIsNotShown(t *testing.T) {
	for agent, want := range map[string]string{
		firefox: "Firefox on Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                   "Chrome on macOS",
		"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                   "Chrome on Android",
		"curl/8.9.1":                             "curl",
		"":                                       "unknown",
		"Your bank. Please approve at once!":     "unknown",
		"Your bank. Windows update: Firefox/1":   "Firefox on Windows",
		"\x1b[2J\n\nEverything is fine, Chrome/": "Chrome",
	} {
		h := open(t)
		c := h.paired(envID, ada)
		id := h.send(c.ID, "")
		h.mu.Lock()
		p := h.pushes[envID+id]
		p.Client = device.ClientOf(netip.MustParseAddr("2001:db8::1"), agent)
		h.pushes[envID+id] = p
		h.mu.Unlock()
		l, err := c.Pushes(t.Context(), "", 0)
		if err != nil || len(l.Pushes) != 1 || l.Pushes[0].From.Browser != want || l.Pushes[0].From.Address != "2001:db8::1" {
			t.Errorf("%q: %+v, %v", agent, l, err)
		}
	}
}
