package form_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/form"
)

func TestTermsAreReadAsParagraphs(t *testing.T) {
	tests := map[string]struct {
		kind, text string
		want       []string
	}{
		"plain":            {"text/plain", "One\nline.\r\n\r\nTwo.\n\n\n", []string{"One line.", "Two."}},
		"plain is no HTML": {"text/plain", "a <b>b</b>", []string{"a <b>b</b>"}},
		"blocks":           {"text/html", "<h1>Terms</h1><p>Be <b>kind</b>.</p><ul><li>one<li>two</ul>", []string{"Terms", "Be kind.", "one", "two"}},
		"line breaks":      {"text/html", "a<br>b<br/>c", []string{"a", "b", "c"}},
		"scripts":          {"text/html", `<p>a</p><script>alert("b")</script><style>p{}</style><p onclick="x()">c</p>`, []string{"a", "c"}},
		"entities":         {"text/html", "a &amp; b &lt;script&gt;", []string{"a & b <script>"}},
		"unclosed":         {"text/html", "<p>a<script>b", []string{"a"}},
		"comments":         {"text/html", "a<!-- b -->c", []string{"ac"}},
		"nothing":          {"text/html", "  ", []string{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, form.Paragraphs(tt.kind, tt.text)); d != "" {
				t.Error(d)
			}
		})
	}
}
