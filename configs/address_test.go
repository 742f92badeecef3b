package configs_test

import (
	"strings"
	"testing"

	"doorward/configs"
)

func TestRedirectAddresses(t *testing.T) {
	tests := map[string]struct {
		uri      string
		web, app bool // taken from a WEB_APP, a NATIVE_APP
	}{
		"https":                          {"https://app.example/cb", true, true},
		"https with a query":             {"https://app.example/cb?a=1", true, true},
		"https with a port":              {"https://app.example:8443/cb", true, true},
		"http to localhost":              {"http://localhost:3000/cb", true, true},
		"http to 127.0.0.1":              {"http://127.0.0.1/cb", true, true},
		"http to ::1":                    {"http://[::1]/cb", true, true},
		"a reversed domain as scheme":    {"com.example.app:/cb", false, true},
		"a reversed domain with a host":  {"com.example.app://cb", false, true},
		"http to another machine":        {"http://app.example/cb", false, false},
		"http to a name like localhost":  {"http://localhost.evil.example/cb", false, false},
		"relative":                       {"/cb", false, false},
		"without a scheme":               {"//app.example/cb", false, false},
		"a fragment":                     {"https://app.example/cb#x", false, false},
		"an empty fragment":              {"https://app.example/cb#", false, false},
		"a fragment on a scheme":         {"com.example.app:/cb#x", false, false},
		"a wildcard":                     {"https://*.app.example/cb", false, false},
		"a user name":                    {"https://app.example@evil.example/cb", false, false},
		"a backslash":                    {`https://app.example\\@evil.example/cb`, false, false},
		"a space":                        {"https://app.example/c b", false, false},
		"a letter beyond ASCII":          {"https://äpp.example/cb", false, false},
		"no host":                        {"https:///cb", false, false},
		"opaque":                         {"https:app.example", false, false},
		"an upper-case scheme":           {"HTTPS://app.example/cb", false, false},
		"an upper-case scheme of an app": {"Com.example.app:/cb", false, false},
		"script":                         {"javascript:alert(1)", false, false},
		"data":                           {"data:text/html,x", false, false},
		"a scheme without a dot":         {"myapp:/cb", false, false},
		"nothing":                        {"", false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for path, want := range map[string]bool{"demo/applications/web.json": tt.web, "demo/applications/native.json": tt.app} {
				old := map[bool]string{true: "{base}/demo/callback", false: "http://127.0.0.1/callback"}[strings.Contains(path, "web")]
				_, err := configs.Load(demo(t, edit(t, path, old, tt.uri)), kinds())
				if (err == nil) != want || err != nil && !strings.HasPrefix(err.Error(), path+": $.redirectUris[0]: takes ") {
					t.Errorf("%s in %s: %v, want taken %v", tt.uri, path, err, want)
				}
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	tests := map[string]struct {
		origin string
		ok     bool
	}{
		"https":                   {"https://app.example", true},
		"https with a port":       {"https://app.example:8443", true},
		"our own":                 {"{base}", true},
		"http to this machine":    {"http://localhost:3000", true},
		"http to another":         {"http://app.example", false},
		"a slash at the end":      {"https://app.example/", false},
		"a path":                  {"https://app.example/x", false},
		"the default port":        {"https://app.example:443", false},
		"an empty port":           {"https://app.example:", false},
		"upper case":              {"https://App.example", false},
		"a wildcard":              {"https://*.example", false},
		"the origin of sandboxes": {"null", false},
		"everything":              {"*", false},
		"another scheme":          {"ftp://app.example", false},
		"a query":                 {"https://app.example?x", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := configs.Load(demo(t, edit(t, "demo/applications/web.json", `"enabled"`, `"corsSettings":{"behavior":"ALLOW_SPECIFIC_ORIGINS","origins":["`+tt.origin+`"]}, "enabled"`)), kinds())
			if (err == nil) != tt.ok || err != nil && !strings.Contains(err.Error(), "$.corsSettings.origins[0]: takes ") {
				t.Errorf("%v, want taken %v", err, tt.ok)
			}
		})
	}
}
