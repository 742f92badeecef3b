package main_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/demo"
	"doorward/internal/nodetest"
)

// TestGoldenFlowAPI sends every request of docs/flow-api.md to the demo and
// compares the answers with the page. UPDATE_GOLDEN=1 writes them anew.
func TestGoldenFlowAPI(t *testing.T) {
	t.Parallel()
	d := newDocs(t)
	hold(t, "flow-api.md", guide{fence: d.http(t)})
}

// docs sends the page's requests and puts names in place of what one run makes.
type docs struct {
	node   *nodetest.Node
	client *http.Client
	known  map[string]string                    // name in braces to value
	made   map[string]func(t *testing.T) string // the same of values that are made when they are sent
	met    func(status int, answer map[string]any)
	asked  string // the last request of the page
}

func newDocs(t *testing.T) *docs {
	t.Helper()
	n := nodetest.Start(t, nodetest.Options{Host: "localhost"})
	d := &docs{node: n, client: n.Client(newJar(t)), known: map[string]string{"env": nodetest.Env}, met: func(int, map[string]any) {}}
	d.made = map[string]func(*testing.T) string{"mailed code": d.mailed, "token": d.token}
	return d
}

func newJar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

// http makes the blocks of http, of which every second one is the answer to the
// one before. An answer whose fence names members shows those alone; a request
// whose fence says "in another browser" comes without the cookies of those before.
func (d *docs) http(t *testing.T) func(info, content string) string {
	t.Helper()
	asked := false
	return func(info, content string) string {
		language, members, _ := strings.Cut(info, " ")
		switch {
		case language != "http":
			return content
		case !asked:
			d.asked = content
			if members == "in another browser" {
				d.client = d.node.Client(newJar(t))
			}
		default:
			content = d.send(t, d.asked, strings.Fields(members)...)
		}
		asked = !asked
		return content
	}
}

// token is that of the demo's worker.
func (d *docs) token(t *testing.T) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	req, err := http.NewRequest(http.MethodPost, d.node.Base+"/"+nodetest.Env+"/as/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(nodetest.Worker, nodetest.WorkerSecret)
	resp, err := d.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || out.Token == "" {
		t.Fatalf("no token: %d, %v", resp.StatusCode, err)
	}
	return out.Token
}

// send sends one request block and returns the answer as the page shows it, all
// of it or the members that are named.
func (d *docs) send(t *testing.T, block string, members ...string) string {
	t.Helper()
	for name, value := range d.made {
		if strings.Contains(block, "{"+name+"}") {
			block = strings.ReplaceAll(block, "{"+name+"}", value(t))
		}
	}
	for name, value := range d.known {
		block = strings.ReplaceAll(block, "{"+name+"}", value)
	}
	block = strings.ReplaceAll(block, "http://localhost:8080", d.node.Base)
	head, body, _ := strings.Cut(block, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	req, err := http.NewRequest(method, d.node.Base+strings.ReplaceAll(target, " ", "%20"), strings.NewReader(strings.TrimSpace(body)))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines[1:] {
		k, v, _ := strings.Cut(l, ": ")
		req.Header.Set(k, v)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return d.show(t, resp, raw, members)
}

// outbox is the messages that were sent so far, the youngest first.
func (d *docs) outbox(t *testing.T) (mails []demo.Mail) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, d.node.Base+demo.OutboxPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := d.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(&mails); err != nil {
		t.Fatal(err)
	}
	return mails
}

// mailed is the code in the youngest mail of the outbox for the flow.
func (d *docs) mailed(t *testing.T) string {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for _, m := range d.outbox(t) {
			if link := regexp.MustCompile(`flowId=` + cmp.Or(d.known["execution"], d.known["flow"]) + `&code=(\w{8})`).FindStringSubmatch(m.Text); link != nil {
				return link[1]
			}
		}
	}
	t.Fatal("no code was mailed for the flow")
	return ""
}

// show writes an answer with the headers that matter to a client.
func (d *docs) show(t *testing.T, resp *http.Response, raw []byte, members []string) string {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(raw, &body); err != nil && len(raw) > 0 {
		t.Fatalf("answer is not JSON: %v\n%s", err, raw)
	}
	d.learn(body)
	d.met(resp.StatusCode, body)
	if made := regexp.MustCompile(`/v1/environments/[^/]+/(flowDefinition|signOnPolic)\w+/([0-9a-f-]{36})$`).FindStringSubmatch(resp.Header.Get("Location")); made != nil {
		d.known[map[string]string{"flowDefinition": "definition", "signOnPolic": "policy"}[made[1]]] = made[2]
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %s\n", resp.Status)
	for _, k := range []string{"Content-Type", "Etag", "Flow-Token", "Retry-After", "Location", "Set-Cookie"} {
		for _, v := range resp.Header.Values(k) {
			fmt.Fprintf(&out, "%s: %s\n", strings.Replace(k, "Etag", "ETag", 1), v)
		}
	}
	if len(raw) > 0 {
		out.WriteByte('\n')
		if err := json.Indent(&out, chosen(t, raw, members), "", "  "); err != nil {
			t.Fatal(err)
		}
		out.WriteByte('\n')
	}
	return d.named(out.String())
}

// learn remembers what later requests of the page speak of.
func (d *docs) learn(body map[string]any) {
	if id, ok := body["id"].(string); ok && body["status"] != nil {
		of := "flow"
		if body["flowDefinition"] != nil {
			of = "execution"
		}
		d.known[of] = id
	}
	if s, ok := body["session"].(map[string]any); ok {
		d.known["session"], _ = s["id"].(string)
	}
	if e, ok := body["_embedded"].(map[string]any); ok {
		u, _ := e["user"].(map[string]any)
		if id, ok := u["id"].(string); ok && !strings.HasPrefix(id, "d0000000") { // somebody of this run
			d.known["user"] = id
		}
	}
	if a, ok := body["authorizeResponse"].(map[string]any); ok {
		d.known["code"], _ = a["code"].(string)
	}
}

// named puts names in place of values, the longest first.
func (d *docs) named(s string) string {
	names := make([]string, 0, len(d.known))
	for name := range d.known {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s = strings.ReplaceAll(s, d.known[name], "{"+name+"}")
	}
	u, _ := url.Parse(d.node.Base)
	s = strings.NewReplacer(u.Host, "localhost:8080", url.QueryEscape(u.Host), "localhost%3A8080").Replace(s)
	for _, r := range []struct{ from, to string }{
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`, `2026-11-21T10:00:00.000Z`},
		{`("id": )"[0-9a-f-]{36}"(,\n  "code")`, `$1"{id}"$2`},
		{`eyJ[\w-]+\.[\w-]+\.[\w-]+`, `{jwt}`},
		{`(ETag: )"[\w-]{43}"`, `$1"{step token}"`},
		{`(Flow-Token: )[\w-]{43}`, `$1{flow token}`},
		{`((?:ST|TB)=)[\w-]{43,}`, `$1{opaque}`},
		{`("challenge": )"[\w-]{43}"`, `$1"{challenge}"`},
		{`(\\"challenge\\":)\[[-\d,]+\]`, `$1[{challenge}]`},
		{`\b[0-9a-f]{64}\b`, `{hash}`},
	} {
		s = regexp.MustCompile(r.from).ReplaceAllString(s, r.to)
	}
	return regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`).ReplaceAllStringFunc(s, func(id string) string {
		if strings.HasPrefix(id, "d0000000") { // of the demo, and the same every time
			return id
		}
		return "{id}"
	})
}
