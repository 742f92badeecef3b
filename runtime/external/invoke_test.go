package external_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/runtime/external"
	"doorward/runtime/flow"
)

const text = `"inputSchema":"{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"},\"q\":{\"type\":\"string\"},\"name\":{\"type\":\"string\"}}}"`

func TestThePublishedRequestsAreInvoked(t *testing.T) {
	origin, w := target(t, echo)
	body := strings.ReplaceAll(string(read(t, "rec-external-service-create.json")), "https://httpbin.example.com", origin)
	rest, sealed, _ := external.Seal([]byte(body))
	_, secrets, err := external.SealSecrets(read(t, "rec-external-service-secrets-update.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range secrets {
		sealed[name] = value
	}
	s, err := external.Compile(rest)
	if err != nil {
		t.Fatal(err)
	}
	services := external.New(w, of(sealed), time.Now)
	for name, want := range map[string]string{
		"staticRequest":   `"uri":"/get"`,
		"variableRequest": `"uri":"/get"`,
		"secretRequest":   `"X-Api-Key":["s3cr3t"]`,
		"inputRequest":    `{"echo":"u-1","ok":true}`,
	} {
		r, _ := s.Request(name)
		in := external.Invocation{Env: env, ServiceID: service, Request: r, Key: "k-" + name}
		if len(r.Inputs()) > 0 {
			in.Inputs = map[string]any{"userId": "u-1"}
		}
		out, err := services.Invoke(t.Context(), in)
		if err != nil || !strings.Contains(asJSON(t, out), want) {
			t.Errorf("%s: %s %v", name, asJSON(t, out), err)
		}
	}
	for _, c := range w.calls() {
		if c.Env != env || c.Target != service || c.Origin != origin || !strings.HasPrefix(c.Key, "k-") {
			t.Errorf("sent %s to %s as %s", c.URL, c.Target, c.Key)
		}
		if c.Method != "POST" {
			continue
		}
		if string(c.Body) != `{"userId":"u-1"}` || c.Header.Get("X-User") != "u-1" || c.Header.Get("Authorization") != "changeme" || c.Header.Get("Content-Type") != "application/json" {
			t.Errorf("posted %s with %v", c.Body, c.Header)
		}
	}
}

func TestThePublishedInputsAndTheDefaultOutput(t *testing.T) {
	origin, w := target(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"hello":"world"}`)
	})
	s := compile(t, origin, ``, post+`,"body":{"type":"JSON","template":"inputs"},"inputSchema":"{\"required\":[\"input1\",\"input2\",\"input3\"]}"}`)
	var sent struct{ Inputs map[string]any }
	if err := json.Unmarshal(read(t, "doc-external-service-invoke.request.json"), &sent); err != nil {
		t.Fatal(err)
	}
	out, err := invoke(t, w, nil, s, sent.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	delete(out.(map[string]any)["headers"].(map[string]any), "content-length")
	var want struct{ Outputs any }
	if err := json.Unmarshal(read(t, "comp-external-service-invoke.default-output.response-200.json"), &want); err != nil {
		t.Fatal(err)
	}
	if got, want := asJSON(t, out), asJSON(t, want.Outputs); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := string(w.calls()[0].Body); got != asJSON(t, sent.Inputs) {
		t.Errorf("sent %s", got)
	}
}

func TestBodies(t *testing.T) {
	origin, w := target(t, echo)
	for template, want := range map[string]string{
		`{'id': inputs.id, 'n': 3, 'l': {1, 2}}`:           `{"id":"I","l":[1,2],"n":3}`,
		`{"id": "${inputs.id}", "l": [1.50, "x", null]}`:   `{"id":"I","l":[1.50,"x",null]}`,
		`{"all": "${inputs}", "text": "a ${inputs.id} b"}`: `{"all":{"id":"I"},"text":"a I b"}`,
		"{\n \"a\": {\"b\": [true, \"${inputs.id}\"]}\n}":  `{"a":{"b":[true,"I"]}}`,
		`[ "${inputs.id}" ]`:                               `["I"]`,
		`{"a": "inputs.id"}`:                               `{"a":"inputs.id"}`,
		`inputs.id`:                                        `"I"`,
		`'<' + inputs.id + '>'`:                            `"<I>"`,
		`null`:                                             `null`,
		`just text`:                                        `"just text"`,
	} {
		s := compile(t, origin, ``, post+`,"body":{"type":"JSON","template":`+asJSON(t, template)+`},`+text+`}`)
		if _, err := invoke(t, w, nil, s, map[string]any{"id": "I"}); err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		calls := w.calls()
		if got := string(calls[len(calls)-1].Body); got != want {
			t.Errorf("%s is sent as %s, want %s", template, got, want)
		}
	}
}

// hostile are inputs that mean something to somebody on the way.
func hostile() []string {
	return []string{
		"../../admin", "%2e%2e/", "%2e%2e%2fadmin", "..", ".", "..;/", "x?y#z", "@evil.tld", "//evil.tld", "/", "\\", "..\\..\\admin",
		"a&role=admin", "a;role=admin", "#", "?", "=", "&", "%", "%00", "\x00", "a\r\nX-Evil: 1", "a\nb", "%0d%0aSet-Cookie: evil=1", "\u560d\u560a", "嘊嘍",
		"${variables.base}", "${secrets.apiKey}", "#{7*7}", "{{.}}", "' + secrets.apiKey + '", `"},"admin":true,"x":{"`, "\u2028", "é", " ", "",
		"evil.tld:443", ":80", "a b", "+", strings.Repeat("x", 64<<9), "Li4vLi4vYWRtaW4=", "\"", "<script>", "\xff",
	}
}

func TestHostileInputsStayData(t *testing.T) {
	origin, w := target(t, echo)
	s := compile(t, origin, ``, `"request":{"method":"POST","url":"variables.base + '/users/' + #string.asUrlEncoded(inputs.id) + '/find?q=' + #string.asUrlEncoded(inputs.q) + '&all=true'",`+
		`"body":{"type":"JSON","template":"{'name': inputs.name, 'admin': false}"},`+text+`}`)
	for _, input := range hostile() {
		for _, name := range []string{"id", "q", "name"} {
			inputs := map[string]any{"id": "7", "q": "x", "name": "n"}
			inputs[name] = input
			before := len(w.calls())
			_, err := invoke(t, w, nil, s, inputs)
			calls := w.calls()[before:]
			if err != nil {
				if e := failure(t, err); len(calls) > 0 || e.Code != external.InvocationError {
					t.Errorf("%s=%.30q: %v, %d calls", name, input, err, len(calls))
				}
				continue
			}
			u, err := url.Parse(calls[0].URL)
			if err != nil || u.Scheme+"://"+u.Host != origin || strings.Count(u.EscapedPath(), "/") != 3 || !strings.HasSuffix(u.Path, "/find") ||
				len(u.Query()) != 2 || u.Query().Get("all") != "true" || u.Fragment != "" {
				t.Errorf("%s=%.30q is sent to %.100s", name, input, calls[0].URL)
			}
			var body map[string]any
			if json.Unmarshal(calls[0].Body, &body) != nil || len(body) != 2 || body["admin"] != false {
				t.Errorf("%s=%.30q is sent as %.100s", name, input, calls[0].Body)
			}
			if want := strings.ToValidUTF8(input, "\uFFFD"); name == "name" && body["name"] != want || name == "q" && u.Query().Get("q") != want {
				t.Errorf("%s=%.30q arrives as another value", name, input)
			}
		}
	}
}

func TestInputsThatAreNotEncodedCannotSteer(t *testing.T) {
	origin, w := target(t, echo)
	s := compile(t, origin, ``, `"request":{"method":"GET","url":"ORIGIN/users/${inputs.id}?q=${inputs.q}",`+text+`}`)
	good := map[string]string{"id": "a-7_x.y~z", "q": "x=y"}
	for name, row := range map[string]struct{ id, q, want string }{
		"what needs no encoding":  {good["id"], good["q"], ""},
		"an encoded slash":        {"a%2Fb", "x", ""},
		"a segment":               {"7/delete", "x", "depth"},
		"an end of the path":      {"7?admin=1", "x", "parameters"},
		"a parameter":             {"7", "x&admin=1", "parameters"},
		"a parameter, by ;":       {"7", "x;admin=1", "parameters"},
		"a fragment":              {"7", "x#", "fragment"},
		"up":                      {"..", "x", `".."`},
		"up, encoded":             {"%2e%2e", "x", `".."`},
		"up, encoded twice":       {"%252e%252e", "x", `".."`},
		"up, within a segment":    {"..%2fadmin", "x", `".."`},
		"nothing":                 {"", "x", ""}, // before a query, a segment is not the end of the URL
		"a space":                 {"7", "a b", "asUrlEncoded"},
		"a line break":            {"7\r\nX-Evil: 1", "x", "asUrlEncoded"},
		"a host":                  {"@evil.tld", "x", ""},
		"an umlaut":               {"ä", "x", "asUrlEncoded"},
		"a % of its own":          {"100%", "x", "encodes nothing"},
		"a double slash in front": {"/evil.tld", "x", "empty segment"},
	} {
		before := len(w.calls())
		_, err := invoke(t, w, nil, s, map[string]any{"id": row.id, "q": row.q})
		calls := w.calls()[before:]
		if row.want == "" && name != "nothing" {
			if err != nil || len(calls) != 1 || calls[0].Origin != origin {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		e := failure(t, err)
		if len(calls) > 0 || e.Code != external.InvocationError || !strings.Contains(e.Message, row.want) {
			t.Errorf("%s: %v, %d calls; want %s", name, err, len(calls), row.want)
		}
	}
}

func TestWhatIsDecodedCannotSteerEither(t *testing.T) {
	origin, w := target(t, echo)
	for source, inputs := range map[string]map[string]any{
		"'ORIGIN/f/' + #string.asBase64Decoded(inputs.x)":       {"x": "YS9iL2M="},
		"'ORIGIN/f/' + #string.asUrlDecoded(inputs.x)":          {"x": "a%2Fb"},
		"'ORIGIN/f/' + #string.format('%c', inputs.x)":          {"x": '/'},
		"'ORIGIN/f/x?' + #string.asUrlEncoded(inputs.x) + '=1'": {"x": "admin"},
		"'ORIGIN/f/' + #regex.replaceAll(inputs.x, 'z', '/')":   {"x": "azb"},
		"'ORIGIN/f/x?a=' + #string.lowerCase(inputs.x)":         {"x": "1&ADMIN=1"},
	} {
		s := compile(t, origin, ``, `"request":{"method":"GET","url":`+asJSON(t, source)+`,"inputSchema":"{\"properties\":{\"x\":{},\"n\":{\"type\":\"integer\"}}}"}`)
		_, err := invoke(t, w, nil, s, inputs)
		if e := failure(t, err); e.Code != external.InvocationError || len(w.calls()) > 0 {
			t.Errorf("%s: %v, %d calls", source, err, len(w.calls()))
		}
	}
}

func TestHeadersOfInputs(t *testing.T) {
	origin, w := target(t, echo)
	s := compile(t, origin, ``, get+`,"headers":{"X-User":"inputs.name","X-Static":"no-cache"},`+text+`}`)
	for _, value := range []string{"Ada", "Ädä", "a\tb", `"quoted"`, "a: b", "${secrets.apiKey}"} {
		_, err := invoke(t, w, nil, s, map[string]any{"name": value})
		calls := w.calls()
		if err != nil || calls[len(calls)-1].Header.Get("X-User") != value || calls[len(calls)-1].Header.Get("X-Static") != "no-cache" {
			t.Errorf("%q: %v", value, err)
		}
	}
	before := len(w.calls())
	for _, value := range []string{"a\r\nX-Evil: 1", "a\nb", "a\rb", "\x00", "\x7f", strings.Repeat("x", 8<<10), strings.Repeat("x", 64<<10)} {
		_, err := invoke(t, w, nil, s, map[string]any{"name": value})
		e := failure(t, err)
		if e.Code != external.InvocationError && e.Code != external.InvalidValue || len(w.calls()) > before || strings.Contains(e.Message, "Evil") {
			t.Errorf("%.20q: %v, %d calls", value, err, len(w.calls())-before)
		}
	}
}

func TestInputsAreHeldAgainstTheirSchema(t *testing.T) {
	origin, w := target(t, echo)
	s := compile(t, origin, ``, `"request":{"method":"GET","url":"variables.base + '/u/' + inputs.u.id","headers":{"X-A":"inputs.a"},`+
		`"inputSchema":"{\"type\":\"object\",\"properties\":{\"u\":{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"integer\",\"minimum\":1}}},\"a\":{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"}},\"required\":[\"u\"],\"additionalProperties\":false}"}`)
	for inputs, want := range map[string]string{
		`{"u":{"id":7},"a":"x"}`:           ``,
		`{}`:                               `REQUIRED_VALUE inputs.a, REQUIRED_VALUE inputs.u`,
		`null`:                             `REQUIRED_VALUE inputs.a, REQUIRED_VALUE inputs.u`,
		`{"u":{},"a":"x"}`:                 `REQUIRED_VALUE inputs.u.id`,
		`{"u":{"id":"hush"},"a":"x"}`:      `INVALID_VALUE inputs.u.id`,
		`{"u":{"id":0},"a":"HUSH"}`:        `INVALID_VALUE inputs.a, INVALID_VALUE inputs.u.id`,
		`{"u":{"id":7},"a":"x","admin":1}`: `INVALID_VALUE inputs.admin`,
		`{"u":"hush","a":"x"}`:             `INVALID_VALUE inputs.u`,
		`{"u":{"id":7},"a":"x","n":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`: `INVALID_VALUE inputs`,
	} {
		var in map[string]any
		if err := json.Unmarshal([]byte(inputs), &in); err != nil {
			t.Fatal(err)
		}
		_, err := invoke(t, w, nil, s, in)
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		e := failure(t, err)
		var got []string
		for _, d := range e.Details {
			got = append(got, d.Code+" "+d.Target)
			if strings.Contains(strings.ToLower(d.Message), "hush") {
				t.Errorf("%s repeats what was sent: %s", inputs, d.Message)
			}
		}
		if e.Code != external.InvalidValue || strings.Join(got, ", ") != want {
			t.Errorf("%s: %s %v, want %s", inputs, e.Code, got, want)
		}
	}
	if n := len(w.calls()); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestSecretsAreReadAtEachCallAndDoNotComeBack(t *testing.T) {
	origin, w := target(t, echo)
	s := compile(t, origin, `"authSchemes":[{"name":"s","type":"BEARER"}],`, get+`,"headers":{"X-Api-Key":"secrets.apiKey"},"authScheme":"s","inputSchema":"{}"},`+
		`"response":{"output":"{'seen': #root['response'].status, 'inputs': inputs}","outputSchema":"{}"}`)
	secrets := of(nil)
	for step, want := range []string{"secret", "scheme", ""} {
		switch step {
		case 1:
			secrets[env+"/"+service+"/secrets/apiKey"] = "hush-1"
		case 2:
			secrets[env+"/"+service+"/authSchemes/s/token"] = "hush-2"
		}
		out, err := invoke(t, w, secrets, s, nil)
		if want == "" {
			if err != nil || strings.Contains(asJSON(t, out), "hush") {
				t.Errorf("%v %v", out, err)
			}
			continue
		}
		if e := failure(t, err); e.Code != external.InvocationError || !strings.Contains(e.Message, want) || len(w.calls()) > 0 {
			t.Errorf("%v, want %s", err, want)
		}
	}
	sent := w.calls()[0].Header
	if sent.Get("X-Api-Key") != "hush-1" || sent.Get("Authorization") != "Bearer hush-2" {
		t.Errorf("sent %v", sent)
	}
	secrets[env+"/"+service+"/secrets/apiKey"] = "hush-3"
	if _, err := invoke(t, w, secrets, s, nil); err != nil || w.calls()[1].Header.Get("X-Api-Key") != "hush-3" {
		t.Errorf("the old secret is sent: %v", err)
	}
	secrets[env+"/"+service+"/secrets/apiKey"] = "hush\r\nX-Evil: 1"
	if _, err := invoke(t, w, secrets, s, nil); len(w.calls()) != 2 || strings.Contains(failure(t, err).Message, "hush") {
		t.Errorf("%v", err)
	}
}

func TestAnswers(t *testing.T) {
	type answer struct {
		status int
		media  string
		body   string
	}
	const echoed, head = `response.body`, `{'status': response.status, 'type': response.headers['content-type']}`
	for name, row := range map[string]struct {
		answer
		output, schema string
		want           string // JSON, or a code
	}{
		"JSON":                           {answer{200, "application/json", `{"a":[1,2.50,"x",null,true]}`}, echoed, `{}`, `{"a":[1,2.50,"x",null,true]}`},
		"JSON of a kind":                 {answer{200, "application/problem+json; charset=utf-8", `{}`}, echoed, `{}`, `{}`},
		"nothing":                        {answer{204, "", ""}, echoed, `{}`, `null`},
		"numbers that are large":         {answer{200, "application/json", `[9007199254740993,-1.7e308,1e-400,1e+5]`}, echoed, `{"items":{"maximum":1e18}}`, `[9007199254740993,-1.7e308,1e-400,1e+5]`},
		"an error with JSON":             {answer{422, "application/json", `{"code":"x"}`}, echoed, `{}`, `{"code":"x"}`},
		"an error with a page":           {answer{502, "text/html", `<h1>Bad gateway</h1>`}, echoed, `{}`, `null`},
		"a page":                         {answer{200, "text/html", `<h1>Hi</h1>`}, echoed, `{}`, external.NoResponse},
		"a page that nobody reads":       {answer{200, "text/plain", `ok`}, head, `{}`, `{"status":200,"type":"text/plain"}`},
		"half JSON":                      {answer{200, "application/json", `{"a":`}, echoed, `{}`, external.NoResponse},
		"two values":                     {answer{200, "application/json", `{} {}`}, echoed, `{}`, external.NoResponse},
		"a name twice":                   {answer{200, "application/json", `{"a":1,"a":2}`}, echoed, `{}`, external.NoResponse},
		"no UTF-8":                       {answer{200, "application/json", "\"\xff\""}, echoed, `{}`, external.NoResponse},
		"UTF-16":                         {answer{200, "application/json; charset=utf-16", `{}`}, echoed, `{}`, external.NoResponse},
		"too deep":                       {answer{200, "application/json", strings.Repeat("[", 33) + strings.Repeat("]", 33)}, echoed, `{}`, external.NoResponse},
		"outputs of another type":        {answer{200, "application/json", `{"a":"hush"}`}, echoed + `.a`, `{"type":"number"}`, external.InvocationError},
		"outputs without what is needed": {answer{200, "application/json", `{}`}, echoed, `{"required":["a"]}`, external.InvocationError},
		"an expression with no value":    {answer{200, "application/json", `{}`}, `1 + response.body.a`, `{}`, external.ExpressionError},
		"a placeholder in the answer":    {answer{200, "application/json", `{"a":"${secrets.apiKey}"}`}, echoed + `.a`, `{}`, `"${secrets.apiKey}"`},
	} {
		t.Run(name, func(t *testing.T) {
			origin, w := target(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = nil
				if row.media != "" {
					w.Header().Set("Content-Type", row.media)
				}
				w.WriteHeader(row.status)
				_, _ = io.WriteString(w, row.body)
			})
			s := compile(t, origin, ``, get+`},"response":{"output":`+asJSON(t, row.output)+`,"outputSchema":`+asJSON(t, row.schema)+`}`)
			out, err := invoke(t, w, nil, s, nil)
			if err == nil {
				if got := asJSON(t, out); got != row.want {
					t.Errorf("%s, want %s", got, row.want)
				}
				return
			}
			if e := failure(t, err); e.Code != row.want || strings.Contains(e.Message, "hush") || strings.Contains(e.Message, origin) {
				t.Errorf("%v, want %s", err, row.want)
			}
		})
	}
}

// However many texts a request has, together they may come to as much as one, and
// nothing is sent that came to more.
func TestTheTextsOfARequestHaveTheLimitsOfOne(t *testing.T) {
	list := func(text string, n int) string {
		return `{"a":[` + strings.TrimSuffix(strings.Repeat(asJSON(t, "${"+text+"}")+",", n), ",") + `]}`
	}
	for name, row := range map[string]struct{ body, header string }{
		"texts":            {list(`#string.format('%200000s','')`, 100), ``},
		"inputs":           {list(`inputs.long`, 1000), ``},
		"numbers":          {list(`inputs.numbers`, 1000), ``},
		"elements":         {list(`inputs.numbers.![#this]`, 1000), ``},
		"header and body":  {list(`#string.format('%400000s','')`, 1), `#string.format('%400000s','') == '' ? 'a' : 'b'`},
		"as much as there": {list(`#string.format('%10000s','')`, 20), `'x'`},
	} {
		t.Run(name, func(t *testing.T) {
			origin, w := target(t, echo)
			headers := ``
			if row.header != "" {
				headers = `"headers":{"X-A":` + asJSON(t, row.header) + `},`
			}
			s := compile(t, origin, ``, post+`,`+headers+`"body":{"type":"JSON","template":`+asJSON(t, row.body)+`},"inputSchema":"{\"properties\":{\"long\":{},\"numbers\":{}}}"}`)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := invoke(t, w, nil, s, map[string]any{
				"long": strings.Repeat("a", 30_000), "numbers": slices.Repeat([]any{json.Number(strings.Repeat("1", 300))}, 100),
			})
			runtime.ReadMemStats(&after)
			if name == "as much as there" {
				if err != nil || len(w.calls()) != 1 {
					t.Errorf("%v", err)
				}
				return
			}
			if e := failure(t, err); e.Code != external.ExpressionError || len(w.calls()) > 0 {
				t.Errorf("%v, %d calls", err, len(w.calls()))
			}
			if made := after.TotalAlloc - before.TotalAlloc; made > 32<<20 {
				t.Errorf("%d bytes were allocated on the way to: %v", made, err)
			}
		})
	}
}

