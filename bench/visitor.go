package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// What the demo configuration offers.
const (
	environment  = "d0000000-0000-4000-8000-000000000001"
	webApp       = "d0000000-0000-4000-8000-0000000000a1"
	nativeApp    = "d0000000-0000-4000-8000-0000000000a2"
	workerApp    = "d0000000-0000-4000-8000-0000000000a9"
	workerSecret = "demo-worker-secret"
	choosingApp  = "d0000000-0000-4000-8000-00000000be01" // ours, which asks for a device
	demoUser     = "ada"
	password     = "Correct-Horse-9" // of every user
	codeVerifier = "a-code-verifier-of-the-benchmark-with-43-characters"
)

// visitor is one client with one connection and the state that a browser would
// keep: the ST cookie, the flow it is in and the flow's step token.
type visitor struct {
	*conn
	addr    string
	user    string // who signs on
	flow    string // path of the flow
	cookie  string
	etag    string
	request []byte
	last    reply

	authorization string
}

func visit(addr string) (*visitor, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	return &visitor{conn: c, addr: addr, user: demoUser}, nil
}

// send asks for path and keeps what the answer says of cookie and step token. Any
// status but want is an error.
func (v *visitor) send(want int, method, path, contentType, body string) error {
	b := fmt.Appendf(v.request[:0], "%s %s", method, path)
	b = append(append(b, " HTTP/1.1\r\nHost: "...), v.addr...)
	if v.cookie != "" {
		b = append(append(b, "\r\nCookie: ST="...), v.cookie...)
	}
	if v.authorization != "" {
		b = append(append(b, "\r\nAuthorization: "...), v.authorization...)
	}
	if method == http.MethodPost {
		if v.etag != "" {
			b = append(append(b, "\r\nIf-Match: "...), v.etag...)
		}
		b = append(append(b, "\r\nContent-Type: "...), contentType...)
		b = fmt.Appendf(b, "\r\nContent-Length: %d", len(body))
	}
	b = append(append(b, "\r\n\r\n"...), body...)
	v.request = b
	r, err := v.do(b)
	if err != nil {
		return err
	}
	v.last = r
	if r.status != want {
		return fmt.Errorf("%s %s: %d, want %d: %s", method, path, r.status, want, r.body)
	}
	if set := header(r.head, "Set-Cookie"); bytes.HasPrefix(set, []byte("ST=")) {
		value, _, _ := bytes.Cut(set[3:], []byte(";"))
		v.cookie = string(value)
	}
	if tag := header(r.head, "ETag"); tag != nil {
		v.etag = string(tag)
	}
	return nil
}

// authorize starts a flow as a client of the native application does, as a
// stranger.
func (v *visitor) authorize() error { return v.authorizeAs(nativeApp) }

// authorizeAs is authorize for another such application.
func (v *visitor) authorizeAs(application string) error {
	v.cookie, v.etag = "", ""
	sum := sha256.Sum256([]byte(codeVerifier))
	q := url.Values{
		"response_type": {"code"}, "response_mode": {"pi.flow"}, "client_id": {application}, "scope": {"openid profile"},
		"redirect_uri": {"http://127.0.0.1/callback"}, "state": {"af0ifjsldkj"}, "nonce": {"n-0S6_WzA2Mj"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	if err := v.send(http.StatusOK, http.MethodGet, "/"+environment+"/as/authorize?"+q.Encode(), "", ""); err != nil {
		return err
	}
	id, found := member(v.last.body, `"id":"`)
	v.flow = "/" + environment + "/flows/" + id
	if !found {
		return fmt.Errorf("authorize: no flow in %s", v.last.body)
	}
	return nil
}

// authorizeWeb starts a flow as a browser does that the web application sent.
func (v *visitor) authorizeWeb() error {
	v.cookie, v.etag = "", ""
	q := url.Values{
		"response_type": {"code"}, "client_id": {webApp}, "scope": {"openid profile email"},
		"redirect_uri": {"http://" + v.addr + "/demo/callback"}, "state": {"af0ifjsldkj-af0ifjsldkj"}, "nonce": {"n-0S6_WzA2Mj-n-0S6_WzA2Mj"},
	}
	return v.send(http.StatusFound, http.MethodGet, "/"+environment+"/as/authorize?"+q.Encode(), "", "")
}

// read looks at the flow.
func (v *visitor) read() error { return v.send(http.StatusOK, http.MethodGet, v.flow, "", "") }

// reset submits session.reset: a whole transition that hashes nothing.
func (v *visitor) reset() error { return v.act("session.reset", "{}") }

// check submits the password.
func (v *visitor) check() error {
	return v.act("usernamePassword.check", `{"username":"`+v.user+`","password":"`+password+`"}`)
}

func (v *visitor) act(action, body string) error {
	return v.send(http.StatusOK, http.MethodPost, v.flow, "application/vnd.pingidentity."+action+"+json", body)
}

// signOn goes from authorize to the code, which it returns.
func (v *visitor) signOn() (code string, err error) {
	id := func() string { return v.flow[strings.LastIndexByte(v.flow, '/')+1:] }
	resume := func() error {
		return v.send(http.StatusOK, http.MethodGet, "/"+environment+"/as/resume?flowId="+id(), "", "")
	}
	for _, step := range []func() error{v.authorize, v.read, v.check, resume} {
		if err := step(); err != nil {
			return "", err
		}
	}
	code, found := member(v.last.body, `"code":"`)
	if !found {
		return "", fmt.Errorf("resume: no code in %s", v.last.body)
	}
	return code, nil
}

// tokens goes on to the tokens.
func (v *visitor) tokens() error {
	code, err := v.signOn()
	if err != nil {
		return err
	}
	v.etag = ""
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {nativeApp}, "code_verifier": {codeVerifier},
		"redirect_uri": {"http://127.0.0.1/callback"},
	}
	return v.send(http.StatusOK, http.MethodPost, "/"+environment+"/as/token", "application/x-www-form-urlencoded", form.Encode())
}

// signed lists the algorithms of the signatures in the last answer, by the headers
// of its JWTs.
func (v *visitor) signed() ([]string, error) {
	var out []string
	for part := range strings.SplitSeq(string(v.last.body), `"`) {
		head, rest, found := strings.Cut(part, ".")
		if !found || strings.Count(rest, ".") != 1 || !strings.HasPrefix(head, "eyJ") {
			continue
		}
		b, err := base64.RawURLEncoding.DecodeString(head)
		if err != nil {
			return nil, err
		}
		algorithm, found := member(b, `"alg":"`)
		if !found {
			return nil, errors.New("a JWT without alg")
		}
		out = append(out, algorithm)
	}
	return out, nil
}

// member is the string that follows lead in JSON without blanks; it must hold
// nothing escaped.
func member(body []byte, lead string) (string, bool) {
	_, rest, found := bytes.Cut(body, []byte(lead))
	value, _, closed := bytes.Cut(rest, []byte(`"`))
	return string(value), found && closed
}
