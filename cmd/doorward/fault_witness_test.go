package main_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"doorward/internal/nodetest"
)

// rounds is how often a fault is repeated: few by default, many with
// DOORWARD_SOAK set, least with -short.
func rounds(least, few, many int) int {
	switch {
	case os.Getenv("DOORWARD_SOAK") != "":
		return many
	case testing.Short():
		return least
	}
	return few
}

// told is one answer, read to its end.
type told struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

func (a told) String() string { return fmt.Sprintf("%d after %v: %s", a.status, a.took, a.body) }

// unavailable reports whether the answer is the one for a store that is down.
func (a told) unavailable() bool {
	return a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") != ""
}

// witness is one person in one flow, who remembers what was acknowledged.
type witness struct {
	base         string
	send         func(*http.Request) (told, error)
	flow         string // id
	cookie, etag string
	token        string // Flow-Token
	acks         uint64 // submits that were evaluated and answered
}

func newWitness(n *nodetest.Node, send func(*http.Request) (told, error)) *witness {
	return &witness{base: n.Base, send: send}
}

// at is a witness who speaks to one node alone.
func at(n *nodetest.Node) *witness { return newWitness(n, newDoor(n).send) }

// deed is one request with everything that makes it the same one again.
type deed struct{ method, path, media, body, cookie, etag, key string }

const (
	checkAction = "usernamePassword.check"
	resetAction = "session.reset"
	rightOne    = `{"username":"ada","password":"` + nodetest.Password + `"}`
	faultProof  = "a-code-verifier-of-a-test-of-faults-with-more-than-43-characters"
	faultTarget = "http://127.0.0.1/callback"
)

// submit is an action with a key of its own.
func (w *witness) submit(action, body string) deed {
	return deed{
		http.MethodPost, "/" + nodetest.Env + "/flows/" + w.flow, "application/vnd.pingidentity." + action + "+json", body,
		w.cookie, w.etag, rand.Text(),
	}
}

func (w *witness) look() deed {
	return deed{method: http.MethodGet, path: "/" + nodetest.Env + "/flows/" + w.flow, cookie: w.cookie}
}

func (w *witness) resume() deed {
	return deed{method: http.MethodGet, path: "/" + nodetest.Env + "/as/resume?flowId=" + w.flow, cookie: w.cookie}
}

func (w *witness) authorize() deed {
	sum := sha256.Sum256([]byte(faultProof))
	q := url.Values{
		"response_type": {"code"}, "response_mode": {"pi.flow"}, "client_id": {nodetest.Native}, "scope": {"openid"},
		"redirect_uri": {faultTarget}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	return deed{method: http.MethodGet, path: "/" + nodetest.Env + "/as/authorize?" + q.Encode(), cookie: w.cookie}
}

func (w *witness) redeem(code string) deed {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {nodetest.Native},
		"code_verifier": {faultProof}, "redirect_uri": {faultTarget},
	}
	return deed{method: http.MethodPost, path: "/" + nodetest.Env + "/as/token", media: "application/x-www-form-urlencoded", body: form.Encode()}
}

func (d deed) request(base string) (*http.Request, error) {
	req, err := http.NewRequest(d.method, base+d.path, bytes.NewReader([]byte(d.body)))
	if err != nil {
		return nil, err
	}
	if d.body == "" {
		req.Body = http.NoBody
	}
	for name, value := range map[string]string{"Content-Type": d.media, "If-Match": d.etag, "Idempotency-Key": d.key} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if d.cookie != "" {
		req.Header.Set("Cookie", "ST="+d.cookie)
	}
	return req, nil
}

// do sends a deed once and learns from the answer what a browser would.
func (w *witness) do(d deed) (told, error) {
	req, err := d.request(w.base)
	if err != nil {
		return told{}, err
	}
	a, err := w.send(req)
	if err != nil || a.unavailable() {
		return a, err
	}
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == "ST" {
			w.cookie = c.Value
		}
	}
	if tag := a.header.Get("ETag"); tag != "" {
		w.etag = tag
	}
	if token := a.header.Get("Flow-Token"); token != "" {
		w.token = token
	}
	if d.key != "" && (a.status == http.StatusOK || a.status == http.StatusBadRequest) {
		w.acks++
	}
	return a, nil
}

// steady is do, and again where the machine stood still: Redis did not answer
// within its 300 ms because something else had the disk. A node that refuses for
// a reason of its own does so at once.
func (w *witness) steady(d deed) (told, error) {
	for tries := 1; ; tries++ {
		a, err := w.do(d)
		if err != nil || !a.unavailable() || a.took < 300*time.Millisecond || tries == 4 {
			return a, err
		}
	}
}

// must is steady that has to answer with status.
func (w *witness) must(t *testing.T, d deed, status int) told {
	t.Helper()
	a, err := w.steady(d)
	if err != nil || a.status != status {
		t.Fatalf("%s %s: %v, %v; want %d", d.method, d.path, a, err, status)
	}
	return a
}

// insist sends a deed until it is answered, for as long as a lease of a node
// that died may last and a little longer.
func (w *witness) insist(d deed) (told, error) {
	for end := time.Now().Add(40 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		a, err := w.do(d)
		if (err == nil && !a.unavailable()) || time.Now().After(end) {
			return a, err
		}
	}
}

// start begins a flow as a stranger.
func (w *witness) start() (told, error) {
	w.cookie, w.etag, w.acks = "", "", 0
	a, err := w.steady(w.authorize())
	if err == nil && a.status == http.StatusOK {
		w.flow = member(a.body, "id")
	}
	return a, err
}

func (w *witness) mustStart(t *testing.T) *witness {
	t.Helper()
	if a, err := w.start(); err != nil || w.flow == "" {
		t.Fatalf("authorize: %v, %v", a, err)
	}
	return w
}

// member is a string at a path of a JSON object; empty when there is none.
func member(body []byte, path ...string) string {
	var v any
	_ = json.Unmarshal(body, &v)
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	s, _ := v.(string)
	return s
}

// code is the authorization code in a resume's answer.
func (a told) code() string { return member(a.body, "authorizeResponse", "code") }
