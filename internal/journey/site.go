package journey

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorward/internal/nodetest"
)

// Site is a deployment: one base URL and any number of nodes behind it.
type Site struct {
	Base  string
	doors []*http.Client
	inner []string // addresses that no answer may hold
	turn  atomic.Uint64
}

// At is the site of these nodes, which share the base URL of the first.
func At(nodes ...*nodetest.Node) *Site {
	s := &Site{Base: nodes[0].Base}
	for i, n := range nodes {
		s.doors = append(s.doors, n.Client(nil))
		if i > 0 {
			s.inner = append(s.inner, n.Addr)
		}
	}
	return s
}

// Replace puts a node, which is there since a restart, in the place of another.
func (s *Site) Replace(i int, n *nodetest.Node) { s.doors[i] = n.Client(nil) }

// Hide names something that no answer may hold, such as the address of a store.
func (s *Site) Hide(inner string) { s.inner = append(s.inner, inner) }

// Nodes is how many there are.
func (s *Site) Nodes() int { return len(s.doors) }

// HangUp closes the connections that visitors keep for their next request.
func (s *Site) HangUp() {
	for _, door := range s.doors {
		door.CloseIdleConnections()
	}
}

// Client is one visitor. It follows no redirect and may be used by several
// goroutines.
type Client struct {
	site  *Site
	tb    testing.TB
	trail *Trail
	jar   http.CookieJar // nil: none
	token *atomic.Value  // Flow-Token, of a client without a jar
	node  int            // of every request; -1: in turn
}

// Browser is a visitor with a cookie jar of its own.
func (s *Site) Browser(tb testing.TB, trail *Trail) *Client {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return &Client{site: s, tb: tb, trail: trail, jar: jar, node: -1}
}

// Device is a visitor without a cookie jar, which sends the Flow-Token it was
// given last.
func (s *Site) Device(tb testing.TB, trail *Trail) *Client {
	tb.Helper()
	return &Client{site: s, tb: tb, trail: trail, token: &atomic.Value{}, node: -1}
}

// Via is the same visitor, whose requests all reach one node.
func (c *Client) Via(node int) *Client {
	d := *c
	d.node = node
	return &d
}

// Base is the site's base URL.
func (c *Client) Base() string { return c.site.Base }

// cookies is the address that an environment's cookies belong to.
func (c *Client) cookies(env string) *url.URL {
	u, err := url.Parse(c.site.Base + "/" + env + "/")
	if err != nil {
		c.tb.Fatal(err)
	}
	return u
}

// ST is the visitor's session cookie of an environment; empty when there is none.
func (c *Client) ST(env string) string {
	if c.jar == nil {
		return ""
	}
	for _, k := range c.jar.Cookies(c.cookies(env)) {
		if k.Name == "ST" {
			return k.Value
		}
	}
	return ""
}

// Plant puts a session cookie into the visitor's jar; an empty value takes it out.
func (c *Client) Plant(env, value string) {
	k := &http.Cookie{Name: "ST", Value: value, Path: "/" + env}
	if value == "" {
		k.MaxAge = -1
	}
	c.jar.SetCookies(c.cookies(env), []*http.Cookie{k})
}

// Token is the Flow-Token the visitor holds.
func (c *Client) Token() string {
	if c.token == nil {
		return ""
	}
	s, _ := c.token.Load().(string)
	return s
}

// Header makes a header of names and values in turn.
func Header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// patience is how long a node is asked again that is too busy.
const patience = 30 * time.Second

// Send makes one request and judges the answer. target is a path, or a URL of
// which only path and query count; a header field Host is the host asked for. A
// nil body is none. A node that answers 503 is asked again, as every client should:
// on a busy machine a store may not answer in time. Trail.Busy counts it.
func (c *Client) Send(method, target string, header http.Header, body []byte) *Answer {
	c.tb.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		a, err := c.send(method, target, header, body)
		if err != nil {
			c.tb.Fatalf("%s %s: %v", method, target, err)
		}
		c.judge(a)
		if a.Status != http.StatusServiceUnavailable || time.Now().After(end) {
			return a
		}
		c.trail.wasBusy()
	}
}

func (c *Client) send(method, target string, header http.Header, body []byte) (*Answer, error) {
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(c.tb.Context(), method, c.site.Base+u.RequestURI(), content)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		req.Host = host
		req.Header.Del("Host")
	}
	c.introduce(req)
	c.trail.sent(req, body)
	node := c.node
	if node < 0 {
		node = int(c.site.turn.Add(1)) % len(c.site.doors)
	}
	resp, err := c.site.doors[node].Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	a := &Answer{Node: node, Status: resp.StatusCode, Header: resp.Header, tb: c.tb, request: method + " " + target, path: u.Path}
	if a.Body, err = io.ReadAll(resp.Body); err != nil {
		return nil, err
	}
	c.keep(req.URL, resp)
	c.trail.received(a)
	return a, nil
}

// introduce adds what the visitor holds, unless the request brings its own.
func (c *Client) introduce(req *http.Request) {
	if c.jar != nil && req.Header["Cookie"] == nil {
		for _, k := range c.jar.Cookies(req.URL) {
			req.AddCookie(k)
		}
	}
	if t := c.Token(); t != "" && req.Header["Flow-Token"] == nil {
		req.Header.Set("Flow-Token", t)
	}
}

func (c *Client) keep(u *url.URL, resp *http.Response) {
	if c.jar != nil {
		c.jar.SetCookies(u, resp.Cookies())
	}
	if t := resp.Header.Get("Flow-Token"); t != "" && c.token != nil {
		c.token.Store(t)
	}
}

// ContentType is the media type that submits an action.
func ContentType(action string) string {
	return strings.Join([]string{"application/vnd.pingidentity.", action, "+json"}, "")
}

// RoundTrip sends a request as it is, so that libraries can visit the site.
func (s *Site) RoundTrip(req *http.Request) (*http.Response, error) {
	return s.doors[int(s.turn.Add(1))%len(s.doors)].Transport.RoundTrip(req)
}
