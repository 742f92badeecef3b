package main_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// hostile answers as nobody should. Cases SSRF-LIMITS, EXT-SLOW, EXT-HUGE and
// EXT-CRASH.
func hostile(w http.ResponseWriter, how string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	say := func(s string) error {
		_, err := io.WriteString(conn, s)
		return err
	}
	const head, last = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", "Connection: close\r\n\r\n"
	_ = say(map[string]string{
		"long":    head + "Content-Length: 1073741824\r\n\r\n",
		"endless": head + last,
		"headers": "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Long: "+strings.Repeat("h", 1<<10)+"\r\n", 2<<10) + "\r\n{}",
		"gzip":    head + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
		"chunk":   head + "Transfer-Encoding: chunked\r\n\r\n6400000\r\n", // 100 MB, it says
		"deep":    head + last + strings.Repeat("[", 60<<10) + strings.Repeat("]", 60<<10),
		"short":   head + "Content-Length: 100\r\n\r\n{\"ok\":",
		"reset":   head + "Content-Length: 100\r\n\r\n{\"ok\":",
		"half":    head + last + `{"ok":true,"` + words,
		"text":    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + last + "<h1>" + words + "</h1>",
		"early":   strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 2000),
		"headed":  head + "Content-Length: 100\r\n\r\n",
		"drip":    head + last,
	}[how])
	switch how {
	case "long", "endless", "chunk": // as long as anybody listens, or 1 GB
		for n := 0; n < 1<<14 && say(strings.Repeat(" ", 64<<10)) == nil; n++ {
		}
	case "reset":
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	case "silent", "headed", "early":
		_, _ = io.Copy(io.Discard, conn)
	case "drip":
		for say(" ") == nil {
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// A company sends on within its own origin at most; a body with a code in it, and
// what we show, go nowhere else. Case SSRF-REDIRECT.
func TestSec_SSRF_REDIRECT_steps(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	c := r.company(x.partner)
	at, connected := sink(t)
	id := c.journey()
	otp := "Redirected-one-time-code-55"
	for _, status := range []string{"301", "302", "303", "307", "308"} {
		for what, to := range map[string]string{
			"inside": "https://127.0.0.1:" + at + "/" + otp, "plain": "http://127.0.0.1:" + at + "/a", "another host": "https://10.0.0.1/a",
			"the same by another name": "http://localhost:" + port(c.at.Plain) + "/" + c.place + "/a", "the same by https": c.at.Safe + "/" + c.place + "/a",
			"no network": "file:///etc/passwd", "another user": "http://evil@" + strings.TrimPrefix(c.at.Plain, "http://") + "/" + c.place + "/a",
			"a loop": "{here}/redirect-" + status + "?to={here}/redirect-" + status, "a long way": "{here}/{long}?to=-",
		} {
			before := len(c.asked())
			got := c.asksFor(0, id, "what", "redirect-"+status, "to", to)
			came := len(c.asked()) - before
			want := "INVOCATION_ERROR"
			if what == "a long way" && status > "303" { // is one that can be gone
				want = "200"
			}
			if got != want || came > 4 {
				t.Errorf("%s to %s came to %s by %d calls", status, what, got, came)
			}
		}
	}
	for status, want := range map[string]string{"301": "INVOCATION_ERROR", "302": "INVOCATION_ERROR", "303": "INVOCATION_ERROR", "307": "200", "308": "200"} {
		before := len(c.asked())
		got := c.asksFor(0, id, "what", "redirect-"+status, "to", "{here}/landed")
		if came := c.asked()[before:]; got != want || want == "200" && (len(came) != 2 || came[1].Body != came[0].Body || came[1].Header.Get("X-Api-Key") != c.key) {
			t.Errorf("%s within the origin came to %s by %+v", status, got, came)
		}
	}
	if n := connected.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	if c.breaker(0) != "CLOSED" {
		t.Errorf("the breaker is %s", c.breaker(0))
	}
}

// What is wrong with an answer leaves by ERROR, at once and alike; nothing of half an
// answer is a value. Cases SSRF-LIMITS, EXT-HUGE and EXT-CRASH; those that take the
// whole time are with the faults.
func TestSec_SSRF_LIMITS_steps(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	hostile := []string{"long", "endless", "headers", "gzip", "chunk", "deep", "short", "reset", "half", "text", "early"}
	c := r.company(x.partner)
	id := c.journey()
	for _, how := range hostile { // a node that has just begun grows by anything
		c.asksFor(0, id, "what", "hostile-"+how)
		c.asksFor(0, id, "what", "good")
	}
	c = r.company(x.partner)
	id = c.journey()
	before := x.resident(0)
	for _, how := range hostile {
		if got := c.asksFor(0, id, "what", "hostile-"+how); got != "NO_HTTP_RESPONSE" {
			t.Errorf("%s came to %s", how, got)
		}
		if got := c.asksFor(0, id, "what", "good"); got != "200" {
			t.Fatalf("after %s: %s", how, got)
		}
	}
	if calls := slices.DeleteFunc(c.asked(), func(i inquiry) bool { return !strings.Contains(i.URI, "/hostile-") }); len(keysOfCalls(calls)) != 11 {
		t.Errorf("eleven calls have %d keys", len(keysOfCalls(calls)))
	}
	for _, base := range []string{strings.Replace(c.at.Plain, "http:", "https:", 1), strings.Replace(c.at.Safe, "127.0.0.1", "localhost", 1)} { // no TLS, and another's certificate
		unsafe := r.companyAt(x.partner, base)
		if got := unsafe.asksFor(0, unsafe.journey(), "what", "good"); got != "SSL_HANDSHAKE_FAILED" || len(unsafe.asked()) != 0 {
			t.Errorf("%s came to %s by %d calls", base, got, len(unsafe.asked()))
		}
	}
	if grown := x.resident(0) - before; grown > slack*48<<20 { // of ten answers, two of which have no end
		t.Errorf("the node has grown by %d bytes", grown)
	}
}

// resident is the memory of a node, in bytes; 0 where the machine does not tell.
func (x *trial) resident(node int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", x.nodes[node].PID))
	if err != nil {
		return 0
	}
	var size, resident int
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		x.Fatal(err)
	}
	return resident * os.Getpagesize()
}

// What people can bring about opens no breaker, and what is down for one
// environment is not for another. Case SSRF-BREAKER.
func TestSec_SSRF_BREAKER_steps(t *testing.T) {
	x := newTrial(t)
	r, other := x.room(admin, shop4), x.room(vendorAdmin, vendorShop)
	defer r.clear()
	defer other.clear()
	c, apart, theirs := r.company(x.partner), r.company(x.partner), other.company(x.partner)
	id, apartID, theirID := c.journey(), apart.journey(), theirs.journey()
	for range 40 {
		if got := c.asksFor(0, id, "what", "status-400"); got != "400" {
			t.Fatalf("came to %s", got)
		}
	}
	for range 15 {
		if got := c.asksFor(0, id, "what", ".."); got != "INVOCATION_ERROR" {
			t.Fatalf("came to %s", got)
		}
	}
	for range 12 {
		x.leaves(0, "/"+fourthEnv+"/experiences/"+id, string(x.json(map[string]any{"redirectUri": shop4.RedirectURI, "parameters": map[string]string{"what": "after-400", "to": "-", "name": "-"}})))
	}
	if !x.await(func() bool { return len(c.asked()) == 52 }) || c.breaker(0) != "CLOSED" {
		t.Fatalf("after %d calls the breaker is %s", len(c.asked()), c.breaker(0))
	}
	opened := func() time.Time { // or opened again, by a call that finds out
		for {
			now := time.Now()
			switch got := c.asksFor(0, id, "what", "status-500"); {
			case got == "500" && c.breaker(0) == "OPEN":
				return now
			case got != "500" && got != "AWAY":
				t.Fatalf("came to %s", got)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	inTime := func(since time.Time) bool { return time.Since(since) < 4*time.Second } // of five
	judged := false
	for end := time.Now().Add(time.Minute); !judged && time.Now().Before(end); {
		since, before := opened(), len(c.asked())
		var came []string
		for range 5 {
			came = append(came, c.asksFor(0, id, "what", "good"))
		}
		n, state := len(c.asked())-before, c.breaker(0)
		if judged = inTime(since); judged && (n != 0 || state != "OPEN" || slices.ContainsFunc(came, func(s string) bool { return s != "AWAY" })) {
			t.Errorf("with an open breaker: %v by %d calls; it is %s", came, n, state)
		}
	}
	if !judged {
		t.Error("the machine is too slow to tell")
	}
	opened()
	if got := apart.asksFor(0, apartID, "what", "good"); got != "200" {
		t.Errorf("another service of the environment: %s", got)
	}
	if got := theirs.asksFor(0, theirID, "what", "good"); got != "200" {
		t.Errorf("another environment: %s", got)
	}
	a := c.via(0).do(http.MethodPost, "/externalServices/"+c.id+"/requests/ask", map[string]any{"inputs": map[string]any{"what": "good", "to": "-", "name": "-"}})
	a.Refused(400, "REQUEST_FAILED", "TOO_MANY_INVOCATIONS")
	if a.Header.Get("Retry-After") == "" {
		t.Error("it is not said when to try again")
	}
}

// leaves sends a body to a node and does not wait for an answer.
func (x *trial) leaves(node int, path, body string) {
	x.Helper()
	conn, err := net.Dial("tcp", x.nodes[node].Addr)
	if err != nil {
		x.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, strings.TrimPrefix(x.site.Base, "http://"), len(body), body); err != nil {
		x.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // it is read, and asked about
}
