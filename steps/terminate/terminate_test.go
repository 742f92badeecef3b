package terminate_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"doorward/runtime/flow"
	"doorward/steps/terminate"
)

var _ flow.Stepper = terminate.New()

func enter(t testing.TB, input map[string]any) flow.Outcome {
	t.Helper()
	turn := flow.NewTurn(flow.Ref{}, "stop", nil, time.Time{}, nil, 0, flow.Digest{})
	turn.Input = input
	out, err := terminate.New().Enter(t.Context(), turn)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAMessageKeepsWhatAReaderNeeds(t *testing.T) {
	for name, tt := range map[string]struct{ message, plain, html string }{
		"plain text":            {"You must accept the agreement.", "You must accept the agreement.", ""},
		"signs of plain text":   {"1 < 2 & 3", "1 < 2 & 3", ""},
		"escaped markup":        {"a &lt;b&gt; c", "a <b> c", ""},
		"emphasis":              {"<b>Service</b> <em>unavailable</em>.", "Service unavailable.", "<b>Service</b> <em>unavailable</em>."},
		"headings and lists":    {"<h2>No</h2><ul><li>a</li><li>b</li></ul>", "No a b", "<h2>No</h2><ul><li>a</li><li>b</li></ul>"},
		"line breaks":           {"a<br>b<p>c</p>", "a b c", "a<br>b<p>c</p>"},
		"a link":                {`See <a href="https://example.com/help">help</a>.`, "See help.", `See <a href="https://example.com/help" rel="nofollow noreferrer">help</a>.`},
		"a script":              {`a<script>alert(1)</script>b`, "ab", ""},
		"a handler":             {`<b onclick="x()">a</b>`, "a", "<b>a</b>"},
		"a link that is a call": {`<a href="javascript:alert(1)">a</a>`, "a", ""},
		"a link of data":        {`<a href="data:text/html,x">a</a>`, "a", ""},
		"a link inside":         {`<a href="/reset">a</a>`, "a", ""},
		"an image":              {`a<img src=x onerror=alert(1)>`, "a", ""},
		"a style":               {`<p style="color:red">a</p>`, "a", "<p>a</p>"},
		"a form":                {`<form action="https://evil.example"><input name=p>a</form>`, "a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			out := enter(t, map[string]any{"error": map[string]any{"code": "X", "message": tt.message}})
			want := flow.FailWith(flow.Failure{Code: "X", Message: tt.plain, HTML: tt.html})
			if diff := cmp.Diff(want, out); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPlaceholderThatStandsForNothingLeavesAnError(t *testing.T) {
	for _, input := range []map[string]any{nil, {}, {"error": "x"}, {"error": map[string]any{}}, {"error": map[string]any{"message": "<script>x</script>"}}} {
		want := flow.FailWith(flow.Failure{Code: "TERMINATED", Message: "The flow was ended."})
		if diff := cmp.Diff(want, enter(t, input)); diff != "" {
			t.Errorf("%v: %s", input, diff)
		}
	}
}

func TestATerminationIsDescribed(t *testing.T) {
	s := terminate.New().Step(flow.TriggerExperience, nil)
	if s.Ends != flow.Terminates || len(s.Results) != 0 || !json.Valid(s.Input) || len(s.Markup) != 1 {
		t.Errorf("%+v", s)
	}
	for config, takes := range map[string]bool{``: true, `{}`: true, `{"a":1}`: false} {
		if _, err := terminate.New().Check(json.RawMessage(config)); (err == nil) != takes {
			t.Errorf("%q: %v", config, err)
		}
	}
}

// FuzzMessage holds that what is kept of a message has no element, attribute or
// address but those that are allowed.
func FuzzMessage(f *testing.F) {
	for _, edge := range []string{
		"", "<", "<b", "<b><i></b></i>", `<a href=" javascript:x">a</a>`, `<a href="https://a/"onclick=x>`, "<scr<script>ipt>x</script>", "<svg/onload=x>", "<p/><br/ >", "&#60;script&#62;", "<math><mi//xlink:href=\"data:x\">", "<!--><script>x</script>-->",
	} {
		f.Add(edge)
	}
	allowed := map[string]bool{"a": true, "p": true, "br": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "ul": true, "ol": true, "li": true, "b": true, "strong": true, "i": true, "em": true}
	f.Fuzz(func(t *testing.T, message string) {
		failure := enter(t, map[string]any{"error": map[string]any{"code": "X", "message": message}}).Failure
		for z := html.NewTokenizer(strings.NewReader(failure.HTML)); z.Next() != html.ErrorToken; {
			token := z.Token()
			switch token.Type {
			case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
				if !allowed[token.Data] {
					t.Fatalf("%q keeps <%s>: %q", message, token.Data, failure.HTML)
				}
			case html.CommentToken, html.DoctypeToken:
				t.Fatalf("%q keeps %q", message, token)
			default:
			}
			for _, a := range token.Attr {
				if a.Key != "href" && a.Key != "rel" || a.Key == "href" && !strings.HasPrefix(a.Val, "http") {
					t.Fatalf("%q keeps %s=%q", message, a.Key, a.Val)
				}
			}
		}
	})
}
