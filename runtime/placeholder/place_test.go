package placeholder_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/runtime/placeholder"
)

// in puts a value in for a, b and secret.
func in(a, b any) func([]string) any {
	return func(path []string) any {
		return map[string]any{"a": a, "b": b, "secret": flow.Secret("hunter2")}[path[len(path)-1]]
	}
}

func compiled(t testing.TB, value any) *placeholder.Template {
	t.Helper()
	tmpl, err := placeholder.Compile(value, nil, placeholder.Rules{Addresses: []string{"/url"}, Documents: []string{"/body"}})
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

func TestAValueInAnAddressStaysInItsPlace(t *testing.T) {
	const users = "https://api.example/users/${user.a}?q=${user.b}&x=1"
	for name, tt := range map[string]struct {
		url  string
		a, b any
		want string
	}{
		"nothing in it":           {"https://api.example:8443/a?b=c", nil, nil, "https://api.example:8443/a?b=c"},
		"no path":                 {"https://api.example?b=${user.a}", "c", nil, "https://api.example?b=c"},
		"a name":                  {users, "ada", "b", "https://api.example/users/ada?q=b&x=1"},
		"a number":                {users, 7.0, true, "https://api.example/users/7?q=true&x=1"},
		"of another script":       {users, "é", "ß", "https://api.example/users/%C3%A9?q=%C3%9F&x=1"},
		"a way up":                {users, "../../admin", "..", "https://api.example/users/..%2F..%2Fadmin?q=..&x=1"},
		"an encoded way up":       {users, "%2e%2e/", "", "https://api.example/users/%252e%252e%2F?q=&x=1"},
		"the end of the path":     {users, "x?y#z", "", "https://api.example/users/x%3Fy%23z?q=&x=1"},
		"a host":                  {users, "@evil.tld", "//evil.tld", "https://api.example/users/%40evil.tld?q=%2F%2Fevil.tld&x=1"},
		"another parameter":       {users, "a", "a&role=admin#+", "https://api.example/users/a?q=a%26role%3Dadmin%23%2B&x=1"},
		"lines and a space":       {users, "a\r\nb\x00", "a b", "https://api.example/users/a%0D%0Ab%00?q=a%20b&x=1"},
		"parameters of a segment": {users, "a;b=c", "", "https://api.example/users/a%3Bb%3Dc?q=&x=1"},
		"an object":               {users, map[string]any{"k": "v/"}, "", "https://api.example/users/%7B%22k%22%3A%22v%2F%22%7D?q=&x=1"},
		"two in one segment":      {"https://api.example/${user.a}-${user.b}/x", "a", "b", "https://api.example/a-b/x"},
		"a segment left empty":    {users, "", "b", ""},
		"a segment of nothing":    {users, nil, "b", ""},
		"a segment that stays":    {users, ".", "b", ""},
		"a segment that goes up":  {users, "..", "b", ""},
		"one made of two":         {"https://api.example/${user.a}${user.b}", ".", ".", ""},
		"one made with the text":  {"https://api.example/%2e${user.a}/b", ".", "", ""},
		"in the middle":           {"https://api.example/${user.a}/b", "..", "", ""},
		"no secret":               {"https://api.example/a?b=${user.secret}", nil, nil, "https://api.example/a?b="},
		"a placeholder as text":   {users, "${user.b}", "$", "https://api.example/users/%24%7Buser.b%7D?q=%24&x=1"},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]any{"url": tt.want}
			if diff := cmp.Diff(want, compiled(t, map[string]any{"url": tt.url}).Resolve(in(tt.a, tt.b))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhereAnAddressLeadsIsWrittenOut(t *testing.T) {
	for _, wrong := range []string{
		"", "${user.a}", "${user.a}/b", "https://${user.a}/b", "https://${user.a}.example/b", "https://api.example${user.a}", "https://api.example:${user.a}/b", "${user.a}://api.example/b",
		"https://${user.a}@api.example/b", "https://u:p@api.example/b", "//api.example/b", "/b/${user.a}", "ftp://api.example/${user.a}", "HTTPS://api.example/b", "https:/api.example/b", "https:///b",
		"https://api.example/a b", "https://api.example\\@evil.tld/${user.a}", "https://api.example/\n${user.a}", "https://api.example/%${user.a}", "https://api.example/%2${user.a}", "https://api.example/a?${user.a}",
		"https://api.example/a?${user.a}=b", "https://api.example/a?b=c&${user.a}", "https://api.example/#${user.a}", "https://api.example/${user.a}#b", "https://api.example:port/b",
	} {
		_, err := placeholder.Compile(map[string]any{"url": wrong}, nil, placeholder.Rules{Addresses: []string{"/url"}})
		if err == nil || !strings.HasPrefix(err.Error(), `"/url": `) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestAValueInADocumentStaysInItsPlace(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		a, b any
		want any
	}{
		"nothing in it":           {`{ "b": 1,"a":2}`, nil, nil, `{ "b": 1,"a":2}`},
		"a string":                {`{"n":"${user.a}"}`, "ada", nil, `{"n":"ada"}`},
		"quotes":                  {`{"n":"${user.a}"}`, `","role":"admin`, nil, `{"n":"\",\"role\":\"admin"}`},
		"among text":              {`{"n":"Dear ${user.a}"}`, `"}\`, nil, `{"n":"Dear \"}\\"}`},
		"a number":                {`{"n":"${user.a}"}`, 3.0, nil, `{"n":3}`},
		"a number among text":     {`{"n":"no ${user.a}"}`, 3.0, nil, `{"n":"no 3"}`},
		"a number as written":     {`{"n":1.50,"m":"${user.a}"}`, true, nil, `{"m":true,"n":1.50}`},
		"an object":               {`{"n":"${user.a}"}`, map[string]any{"k": "<"}, nil, `{"n":{"k":"<"}}`},
		"nothing":                 {`{"n":"${user.a}","m":["${user.a}",1]}`, nil, nil, `{"m":[1]}`},
		"the whole":               {`"${user.a}"`, `a"b`, nil, `"a\"b"`},
		"no secret":               {`{"n":"${user.secret}","m":"x${user.secret}"}`, nil, nil, `{"m":"x","n":null}`},
		"a placeholder as text":   {`{"n":"${user.a}"}`, "${user.b}", "b", `{"n":"${user.b}"}`},
		"lines":                   {`{"n":"${user.a}"}`, "a\r\nb\u2028", nil, `{"n":"a\r\nb\u2028"}`},
		"text of another kind":    {`n=${user.a}`, `"`, nil, `n="`},
		"a placeholder alone":     {`${user.a}`, `{"role":"admin"}`, nil, `"{\"role\":\"admin\"}"`},
		"an object alone":         {`${user.a}`, map[string]any{"k": "v"}, nil, `{"k":"v"}`},
		"nothing alone":           {`${user.a}`, nil, nil, `null`},
		"a text that is too long": {`n=${user.a}${user.b}`, strings.Repeat("a", 40<<10), strings.Repeat("b", 40<<10), "n=" + strings.Repeat("a", 40<<10) + strings.Repeat("b", 40<<10)},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl := compiled(t, map[string]any{"url": "https://api.example/", "body": tt.body})
			if diff := cmp.Diff(tt.want, tmpl.Resolve(in(tt.a, tt.b))["body"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestADocumentSaysWhatItsStructureIs(t *testing.T) {
	for body, want := range map[string]string{
		`{"n":${user.a}}`:                   "begins as JSON and is none",
		`[${user.a}]`:                       "begins as JSON and is none",
		` {"n":"${user.a}"`:                 "begins as JSON and is none",
		`{"n":"${user.a}"}{}`:               "begins as JSON and is none",
		`"${user.a}" and more`:              "begins as JSON and is none",
		`{"${user.a}":1}`:                   "has a placeholder in the name",
		`{"n":"${user.a}","n":"${user.b}"}`: "has a placeholder in the name of a member, or a name twice",
		`{"n":"${nobody.knows}"}`:           "the placeholder at character 7 is ${nobody.knows}",
	} {
		_, err := placeholder.Compile(map[string]any{"body": body}, nil, placeholder.Rules{Documents: []string{"/body"}})
		if err == nil || !strings.HasPrefix(err.Error(), `"/body": `+want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	tmpl, err := placeholder.Compile(map[string]any{"body": `{"n":{"m":"${steps.a.outputs.b}"}}`}, func(path []string) []string {
		return append([]string{path[0], "in/" + path[1]}, path[2:]...)
	}, placeholder.Rules{Documents: []string{"/body"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]flow.Use{{At: "/body", Path: []string{"steps", "in/a", "outputs", "b"}}}, tmpl.Uses()); diff != "" {
		t.Error(diff)
	}
}

// FuzzPlaces holds that a value never leaves its place: the address keeps its
// origin, its segments and its parameters, the document its members.
func FuzzPlaces(f *testing.F) {
	for _, edge := range []string{"", ".", "..", "/", "%2e", "%", "a&b=c", "#", "?", "@", "\\", "\r\n", "\x00", `"`, `","a":"`, "\u2028", "${user.b}", "é"} {
		f.Add(edge, edge)
	}
	tmpl := compiled(f, map[string]any{"url": "https://api.example/v1/${user.a}/x?q=${user.b}&r=1", "body": `{"a":"${user.a}","b":["${user.b}","-${user.a}-"]}`})
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) || len(a)+len(b) > 1<<10 {
			return
		}
		out := tmpl.Resolve(in(a, b))
		var body struct {
			A string   `json:"a"`
			B []string `json:"b"`
		}
		d := json.NewDecoder(strings.NewReader(out["body"].(string)))
		d.DisallowUnknownFields()
		if err := d.Decode(&body); err != nil || d.More() || body.A != a || !cmp.Equal(body.B, []string{b, "-" + a + "-"}) {
			t.Fatalf("%q, %q: %s: %v", a, b, out["body"], err)
		}
		text, _ := out["url"].(string)
		if text == "" {
			if a != "" && a != "." && a != ".." {
				t.Fatalf("%q makes no address", a)
			}
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme+"://"+u.Host != "https://api.example" || u.User != nil || u.Fragment != "" {
			t.Fatalf("%q, %q: %s: %v", a, b, text, err)
		}
		if segments := strings.Split(u.EscapedPath(), "/"); len(segments) != 4 || segments[1] != "v1" || segments[3] != "x" {
			t.Fatalf("%q: %s", a, text)
		}
		if diff := cmp.Diff(url.Values{"q": {b}, "r": {"1"}}, u.Query()); diff != "" {
			t.Fatal(text, diff)
		}
	})
}
