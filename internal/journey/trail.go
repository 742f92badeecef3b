package journey

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync"
)

// Trail is what a test has sent and received that must be found again, or must
// not be.
type Trail struct {
	mu       sync.Mutex
	secrets  map[string]string // value to what it is
	failures []Failure
	busy     int // answers that said to come again
}

// Failure is what an error body said of itself, which the log must say too.
type Failure struct {
	ID          string
	Correlation string
	Reasons     []string // its code, and those of its details
}

// shortest is how long a value must be to be told from others.
const shortest = 8

// Secret adds a value that nobody may keep or log.
func (t *Trail) Secret(what, value string) {
	if len(value) < shortest {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.secrets == nil {
		t.secrets = map[string]string{}
	}
	t.secrets[value] = what
}

// Failures are all error bodies that came in.
func (t *Trail) Failures() []Failure {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.failures)
}

// Busy is how often a node was too busy to answer, and was asked again.
func (t *Trail) Busy() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.busy
}

func (t *Trail) wasBusy() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy++
}

// Secrets is how many there are.
func (t *Trail) Secrets() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.secrets)
}

// In names the secrets that lie in a text, as they are or as the bytes that they
// are the base64url of, with what lies around them.
func (t *Trail) In(text []byte) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := map[string]bool{}
	for value, what := range t.secrets {
		raw, err := base64.RawURLEncoding.DecodeString(value)
		at := bytes.Index(text, []byte(value))
		if at < 0 && err == nil && len(raw) >= 16 {
			at = bytes.Index(text, raw)
		}
		if at >= 0 {
			found[fmt.Sprintf("%s (near %q)", what, text[max(0, at-60):min(len(text), at+60)])] = true
		}
	}
	var out []string
	for what := range found {
		out = append(out, what)
	}
	sort.Strings(out)
	return out
}

// sent keeps the secrets of a request.
func (t *Trail) sent(req *http.Request, body []byte) {
	for _, k := range req.Cookies() {
		t.Secret("cookie "+k.Name, k.Value)
	}
	t.Secret("Flow-Token", req.Header.Get("Flow-Token"))
	t.Secret("If-Match", strings.Trim(req.Header.Get("If-Match"), `"`))
	if _, secret, ok := req.BasicAuth(); ok {
		if plain, err := url.QueryUnescape(secret); err == nil {
			t.Secret("client secret", plain)
		}
	}
	t.Secret("bearer token", strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "))
	t.document(body)
	t.form(string(body))
}

// received keeps the secrets of an answer.
func (t *Trail) received(a *Answer) {
	for _, k := range (&http.Response{Header: a.Header}).Cookies() {
		t.Secret("cookie "+k.Name, k.Value)
	}
	t.Secret("Flow-Token", a.Header.Get("Flow-Token"))
	t.Secret("ETag", strings.Trim(a.Header.Get("ETag"), `"`))
	if _, query, ok := strings.Cut(a.Header.Get("Location"), "?"); ok {
		t.form(query)
	}
	t.document(a.Body)
}

// form keeps the secrets of a query or a posted form.
func (t *Trail) form(encoded string) {
	v, err := url.ParseQuery(encoded)
	if err != nil {
		return
	}
	for _, name := range [...]string{"code", "password", "client_secret", "code_verifier", "_token"} {
		for _, value := range v[name] {
			t.Secret(name, value)
		}
	}
}

// document keeps the secrets of a JSON object, at any depth.
func (t *Trail) document(body []byte) {
	var node any
	if json.Unmarshal(body, &node) == nil {
		t.members(node, "")
	}
}

func (t *Trail) members(node any, parent string) {
	if list, ok := node.([]any); ok {
		for _, value := range list {
			if s, isText := value.(string); isText && parent == "recoveryCodes" {
				t.Secret("recovery code", s)
			}
			t.members(value, parent)
		}
		return
	}
	object, ok := node.(map[string]any)
	if !ok {
		return
	}
	for name, value := range object {
		s, isText := value.(string)
		name = name[strings.LastIndexByte(name, '.')+1:] // a form may write user.password
		switch {
		case !isText:
			t.members(value, name)
		case strings.HasPrefix(s, "${"): // a definition says where it lies
		case name == "password", name == "newPassword", name == "currentPassword", name == "access_token", name == "id_token",
			name == "code" && (parent == "authorizeResponse" || parent == "pairingKey"), parent == "totp", name == "keyUri", name == "value" && parent == "password":
			t.Secret(name, s)
		}
	}
}