// What numbers a service answers with, or a caller hands in, is judged before a
// schema is: none of them takes longer than it took to read.
func TestNumbersThatNobodyCanReckonWith(t *testing.T) {
	const reckons = `{"items":{"type":"integer","minimum":0,"maximum":10,"multipleOf":2}}`
	for name, number := range map[string]string{
		"larger than any":         `1e9999999`,
		"of a million digits":     `1e999999`,
		"smaller than any":        `1e-9999999`,
		"of a million decimals":   `1e-999999`,
		"beyond a double":         `1e309`,
		"of too many digits":      `0.` + strings.Repeat("1", 500),
		"of an exponent too long": `1e` + strings.Repeat("0", 500) + `1`,
	} {
		for _, schema := range []string{reckons, `{"uniqueItems":true}`} {
			t.Run(name+" "+schema, func(t *testing.T) {
				list := `[` + strings.Repeat(number+",", 24) + `1]`
				origin, w := target(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, list)
				})
				s := compile(t, origin, ``, get+`},"response":{"output":"response.body","outputSchema":`+asJSON(t, schema)+`}`)
				if _, err := invoke(t, w, nil, s, nil); failure(t, err).Code != external.NoResponse {
					t.Errorf("%v", err)
				}
				s = compile(t, origin, ``, get+`,"headers":{"X-A":"inputs.a"},"inputSchema":`+asJSON(t, `{"properties":{"a":`+schema+`}}`)+`}`)
				_, err := invoke(t, w, nil, s, map[string]any{"a": json.RawMessage(list)})
				if e := failure(t, err); e.Code != external.InvalidValue || e.Details[0].Target != "inputs" || len(w.calls()) != 1 {
					t.Errorf("%v, %v, %d calls", err, e.Details, len(w.calls()))
				}
			})
		}
	}
}

