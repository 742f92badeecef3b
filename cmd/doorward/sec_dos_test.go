package main_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	visit "doorward/internal/journey"
)

// cheap does something to each node and holds that, at the best of three times at
// most, the node allocates less than 16 MiB for it and takes less than the given time.
func (x *trial) cheap(what string, limit time.Duration, do func(node int)) {
	x.Helper()
	for node := range x.nodes {
		best, least := time.Hour, 1<<62
		for try := 0; try < 3 && (best > slack*limit || least > 16<<20); try++ {
			before, start := x.gauge(node, "go_memstats_alloc_bytes_total"), time.Now()
			do(node)
			best = min(best, time.Since(start))
			least = min(least, x.gauge(node, "go_memstats_alloc_bytes_total")-before)
		}
		if best > slack*limit {
			x.Errorf("%s: took %v", what, best)
		}
		if least > 16<<20 {
			x.Errorf("%s: the node allocated %d MiB", what, least>>20)
		}
	}
}

// post is a request whose body may be anything, for raw.
func (x *trial) post(f *visit.Flow, target, contentType, body string, header ...string) string {
	var head strings.Builder
	fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nHost: %s\r\nCookie: ST=%s\r\nContent-Type: %s\r\n", target, x.nodes[0].Addr, f.ST(firstEnv), contentType)
	for i := 0; i < len(header); i += 2 {
		head.WriteString(header[i] + ": " + header[i+1] + "\r\n")
	}
	return head.String() + "\r\n" + body
}

// bombs are at most 64 KiB that inflate to 48 MiB: what inflates to one, again and
// again. Source: RFC 1952 2.2 (members); RFC 1951 3.2.3 (blocks).
func bombs(t *testing.T) (zipped, deflated string) {
	t.Helper()
	const times = 48
	zeros := make([]byte, 1<<20)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(zeros)
	_ = z.Close()
	zipped = strings.Repeat(b.String(), times)
	b.Reset()
	d, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = d.Write(zeros)
	_ = d.Flush()
	once := b.Len()
	_ = d.Close()
	return zipped, strings.Repeat(b.String()[:once], times) + b.String()[once:]
}

// A body with a content coding is not taken, let alone inflated: not a bomb, not
// a broken one, not a harmless one.
func TestSec_DOS_GZIP(t *testing.T) {
	x := newTrial(t)
	f := x.in(anybody)
	zipped, deflated := bombs(t)
	var harmless bytes.Buffer
	z := gzip.NewWriter(&harmless)
	_, _ = z.Write([]byte(`{"username":"bea","password":"` + passwords["bea"] + `"}`))
	_ = z.Close()
	bodies := map[string][2]string{
		"gzip":       {"gzip", zipped},
		"deflate":    {"deflate", deflated},
		"br":         {"br", deflated},
		"gzip twice": {"gzip, gzip", zipped},
		"broken":     {"gzip", "\x1f\x8b\x08\x00broken"},
		"harmless":   {"gzip", harmless.String()},
		"x-gzip":     {"x-gzip", harmless.String()},
		"identity":   {"identity", `{"username":"bea","password":"` + passwords["bea"] + `"}`},
	}
	x.unchanged(f, func() {
		for name, b := range bodies {
			if len(b[1]) > 64<<10 {
				t.Fatalf("%s: the body takes %d bytes", name, len(b[1]))
			}
			for target, contentType := range map[string]string{
				f.Path(): visit.ContentType(check), f.Page(): "application/x-www-form-urlencoded", "/" + firstEnv + "/as/token": "application/x-www-form-urlencoded",
			} {
				request := x.post(f, target, contentType, b[1], "Content-Encoding", b[0], "Content-Length", strconv.Itoa(len(b[1])))
				x.cheap(name+" to "+target, 100*time.Millisecond, func(node int) {
					if status, body := x.raw(node, request); status != 415 && status != 413 || strings.Contains(body, "gzip:") {
						t.Errorf("%s to %s: %d %s", name, target, status, body)
					}
				})
			}
		}
		// A megabyte that is announced and begun.
		request := x.post(f, f.Path(), visit.ContentType(check), strings.Repeat("\x00", 32<<10), "Content-Encoding", "gzip", "Content-Length", "1043628")
		x.cheap("a megabyte", 100*time.Millisecond, func(node int) {
			if status, _ := x.raw(node, request); status != 415 && status != 413 {
				t.Errorf("a megabyte: %d", status)
			}
		})
	})
}

