package placeholder_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/runtime/placeholder"
)

var _ flow.Input = (*placeholder.Template)(nil)

// known is what the placeholders of these tests stand for.
func known(path []string) any {
	return map[string]any{
		"flow.id":                                   "x1",
		"flow.inputs.parameters.n":                  3.0,
		"flow.inputs.parameters.big":                1e21,
		"flow.inputs.parameters.half":               0.5,
		"flow.inputs.parameters.markup":             `<a href="https://e.example">&`,
		"flow.inputs.parameters.long":               strings.Repeat("é", 32<<10),
		"flow.inputs.headers.user-agent":            "curl",
		"flow.request.http.remoteIp":                netip.MustParseAddr("192.0.2.1"),
		"steps.форма-1.outputs.user":                map[string]any{"name": "<Ada>", "tags": []any{"a", 1.0}, "password": flow.Secret("hunter2")},
		"steps.form.outputs.yes":                    true,
		"steps.form.outputs.none":                   nil,
		"steps.form.outputs.list":                   []any{"a"},
		"steps.form.outputs.whole":                  7,
		"steps.form.outputs.number":                 json.Number("1.50"),
		"steps.form.outputs.at":                     time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC),
		"steps.form.outputs.odd":                    make(chan int),
		"steps.form.outputs.when":                   time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
		"steps.form.outputs.formData.user.password": flow.Secret("hunter2"),
	}[strings.Join(path, ".")]
}

