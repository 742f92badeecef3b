package devices_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/devices/client"
	"doorward/runtime/device"
)

// page are the http blocks of docs/devices.md, in order.
func page(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("../docs/devices.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, part := range strings.Split(string(b), "```") {
		if text, is := strings.CutPrefix(part, "http\n"); i%2 == 1 && is {
			out = append(out, text)
		}
	}
	return out
}

var (
	times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	two   = regexp.MustCompile(`"\d\d"`)
)

// TestThePageIsTrue sends each request of docs/devices.md, signed, and compares the
// answer that stands below it.
func TestThePageIsTrue(t *testing.T) {
	h := open(t)
	c := h.fresh(envID, p256(t))
	names := map[string]string{"{base}": h.base(envID), "{code}": h.key(envID, ada), "{right}": "47"}
	blocks := page(t)
	if len(blocks) < 14 || len(blocks)%2 != 0 {
		t.Fatalf("%d blocks", len(blocks))
	}
	for pair := range slices.Chunk(blocks, 2) {
		head, body, _ := strings.Cut(filled(pair[0], names), "\n\n")
		line, fields, _ := strings.Cut(head, "\n")
		method, address, _ := strings.Cut(line, " ")
		if !strings.HasPrefix(fields, "Authorization: Device {proof}") {
			t.Errorf("%s is not signed", line)
		}
		by := *c
		if strings.HasSuffix(address, "/pairings") {
			by.ID = "" // shows its key
		}
		status, got := h.play(&by, method, strings.TrimPrefix(address, h.URL), strings.TrimSuffix(body, "\n"))
		names["{error}"] = "00000000-0000-4000-8000-000000000000"
		if status == http.StatusCreated {
			c.ID = member(t, got, "id")
			names["{device}"], names["{secret}"] = c.ID, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
			names["{push}"] = h.send(c.ID, "47")
		}
		if k := member(t, got, "known"); k != "" {
			names["{known}"] = k
		}
		answer := "HTTP/1.1 " + http.StatusText(status) + "\n" + pretty(got)
		want := pair[1]
		first, rest, _ := strings.Cut(want, "\n")
		_, text, _ := strings.Cut(rest, "\n\n")
		_, reason, _ := strings.Cut(strings.TrimPrefix(first, "HTTP/1.1 "), " ")
		if diff := cmp.Diff(filled("HTTP/1.1 "+reason+"\n"+text, names), blurred(answer)); diff != "" {
			t.Errorf("%s\n%s", line, diff)
		}
	}
	if h.state(names["{push}"]) != device.PushApproved {
		t.Errorf("the page approves nothing: %s", h.state(names["{push}"]))
	}
}

func filled(text string, names map[string]string) string {
	for name, value := range names {
		text = strings.ReplaceAll(text, name, value)
	}
	return text
}

// blurred leaves out what differs from run to run.
func blurred(text string) string {
	return two.ReplaceAllString(times.ReplaceAllString(text, "{time}"), `"{number}"`)
}

// play sends a request with a proof.
func (h *house) play(c *client.Client, method, path, body string) (int, string) {
	h.t.Helper()
	return h.ask(h.signed(c, method, path, body, h.now()))
}

func member(t *testing.T, body, name string) string {
	t.Helper()
	if body == "" {
		return ""
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	s, _ := m[name].(string)
	return s
}

func pretty(body string) string {
	if body == "" {
		return ""
	}
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(strings.TrimSpace(body)), "", "  "); err != nil {
		return body
	}
	return b.String() + "\n"
}
