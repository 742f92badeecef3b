package management

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheDifferenceOfDocuments(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want string }{
		"nothing":             {`{"a":[1,{"b":2}]}`, `{"a":[1,{"b":2}]}`, `[]`},
		"a member more":       {`{}`, `{"a/b~":1}`, `[{"op":"add","path":"/a~1b~0","value":1}]`},
		"a member less":       {`{"a":{"b":1}}`, `{"a":{}}`, `[{"op":"remove","path":"/a/b","was":1}]`},
		"another value":       {`{"a":[1,2]}`, `{"a":[1,3]}`, `[{"op":"replace","path":"/a/1","value":3,"was":2}]`},
		"another type":        {`{"a":{}}`, `{"a":[]}`, `[{"op":"replace","path":"/a","value":[],"was":{}}]`},
		"null is a value":     {`{"a":null}`, `{"a":1}`, `[{"op":"replace","path":"/a","value":1,"was":null}]`},
		"shorter from behind": {`[1,2,3]`, `[1]`, `[{"op":"remove","path":"/2","was":3},{"op":"remove","path":"/1","was":2}]`},
		"longer":              {`[1]`, `[1,2,3]`, `[{"op":"add","path":"/1","value":2},{"op":"add","path":"/2","value":3}]`},
	} {
		got, err := difference([]byte(c.before), []byte(c.after))
		if err != nil {
			t.Fatal(err)
		}
		var g, w any
		if err := json.Unmarshal(encode(got), &g); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(c.want), &w); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(w, g); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
