package wire_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"doorward/runtime/flow"
	"doorward/wire"
)

func TestDecodeValuesTakes(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       flow.Values
	}{
		{"an empty body as the empty object", ``, flow.Values{}},
		{"the empty object", `{}`, flow.Values{}},
		{
			"every JSON type", ` {"s":"é\u00e9","n":1.5,"t":true,"f":false,"z":null,"a":[1,{"b":[]}],"o":{}} `,
			flow.Values{"s": "éé", "n": 1.5, "t": true, "f": false, "z": nil, "a": []any{1.0, map[string]any{"b": []any{}}}, "o": map[string]any{}},
		},
		{"the same name in different objects", `{"a":{"b":1},"b":2}`, flow.Values{"a": map[string]any{"b": 1.0}, "b": 2.0}},
		{"names that differ in case", `{"password":"a","Password":"b"}`, flow.Values{"password": "a", "Password": "b"}},
		{"a pair of surrogates", `{"a":"\ud83d\ude00"}`, flow.Values{"a": "😀"}},
		{"32 levels", strings.Repeat(`{"a":`, 31) + "{}" + strings.Repeat("}", 31), nest(32)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := wire.DecodeValues([]byte(tc.body))
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

func nest(depth int) flow.Values {
	v := map[string]any{}
	for range depth - 1 {
		v = map[string]any{"a": v}
	}
	return v
}

func TestDecodeValuesRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"a duplicate name":             `{"a":1,"a":1}`,
		"a duplicate name in escapes":  `{"a":1,"\u0061":1}`,
		"a deep duplicate name":        `{"x":{"a":1,"a":2}}`,
		"data after the object":        `{}{}`,
		"text after the object":        `{} x`,
		"a byte order mark":            "\ufeff{}",
		"UTF-16":                       "\xff\xfe{\x00}\x00",
		"invalid UTF-8 in a value":     "{\"a\":\"\xff\"}",
		"invalid UTF-8 in a name":      "{\"\xff\":1}",
		"a lone surrogate":             `{"a":"\ud800"}`,
		"a reversed pair":              `{"a":"\ude00\ud83d"}`,
		"NaN":                          `{"a":NaN}`,
		"Infinity":                     `{"a":Infinity}`,
		"a number out of range":        `{"a":1e400}`,
		"a comment":                    `{/**/"a":1}`,
		"a trailing comma":             `{"a":1,}`,
		"single quotes":                `{'a':1}`,
		"a bare name":                  `{a:1}`,
		"a control character":          "{\"a\":\"\n\"}",
		"an array":                     `[]`,
		"a string":                     `"a"`,
		"null":                         `null`,
		"white space only":             ` `,
		"half an object":               `{"a":`,
		"a missing colon":              `{"a" 1}`,
		"33 levels of objects":         strings.Repeat(`{"a":`, 32) + "{}" + strings.Repeat("}", 32),
		"33 levels of arrays":          `{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + "}",
		"9,999 levels":                 `{"a":` + strings.Repeat("[", 9999),
		"a leading zero":               `{"a":01}`,
		"a number of 60 KB":            `{"a":` + strings.Repeat("9", 60000) + `}`,
		"a form":                       `username=a&password=b`,
		"a text/plain form's envelope": `{"username":"M","password":"p","x":"="}=`,
	} {
		t.Run(name, func(t *testing.T) {
			v, err := wire.DecodeValues([]byte(body))
			var f *flow.Fault
			if !errors.As(err, &f) || f.Code != flow.InvalidRequest || v != nil {
				t.Errorf("got %v, %v; want an INVALID_REQUEST fault", v, err)
			}
		})
	}
}

func TestDecodedValuesOutliveTheBody(t *testing.T) {
	body := []byte(`{"username":"ada"}`)
	v, err := wire.DecodeValues(body)
	if err != nil {
		t.Fatal(err)
	}
	for i := range body {
		body[i] = 'x'
	}
	if v["username"] != "ada" {
		t.Errorf("the value changed with the body: %v", v)
	}
}

func FuzzDecodeValues(f *testing.F) {
	for _, s := range []string{``, `{}`, `null`, `{"a":"b","a":1}`, `{"":{"":[]}}`, `{"a":1e400}`, `{"a":"\ud800"}`, "\ufeff{}", `{"a":tru`, `{"a":1}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := wire.DecodeValues(body)
		if (v == nil) == (err == nil) {
			t.Fatalf("values %v with error %v", v, err)
		}
		if f := flow.AsFault(err); err != nil && f.Code != flow.InvalidRequest {
			t.Fatalf("fault %v", f)
		}
	})
}

func BenchmarkDecodeValues(b *testing.B) {
	body := []byte(`{"username":"ada","password":"Correct-Horse-9"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.DecodeValues(body); err != nil {
			b.Fatal(err)
		}
	}
}
