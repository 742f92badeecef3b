package httpapi_test

import (
	"slices"
	"strings"
	"testing"

	"doorward/runtime/flow"
)

// TestMediaTypeIsExact. Case INJ-CTYPE.
func TestMediaTypeIsExact(t *testing.T) {
	h := open(t, nil, nil)
	for _, ct := range []string{
		"", "application/json", "text/json", "x/evil+json", strings.TrimSuffix(check, "+json") + "+xml", strings.TrimSuffix(check, "+json"),
		check + ", application/vnd.pingidentity.user.confirm+json", check + "; charset=utf-16", check + ";v=1",
		"application/vnd.pingidentity." + strings.Repeat("a", 5000) + "+json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain",
	} {
		r := h.ask("POST", thisFlow, right, "Content-Type: "+ct, "Accept: text/html")
		p := r.problem(t)
		if r.StatusCode != 415 || p.Code != "UNSUPPORTED_MEDIA_TYPE" || r.Header.Get("Accept") != check+", "+reset || p.Links["usernamePassword.check"].Href == "" {
			t.Errorf("%.60q: %d %s", ct, r.StatusCode, r.body)
		}
	}
	twice := h.raw(2e9, "POST "+thisFlow+" HTTP/1.1\r\nHost: HOST\r\nCookie: ST="+owner+"\r\nContent-Type: text/plain\r\nContent-Type: "+check+"\r\nContent-Length: 37\r\nConnection: close\r\n\r\n"+right)
	if !strings.HasPrefix(twice, "HTTP/1.1 400 ") || !strings.Contains(twice, `"code":"INVALID_REQUEST"`) {
		t.Errorf("two content types: %s", twice)
	}
	nul := h.raw(2e9, "POST "+thisFlow+" HTTP/1.1\r\nHost: HOST\r\nCookie: ST="+owner+"\r\nContent-Type: "+check+"\x00\r\nContent-Length: 37\r\nConnection: close\r\n\r\n"+right)
	if !strings.HasPrefix(nul, "HTTP/1.1 400 ") && !strings.HasPrefix(nul, "HTTP/1.1 415 ") {
		t.Errorf("NUL: %s", nul)
	}
	if n := len(h.engine.seen()); n != 0 {
		t.Errorf("%d submits were evaluated", n)
	}
	if got := h.events.types(); !slices.Contains(got, flow.RequestMalformed) {
		t.Errorf("events %v", got)
	}
}

// TestBodyIsStrict. Cases INJ-JSON, SEQ-EMPTY-POST, DOS-JSON.
func TestBodyIsStrict(t *testing.T) {
	h := open(t, nil, nil)
	for _, tc := range []struct{ name, body, code, detail string }{
		{"a duplicate name", `{"username":"ada","password":"x","password":"right"}`, "INVALID_REQUEST", ""},
		{"trailing data", right + `{}`, "INVALID_REQUEST", ""},
		{"a byte order mark", "\ufeff" + right, "INVALID_REQUEST", ""},
		{"UTF-16", "\xff\xfe{\x00}\x00", "INVALID_REQUEST", ""},
		{"invalid UTF-8", "{\"username\":\"ada\",\"password\":\"\xff\"}", "INVALID_REQUEST", ""},
		{"a lone surrogate", `{"username":"\ud800","password":"right"}`, "INVALID_REQUEST", ""},
		{"NaN", `{"username":NaN}`, "INVALID_REQUEST", ""},
		{"null", `null`, "INVALID_REQUEST", ""},
		{"an array", `[]`, "INVALID_REQUEST", ""},
		{"a string", `"x"`, "INVALID_REQUEST", ""},
		{"depth 33", `{"username":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, "INVALID_REQUEST", ""},
		{"depth 9,999", strings.Repeat("[", 9999), "INVALID_REQUEST", ""},
		{"a number of 60 KB", `{"username":` + strings.Repeat("9", 60000) + `}`, "INVALID_REQUEST", ""},
		{"nothing", ``, "INVALID_DATA", "REQUIRED_VALUE"},
		{"an empty object", `{}`, "INVALID_DATA", "REQUIRED_VALUE"},
		{"another case", `{"username":"ada","PASSWORD":"right"}`, "INVALID_DATA", "REQUIRED_VALUE"},
		{"a folded name", `{"username":"ada","pa\u017fsword":"right"}`, "INVALID_DATA", "REQUIRED_VALUE"},
		{"an object for a text", `{"username":{"$ne":1},"password":"right"}`, "INVALID_DATA", "INVALID_VALUE"},
		{"a number for a text", `{"username":1,"password":"right"}`, "INVALID_DATA", "INVALID_VALUE"},
		{"10,000 members", `{` + strings.TrimSuffix(wide(6000), ",") + `}`, "INVALID_DATA", "REQUIRED_VALUE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := h.ask("POST", thisFlow, tc.body, "Content-Type: "+check)
			p := r.problem(t)
			if r.StatusCode != 400 || p.Code != tc.code || tc.detail != "" && p.Details[0].Code != tc.detail || p.Links["session.reset"].Href == "" {
				t.Errorf("%d %s", r.StatusCode, r.body)
			}
		})
	}
	if h.engine.view.Status == flow.Completed {
		t.Error("somebody signed on")
	}
}

func wide(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`"` + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + `":1,`)
	}
	return b.String()
}
