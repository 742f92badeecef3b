package invoke_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"doorward/runtime/invoke"
)

// TestSec_SSRF_REDIRECT holds that no redirect leads to another origin, so that no
// header and no body goes to another place.
func TestSec_SSRF_REDIRECT(t *testing.T) {
	var hits atomic.Int32
	other := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	for _, status := range []int{300, 301, 302, 303, 304, 305, 306, 307, 308, 399} {
		for name, to := range map[string]string{
			"another port": other + "/", "https": "https://api.example/", "long": "/" + strings.Repeat("a", invoke.MaxURL+1),
			"metadata": "http://169.254.169.254/latest", "none": "", "another scheme": "file:///etc/passwd", "a user": "//ada@{host}/",
			"the same host by name": "http://localhost:{port}/", "the same host over TLS": "https://{host}/", "no host": "http:///x", "no URL": "http://[::1",
			"opaque": "http:x", "a shorter address": "http://127.1:{port}/",
		} {
			t.Run(strconv.Itoa(status)+" to "+name, func(t *testing.T) {
				var asked atomic.Int32
				at := serve(t, func(w http.ResponseWriter, r *http.Request) {
					asked.Add(1)
					_, port, _ := strings.Cut(r.Host, ":")
					w.Header().Set("Location", strings.NewReplacer("{host}", r.Host, "{port}", port).Replace(to))
					w.WriteHeader(status)
				})
				o := outlet{invoker(t, invoke.Options{Guard: opened(t, at, other)}), local(t, at).Target}
				o.Origins = append(o.Origins, other) // a call may go there, a redirect may not
				for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
					req := request(t, method, at, "")
					req.Header.Set("Authorization", "Bearer secret")
					req.Header.Set("X-Api-Key", "secret")
					_, err := o.do(t, invoke.Call{Request: req, IdempotencyKey: "k"})
					ends(t, err, invoke.Misconfigured)
				}
				if res, err := o.HTTP(o.Target).Do(request(t, http.MethodPost, at, `{"otp":"123456"}`)); err == nil {
					t.Errorf("library client: answer %v", res)
				}
				if asked.Load() != 4 || hits.Load() != 0 {
					t.Errorf("asked %d times, elsewhere %d times", asked.Load(), hits.Load())
				}
			})
		}
	}
}

// What a call failed for is logged, and a URL may hold a key anywhere behind its host.
func TestNoReasonHoldsWhatAURLDoes(t *testing.T) {
	for name, to := range map[string]string{
		"another host":   "https://www.api.example/sekret?key=sekret#sekret",
		"no URL":         "https://[::1/?key=sekret",
		"a bad escape":   "https://www.api.example/%zz?key=sekret",
		"a user":         "https://ada:sekret@www.api.example/?key=sekret",
		"another scheme": "ftp://www.api.example/?key=sekret",
		"no host":        "https:///?key=sekret",
	} {
		t.Run(name, func(t *testing.T) {
			at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", to)
				w.WriteHeader(http.StatusFound)
			})
			_, err := local(t, at).call(t, http.MethodGet, at+"/?key=sekret", "")
			ends(t, err, invoke.Misconfigured)
			if reason := invoke.Reason(err).Error(); strings.Contains(reason, "sekret") || !strings.Contains(reason, "location") && !strings.Contains(reason, "host") {
				t.Error(reason)
			}
		})
	}
	for name, change := range map[string]func(*http.Request){
		"a Host of its own": func(r *http.Request) { r.Host = "other.example" },
		"a user":            func(r *http.Request) { r.URL.User = url.UserPassword("sekret", "sekret") },
		"an opaque URL":     func(r *http.Request) { r.URL.Opaque = "//sekret" },
		"another origin":    func(r *http.Request) { r.URL.Host = "other.example" },
	} {
		t.Run(name, func(t *testing.T) {
			o := local(t, "http://127.0.0.1:1")
			req := request(t, http.MethodGet, "http://127.0.0.1:1/sekret?key=sekret", "")
			change(req)
			_, err := o.do(t, invoke.Call{Request: req})
			ends(t, err, invoke.Misconfigured)
			if reason := invoke.Reason(err).Error(); strings.Contains(reason, "sekret") {
				t.Error(reason)
			}
		})
	}
}

// chain redirects so many times, and then answers what it was sent.
func chain(t testing.TB, status, hops int) (string, *atomic.Int32) {
	t.Helper()
	asked := new(atomic.Int32)
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n := int(asked.Add(1)); n <= hops {
			w.Header().Set("Location", fmt.Sprintf("/%d?again#part", n))
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "moved")
			return
		}
		w.Header().Set("X-Seen", r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization"))
		_, _ = io.Copy(w, r.Body)
	}), asked
}

func TestRedirectsWithinTheOrigin(t *testing.T) {
	for name, row := range map[string]struct {
		method       string
		status, hops int
		key          string
		want         invoke.Code
		asked        int32
	}{
		"a GET is followed":                      {"GET", 302, 1, "", "", 2},
		"a HEAD is followed":                     {"HEAD", 301, 1, "", "", 2},
		"a GET after 303":                        {"GET", 303, 1, "", "", 2},
		"three are followed":                     {"GET", 308, 3, "", "", 4},
		"the fourth is not":                      {"GET", 307, 4, "", invoke.Misconfigured, 4},
		"nor is a loop":                          {"GET", 302, 1000, "", invoke.Misconfigured, 4},
		"a POST is not":                          {"POST", 307, 1, "", invoke.Misconfigured, 1},
		"a POST with a key is, with its body":    {"POST", 307, 2, "k", "", 3},
		"a PATCH with a key is, by 308":          {"PATCH", 308, 1, "k", "", 2},
		"a POST with a key does not become GET":  {"POST", 302, 1, "k", invoke.Misconfigured, 1},
		"a POST with a key does not become GET ": {"POST", 303, 1, "k", invoke.Misconfigured, 1},
		"a DELETE is not":                        {"DELETE", 308, 1, "", invoke.Misconfigured, 1},
	} {
		t.Run(name, func(t *testing.T) {
			at, asked := chain(t, row.status, row.hops)
			body := ""
			if row.method != "GET" && row.method != "HEAD" {
				body = "sent"
			}
			req := request(t, row.method, at+"/0", body)
			req.Header.Set("Authorization", "Bearer secret")
			a, err := local(t, at).do(t, invoke.Call{Request: req, IdempotencyKey: row.key})
			ends(t, err, row.want)
			if asked.Load() != row.asked {
				t.Errorf("asked %d times, want %d", asked.Load(), row.asked)
			}
			if err != nil {
				return
			}
			if got, want := a.Header.Get("X-Seen"), fmt.Sprintf("%s /%d?again Bearer secret", row.method, row.hops); got != want || string(a.Body) != body {
				t.Errorf("arrived as %q with %q, want %q", got, a.Body, want)
			}
		})
	}
}

// A connection is used again after a redirect, so that a chain makes one.
func TestRedirectKeepsTheConnection(t *testing.T) {
	from := map[string]bool{}
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		from[r.RemoteAddr] = true
		if r.URL.Path != "/end" {
			http.Redirect(w, r, "/end", http.StatusFound)
		}
	})
	o := local(t, at)
	for range 3 {
		if _, err := o.call(t, http.MethodGet, at, ""); err != nil {
			t.Fatal(invoke.Reason(err))
		}
	}
	if len(from) != 1 {
		t.Errorf("%d connections", len(from))
	}
}
