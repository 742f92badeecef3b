package definition_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/runtime/definition"
)

func TestPublishedDefinitions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) != 19 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			body := published(t, name)
			src, hash, err := definition.Source(body, stock(), kinds())
			if later := strings.Contains(name, "identity-provider") || strings.Contains(name, "external"); later {
				if err == nil || !strings.Contains(err.Error(), "is no type of step here") || strings.Count(err.Error(), "\n") > 0 {
					t.Fatalf("a type that is not there: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			plan, err := definition.Compile(src, kinds())
			if err != nil {
				t.Fatal(err)
			}
			var d struct {
				Name            string
				Trigger         struct{ Type, Next string }
				StepDefinitions map[string]any
			}
			if err := json.Unmarshal(body, &d); err != nil {
				t.Fatal(err)
			}
			if plan.Hash != hash || plan.Definition != "d1" || plan.Name != d.Name || plan.Trigger != d.Trigger.Type || plan.Entry != d.Trigger.Next || len(plan.Nodes) != len(d.StepDefinitions) {
				t.Errorf("plan %+v of %s", plan, body)
			}
			for key, n := range plan.Nodes {
				if n.Key != key || n.As != "" || n.Factors != 0 {
					t.Errorf("node %q: %+v", key, n)
				}
				for result, next := range n.Outlets {
					if ends := n.Kind == "COMPLETE_FLOW"; ends != (next == "") || !ends && plan.Nodes[next] == nil {
						t.Errorf("node %q leads by %s to %q", key, result, next)
					}
				}
			}
		})
	}
}

