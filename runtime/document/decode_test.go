package document_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/document"
)

func asWritten(text string) (any, error) { return json.Number(text), nil }

func TestDecodeIsStrict(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for name, tt := range map[string]struct {
		text string
		want any
		err  error // nil and no want: any error
	}{
		"a value of every sort":  {` {"a":[1.50,"x",true,null,{}]} `, map[string]any{"a": []any{json.Number("1.50"), "x", true, nil, map[string]any{}}}, nil},
		"names that differ":      {`{"a":1,"A":2}`, map[string]any{"a": json.Number("1"), "A": json.Number("2")}, nil},
		"as deep as may be":      {deep(document.MaxDepth), nil, nil},
		"too deep":               {deep(document.MaxDepth + 1), nil, document.ErrDepth},
		"a second value":         {`{} {}`, nil, document.ErrMore},
		"something behind it":    {`{}x`, nil, document.ErrMore},
		"a name twice":           {`{"a":1,"a":2}`, nil, nil},
		"a name twice, escaped":  {`{"a":1,"\u0061":2}`, nil, nil},
		"no UTF-8":               {"\"\xff\"", nil, nil},
		"half a surrogate pair":  {`"\ud800"`, nil, nil},
		"nothing":                {``, nil, nil},
		"a comma at the end":     {`[1,]`, nil, nil},
		"a comment":              {`{} // x`, nil, nil},
		"a number that is none":  {`01`, nil, nil},
		"an object that goes on": {`{"a":`, nil, nil},
	} {
		got, err := document.Decode([]byte(tt.text), asWritten)
		switch {
		case name == "as deep as may be":
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case tt.want != nil:
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%s: %v\n%s", name, err, diff)
			}
		case err == nil || tt.err != nil && !errors.Is(err, tt.err):
			t.Errorf("%s: %v, error %v", name, got, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x",true,null]}`, `[[[]]]`, `{"a":1,"a":2}`, "\"\xff\"", `1e999`, `{} {}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := document.Decode(b, asWritten)
		if err != nil {
			return
		}
		again, err := json.Marshal(v)
		if err != nil || !json.Valid(b) {
			t.Fatalf("%q was taken as %v: %v", b, v, err)
		}
		if w, err := document.Decode(again, asWritten); err != nil || !cmp.Equal(v, w) {
			t.Fatalf("%q is %v, and read again %v: %v", b, v, w, err)
		}
	})
}

func TestAnObjectSaysEverythingThatIsWrong(t *testing.T) {
	var faults document.Faults
	o, ok := document.Open(document.Root, []byte(`{"text":7,"long":"abc","flag":"yes","number":11,"one":"c","list":[1,2],"object":[],"strange":1,"text":"x"}`), &faults)
	if !ok {
		t.Fatal(faults)
	}
	o.Need("needed")
	o.Text("long", 2)
	o.Flag("flag")
	o.Number("number", 1, 10)
	o.One("one", "a", "b")
	o.List("list", 1)
	o.Object("object")
	o.Text("text", 9)
	o.Ignore("absent")
	o.End("it")
	want := []string{
		"$.text: is there twice", "$.needed: is required", "$.long: takes at most 2 characters", "$.flag: takes true or false",
		"$.number: takes a whole number from 1 to 10", "$.one: takes one of a, b", "$.list: takes at most 1", "$.object: takes an object",
		"$.strange: is no member of it",
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.Error())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
