package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// post is a request on a socket; head are lines, each with its CRLF.
func post(head, body string) string {
	return "POST " + thisFlow + " HTTP/1.1\r\nHost: HOST\r\nCookie: ST=" + owner + "\r\nContent-Type: " + check + "\r\n" + head + "\r\n" + body
}

// TestFraming: what two servers could read differently is refused, the connection
// ends, and there is one answer. Case INJ-SMUGGLE.
func TestFraming(t *testing.T) { //nolint:tparallel // its rows run beside each other and beside nothing else
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(right), right)
	second := "GET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n"
	for _, tc := range []struct{ name, request string }{
		{"two lengths", post("Content-Length: 37\r\nContent-Length: 4\r\n", right)},
		{"two equal lengths", post("Content-Length: 37\r\nContent-Length: 37\r\n", right)},
		{"a list of lengths", post("Content-Length: 37, 37\r\n", right)},
		{"length beside chunks", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunked)},
		{"chunks beside length", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", chunked)},
		{"xchunked", post("Transfer-Encoding: xchunked\r\n", chunked)},
		{"chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", chunked)},
		{"identity", post("Transfer-Encoding: identity\r\nContent-Length: 37\r\n", right)},
		{"two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunked)},
		{"a space before the colon", post("Content-Length : 37\r\n", right)},
		{"a tab before the colon", post("Transfer-Encoding\t: chunked\r\n", chunked)},
		{"a folded line", post("Content-Length: 37\r\nX-A: a\r\n b\r\n", right)},
		{"a bare line feed", post("Content-Length: 37\nX-A: a\r\n", right)},
		{"a bare carriage return", post("Content-Length: 37\r\nX-A: a\rb\r\n", right)},
		{"a chunk extension of 1 MB", post("Transfer-Encoding: chunked\r\n", "25;"+strings.Repeat("a", 1<<20)+"\r\n"+right+"\r\n0\r\n\r\n")},
		{"a negative length", post("Content-Length: -37\r\n", right)},
		{"a length with a plus", post("Content-Length: +37\r\n", right)},
		{"a length in hex", post("Content-Length: 0x25\r\n", right)},
		{"a chunk length with a sign", post("Transfer-Encoding: chunked\r\n", "+25\r\n"+right+"\r\n0\r\n\r\n")},
		{"HTTP/0.9", "GET /healthz\r\n\r\n"},
		{"two hosts", "GET /healthz HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\n\r\n"},
		{"no host", "GET /healthz HTTP/1.1\r\n\r\n"},
		{"a host with a path", "GET /healthz HTTP/1.1\r\nHost: HOST/x\r\n\r\n"},
		{"a host with a user", "GET " + thisFlow + " HTTP/1.1\r\nHost: a@HOST\r\n\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, nil, nil)
			out := h.raw(3*time.Second, tc.request+second)
			if !strings.HasPrefix(out, "HTTP/1.1 4") || strings.Count(out, "HTTP/1.1 ") != 1 || !strings.Contains(out, "Connection: close") {
				t.Errorf("%.600s", out)
			}
			if !strings.Contains(out, `"code":"INVALID_REQUEST"`) && !strings.Contains(out, `"code":"MISDIRECTED_REQUEST"`) && !strings.Contains(out, `"code":"REQUEST_TOO_LARGE"`) {
				t.Errorf("not our error body: %.600s", out)
			}
			if len(h.engine.seen()) != 0 {
				t.Error("it was evaluated")
			}
			if log := h.log.String(); strings.Contains(log, owner) || strings.Contains(log, "password") {
				t.Errorf("the log repeats the request: %s", log)
			}
		})
	}
}

// Browsers open connections in advance. One that is never used gets no answer, which
// would be taken for that to its first request.
func TestAConnectionWithoutAWordEndsWithoutAWord(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits ten seconds; make test runs it")
	}
	h := open(t, nil, nil)
	began := time.Now()
	if out := h.raw(30*time.Second, ""); out != "" || time.Since(began) > 20*time.Second || h.log.Len() != 0 {
		t.Errorf("after %v it said %q, and logged %q", time.Since(began), out, h.log.String())
	}
	if out := h.raw(30*time.Second, "GET /heal"); !strings.Contains(out, "The request did not arrive within 10 seconds") {
		t.Errorf("half a request is told %q", out)
	}
}

func TestAnAbsoluteTargetIsJudgedByItsOwnHost(t *testing.T) {
	h := open(t, nil, nil)
	get := func(target string) string {
		return h.raw(2*time.Second, "GET "+target+" HTTP/1.1\r\nHost: HOST\r\nCookie: ST="+owner+"\r\nConnection: close\r\n\r\n")
	}
	if out := get("http://evil.example" + thisFlow); !strings.HasPrefix(out, "HTTP/1.1 421") {
		t.Errorf("%.200s", out)
	}
	if out := get("http://HOST" + thisFlow); !strings.HasPrefix(out, "HTTP/1.1 200") {
		t.Errorf("%.200s", out)
	}
}

func TestPipelinedRequestsHaveTheirOwnAnswers(t *testing.T) {
	h := open(t, nil, nil)
	out := h.raw(2*time.Second, "GET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\nGET "+thisFlow+" HTTP/1.1\r\nHost: HOST\r\nCookie: ST="+owner+"\r\nConnection: close\r\n\r\n")
	if strings.Count(out, "HTTP/1.1 200 OK") != 2 || !strings.Contains(out, "USERNAME_PASSWORD_REQUIRED") {
		t.Error(out)
	}
}

