package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/demo"
	"doorward/internal/nodetest"
)

const flowAPI = "../../docs/flow-api.md"

// TestGoldenFlowAPI sends every request of docs/flow-api.md to the demo and
// compares the answers with the page. UPDATE_GOLDEN=1 writes them anew.
func TestGoldenFlowAPI(t *testing.T) {
	page, err := os.ReadFile(flowAPI)
	if err != nil {
		t.Fatal(err)
	}
	d := newDocs(t)
	block := regexp.MustCompile("(?s)```http\n(.*?)```\n")
	var answer string
	n := 0
	got := block.ReplaceAllStringFunc(string(page), func(b string) string {
		n++
		content := strings.TrimSuffix(strings.TrimPrefix(b, "```http\n"), "```\n")
		if n%2 == 1 {
			answer = d.send(t, content)
			return b
		}
		return "```http\n" + answer + "```\n"
	})
	if n == 0 || n%2 != 0 {
		t.Fatalf("%s holds %d http blocks; requests and answers come in pairs", flowAPI, n)
	}
	if got == string(page) {
		return
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(flowAPI, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := strings.Split(string(page), "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(want) || want[i] != line {
			t.Fatalf("%s:%d: the server answers\n  %s\nUPDATE_GOLDEN=1 writes the page anew", flowAPI, i+1, line)
		}
	}
}

// docs sends the page's requests and puts names in place of what one run makes.
type docs struct {
	node   *nodetest.Node
	client *http.Client
	known  map[string]string // name in braces to value
}

func newDocs(t *testing.T) *docs {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := nodetest.Start(t, nodetest.Options{})
	return &docs{node: n, client: n.Client(jar), known: map[string]string{"env": nodetest.Env}}
}

// send sends one request block and returns the answer as the page shows it.
func (d *docs) send(t *testing.T, block string) string {
	t.Helper()
	if strings.Contains(block, "{mailed code}") {
		block = strings.ReplaceAll(block, "{mailed code}", d.mailed(t))
	}
	for name, value := range d.known {
		block = strings.ReplaceAll(block, "{"+name+"}", value)
	}
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
	return d.show(t, resp, raw)
}

// mailed is the code in the youngest mail of the outbox for the flow.
func (d *docs) mailed(t *testing.T) string {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		req, err := http.NewRequest(http.MethodGet, d.node.Base+demo.OutboxPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "application/json")
		resp, err := d.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var mails []struct{ Text string }
		err = json.NewDecoder(resp.Body).Decode(&mails)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mails {
			if link := regexp.MustCompile(`flowId=` + d.known["flow"] + `&code=(\w{8})`).FindStringSubmatch(m.Text); link != nil {
				return link[1]
			}
		}
	}
	t.Fatal("no code was mailed for the flow")
	return ""
}

// show writes an answer with the headers that matter to a client.
func (d *docs) show(t *testing.T, resp *http.Response, raw []byte) string {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatalf("answer is not JSON: %v\n%s", err, raw)
	}
	d.learn(body)
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %s\n", resp.Status)
	for _, k := range []string{"Content-Type", "Etag", "Flow-Token", "Retry-After", "Set-Cookie"} {
		if v := resp.Header.Get(k); v != "" {
			fmt.Fprintf(&out, "%s: %s\n", strings.Replace(k, "Etag", "ETag", 1), v)
		}
	}
	out.WriteByte('\n')
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return d.named(out.String())
}

// learn remembers what later requests of the page speak of.
func (d *docs) learn(body map[string]any) {
	if id, ok := body["id"].(string); ok && body["status"] != nil {
		d.known["flow"] = id
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
	s = strings.ReplaceAll(s, u.Host, "localhost:8080")
	for _, r := range []struct{ from, to string }{
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`, `2026-11-21T10:00:00.000Z`},
		{`("id": )"[0-9a-f-]{36}"(,\n  "code")`, `$1"{id}"$2`},
		{`eyJ[\w-]+\.[\w-]+\.[\w-]+`, `{jwt}`},
		{`(ETag: )"[\w-]{43}"`, `$1"{step token}"`},
		{`(Flow-Token: )[\w-]{43}`, `$1{flow token}`},
		{`(ST=)[\w-]{43,}`, `$1{opaque}`},
	} {
		s = regexp.MustCompile(r.from).ReplaceAllString(s, r.to)
	}
	return s
}
