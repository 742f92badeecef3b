package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/demo"
	"doorward/internal/nodetest"
	"doorward/internal/redistest"
)

// provider takes SMS and calls, as whoever really sends them would.
type provider struct {
	*httptest.Server
	mu   sync.Mutex
	took []taken
	hang chan struct{} // of calls that are not answered before it is closed; nil: all are
}

type taken struct {
	path, key, auth string
	body            map[string]string
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		one := taken{path: r.URL.Path, key: r.Header.Get("Idempotency-Key"), auth: r.Header.Get("Authorization")}
		_ = json.Unmarshal(b, &one.body)
		p.mu.Lock()
		p.took = append(p.took, one)
		hang := p.hang
		p.mu.Unlock()
		if hang != nil {
			select {
			case <-hang:
			case <-r.Context().Done():
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"sid":"SM1"}`)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) all() []taken {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.took)
}

// hangs has calls wait; nil: no more.
func (p *provider) hangs(until chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hang = until
}

// forget empties what was taken.
func (p *provider) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = nil
}

// opened lets nodes call the provider.
func (p *provider) opened() []string {
	u, _ := url.Parse(p.URL) // is ours
	return []string{"--outbound-allow", "127.0.0.1/32:" + u.Port()}
}

// office is an administrator of the demo's environment, at one node.
type office struct {
	*testing.T
	node  *nodetest.Node
	token string
}

func newOffice(t *testing.T, n *nodetest.Node) *office {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.Base+"/"+nodetest.Env+"/as/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(nodetest.Worker, nodetest.WorkerSecret)
	o := &office{T: t, node: n}
	o.token, _ = o.send(r, http.StatusOK)["access_token"].(string)
	return o
}

func (o *office) send(r *http.Request, status int) map[string]any {
	o.Helper()
	client := o.node.Client(nil)
	defer client.CloseIdleConnections()
	var res *http.Response
	var b []byte
	within(o.T, time.Minute, "an answer", func() bool { // a node that is too busy says so, and is asked again
		var err error
		if r.GetBody != nil {
			r.Body, _ = r.GetBody()
		}
		if res, err = client.Do(r); err != nil {
			o.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		if b, err = io.ReadAll(res.Body); err != nil {
			o.Fatal(err)
		}
		return res.StatusCode != http.StatusServiceUnavailable || status == res.StatusCode
	})
	if res.StatusCode != status {
		o.Fatalf("%s %s: %d %s, want %d", r.Method, r.URL.Path, res.StatusCode, b, status)
	}
	var m map[string]any
	_ = json.Unmarshal(b, &m) // an empty one is none
	return m
}

// ask sends a request to the management API.
func (o *office) ask(method, path, media, body string, status int) map[string]any {
	o.Helper()
	r, err := http.NewRequestWithContext(o.Context(), method, o.node.Base+"/v1/environments/"+nodetest.Env+path, strings.NewReader(body))
	if err != nil {
		o.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+o.token)
	if body != "" {
		r.Header.Set("Content-Type", media)
	}
	return o.send(r, status)
}

// configure makes a service of docs/mail.md, with the provider in the place of its
// host, and has messages sent by it. Requests are those of SMS and calls.
func (o *office) configure(p *provider, service, sms, call string) {
	o.Helper()
	block := example(o.T, "service", service)
	block = regexp.MustCompile(`"base": "[^"]+"`).ReplaceAllString(block, `"base": "`+p.URL+`"`)
	id, _ := o.ask("POST", "/externalServices", "application/json", block, http.StatusCreated)["id"].(string)
	settings := strings.NewReplacer("{service}", id, `"request": "sms"`, `"request": "`+sms+`"`, `"request": "call"`, `"request": "`+call+`"`).Replace(example(o.T, "settings", "deliveryMethod"))
	o.ask("PUT", "/notificationsSettings", "application/json", settings, http.StatusOK)
}

// example is the block of docs/mail.md whose fence says so and that holds a text.
func example(t *testing.T, fence, holds string) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/mail.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("(?s)```json "+fence+"\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
		if strings.Contains(found[1], holds) {
			return found[1]
		}
	}
	t.Fatalf("docs/mail.md has no block %s with %s", fence, holds)
	return ""
}

// test sends a test message and returns its id.
func (o *office) test(method, to string) string {
	o.Helper()
	id, _ := o.ask("POST", "/notificationsSettings", "application/vnd.doorward.notification.test+json",
		fmt.Sprintf(`{"deliveryMethod":%q,"to":%q,"locale":"de"}`, method, to), http.StatusCreated)["id"].(string)
	return id
}