// broken is a way out that reports err.
type broken struct{ err error }

func (b broken) Send(context.Context, external.Outbound) (external.Inbound, error) {
	return external.Inbound{}, b.err
}

func TestFailuresOfTheWayOutArePassedOn(t *testing.T) {
	s := compile(t, "https://a.example", ``, get+`}`)
	timeout := &external.Error{Code: "TOO_MANY_INVOCATIONS", Message: "Too many.", RetryAfter: time.Second, Open: true}
	_, err := invoke(t, broken{fmt.Errorf("send: %w", timeout)}, nil, s, nil)
	if e := failure(t, err); e != timeout {
		t.Errorf("%v", err)
	}
	inside := errors.New("dial tcp 10.0.0.1: refused")
	_, err = invoke(t, broken{inside}, nil, s, nil)
	if e := failure(t, err); e.Code != external.InvocationFailed || !errors.Is(err, inside) || strings.Contains(err.Error(), "10.0.0.1") {
		t.Errorf("%v", err)
	}
}

// slow waits for the end of the call.
type slow struct{ deadline time.Time }

func (s *slow) Send(ctx context.Context, _ external.Outbound) (external.Inbound, error) {
	s.deadline, _ = ctx.Deadline()
	return external.Inbound{Status: 204}, nil
}