// Deep, wide and long bodies are refused, each at once.
func TestSec_DOS_JSON(t *testing.T) {
	x := newTrial(t)
	f := x.in(anybody)
	nest := func(n int) string { return `{"username":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	var members strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&members, `"m%d":0,`, i)
	}
	x.unchanged(f, func() {
		for name, tt := range map[string]struct {
			body   string
			status int
			code   string
		}{
			"nested 32 levels":        {nest(31), 400, "INVALID_DATA"},
			"nested 33 levels":        {nest(32), 400, "INVALID_REQUEST"},
			"nested 9,999 levels":     {nest(9999), 400, "INVALID_REQUEST"},
			"nested 30,000 levels":    {nest(30000), 400, "INVALID_REQUEST"},
			"4,000 members":           {"{" + members.String() + `"x":0}`, 400, "INVALID_DATA"},
			"an array of 30,000":      {`{"username":[` + strings.Repeat("0,", 30000) + `0]}`, 400, "INVALID_DATA"},
			"a number of 60,000":      {`{"username":` + strings.Repeat("9", 60000) + `}`, 400, "INVALID_REQUEST"},
			"a fraction of 60,000":    {`{"username":0.` + strings.Repeat("9", 60000) + `}`, 400, "INVALID_DATA"},
			"a password of 60,000":    {`{"username":"bea","password":"` + strings.Repeat("p", 60000) + `"}`, 400, "INVALID_DATA"},
			"10,000 escapes":          {`{"username":"` + strings.Repeat(`\u0041`, 10000) + `","password":"x"}`, 400, "INVALID_DATA"},
			"64 KiB, white space":     {"{" + strings.Repeat(" ", 64<<10-2) + "}", 400, "INVALID_DATA"},
			"64 KiB and a byte":       {"{" + strings.Repeat(" ", 64<<10-1) + "}", 413, "REQUEST_TOO_LARGE"},
			"100,000 levels":          {nest(100000), 413, "REQUEST_TOO_LARGE"},
			"an array of 1,000,000":   {`{"username":[` + strings.Repeat("0,", 1000000) + `0]}`, 413, "REQUEST_TOO_LARGE"},
			"a string of 5,000,000":   {`{"username":"` + strings.Repeat("u", 5000000) + `"}`, 413, "REQUEST_TOO_LARGE"},
			"a header of 20,000":      {"{}", 413, "REQUEST_TOO_LARGE"},
			"chunks without an end":   {strings.Repeat("1000\r\n"+strings.Repeat(" ", 4096)+"\r\n", 17), 413, "REQUEST_TOO_LARGE"},
			"chunks of a byte, 64 Ki": {strings.Repeat("1\r\n \r\n", 64<<10+1) + "0\r\n\r\n", 400, "INVALID_REQUEST"},
		} {
			header := []string{"Content-Length", strconv.Itoa(len(tt.body))}
			switch {
			case strings.HasPrefix(name, "chunks"):
				header = []string{"Transfer-Encoding", "chunked"}
			case len(tt.body) > 64<<10: // the node need not wait for all of it
				tt.body = tt.body[:8<<10]
			case strings.HasPrefix(name, "a header"):
				header = append(header, "X-Long", strings.Repeat("h", 20000))
			}
			request := x.post(f, f.Path(), visit.ContentType(check), tt.body, header...)
			x.cheap(name, 50*time.Millisecond, func(node int) {
				status, body := x.raw(node, request)
				if status != tt.status || !strings.Contains(body, `"code":"`+tt.code+`"`) {
					t.Errorf("%s: %d %.300s", name, status, body)
				}
			})
		}
		form := "_action=" + check + "&a[99999999]=1&" + strings.Repeat("b=1&", 10) + "username=bea"
		f.Send(http.MethodPost, f.Page(), visit.Header("Content-Type", "application/x-www-form-urlencoded"), []byte(form)).Is(400)
		f.Send(http.MethodPost, f.Page(), visit.Header("Content-Type", "application/x-www-form-urlencoded"), []byte(strings.Repeat("k=&", 20000))).Is(400)
	})
}
