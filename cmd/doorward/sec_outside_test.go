package main_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// sink counts connections that nobody should make, on every address of this machine.
func sink(t *testing.T) (at string, connected *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	connected = &atomic.Int64{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connected.Add(1)
			_ = c.Close()
		}
	}()
	return port(l.Addr().String()), connected
}

// forbidden are destinations that may not be called, at a port of ours.
func forbidden(t *testing.T, x *trial, at string) (out []string) {
	t.Helper()
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]", "localhost",
		"10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "169.254.170.2", "100.100.100.200",
		"168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[ff02::1]",
	} {
		out = append(out, "https://"+host+":"+at)
	}
	out = append(out, "http://127.0.0.1:"+at, "http://localhost:"+at, "http://10.0.0.1", "http://8.8.8.8", "https://8.8.8.8:22", "https://8.8.8.8:25", "https://8.8.8.8:6379", "https://8.8.8.8:11211")
	out = append(out, strings.Replace(x.site.Base, "http:", "https:", 1), x.site.Base, "https://"+x.redis.Addr, "https://"+x.metrics[0])
	if name, err := os.Hostname(); err == nil {
		if addresses, _ := net.LookupHost(name); len(addresses) > 0 {
			out = append(out, "https://"+strings.ToLower(name)+":"+at)
		}
	}
	return out
}

// fork is a definition that does of all steps the one whose number is the parameter
// which; each leads to the ends of a company.
func (c *company) fork(steps []stepBody) string {
	c.x.Helper()
	all, conditions, outlets := map[string]stepBody{}, []any{}, map[string]string{"NO_MATCH": "away"}
	for i, s := range steps {
		name := fmt.Sprintf("s%d", i)
		conditions = append(conditions, map[string]any{"condition": map[string]any{"value": "${flow.inputs.parameters.which}", "equals": name}, "result": name})
		outlets[name] = name
		s.outlets = map[string]string{"TIMEOUT": "late", "UNAVAILABLE": "away", "ERROR": "sorry"}
		s.outlets["SUCCEEDED"] = "done"
		if s.kind == "EXTERNAL_SERVICE_INVOKE" {
			delete(s.outlets, "SUCCEEDED")
			s.outlets["INVOCATION_OUTPUT"] = "done"
		}
		all[name] = s
	}
	all["fork"] = stepBody{kind: "BRANCH", config: map[string]any{"conditions": conditions}, outlets: outlets}
	all["done"] = redirects(map[string]any{"status": "ANSWERED"}, "")
	return c.definition(definition("EXPERIENCE", "fork", c.ends("fork", all)))
}

// Whatever a service or a step leads to that is inside, is refused by one code with
// one text, and nobody is connected to. Case SSRF-TABLE.
func TestSec_SSRF_TABLE_steps(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	at, connected := sink(t)
	c := r.company(x.partner)
	var requests []any
	all := forbidden(t, x, at)
	for i, to := range all {
		requests = append(requests, map[string]any{"name": fmt.Sprint(i), "request": map[string]any{"method": "GET", "url": to + "/inner"}})
	}
	service := r.make("/externalServices", map[string]any{"name": "Inside", "requests": requests})
	var invokes, sends []stepBody
	for i, to := range all {
		invokes = append(invokes, stepBody{kind: "EXTERNAL_SERVICE_INVOKE", config: map[string]any{"externalService": map[string]any{"id": service}, "request": map[string]any{"id": fmt.Sprint(i)}}, input: map[string]any{}})
		sends = append(sends, stepBody{kind: "API_REQUEST", config: map[string]any{"method": "POST"}, input: map[string]any{"url": to + "/inner", "body": `{"otp":"${flow.inputs.parameters.to}"}`}})
	}
	began := time.Now()
	for _, steps := range [][]stepBody{invokes, sends} {
		id := c.fork(steps)
		for i := range steps {
			a := c.begin(x.browser(), id, "which", fmt.Sprintf("s%d", i))
			if now := a.Resource(); now.Status != "FORM_REQUIRED" || now.Error.Code != "MALICIOUS_URL" || now.Error.Message != "A service that is needed here may not be asked. Ask your administrator." || len(now.Error.Details) != 0 {
				t.Errorf("%s to %s came to %s %+v", steps[i].kind, all[i], now.Status, now.Error)
			}
		}
	}
	if took := time.Since(began); took > time.Duration(len(all))*time.Second/2 {
		t.Errorf("%d refusals took %v", 2*len(all), took)
	}
	for i := range all {
		a := r.do(http.MethodPost, fmt.Sprintf("/externalServices/%s/requests/%d", service, i), nil)
		a.Refused(400, "REQUEST_FAILED", "MALICIOUS_URL")
	}
	if n := connected.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	if !x.await(func() bool { return x.recorded("SERVICE.CALL_FAILED") >= 2*len(all) }) {
		t.Errorf("%d failures were recorded of %d", x.recorded("SERVICE.CALL_FAILED"), 2*len(all))
	}
}

