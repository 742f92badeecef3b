package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/runtime/httpapi"
)

// TestBridgeCopies: what a handler keeps of five requests on one connection stays
// what the five requests said.
func TestBridgeCopies(t *testing.T) {
	type kept struct{ id, query, header, cookie, body, path, method, host string }
	var all []kept
	h := open(t, nil, func(s *httpapi.Server) {
		s.Handle(http.MethodPost, "/:env/as/:what", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			c, _ := r.Cookie("ST")
			all = append(all, kept{r.PathValue("what"), r.URL.Query().Get("state"), r.Header.Get("X-State"), c.Value, string(b), r.URL.Path, r.Method, r.Host})
			w.Header().Add("X-Back", r.PathValue("what"))
			_, _ = w.Write(b)
		}))
	})
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	br := bufio.NewReader(conn)
	names := []string{"alice-aaaa", "bob-bbbbbb", "carol-cccc", "dave-ddddd", "erin-eeeee"}
	var replies []string
	for _, n := range names {
		if _, err := fmt.Fprintf(conn, "POST /%s/as/%s?state=%s HTTP/1.1\r\nHost: %s\r\nX-State: %s\r\nCookie: ST=%s\r\nContent-Length: %d\r\n\r\n%s", envID, n, n, h.addr, n, n, len(n), n); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		replies = append(replies, res.Header.Get("X-Back")+" "+string(b))
	}
	for i, n := range names {
		if want := (kept{n, n, n, n, n, "/" + envID + "/as/" + n, "POST", h.addr}); all[i] != want {
			t.Errorf("kept %+v, want %+v", all[i], want)
		}
		if replies[i] != n+" "+n {
			t.Errorf("answered %q", replies[i])
		}
	}
}

func TestBridge(t *testing.T) {
	var deadline time.Duration
	h := open(t, nil, func(s *httpapi.Server) {
		s.Handle(http.MethodGet, "/:env/as/echo", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d, _ := r.Context().Deadline()
			deadline = time.Until(d)
			w.Header()["Set-Cookie"] = []string{"a=1; Path=/x", "a=2; Path=/y"}
			w.Header().Set("Cache-Control", "max-age=60")
			w.Header().Set("Location", "https://x/\r\nEvil: 1")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusTeapot)
			w.WriteHeader(http.StatusOK)
			_, _ = fmt.Fprintf(w, "%s %s %v", r.RequestURI, r.RemoteAddr, r.Header["Content-Type"])
		}))
		s.Handle(http.MethodGet, "/:env/as/empty", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		s.Handle(http.MethodGet, "/:env/as/panic", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half an answer"))
			panic("secret 10.0.0.5")
		}))
		s.Handle(http.MethodGet, "/demo/*", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.URL.Path) }))
	})
	r := h.ask("GET", "/"+envID+"/as/echo?a=%2F&b", "", "Content-Type: a/b", "Content-Type: c/d")
	if r.StatusCode != 418 || r.body != "/"+envID+"/as/echo?a=%2F&b 127.0.0.1:0 [a/b c/d]" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if got := r.Header.Values("Set-Cookie"); len(got) != 2 || got[1] != "a=2; Path=/y" {
		t.Errorf("cookies %q", got)
	}
	if r.Header.Get("Cache-Control") != "max-age=60" || r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Evil") != "" || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("%v", r.Header)
	}
	if deadline <= 11*time.Second || deadline > flow.RequestTimeout {
		t.Errorf("deadline in %v", deadline)
	}
	if r := h.ask("HEAD", "/"+envID+"/as/echo", ""); r.StatusCode != 418 || r.body != "" {
		t.Errorf("HEAD: %d %q", r.StatusCode, r.body)
	}
	if r := h.ask("GET", "/"+envID+"/as/empty", ""); r.StatusCode != 200 || r.body != "" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("empty: %d %v", r.StatusCode, r.Header)
	}
	if r := h.ask("GET", "/demo/a/b", ""); r.body != "/demo/a/b" {
		t.Errorf("wildcard: %q", r.body)
	}
	if r := h.ask("GET", "/demo/a%2fb", ""); r.StatusCode != 404 {
		t.Errorf("an escaped path: %d", r.StatusCode)
	}
	if r := h.ask("POST", "/"+envID+"/as/echo", ""); r.StatusCode != 405 || !strings.Contains(r.Header.Get("Allow"), "GET") {
		t.Errorf("another method: %d, Allow %q", r.StatusCode, r.Header.Get("Allow"))
	}
	r = h.ask("GET", "/"+envID+"/as/panic", "")
	if r.StatusCode != 500 || r.problem(t).Code != "UNEXPECTED_ERROR" || strings.Contains(r.body, "secret") || strings.Contains(r.body, "half") {
		t.Errorf("panic: %d %s", r.StatusCode, r.body)
	}
	if log := h.log.String(); strings.Count(log, r.problem(t).ID) != 1 || !strings.Contains(log, "panic: secret") {
		t.Errorf("log %s", log)
	}
	if r := h.ask("GET", "/healthz", ""); r.StatusCode != 200 {
		t.Error("the process did not live on")
	}
}

