package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	visit "doorward/internal/journey"
)

// The media type alone chooses the action, and only the exact one does.
func TestSec_INJ_CTYPE(t *testing.T) {
	x := newTrial(t)
	f := x.in(anybody)
	right := []byte(`{"username":"bea","password":"` + passwords["bea"] + `"}`)
	exact := visit.ContentType(check)
	post := func(types ...string) *visit.Answer {
		return f.Send(http.MethodPost, f.Path(), http.Header{"Content-Type": types, "Accept": {"text/html, */*"}}, right)
	}
	x.unchanged(f, func() {
		for _, wrong := range []string{
			"application/json",
			"text/json",
			"x/evil+json",
			"application/vnd.pingidentity.usernamePassword.check+xml",
			"application/vnd.pingidentity.usernamePassword.check",
			"application/vnd.pingidentity.usernamePassword.check+json+json",
			"application/vnd.pingidentity.+json",
			"application/vnd.pingidentity.usernamePassword.check +json",
			"application/vnd.pingidentity.usernamePassword.check+json, application/vnd.pingidentity.user.confirm+json",
			exact + "; charset=utf-16",
			exact + "; charset=utf-8; charset=utf-8",
			exact + ";v=1",
			exact + ";",
			"application/vnd.pingidentity." + strings.Repeat("a", 5<<10) + "+json",
			"application/x-www-form-urlencoded",
			"multipart/form-data; boundary=x",
			"",
		} {
			a := post(wrong)
			a.Refused(415, "UNSUPPORTED_MEDIA_TYPE")
			if got := a.Header.Get("Accept"); got != visit.ContentType(check)+", "+visit.ContentType("assertion.check")+", "+visit.ContentType("session.reset") {
				t.Errorf("%.60s: it is told to send %q", wrong, got)
			}
		}
		post(exact, exact).Refused(400, "INVALID_REQUEST")
		post(exact, visit.ContentType("user.confirm")).Refused(400, "INVALID_REQUEST")
		for _, forgotten := range []string{"application/vnd.pingidentity.password.sendRecoveryCode", visit.ContentType("password.sendRecoveryCode")} {
			f.Send(http.MethodPost, f.Path(), visit.Header("Content-Type", forgotten), nil).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
		}
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nCookie: ST=%s\r\nContent-Length: %d\r\n", f.Path(), x.nodes[0].Addr, f.ST(firstEnv), len(right))
		if status, _ := x.raw(1, head+"Content-Type: "+exact+"\x00\r\n\r\n"+string(right)); status != 400 && status != 415 {
			t.Errorf("with a NUL: %d", status)
		}
	})
	for _, good := range []string{strings.ToUpper(exact), exact + "; charset=UTF-8", exact + `;charset="utf-8"`} {
		g := x.in(anybody)
		g.Send(http.MethodPost, g.Path(), visit.Header("Content-Type", good, "Accept", "text/html"), right).Flow()
	}
}

// raw sends bytes to a node as they are and reads the status of the answer; 0
// when the connection is closed without one.
func (x *trial) raw(node int, request string) (status int, body string) {
	x.Helper()
	c, err := net.Dial("tcp", x.nodes[node].Addr)
	if err != nil {
		x.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		x.Logf("the node took part of the request only: %v", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

// A body is JSON to the letter, or nothing.
func TestSec_INJ_JSON(t *testing.T) {
	x := newTrial(t)
	f := x.in(anybody)
	u, p := `"username":"bea"`, `"password":"`+passwords["bea"]+`"`
	x.unchanged(f, func() {
		for name, body := range map[string]string{
			"a name twice":             `{` + u + `,` + p + `,"password":"x"}`,
			"a name twice, escaped":    `{` + u + `,` + p + `,"pass\u0077ord":"x"}`,
			"a name twice, deep":       `{` + u + `,` + p + `,"x":{"a":1,"a":2}}`,
			"something after it":       `{` + u + `,` + p + `}{}`,
			"something after it, text": `{` + u + `,` + p + `} x`,
			"a byte order mark":        "\ufeff{" + u + `,` + p + `}`,
			"UTF-16":                   "\xff\xfe{\x00}\x00",
			"invalid UTF-8":            "{" + u + `,"password":"` + "\xff" + `"}`,
			"a lone surrogate":         `{` + u + `,"password":"\ud800"}`,
			"NaN":                      `{` + u + `,"password":NaN}`,
			"a number past the range":  `{` + u + `,"password":1e400}`,
			"a comment":                `{` + u + `/**/,` + p + `}`,
			"a trailing comma":         `{` + u + `,` + p + `,}`,
			"single quotes":            `{'username':'bea'}`,
			"an array":                 `[{` + u + `,` + p + `}]`,
			"a string":                 `"{}"`,
			"half of it":               `{` + u + `,` + p,
			"a control character":      "{" + u + ",\"password\":\"a\nb\"}",
			"a form":                   `username=bea&password=x`,
		} {
			if a := f.Act(check, body); a.Status != 400 || a.Problem().Code != "INVALID_REQUEST" {
				t.Errorf("%s: %d %s", name, a.Status, a.Body)
			}
		}
		for body, want := range map[string][]string{
			`{` + u + `,"PASSWORD":"` + passwords["bea"] + `"}`:           {"REQUIRED_VALUE@password", "INVALID_VALUE@PASSWORD"},
			`{` + u + `,"Password":"` + passwords["bea"] + `"}`:           {"REQUIRED_VALUE@password", "INVALID_VALUE@Password"},
			`{` + u + `,"pa\u017fsword":"` + passwords["bea"] + `"}`:      {"REQUIRED_VALUE@password", "INVALID_VALUE@paſsword"},
			`{"u\u017fername":"bea",` + p + `}`:                           {"REQUIRED_VALUE@username", "INVALID_VALUE@uſername"},
			`{` + u + `,` + p + `,"admin":true}`:                          {"INVALID_VALUE@admin"},
			`{"username":{"$ne":1},` + p + `}`:                            {"INVALID_VALUE@username"},
			`{"username":1,` + p + `}`:                                    {"INVALID_VALUE@username"},
			`{"username":["bea"],` + p + `}`:                              {"INVALID_VALUE@username"},
			`{` + u + `,"password":true}`:                                 {"INVALID_VALUE@password"},
			`{` + u + `,"password":null}`:                                 {"REQUIRED_VALUE@password"},
			`{` + u + `,"password":""}`:                                   {"REQUIRED_VALUE@password"},
			`{` + u + `,"password":"` + strings.Repeat("pass", 64) + `"}`: {"SIZE_LIMIT_EXCEEDED@password"},
		} {
			f.Act(check, body).Refused(400, "INVALID_DATA", want...)
		}
	})
	x.happened(f, "PASSWORD.CHECK_FAILED", 0)
	f.Act(check, ` {"user\u006eame" : "bea" , `+p+" } \n").Is(200)
}
