package invoke_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"doorward/runtime/invoke"
)

func TestAnswersThatHaveToBeJSON(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	const plain = "application/json"
	for name, row := range map[string]struct {
		media, body string
		want        invoke.Code
	}{
		"an object":                   {plain, `{"a":[1,"]",null]}`, ""},
		"a string":                    {plain, `"a"`, ""},
		"white space around":          {plain, " \r\n{} \n", ""},
		"UTF-8 said":                  {"application/json; charset=UTF-8", `{"a":"ä"}`, ""},
		"a +json type":                {"application/problem+json", `{}`, ""},
		"HAL":                         {"application/hal+json;profile=x", `{}`, ""},
		"nothing at all":              {"", "", ""},
		"nothing of another type":     {"text/html", "", ""},
		"32 levels":                   {plain, deep(32), ""},
		"brackets in a string":        {plain, `"` + strings.Repeat("[", 40) + `"`, ""},
		"brackets after a quote":      {plain, `["\"", "` + strings.Repeat("{", 40) + `"]`, ""},
		"33 levels":                   {plain, deep(33), invoke.NoResponse},
		"100,000 levels":              {plain, deep(100_000), invoke.NoResponse},
		"33 levels after a backslash": {plain, `["\\",` + deep(33) + `]`, invoke.NoResponse},
		"another type":                {"text/html", `{}`, invoke.NoResponse},
		"text that says json":         {"text/x+json", `{}`, invoke.NoResponse},
		"no type":                     {"", `{}`, invoke.NoResponse},
		"no media type":               {"json", `{}`, invoke.NoResponse},
		"another charset":             {"application/json; charset=latin1", `{}`, invoke.NoResponse},
		"half a value":                {plain, `{"a":`, invoke.NoResponse},
		"two values":                  {plain, `{}{}`, invoke.NoResponse},
		"lines of values":             {plain, "{}\n{}", invoke.NoResponse},
		"a comma too many":            {plain, `[1,]`, invoke.NoResponse},
		"no UTF-8":                    {plain, "\"\xff\"", invoke.NoResponse},
		"a surrogate in bytes":        {plain, "\"\xed\xa0\x80\"", invoke.NoResponse},
		"a byte order mark":           {plain, "\xef\xbb\xbf{}", invoke.NoResponse},
		"HTML":                        {plain, "<html>", invoke.NoResponse},
		"NaN":                         {plain, "NaN", invoke.NoResponse},
		"a comment":                   {plain, "{}//", invoke.NoResponse},
		"only white space":            {plain, "  ", invoke.NoResponse},
	} {
		t.Run(name, func(t *testing.T) {
			at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{row.media}
				_, _ = io.WriteString(w, row.body)
			})
			o := local(t, at)
			a, err := o.do(t, invoke.Call{Request: request(t, http.MethodPost, at, ""), JSON: true})
			ends(t, err, row.want)
			if err == nil && string(a.Body) != row.body {
				t.Errorf("body is %q", a.Body)
			}
			if _, err := o.call(t, http.MethodPost, at, ""); err != nil {
				t.Errorf("as anything: %v", invoke.Reason(err))
			}
		})
	}
}