// TestFaces: what other faces write through the server.
func TestFaces(t *testing.T) {
	h := open(t, nil, func(s *httpapi.Server) {
		face := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _, err := s.Tenants.Resolve(r.Host, r.URL.Path)
			v := flow.View{Ref: flow.Ref{Env: envID, ID: flowID}, Status: flow.Completed, Token: "t", PiFlow: true, Application: webApp}
			switch r.PathValue("page") {
			case "problem":
				s.Problem(w, r, b, flow.Gone())
			case "down":
				s.Problem(w, r, b, flow.Busy(io.EOF))
			case "flow":
				s.Flow(w, b, v)
			case "german":
				s.ProblemIn(w, r, b, flow.Gone(), []string{"de", "en"})
			case "page":
				s.PageToward(w, b, http.StatusOK, "com.example.app:/bye", []string{"en"}, func(p *forms.Pages, set forms.Setting) []byte {
					return p.SignOff(set, "/x/as/signoff", [][2]string{{"token", "tok"}})
				})
			}
			if err != nil {
				t.Error(err)
			}
		})
		s.Handle(http.MethodGet, "/:env/as/:page", face)
		s.Handle(http.MethodPost, "/:env/as/:page", face)
	})
	page := func(name string, header ...string) reply { return h.ask("GET", "/"+envID+"/as/"+name, "", header...) }
	if r := page("problem"); r.StatusCode != 404 || r.problem(t).Links["restart"].Href == "" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	r := page("problem", "Accept: text/html,*/*")
	if r.StatusCode != 404 || !strings.Contains(r.body, "This page has expired") || !strings.Contains(r.Header.Get("Content-Security-Policy"), "style-src 'self'") || strings.Count(h.log.String(), "NOT_FOUND") != 2 {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, h.log)
	}
	if r := page("down", "Accept: text/html"); r.StatusCode != 503 || r.Header.Get("Retry-After") != "1" || !strings.Contains(r.body, `href="/`+envID+`/as/down"`) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := page("flow"); r.StatusCode != 200 || r.Header.Get("ETag") != `"t"` || !strings.Contains(r.body, `"application":{"name":"Demo web application"}`) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := page("german", "Accept: text/html", "Accept-Language: en"); r.Header.Get("Content-Language") != "de" {
		t.Errorf("not in the language that the face gives: %v", r.Header)
	}
	from := func(referer string) string {
		return h.ask("POST", "/"+envID+"/as/down", "", "Accept: text/html", "Referer: "+referer).body
	}
	if body := from("https://evil.example/" + envID + "/account"); strings.Contains(body, "evil") {
		t.Errorf("it leads on to a page of somebody else: %s", body)
	}
	if r := page("page"); r.StatusCode != 200 || !strings.Contains(r.body, `name="token" value="tok"`) || !strings.Contains(r.Header.Get("Content-Security-Policy"), "form-action 'self' com.example.app:;") {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, r.body)
	}
}