func TestACallHasADeadline(t *testing.T) {
	s := compile(t, "https://a.example", ``, get+`}`)
	w := &slow{}
	if _, err := invoke(t, w, nil, s, nil); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(w.deadline); left <= 0 || left > flow.CallTimeout {
		t.Errorf("%v are left", left)
	}
}

func TestWordsOfTheSchemaMayChooseAPath(t *testing.T) {
	origin, w := target(t, echo)
	s := compile(t, origin, ``, `"request":{"method":"GET","url":"'ORIGIN/' + {'eu': 'europe/west', 'us': 'america'}[inputs.r] + '/' + #string.asUrlEncoded(inputs.id)",`+
		`"inputSchema":"{\"properties\":{\"r\":{\"enum\":[\"eu\",\"us\"]},\"id\":{\"type\":\"string\"}}}"}`)
	for region, want := range map[string]string{"eu": "/europe/west/a%2Fb", "us": "/america/a%2Fb"} {
		_, err := invoke(t, w, nil, s, map[string]any{"r": region, "id": "a/b"})
		calls := w.calls()
		if err != nil || calls[len(calls)-1].URL != origin+want {
			t.Errorf("%s: %v", region, err)
		}
	}
	before := len(w.calls())
	if _, err := invoke(t, w, nil, s, map[string]any{"r": "eu/../..", "id": "x"}); failure(t, err).Code != external.InvalidValue || len(w.calls()) > before {
		t.Errorf("%v", err)
	}
}