// refusedAt holds that a document is refused, with one pointer among others.
func (r *room) refusedAt(collection string, body map[string]any, pointer string) {
	r.x.Helper()
	a := r.do(http.MethodPost, collection, body).Is(400)
	var pointers []string
	for _, d := range a.Problem().Details {
		pointers = append(pointers, d.Pointer)
		if d.Pointer == pointer {
			return
		}
	}
	r.x.Errorf("%s is refused at %q, want %s: %s", r.x.json(body), pointers, pointer, a.Body)
}

// Where a call goes is not for those to say who use the flow, and how it is framed
// not for those who configure it. Cases SSRF-TABLE and SSRF-PLACEHOLDER.
func TestSec_SSRF_saved(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	service := func(url string, headers map[string]any) map[string]any {
		return map[string]any{"name": r.unique("Refused"), "variables": map[string]any{"base": "https://api.example"}, "requests": []any{map[string]any{"name": "a", "request": map[string]any{
			"method": "GET", "url": url, "headers": headers, "inputSchema": `{"type":"object","properties":{"host":{"type":"string"}}}`,
		}}}}
	}
	flow := func(url string, headers map[string]any) map[string]any {
		return definition("EXPERIENCE", "call", map[string]stepBody{
			"call": {kind: "API_REQUEST", config: map[string]any{"method": "GET"}, input: map[string]any{"url": url, "headers": headers}, outlets: map[string]string{"SUCCEEDED": "done"}},
			"done": redirects(nil, ""),
		})
	}
	schemes := []string{"file:///etc/passwd", "gopher://api.example/a", "ftp://api.example/a", "unix:///run/a.sock", "ws://api.example/a", "wss://api.example/a", "data:,a", "https://user:word@api.example/a", "//api.example/a", "api.example/a"}
	const atService, atStep = "/requests/0/request/url", "/stepDefinitions/call/input/url"
	for _, to := range append(schemes, "'https://' + inputs.host + '/a'", "'https://api.' + inputs.host", "'https://api.example:' + inputs.host", "inputs.host", "https://${inputs.host}.example/a", "inputs.host + '://api.example/a'", "'https://' + inputs.host + '@api.example/'", "'https://' + secrets.host + '/a'", "variables.base + inputs.host") {
		r.refusedAt("/externalServices", service(to, nil), atService)
	}
	const host = "${flow.inputs.parameters.host}"
	for _, to := range append(schemes, "https://"+host+"/a", "https://api."+host+"/a", "https://api.example:"+host+"/a", host, host+"://api.example/a", "https://"+host+"@api.example/a", "https://api.example"+host) {
		r.refusedAt("/flowDefinitions", flow(to, nil), atStep)
	}
	for _, name := range []string{"Host", "content-length", "Transfer-Encoding", "Connection", "Trailer", "TE", "Upgrade", "Expect", "Proxy-Authorization", "X-Forwarded-For", "Forwarded", "Cookie", "Idempotency-Key", "Bad Name", "A\r\nB"} {
		headers := map[string]any{name: "a"}
		pointer := strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		r.refusedAt("/externalServices", service("'https://api.example/a'", headers), "/requests/0/request/headers/"+pointer)
		r.refusedAt("/flowDefinitions", flow("https://api.example/a", headers), "/stepDefinitions/call/input/headers/"+pointer)
	}
	r.make("/externalServices", service("variables.base + '/' + #string.asUrlEncoded(inputs.host)", nil))
	r.definition(flow("https://api.example/"+host+"?a="+host, map[string]any{"X-Name": host}))
}

// typed is a definition that asks for number, q, name and words, and writes them into a
// call wherever that can be.
func (c *company) typed(call stepBody) string {
	c.x.Helper()
	form := c.make("/forms", fields(text("number"), text("q"), text("name"), text("words")))
	call.outlets = map[string]string{"SUCCEEDED": "done", "TIMEOUT": "late", "UNAVAILABLE": "away", "ERROR": "ask"}
	if call.kind == "EXTERNAL_SERVICE_INVOKE" {
		delete(call.outlets, "SUCCEEDED")
		call.outlets["INVOCATION_OUTPUT"] = "done"
	}
	return c.definition(definition("EXPERIENCE", "ask", c.ends("ask", map[string]stepBody{
		"ask": shows(form, "call"), "call": call, "done": redirects(map[string]any{"status": "ANSWERED"}, ""),
	})))
}

