package wire_test

import (
	"strings"
	"testing"

	"doorward/runtime/flow"
	"doorward/wire"
)

func TestActionOf(t *testing.T) {
	const otp = "application/vnd.pingidentity.otp.check+json"
	for _, tc := range []struct {
		name  string
		lines []string
		want  string
		code  flow.Code
	}{
		{"the exact type", []string{otp}, "otp.check", ""},
		{"a camel-case action", []string{wire.MediaType("usernamePassword.check")}, "usernamePassword.check", ""},
		{"upper case", []string{strings.ToUpper(otp)}, "OTP.CHECK", ""},
		{"charset utf-8", []string{otp + ";charset=utf-8"}, "otp.check", ""},
		{"charset in another case, with space", []string{otp + " ; Charset=UTF-8"}, "otp.check", ""},
		{"a quoted charset", []string{otp + `; charset="utf-8"`}, "otp.check", ""},
		{"the one type without +json", []string{"application/vnd.pingidentity.password.sendRecoveryCode"}, "password.sendRecoveryCode", ""},
		{"that one with +json", []string{wire.MediaType("password.sendRecoveryCode")}, "password.sendRecoveryCode", ""},
		{"no type", nil, "", flow.UnsupportedMedia},
		{"an empty type", []string{""}, "", flow.UnsupportedMedia},
		{"two lines", []string{otp, otp}, "", flow.InvalidRequest},
		{"plain JSON", []string{"application/json"}, "", flow.UnsupportedMedia},
		{"text/json", []string{"text/json"}, "", flow.UnsupportedMedia},
		{"another +json", []string{"x/evil+json"}, "", flow.UnsupportedMedia},
		{"+xml", []string{"application/vnd.pingidentity.otp.check+xml"}, "", flow.UnsupportedMedia},
		{"no suffix", []string{"application/vnd.pingidentity.otp.check"}, "", flow.UnsupportedMedia},
		{"no action", []string{"application/vnd.pingidentity.+json"}, "", flow.UnsupportedMedia},
		{"a list", []string{otp + ", " + wire.MediaType("user.confirm")}, "", flow.UnsupportedMedia},
		{"charset utf-16", []string{otp + "; charset=utf-16"}, "", flow.UnsupportedMedia},
		{"another parameter", []string{otp + ";v=1"}, "", flow.UnsupportedMedia},
		{"two parameters", []string{otp + ";charset=utf-8;charset=utf-8"}, "", flow.UnsupportedMedia},
		{"an empty parameter", []string{otp + ";"}, "", flow.UnsupportedMedia},
		{"NUL", []string{"application/vnd.pingidentity.otp\x00.check+json"}, "", flow.UnsupportedMedia},
		{"5 KB", []string{"application/vnd.pingidentity." + strings.Repeat("a", 5000) + "+json"}, "", flow.UnsupportedMedia},
		{"a form", []string{"application/x-www-form-urlencoded"}, "", flow.UnsupportedMedia},
		{"multipart", []string{"multipart/form-data; boundary=b"}, "", flow.UnsupportedMedia},
		{"text/plain", []string{"text/plain"}, "", flow.UnsupportedMedia},
		{"a fold that is no ASCII", []string{"application/vnd.pingidentity.otp.check+j\u017fon"}, "", flow.UnsupportedMedia},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := wire.ActionOf(tc.lines)
			if tc.code == "" {
				if err != nil || got != tc.want {
					t.Errorf("got %q, %v; want %q", got, err, tc.want)
				}
				return
			}
			if err == nil || flow.AsFault(err).Code != tc.code || got != "" {
				t.Errorf("got %q, %v; want %s", got, err, tc.code)
			}
		})
	}
}

func TestTypeOf(t *testing.T) {
	for _, tc := range []struct {
		lines []string
		want  string
		code  flow.Code
	}{
		{[]string{"application/json"}, "application/json", ""},
		{[]string{`Application/JSON; charset="UTF-8"`}, "application/json", ""},
		{nil, "", flow.UnsupportedMedia},
		{[]string{"application/json", "application/json"}, "", flow.InvalidRequest},
		{[]string{"application/json;charset=latin1"}, "", flow.UnsupportedMedia},
		{[]string{"application/json;v=1"}, "", flow.UnsupportedMedia},
	} {
		got, err := wire.TypeOf(tc.lines)
		if got != tc.want || tc.code == "" && err != nil || tc.code != "" && (err == nil || flow.AsFault(err).Code != tc.code) {
			t.Errorf("%q: %q, %v", tc.lines, got, err)
		}
	}
}

func TestIsForm(t *testing.T) {
	for line, want := range map[string]bool{
		"application/x-www-form-urlencoded":                true,
		"Application/X-WWW-Form-Urlencoded; charset=UTF-8": true,
		"application/x-www-form-urlencoded; charset=ascii": false,
		"multipart/form-data; boundary=b":                  false,
		"text/plain":                                       false,
		"":                                                 false,
	} {
		if got := wire.IsForm([]string{line}); got != want {
			t.Errorf("IsForm(%q) = %v", line, got)
		}
	}
	if wire.IsForm([]string{"application/x-www-form-urlencoded", "application/x-www-form-urlencoded"}) || wire.IsForm(nil) {
		t.Error("two lines or none are no form")
	}
}

func FuzzActionOf(f *testing.F) {
	for _, s := range []string{"", ";", "application/vnd.pingidentity.+json", "application/vnd.pingidentity.otp.check+json; charset=utf-8", "application/vnd.pingidentity.password.sendRecoveryCode", "APPLICATION/VND.PINGIDENTITY.A+JSON;CHARSET=UTF-8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		action, err := wire.ActionOf([]string{s})
		if (action == "") == (err == nil) {
			t.Fatalf("action %q with error %v", action, err)
		}
		if err == nil && strings.ContainsAny(action, " ;,/+\x00\r\n") {
			t.Fatalf("action %q", action)
		}
	})
}

func BenchmarkActionOf(b *testing.B) {
	lines := []string{"application/vnd.pingidentity.usernamePassword.check+json; charset=utf-8"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.ActionOf(lines); err != nil {
			b.Fatal(err)
		}
	}
}