// becomes waits until a test message is what it is to be.
func (o *office) becomes(id, status string) {
	o.Helper()
	within(o.T, 20*time.Second, "the message to be "+status, func() bool {
		return o.ask("GET", "/notificationsSettings/tests/"+id, "", "", http.StatusOK)["status"] == status
	})
}

// TestMessagesGoByTheServicesOfTheGuide has two nodes send by both services that
// docs/mail.md describes, each message once.
func TestMessagesGoByTheServicesOfTheGuide(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	shared := nodetest.Shared(t, redistest.Start(t).URL(), p.opened()...)
	a := nodetest.Start(t, shared)
	o := newOffice(t, a)
	o.configure(p, `"Messages"`, "send", "send")
	shared.BaseURL = a.Base
	b := nodetest.Start(t, shared) // knows of it at once; a node that runs takes a change over within a second
	want := map[string]bool{}
	var ids []string
	for i := range 12 {
		to := fmt.Sprintf("+493012345%02d", i)
		want[to] = true
		id := o.test([]string{"SMS", "VOICE"}[i%2], to)
		ids = append(ids, id)
	}
	for _, id := range ids {
		o.becomes(id, "SENT")
	}
	for _, one := range p.all() {
		if !want[one.body["to"]] || !slices.Contains(ids, one.key) || one.body["id"] != one.key || one.path != "/messages" ||
			one.auth != "Bearer change-me" || one.body["language"] != "de" || !strings.Contains(one.body["text"], "Demo") {
			t.Errorf("%+v", one)
		}
		delete(want, one.body["to"])
	}
	if len(want) > 0 || len(p.all()) != 12 {
		t.Errorf("%d calls, missing %v", len(p.all()), want)
	}
	b.Kill() // it would go on with what it knows for a moment
	p.forget()
	o.configure(p, `"Twilio"`, "sms", "call")
	o.becomes(o.test("SMS", "+15125551111"), "SENT")
	o.becomes(o.test("VOICE", "+15125551112"), "SENT")
	got := p.all()
	if len(got) != 2 || got[0].path != "/sms" || got[0].body["From"] != "+15005550006" || got[0].body["To"] != "+15125551111" || !strings.HasPrefix(got[0].auth, "Basic ") ||
		got[1].path != "/call" || got[1].body["Voice"] != "Polly.Vicki" || !strings.Contains(got[1].body["Say"], ", ") {
		t.Errorf("%+v", got)
	}
	code := regexp.MustCompile(`\d{6}`).FindString(got[0].body["Body"])
	for _, n := range []*nodetest.Node{a, b} {
		for _, secret := range []string{"4930123", "5125551", code, "change-me"} {
			if code == "" || strings.Contains(n.Log(), secret) {
				t.Errorf("%q is in the log:\n%s", secret, n.Log())
			}
		}
	}
}

// TestFaultKillWhileAMessageIsSent kills the node that a provider keeps waiting.
// Nobody knows what became of the message, so that nobody sends it again.
func TestFaultKillWhileAMessageIsSent(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	data := t.TempDir()
	options := nodetest.Options{Redis: redistest.Start(t).URL(), Keys: nodetest.NewKeys(t, data), DB: data + "/shared.db", Args: p.opened()}
	n := nodetest.Start(t, options)
	o := newOffice(t, n)
	o.configure(p, `"Messages"`, "send", "send")
	until := make(chan struct{})
	p.hangs(until)
	id := o.test("SMS", "+4930123456")
	within(t, 10*time.Second, "the call", func() bool { return len(p.all()) == 1 })
	n.Kill()
	p.hangs(nil)
	close(until)
	options.BaseURL = n.Base
	next := newOffice(t, nodetest.Start(t, options))
	next.becomes(next.test("SMS", "+4930123457"), "SENT") // so that the outbox was looked at
	next.becomes(id, "WAITING")
	if got := p.all(); len(got) != 2 || got[1].body["to"] != "+4930123457" {
		t.Errorf("%+v", got)
	}
}

// TestTheDemoShowsWhatIsNotConfigured looks at /dev/outbox.
func TestTheDemoShowsWhatIsNotConfigured(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nodetest.Start(t, nodetest.Options{}))
	o.becomes(o.test("SMS", "+4930123456"), "SENT")
	o.becomes(o.test("VOICE", "+4930123456"), "SENT")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.node.Base+demo.OutboxPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	client := o.node.Client(nil)
	defer client.CloseIdleConnections()
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var got []demo.Mail
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || len(got) != 2 {
		t.Fatalf("%v %+v", err, got)
	}
	if got[0].Channel != "VOICE" || got[1].Channel != "SMS" || got[1].To != "+4930123456" || !strings.HasPrefix(got[1].Text, "Demo: Testnachricht.") || got[1].Language != "de" {
		t.Errorf("%+v", got)
	}
}