// TestEncodedBodiesAreNotRead. Case DOS-GZIP.
func TestEncodedBodiesAreNotRead(t *testing.T) {
	h := open(t, nil, nil)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 64<<20))
	_ = z.Close()
	var small bytes.Buffer
	z = gzip.NewWriter(&small)
	_, _ = z.Write([]byte(right))
	_ = z.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, tc := range []struct{ coding, body string }{
		{"gzip", bomb.String()}, {"gzip", small.String()}, {"gzip", "not gzip"}, {"deflate", right}, {"br", right}, {"gzip, gzip", small.String()}, {"identity", right}, {"gzip", "x"}, {"gzip", ""},
	} {
		start := time.Now()
		out := h.raw(3*time.Second, post(fmt.Sprintf("Content-Encoding: %s\r\nContent-Length: %d\r\n", tc.coding, len(tc.body)), tc.body))
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s took %v", tc.coding, took)
		}
		if !strings.HasPrefix(out, "HTTP/1.1 415 ") || !strings.Contains(out, `"code":"UNSUPPORTED_MEDIA_TYPE"`) || !strings.Contains(out, "Connection: close") {
			t.Errorf("%s, %d bytes: %.300s", tc.coding, len(tc.body), out)
		}
	}
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 16 {
		t.Errorf("%d MiB allocated", used)
	}
	if len(h.engine.seen()) != 0 {
		t.Error("it was evaluated")
	}
}

// TestSizesAreBounded. Case DOS-JSON.
func TestSizesAreBounded(t *testing.T) {
	h := open(t, nil, nil)
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 32<<10, strings.Repeat(" ", 32<<10))
	for name, request := range map[string]string{
		"64 KiB and 1":         post(fmt.Sprintf("Content-Length: %d\r\n", 64<<10+1), strings.Repeat(" ", 64<<10+1)),
		"5 MB":                 post("Content-Length: 5000000\r\n", strings.Repeat(" ", 5000000)),
		"chunks over 64 KiB":   post("Transfer-Encoding: chunked\r\n", chunk+chunk+chunk+"0\r\n\r\n"),
		"a chunk of 2^60":      post("Transfer-Encoding: chunked\r\n", "fffffffffffffff\r\n"),
		"header over 16 KiB":   post("X-A: "+strings.Repeat("a", 20<<10)+"\r\nContent-Length: 0\r\n", ""),
		"a target over 16 KiB": "GET /" + strings.Repeat("a", 20<<10) + " HTTP/1.1\r\nHost: HOST\r\n\r\n",
	} {
		out := h.raw(3*time.Second, request)
		if !strings.HasPrefix(out, "HTTP/1.1 413 ") && (name != "a chunk of 2^60" || !strings.HasPrefix(out, "HTTP/1.1 400 ")) {
			t.Errorf("%s: %.300s", name, out)
		}
	}
	fit := right + strings.Repeat(" ", 64<<10-len(right))
	if out := h.raw(3*time.Second, post(fmt.Sprintf("Connection: close\r\nContent-Length: %d\r\n", len(fit)), fit)); !strings.HasPrefix(out, "HTTP/1.1 200 ") {
		t.Errorf("64 KiB: %.300s", out)
	}
}

// TestNoHeaderIsInjected. Case INJ-CRLF.
func TestNoHeaderIsInjected(t *testing.T) {
	h := open(t, nil, nil)
	for _, evil := range []string{"%0d%0aSet-Cookie:%20evil=1", "%0aSet-Cookie:%20evil=1", "%0d", "%E5%98%8A%E5%98%8DSet-Cookie:%20evil=1"} {
		for _, target := range []string{"/" + envID + "/flows/" + evil, "/" + envID + "/signon/?flowId=" + evil, "/" + evil + "/signon/?flowId=" + flowID, "/static/" + evil} {
			out := h.raw(2*time.Second, "GET "+target+" HTTP/1.1\r\nHost: HOST\r\nOrigin: https://a"+evil+"\r\nCorrelation-Id: "+evil+"\r\nConnection: close\r\n\r\n")
			head, _, _ := strings.Cut(out, "\r\n\r\n")
			if strings.Contains(head, "\nSet-Cookie") || strings.Contains(strings.ReplaceAll(head, "\r\n", ""), "\n") || strings.Contains(strings.ReplaceAll(head, "\r\n", ""), "\r") {
				t.Errorf("%s: %q", target, head)
			}
		}
	}
}

// TestSlowClientsAreSentAway, while others are served. Case DOS-SLOW.
func TestSlowClientsAreSentAway(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 10 s")
	}
	t.Parallel()
	h := open(t, nil, nil)
	var wg sync.WaitGroup
	for name, sent := range map[string]string{
		"nothing sent":     "",
		"half a head":      "POST " + thisFlow + " HTTP/1.1\r\nHost: HO",
		"half a body":      post("Content-Length: 37\r\n", `{"username":`),
		"a chunk in delay": post("Transfer-Encoding: chunked\r\n", "25\r\n{"),
	} {
		for range 5 {
			wg.Go(func() {
				start := time.Now()
				out := h.raw(14*time.Second, sent)
				if took := time.Since(start); took > 12*time.Second {
					t.Errorf("%s: open for %v", name, took)
				}
				if strings.Contains(out, " 200 ") || len(out) > 0 && !strings.Contains(out, "Connection: close") {
					t.Errorf("%s: %.200s", name, out)
				}
			})
		}
	}
	deadline := time.Now().Add(9 * time.Second)
	for time.Now().Before(deadline) {
		start := time.Now()
		if r := h.ask(http.MethodGet, "/healthz", ""); r.StatusCode != 200 || time.Since(start) > 3*time.Second {
			t.Errorf("others: %d after %v", r.StatusCode, time.Since(start))
		}
		time.Sleep(200 * time.Millisecond)
	}
	wg.Wait()
}
