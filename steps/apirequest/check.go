package apirequest

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"doorward/runtime/document"
	"doorward/runtime/external"
)

// placeholders are what placeholder.Compile has taken for some.
func placeholders() *regexp.Regexp { return regexp.MustCompile(`\$\{[^}]*\}`) }

// check reports what is wrong with an input as it is written, beside what its
// schema and the placeholders themselves say. The error is a document.Faults.
func (m method) check(in map[string]any) error {
	var faults document.Faults
	text, _ := in["url"].(string)
	if _, complaint := external.ReadAddress(placeholders().ReplaceAllString(text, "x")); text != "" && complaint != "" {
		complaint, _, _ = strings.Cut(complaint, ";")
		faults.Add(document.Root.Member("url"), complaint)
	}
	for _, name := range []string{"query", "headers"} {
		if v := in[name]; v != nil && members(v) == nil {
			faults.Add(document.Root.Member(name), "is written out, a member for each name; placeholders may be their values")
		}
	}
	headers := members(in["headers"])
	kind := ""
	var seen []string
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		at := document.Root.Member("headers").Member(name)
		value, _ := headers[name].(string)
		complaint := external.HeaderFault(name)
		switch lower := strings.ToLower(name); {
		case complaint != "":
		case slices.Contains(seen, lower):
			complaint = "is there twice, in another case"
		case external.ValueFault(value) != "":
			complaint = external.ValueFault(value)
		case lower == "content-type":
			kind = strings.ToLower(value)
		}
		if complaint != "" {
			faults.Add(at, complaint)
		}
		seen = append(seen, strings.ToLower(name))
	}
	m.body(in["body"], kind, &faults)
	return faults.Err()
}

func members(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// body judges a body of a content type: the structure of one that is filled in
// must be known, and that of text is that it has none.
func (m method) body(v any, kind string, faults *document.Faults) {
	body, ok := v.(string)
	at := document.Root.Member("body")
	whole := placeholders().FindString(body) == body
	switch {
	case !ok:
	case m == "GET":
		faults.Add(at, "is not sent with GET; leave it out, or use another method")
	case strings.Contains(body, "${") && !whole && !json.Valid([]byte(body)) && !strings.HasPrefix(kind, "text/plain"):
		faults.Add(at, "is no JSON, so that a value in it could say more than it is meant to; write JSON with the placeholders inside the quotes of strings, or send it with the header Content-Type: text/plain")
	}
}
