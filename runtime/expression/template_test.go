package expression_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/expression"
)

var roots = []string{"inputs", "variables", "response"}

func TestATextIsAnExpressionOrHoldsSomeOrIsLiteral(t *testing.T) {
	tests := map[string]struct {
		text    string
		want    any
		literal bool
	}{
		"an expression":                     {`variables.baseUrl + '/users/' + inputs.id`, "https://api.example.com/users/42", false},
		"a literal of the language":         {`'https://x.example/get'`, "https://x.example/get", false},
		"an object":                         {`{'userId': inputs.userId}`, map[string]any{"userId": "u-1"}, false},
		"an object as JSON writes it":       {`{"a": 1, "b": ["x"]}`, `{"a": 1, "b": ["x"]}`, true},
		"a number":                          {`42`, int64(42), false},
		"an address":                        {`https://x.example/get`, "https://x.example/get", true},
		"a media type":                      {`application/json`, "application/json", true},
		"a word":                            {`Bearer`, "Bearer", true},
		"a word with a sign":                {`no-cache`, "no-cache", true},
		"nothing":                           {``, "", true},
		"spaces":                            {`  `, "  ", true},
		"a root that is none":               {`user.name`, "user.name", true},
		"an address with an expression":     {`${variables.baseUrl}/users/${inputs.id}`, "https://api.example.com/users/42", false},
		"one that is the whole text":        {`${inputs.list[0]}`, 1.0, false},
		"nothing in a text":                 {`a${inputs.none}b`, "ab", false},
		"a number in a text":                {`a${inputs.list[1]}b${1 + 1}`, "a2.5b2", false},
		"a list in a text":                  {`a${inputs.list}`, `a[1,2.5,"x",null,[true]]`, false},
		"an object in a text":               {`${response.headers} ${ {b: 1} }`, `{"content-type":"application/json"} {"b":1}`, false},
		"braces and quotes in one":          {`a${ {'}': '}'}['}'] }b`, "a}b", false},
		"a dollar alone":                    {`$5 {x} $`, "$5 {x} $", true},
		"markup with expressions":           {`<id>${inputs.id}</id>`, `<id>42</id>`, false},
		"a string with an expression in it": {`'${inputs.id}'`, `${inputs.id}`, false},
		"a path of a root, which is a word": {`inputs`, decoded(t, root).(map[string]any)["inputs"], false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tmpl, err := expression.CompileTemplate(tt.text, roots...)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tmpl.Eval(expression.Context{Root: decoded(t, root)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || tmpl.Literal() != tt.literal {
				t.Errorf("literal %v\n%s", tmpl.Literal(), diff)
			}
		})
	}
}

func TestATextWithAWrongExpressionIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`é${inputs.id`:             `at character 2: expected a } behind ${`,
		`é${inputs.id +1}`:         `at character 14: expected a space on both sides of +`,
		`a${user.name}`:            `at character 4: expected a path that begins with inputs, variables and response`,
		`${inputs.a} ${`:           `at character 13: expected a } behind ${`,
		`${}`:                      `at character 3: expected a literal`,
		`a ${inputs.x.class.y} b`:  `at character 14: expected a property; there are no classes`,
		`a ${#root} b`:             `at character 5: expected one of inputs, variables and response behind #root`,
		`a ${#root[inputs.x].y} b`: `at character 5: expected one of inputs`,
	} {
		_, err := expression.CompileTemplate(text, roots...)
		var e *expression.Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestAnErrorInATextSaysWhereItStands(t *testing.T) {
	tmpl, err := expression.CompileTemplate(`é ${inputs.id} ${1 / 0}`, roots...)
	if err != nil {
		t.Fatal(err)
	}
	var e *expression.Error
	if _, err := tmpl.Eval(expression.Context{Root: decoded(t, root)}); !errors.As(err, &e) || e.Position != 20 {
		t.Errorf("got %v", err)
	}
	big, err := expression.CompileTemplate(strings.Repeat(`${inputs.long}`, 2), roots...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := big.Eval(expression.Context{Root: hostile()}); !errors.As(err, &e) || !e.Limit {
		t.Errorf("got %v", err)
	}
}

func TestLiteralTextThatSeemsAnExpressionIsDoubted(t *testing.T) {
	for text, want := range map[string]string{
		`variables.baseUrl+'/x'`:          `at character 18: expected a space`,
		`{"id": inputs.id, "a": ["x"]}`:   `at character 24: expected a literal`,
		"{'id':\n inputs.id}":             `at character 7: expected no line break`,
		`#string.upper('x')`:              `at character 9: expected a function of #string`,
		`Bearer abc`:                      ``,
		`https://example.com/outputs?x=1`: ``,
	} {
		tmpl, err := expression.CompileTemplate(text, roots...)
		if err != nil || !tmpl.Literal() {
			t.Fatalf("%s: %v", text, err)
		}
		if d := tmpl.Doubt(); (d == nil) != (want == "") || d != nil && !strings.HasPrefix(d.Error(), want) {
			t.Errorf("%s: %v, want %q", text, d, want)
		}
	}
}

func TestPathsAreWhatIsRead(t *testing.T) {
	for source, want := range map[string][][]string{
		`inputs.user['name'] + variables.baseUrl`:                               {{"inputs", "user", "name"}, {"variables", "baseUrl"}},
		`#root.inputs.a + #this['inputs']['b c'] + inputs.a`:                    {{"inputs", "a"}, {"inputs", "b c"}},
		`inputs.list[0].id + inputs.list[inputs.i]`:                             {{"inputs", "i"}, {"inputs", "list"}},
		`inputs.list.?[primary and #root.inputs.x == id].![#this.y]`:            {{"inputs", "list"}, {"inputs", "x"}},
		`{inputs: 1, a: variables.b, inputs.c: 2, (inputs): 3}`:                 {{"inputs", "c"}, {"variables", "b"}},
		`#string.upperCase(inputs.a) matches inputs.b ? inputs.c : inputs['d']`: {{"inputs", "a"}, {"inputs", "b"}, {"inputs", "c"}, {"inputs", "d"}},
		`inputs`: {{"inputs"}},
		`1 + 1`:  {},
	} {
		p, err := expression.Compile(source, roots...)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if diff := cmp.Diff(want, p.Paths()); diff != "" {
			t.Errorf("%s\n%s", source, diff)
		}
	}
	if p, err := expression.Compile(`#root`); err != nil || !cmp.Equal(p.Paths(), [][]string{nil}) {
		t.Errorf("%v, %v", p.Paths(), err)
	}
	tmpl, err := expression.CompileTemplate(`${inputs.b}${inputs.a}${inputs.b}`, roots...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"inputs", "a"}, {"inputs", "b"}}, tmpl.Paths()); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyTheRootsThatThereAreCanBeRead(t *testing.T) {
	for source, want := range map[string]string{
		`user.name`:                           `at character 1: expected a path that begins with inputs, variables and response`,
		`inputs.a + #root['user']`:            `at character 12: expected a path that begins with`,
		`#root`:                               `at character 1: expected one of inputs, variables and response behind #root`,
		`#this`:                               `at character 1`,
		`#root[inputs.x]`:                     `at character 1`,
		`inputs.list.![#root]`:                `at character 15`,
		`#root.![value]`:                      `at character 1`,
		`inputs.list.![#root.secrets.apiKey]`: `at character 15: expected a path that begins`,
	} {
		if _, err := expression.Compile(source, roots...); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", source, err)
		}
	}
}