// typing are calls of either kind that write what is typed wherever that can be.
func (c *company) typing() map[string]stepBody {
	c.x.Helper()
	const data = "steps.ask.outputs.formData."
	service := c.make("/externalServices", map[string]any{"name": "Typed", "variables": map[string]any{"base": c.at.Plain + "/" + c.place}, "requests": []any{map[string]any{
		"name": "typed",
		"request": map[string]any{
			"method": "POST", "url": "variables.base + '/users/' + #string.asUrlEncoded(inputs.id) + '?q=' + #string.asUrlEncoded(inputs.q)",
			"headers":     map[string]any{"X-User": "inputs.name", "X-Long": strings.Repeat("inputs.name + ", 8) + "inputs.name"},
			"body":        map[string]any{"type": "JSON", "template": "{'words': inputs.words, 'role': 'user'}"},
			"inputSchema": `{"type":"object","properties":{"id":{"type":"string"},"q":{"type":"string"},"name":{"type":"string"},"words":{"type":"string"}},"required":["id","q","name","words"]}`,
		},
	}}})
	return map[string]stepBody{
		"EXTERNAL_SERVICE_INVOKE": {
			kind: "EXTERNAL_SERVICE_INVOKE", config: map[string]any{"externalService": map[string]any{"id": service}, "request": map[string]any{"id": "typed"}},
			input: map[string]any{"id": "${" + data + "number}", "q": "${" + data + "q}", "name": "${" + data + "name}", "words": "${" + data + "words}"},
		},
		"API_REQUEST": {
			kind: "API_REQUEST", config: map[string]any{"method": "POST"},
			input: map[string]any{
				"url":     c.at.Plain + "/" + c.place + "/users/${" + data + "number}?q=${" + data + "q}",
				"headers": map[string]any{"X-User": "${" + data + "name}", "X-Long": strings.Repeat("${"+data+"name}", 9)},
				"body":    `{"words":"${` + data + `words}","role":"user"}`,
			},
		},
	}
}

// What people type is one segment of a path, one value of a parameter, one header,
// one string in JSON, or nothing is sent. Case SSRF-PLACEHOLDER.
func TestSec_SSRF_PLACEHOLDER_steps(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	c := r.company(x.partner)
	for kind, call := range c.typing() {
		id := c.typed(call)
		submit := func(values map[string]string) (string, []inquiry) {
			for _, name := range []string{"number", "q", "name", "words"} {
				if values[name] == "" {
					values[name] = "a"
				}
			}
			before := len(c.asked())
			f := x.browser().Begin(shop4, id, nil)
			a := f.Act("form.submit", values).Is(200)
			c.silent(a)
			return became(a.Flow()), c.asked()[before:]
		}
		for _, v := range []string{"../../admin", "%2e%2e/", "%2e%2e", "x?y#z", "@evil.tld", "//evil.tld", "a&role=admin", "#", "a;b", "äö", `a"}],{"`, "a\\b", "${secrets.key}", "#{1}", "'+secrets.key+'"} {
			got, came := submit(map[string]string{"number": v, "q": v, "words": v})
			if (got == "INVOCATION_ERROR" || got == "INVALID_DATA") && len(came) == 0 && (strings.HasPrefix(v, "..") || strings.HasPrefix(v, "%2e")) {
				continue // a segment that some server may take for a way up is not sent at all
			}
			if got != "ANSWERED" && got != "200" || len(came) != 1 {
				t.Errorf("%s with %q came to %s by %d calls", kind, v, got, len(came))
				continue
			}
			u := came[0].URI
			path, query, _ := strings.Cut(u, "?")
			if strings.Count(path, "/") != 3 || strings.Count(query, "=") != 1 || strings.ContainsAny(query, "&;#") || !strings.HasPrefix(path, "/"+c.place+"/users/") {
				t.Errorf("%s with %q asked for %s", kind, v, u)
			}
			if req, err := http.NewRequest(http.MethodGet, "http://a"+u, http.NoBody); err != nil || req.URL.Query().Get("q") != v || !strings.HasSuffix(req.URL.Path, "/users/"+v) {
				t.Errorf("%s with %q asked for %s", kind, v, u)
			}
			if body := x.mustJSON([]byte(came[0].Body)); len(body) != 2 || body["words"] != v || body["role"] != "user" {
				t.Errorf("%s with %q sent %s", kind, v, came[0].Body)
			}
		}
		for _, v := range []map[string]string{{"number": "."}, {"number": ".."}, {"name": "a\r\nX-Evil: 1"}, {"name": "a\nHost: evil.tld"}, {"name": "a\x00b"}, {"name": strings.Repeat("long", 249)}} {
			if got, came := submit(v); got != "INVALID_DATA" && got != "INVOCATION_ERROR" || len(came) != 0 {
				t.Errorf("%s with %.40q came to %s by %d calls", kind, v, got, len(came))
			}
		}
		if got, came := submit(map[string]string{"name": "Häns: Host"}); got != "ANSWERED" || len(came) != 1 || came[0].Header.Get("X-User") != "Häns: Host" {
			t.Errorf("%s came to %s with %+v", kind, got, came)
		}
	}
}