func TestTheSourceKeepsWhatDecidesTheFlow(t *testing.T) {
	const end = `"end":{"type":"COMPLETE_FLOW","configuration":{"result":"REDIRECT"}}`
	const minimal = `{"format":1,"id":"d","kind":"flowDefinition","name":"Flow d","steps":{"end":{"configuration":{"result":"REDIRECT"},"type":"COMPLETE_FLOW"}},"trigger":{"next":"end","type":"EXPERIENCE"}}`
	tests := map[string]struct{ body, want string }{
		"the least":                   {define("d", "EXPERIENCE", "end", end), minimal},
		"whether it is enabled":       {strings.Replace(define("d", "EXPERIENCE", "end", end), "true", "false", 1), minimal},
		"white space, order and null": {` { "stepDefinitions":{` + end + `},"description":null,"trigger":{"next":"end", "type":"EXPERIENCE"},"enabled":true,"name":"Flow d","id":"d"}`, minimal},
		"what only people read": {
			`{"id":"d","description":"x","_links":{},"environment":{"id":"e"},"createdAt":"x","name":"Flow d","enabled":true,"trigger":{"type":"EXPERIENCE","next":"end","configuration":{},"inputs":{}},
			  "stepDefinitions":{"end":{"type":"COMPLETE_FLOW","displayName":"End","description":"x","iconUrl":"data:,","configuration":{"result":"REDIRECT"},"input":{},"outlets":{}}}}`, minimal,
		},
		"an alias, names of outlets": {
			define("d", "EXPERIENCE", "make", end+`,"make":{"type":"CREATE_USER","configuration":{"population":{"id":"11111111-0000-4000-8000-0000000000a1"}},"input":{"user":{"username":"${user.id}"}},"outlets":{"SUCCEEDED":{"next":"end","displayName":"x","description":"y"},"ERROR":{"next":"make"}}}`),
			`{"format":1,"id":"d","kind":"flowDefinition","name":"Flow d","steps":{"end":{"configuration":{"result":"REDIRECT"},"type":"COMPLETE_FLOW"},` +
				`"make":{"configuration":{"population":{"id":"11111111-0000-4000-8000-0000000000a1"}},"input":{"user":{"username":"${user.id}"}},"outlets":{"ERROR":"make","SUCCEEDED":"end"},"type":"USER_CREATE"}},"trigger":{"next":"make","type":"EXPERIENCE"}}`,
		},
		"a form that is taken along, without its dates": {
			define("d", "EXPERIENCE", "ask", end+`,"ask":{"type":"FORM","configuration":{"form":{"id":"aaaaaaaa-0000-4000-8000-000000000001"}},"outlets":{"SUBMITTED":{"next":"end"}}}`),
			`{"format":1,"id":"d","kind":"flowDefinition","name":"Flow d","resources":{"form":{"aaaaaaaa-0000-4000-8000-000000000001":{"id":"aaaaaaaa-0000-4000-8000-000000000001","name":"Form 1"}}},` +
				`"steps":{"ask":{"configuration":{"form":{"id":"aaaaaaaa-0000-4000-8000-000000000001"}},"outlets":{"SUBMITTED":"end"},"type":"FORM"},"end":{"configuration":{"result":"REDIRECT"},"type":"COMPLETE_FLOW"}},"trigger":{"next":"ask","type":"EXPERIENCE"}}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			src, _, err := definition.Source(json.RawMessage(tt.body), stock(), kinds())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(src)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// shuffled writes a JSON value with members in any order and white space
// wherever it may be.
func shuffled(t *rapid.T, v any) string {
	space := func() string { return rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space") }
	var b strings.Builder
	b.WriteString(space())
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		b.WriteString("{")
		for i, name := range rapid.Permutation(names).Draw(t, "order") {
			if i > 0 {
				b.WriteString(",")
			}
			key, _ := json.Marshal(name)
			b.WriteString(space() + string(key) + ":" + shuffled(t, v[name]))
		}
		b.WriteString("}")
	case []any:
		b.WriteString("[")
		for i, item := range v {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(shuffled(t, item))
		}
		b.WriteString("]")
	default:
		text, _ := json.Marshal(v)
		b.Write(text)
	}
	return b.String() + space()
}

func TestTheHashDoesNotDependOnHowADefinitionIsWritten(t *testing.T) {
	for _, file := range []string{"rec-flow-sign-on-experience.json", "rec-flow-agreement-consent-sign-on-policy.json"} {
		body := published(t, file)
		src, hash, err := definition.Source(body, stock(), kinds())
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			again, same, err := definition.Source(json.RawMessage(shuffled(t, v)), stock(), kinds())
			if err != nil || same != hash || string(again) != string(src) {
				t.Fatalf("%s, not %s: %v", same, hash, err)
			}
		})
	}
}

func TestCompileIsAFunctionOfTheSource(t *testing.T) {
	src, _, err := definition.Source(published(t, "rec-flow-agreement-consent-experience.json"), stock(), kinds())
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		plan, err := definition.Compile(src, kinds())
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range plan.Nodes {
			n.Config = nil // the kind's own
		}
		b, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := shown()
	for range 10 {
		if again := shown(); again != first {
			t.Fatal(cmp.Diff(first, again))
		}
	}
}

func TestASourceOfAnotherMakeIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ src, want string }{
		"no JSON":           {`{`, "definition source"},
		"of a policy":       {`{"format":1,"name":"P","actions":[]}`, "is not read"},
		"another format":    {`{"format":2,"kind":"flowDefinition","steps":{"a":{}}}`, "is not read"},
		"an unknown type":   {`{"format":1,"kind":"flowDefinition","trigger":{"next":"a","type":"EXPERIENCE"},"steps":{"a":{"type":"MAGIC"}}}`, `there is no step type MAGIC`},
		"a way too few":     {`{"format":1,"kind":"flowDefinition","trigger":{"next":"a","type":"EXPERIENCE"},"steps":{"a":{"type":"PASSKEY"}}}`, `result VALID leads nowhere`},
		"a way too many":    {`{"format":1,"kind":"flowDefinition","trigger":{"next":"a","type":"EXPERIENCE"},"steps":{"a":{"type":"PASSKEY","outlets":{"VALID":"a","OTHER":"a"}}}}`, `there is no result OTHER`},
		"a call of nothing": {`{"format":1,"kind":"flowDefinition","trigger":{"next":"a","type":"EXPERIENCE"},"steps":{"a":{"type":"FLOW_INVOKE","configuration":{"flowDefinition":{"id":"x"}}}}}`, `the definition "x" was not taken along`},
		"a wrong input":     {`{"format":1,"kind":"flowDefinition","trigger":{"next":"a","type":"EXPERIENCE"},"steps":{"a":{"type":"PASSKEY","input":{"a":"${b}"}}}}`, `which is not known`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := definition.Compile([]byte(tt.src), kinds()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzSource(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no published definitions", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(withID(f, b, "d1")))
	}
	for _, edge := range []string{
		"", "null", "{}", "[]", `{"id":"d","name":"N","enabled":true,"trigger":null,"stepDefinitions":{"":{}}}`,
		define("d", "EXPERIENCE", "é-1_", `"é-1_":{"type":"COMPLETE_FLOW","configuration":{"result":"REDIRECT"},"input":{"parameters":{"a":"${user.a}","b":"x${","c":[1e99,{"~/":"${steps.x.outputs}"}]}}}`),
		define("d", "SIGN_ON_POLICY", "a", `"a":{"type":"FLOW_INVOKE","configuration":{"flowDefinition":{"id":"d"}},"outlets":{"SUCCEEDED":{"next":"a"}}}`),
		define("d", "SIGN_ON_POLICY", "a", `"a":{"type":"BRANCH","configuration":{"conditions":[{"result":"X","condition":{"value":"${steps.a.outputs.b}","equals":1}}]},"outlets":{"X":{"next":"a"},"NO_MATCH":{"next":"a"}}}`),
		define("d", "EXPERIENCE", "a", `"a":{"type":"FORM","configuration":{"form":{"id":null}},"input":null,"outlets":null}`),
	} {
		f.Add([]byte(edge))
	}
	all, res := kinds(), stock()
	f.Fuzz(func(t *testing.T, body []byte) {
		src, hash, err := definition.Source(body, res, all)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "$") {
				t.Fatalf("%s: %v", body, err)
			}
			return
		}
		again, same, err := definition.Source(body, res, all)
		if err != nil || same != hash || string(again) != string(src) {
			t.Fatalf("%s has two sources: %v", body, err)
		}
		if plan, err := definition.Compile(src, all); err != nil || plan.Hash != hash || plan.Nodes[plan.Entry] == nil {
			t.Fatalf("%s does not compile: %v", src, err)
		}
	})
}