func decoded(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAPlaceholderBecomesWhatItStandsFor(t *testing.T) {
	user := map[string]any{"name": "<Ada>", "tags": []any{"a", 1.0}, "password": flow.Secret("hunter2")}
	tests := map[string]struct {
		in   string
		want any
	}{
		"text":                           {`"plain"`, "plain"},
		"text with a dollar and a brace": {`"$5 {a} $"`, "$5 {a} $"},
		"nothing in it":                  {`{"a":[1,null,{}],"b":true}`, map[string]any{"a": []any{1.0, nil, map[string]any{}}, "b": true}},
		"a whole string":                 {`"${flow.id}"`, "x1"},
		"a whole number":                 {`"${flow.inputs.parameters.n}"`, 3.0},
		"a whole boolean":                {`"${steps.form.outputs.yes}"`, true},
		"a whole object":                 {`"${steps.форма-1.outputs.user}"`, user},
		"a whole list":                   {`"${steps.form.outputs.list}"`, []any{"a"}},
		"a whole secret":                 {`"${steps.form.outputs.formData.user.password}"`, flow.Secret("hunter2")},
		"a whole nothing":                {`"${steps.form.outputs.none}"`, nil},
		"a string among text":            {`"<${flow.id}>"`, "<x1>"},
		"two in one string":              {`"${flow.id}${flow.id}"`, "x1x1"},
		"a number among text":            {`"n=${flow.inputs.parameters.n}"`, "n=3"},
		"a fraction among text":          {`"n=${flow.inputs.parameters.half}"`, "n=0.5"},
		"a large number among text":      {`"n=${flow.inputs.parameters.big}"`, "n=1e+21"},
		"an integer among text":          {`"n=${steps.form.outputs.whole}"`, "n=7"},
		"a number as it was written":     {`"n=${steps.form.outputs.number}"`, "n=1.50"},
		"a boolean among text":           {`"y=${steps.form.outputs.yes}"`, "y=true"},
		"nothing among text":             {`"[${steps.form.outputs.none}]"`, "[]"},
		"a secret among text":            {`"[${steps.form.outputs.formData.user.password}]"`, "[]"},
		"a list among text":              {`"[${steps.form.outputs.list}]"`, `[["a"]]`},
		"an object among text":           {`"u=${steps.форма-1.outputs.user}"`, `u={"name":"<Ada>","password":null,"tags":["a",1]}`},
		"an address among text":          {`"ip=${flow.request.http.remoteIp}"`, "ip=192.0.2.1"},
		"a time among text":              {`"at=${steps.form.outputs.at}"`, "at=2026-10-20T12:00:00Z"},
		"a time that has no text":        {`"at=${steps.form.outputs.when}"`, "at="},
		"what has no text":               {`"o=${steps.form.outputs.odd}"`, "o="},
		"a header with a hyphen":         {`"${flow.inputs.headers.user-agent}"`, "curl"},
		"members that come to nothing":   {`{"a":"${user.x}","b":{"c":"${user.x}"},"d":"${flow.id}"}`, map[string]any{"b": map[string]any{}, "d": "x1"}},
		"items that come to nothing":     {`["${user.x}","${flow.id}",1]`, []any{"x1", 1.0}},
		"text of the longest":            {`"${flow.inputs.parameters.long}${steps.form.outputs.none}"`, strings.Repeat("é", 32<<10)},
		"text that becomes too long":     {`"${flow.inputs.parameters.long}."`, nil},
		"a whole string has no end":      {`"${flow.inputs.parameters.long}"`, strings.Repeat("é", 32<<10)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tmpl, err := placeholder.Compile(decoded(t, tt.in), nil, placeholder.Rules{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tmpl.Value(known)); diff != "" {
				t.Error(diff)
			}
			if m, _ := tt.want.(map[string]any); !cmp.Equal(m, tmpl.Resolve(known)) && tt.in[0] == '{' {
				t.Errorf("resolves to %v", tmpl.Resolve(known))
			}
		})
	}
}

func TestWhatAPlaceholderPutsIntoMarkupIsEscaped(t *testing.T) {
	tmpl, err := placeholder.Compile(decoded(t, `{"error":{"code":"${flow.inputs.parameters.markup}","message":"<b>${flow.inputs.parameters.markup}</b>","n":["${flow.inputs.parameters.markup}"]},"whole":"${flow.inputs.parameters.markup}"}`), nil, placeholder.Rules{Markup: []string{"/error/message", "/whole"}})
	if err != nil {
		t.Fatal(err)
	}
	const raw, escaped = `<a href="https://e.example">&`, `&lt;a href=&#34;https://e.example&#34;&gt;&amp;`
	want := map[string]any{"error": map[string]any{"code": raw, "message": "<b>" + escaped + "</b>", "n": []any{raw}}, "whole": escaped}
	if diff := cmp.Diff(want, tmpl.Resolve(known)); diff != "" {
		t.Error(diff)
	}
}

func TestUsesAreListedWithWhereTheyStand(t *testing.T) {
	tmpl, err := placeholder.Compile(decoded(t, `{"b":["x ${steps.a.outputs.b} ${user.c}"],"a/~":"${flow.id}"}`), func(path []string) []string {
		if path[0] == "steps" {
			return append([]string{"steps", "in/" + path[1]}, path[2:]...)
		}
		return path
	}, placeholder.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	want := []flow.Use{
		{At: "/a~1~0", Path: []string{"flow", "id"}, Whole: true},
		{At: "/b/0", Path: []string{"steps", "in/a", "outputs", "b"}},
		{At: "/b/0", Path: []string{"user", "c"}},
	}
	if diff := cmp.Diff(want, tmpl.Uses()); diff != "" {
		t.Error(diff)
	}
	got := tmpl.Value(func(path []string) any { return strings.Join(path, "|") })
	if diff := cmp.Diff(map[string]any{"a/~": "flow|id", "b": []any{"x steps|in/a|outputs|b user|c"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEveryMistakeIsNamedWithItsPlace(t *testing.T) {
	tests := map[string]struct {
		in   string
		want []string // JSON pointer, colon and the beginning of the message
	}{
		"no closing brace":             {`"a ${flow.id"`, []string{`"": the ${ at character 3 has no }`}},
		"no closing brace of the last": {`{"a":"é${flow.id} ${"}`, []string{`"/a": the ${ at character 13 has no }`}},
		"nothing in it":                {`"${}"`, []string{`"": the placeholder at character 1 takes segments of letters`}},
		"a space":                      {`"${ flow.id }"`, []string{`"": the placeholder at character 1 takes segments`}},
		"an empty segment":             {`"${steps..outputs}"`, []string{`"": the placeholder at character 1 takes segments`}},
		"one inside another":           {`"${user.${flow.id}}"`, []string{`"": the placeholder at character 1 takes segments`}},
		"a call":                       {`"${user.name.length()}"`, []string{`"": the placeholder at character 1 takes segments`}},
		"a slash":                      {`"${steps.a/b.outputs.c}"`, []string{`"": the placeholder at character 1 takes segments`}},
		"an unknown root":              {`["${session.id}"]`, []string{`"/0": the placeholder at character 1 is ${session.id}, which is not known; there are flow.id, flow.definition.id`}},
		"a root alone":                 {`["${flow}","${user}","${steps}"]`, []string{`"/0": the`, `"/1": the`, `"/2": the`}},
		"a step alone":                 {`"${steps.a}"`, []string{`"": the placeholder at character 1 is ${steps.a}, which is not known`}},
		"more of an id":                {`"${flow.id.x}"`, []string{`"": the`}},
		"other roots of the flow":      {`["${flow.now}","${flow.inputs}","${flow.inputs.headers}","${flow.inputs.headers.cookie}","${flow.context}","${flow.context.user}","${flow.request.http.method}","${flow.definition.name}"]`, []string{`"/0"`, `"/1"`, `"/2"`, `"/3"`, `"/4"`, `"/5"`, `"/6"`, `"/7"`}},
		"an error that is more":        {`["${steps.a.error}","${steps.a.error.details}","${steps.a.error.code.x}"]`, []string{`"/0"`, `"/1"`, `"/2"`}},
		"a path that is too long":      {`"${user.` + strings.Repeat("a", 600) + `}"`, []string{`"": the placeholder at character 1 is longer than 512 bytes`}},
		"a path of too many":           {`"${user` + strings.Repeat(".a", 40) + `}"`, []string{`"": the placeholder at character 1 has more than 32 segments`}},
		"too much inside each other":   {strings.Repeat("[", 40) + strings.Repeat("]", 40), []string{`"` + strings.Repeat("/0", 32) + `": lies deeper than 32`}},
		"several":                      {`{"b":"${x}","a":["${y.z}",{"c":"${"}]}`, []string{`"/a/0"`, `"/a/1/c"`, `"/b"`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tmpl, err := placeholder.Compile(decoded(t, tt.in), nil, placeholder.Rules{})
			if err == nil {
				t.Fatalf("compiled, with %v", tmpl.Uses())
			}
			got := strings.Split(err.Error(), "\n")
			for i, w := range tt.want {
				if i >= len(got) || !strings.HasPrefix(got[i], w) {
					t.Fatalf("faults:\n%s\nwant:\n%s", err, strings.Join(tt.want, "\n"))
				}
			}
			if len(got) != len(tt.want) {
				t.Errorf("faults:\n%s\nwant:\n%s", err, strings.Join(tt.want, "\n"))
			}
		})
	}
}

func FuzzCompile(f *testing.F) {
	for _, edge := range []string{
		`""`, `null`, `[]`, `{}`, `{"":""}`, `"${"`, `"}${"`, `"${}"`, `"$${flow.id}"`, `"${flow.id}${"`, `{"a":["${steps.a.outputs}","x${user.a}y"]}`,
		`"${steps.🙂.outputs}"`, `"${steps.é.error.code}"`, "\"${user.\\u0000}\"", `{"a~/b":{"":"${flow.id}"}}`, strings.Repeat("[", 33) + strings.Repeat("]", 33),
	} {
		f.Add([]byte(edge))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var v any
		if json.Unmarshal(raw, &v) != nil {
			return
		}
		tmpl, err := placeholder.Compile(v, nil, placeholder.Rules{})
		if err != nil {
			if tmpl != nil || err.Error() == "" {
				t.Fatalf("%s: %v, %v", raw, tmpl, err)
			}
			return
		}
		for _, u := range tmpl.Uses() {
			if len(u.Path) < 2 {
				t.Fatalf("%s uses %v", raw, u.Path)
			}
		}
		out := tmpl.Value(func([]string) any { return flow.Secret("hunter2") })
		b, err := json.Marshal(out)
		if err != nil || strings.Contains(string(b), "hunter2") && !strings.Contains(string(raw), "hunter2") {
			t.Fatalf("%s comes to %s: %v", raw, b, err)
		}
	})
}

func TestResolvingTakesFewAllocations(t *testing.T) {
	tmpl, err := placeholder.Compile(decoded(t, `{"user":{"id":"${flow.id}","name":"Dear ${flow.id}"},"locale":"en","lists":[1,2,{"a":"b"}]}`), nil, placeholder.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	id := any("x1")
	find := func([]string) any { return id }
	if n := testing.AllocsPerRun(100, func() { tmpl.Resolve(find) }); n > 8 { // two maps of two buckets each, a string and its interface
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkResolve(b *testing.B) {
	tmpl, err := placeholder.Compile(decoded(b, `{"user":{"username":"${steps.form.outputs.formData.user.username}","email":"${steps.form.outputs.formData.user.email}","name":{"formatted":"${user.name.given} ${user.name.family}"}},"locale":"en"}`), nil, placeholder.Rules{})
	if err != nil {
		b.Fatal(err)
	}
	value := any("ada")
	find := func([]string) any { return value }
	b.ReportAllocs()
	for b.Loop() {
		tmpl.Resolve(find)
	}
}
