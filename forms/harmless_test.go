package forms_test

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"doorward/runtime/flow"
	"doorward/runtime/form"
)

// hostile is what somebody might write to get out of where it stands.
func hostile() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</label></form><form action="https://evil.example">`,
		`javascript:alert(1)`, `</title><script>`, `--><script>`, `{{.}}`, `<svg/onload=alert(1)>`, "\x00<script>", "x\" autofocus onfocus=alert(1) y=\"", `<style>*{}</style>`, `&lt;script&gt;`,
		`[{"type":"paragraph","children":[{"text":"<script>alert(1)</script>"},{"type":"link","url":"https://x/\"onclick=alert(1)","children":[{"text":"<b>"}]}]}]`,
		`[{"type":"link","url":"javascript:alert(1)","children":[{"text":"x"}]}]`, `[{"type":"i18n","key":"\"><script>","defaultTranslation":"<script>"}]`,
	}))
}

// hostileField is a field of any type with such texts wherever one goes.
func hostileField(t *rapid.T, i int) map[string]any {
	say := func(what string) string {
		s := hostile().Draw(t, what)
		if strings.TrimSpace(s) == "" || strings.Contains(s, "javascript:") && rapid.IntRange(0, 9).Draw(t, "keep it") > 0 {
			return "<" + s // an empty label is refused, as is a link that leads into a script
		}
		return s
	}
	kind := rapid.SampledFrom([]string{
		"TEXT", "PASSWORD", "PASSWORD_VERIFY", "PHONE_NUMBER", "RADIO", "CHECKBOX", "DROPDOWN", "COMBOBOX", "SINGLE_CHECKBOX", "AGREEMENT", "DIVIDER",
		"EMPTY_FIELD", "ERROR_DISPLAY", "TEXTBLOB", "SUBMIT_BUTTON", "FLOW_BUTTON", "FLOW_LINK", "RECAPTCHA_V2", "QR_CODE",
	}).Draw(t, "type")
	f := map[string]any{"type": kind, "position": map[string]any{"row": i / 3, "col": i % 3, "width": rapid.IntRange(0, 100).Draw(t, "width")}, "key": rapid.SampledFrom([]string{"k", "ключ", "-a-b"}).Draw(t, "key") + strconv.Itoa(i), "label": say("label")}
	switch kind {
	case "TEXT":
		f["validation"] = map[string]any{"type": "CUSTOM", "regex": regexp.QuoteMeta(say("regex")), "errorMessage": say("message")}
	case "PASSWORD_VERIFY":
		f["labelPasswordVerify"], f["showPasswordRequirements"] = say("again"), true
	case "PHONE_NUMBER":
		f["showExtension"], f["extensionLabel"] = true, say("extension")
	case "RADIO", "CHECKBOX", "DROPDOWN", "COMBOBOX":
		f["layout"], f["otherOptionEnabled"], f["otherOptionLabel"], f["otherOptionInputLabel"] = "HORIZONTAL", true, say("other"), say("typed")
		f["options"] = []any{map[string]any{"label": say("option"), "value": say("value")}}
	case "SINGLE_CHECKBOX":
		f["appearance"], f["inputType"] = "SWITCH", "BOOLEAN"
	case "AGREEMENT":
		f["inputType"], f["titleEnabled"], f["agreement"] = "READ_ONLY_TEXT", true, map[string]any{"id": say("agreement")}
		delete(f, "label")
	case "DIVIDER", "EMPTY_FIELD", "ERROR_DISPLAY":
		f["content"] = say("content")
		delete(f, "label")
		delete(f, "key")
	case "TEXTBLOB":
		f["content"], f["icon"] = say("content"), map[string]any{"type": "ALERT", "size": "LARGE"}
		delete(f, "label")
	case "SUBMIT_BUTTON", "FLOW_BUTTON", "FLOW_LINK":
		f["styles"] = map[string]any{"backgroundColor": say("colour"), "alignment": "CENTER", "width": 50}
	case "RECAPTCHA_V2":
		f["size"], f["theme"], f["alignment"] = "NORMAL", "DARK", "CENTER"
		delete(f, "label")
	case "QR_CODE":
		f["size"], f["fallbackText"] = "LARGE", say("fallback")
	}
	return f
}

// TestFormsAreHarmless: whatever an administrator writes and a person types, the
// page has no script but ours, no handler, no style and no address but to the web.
func TestFormsAreHarmless(t *testing.T) {
	p, drawnForms := pages(t), 0
	rapid.Check(t, func(r *rapid.T) {
		var fields []any
		for i := range rapid.IntRange(1, 6).Draw(r, "fields") {
			fields = append(fields, hostileField(r, i))
		}
		body, err := json.Marshal(map[string]any{"name": "N" + hostile().Draw(r, "name"), "category": "CUSTOM", "markRequired": true, "markOptional": true, "components": map[string]any{"fields": fields}})
		if err != nil {
			r.Skip()
		}
		f, err := form.Compile(body)
		if err != nil {
			return // refused, which is as good
		}
		drawnForms++
		s := waiting(f)
		s.View.Values = flow.Values{}
		for i := range f.Fields {
			key := f.Fields[i].Key
			s.View.Values[key] = rapid.SampledFrom([]any{
				hostile().Draw(r, "value"),
				[]any{hostile().Draw(r, "one of them")},
				true,
				form.Terms{Title: hostile().Draw(r, "terms"), Paragraphs: []string{hostile().Draw(r, "paragraph")}},
				form.Challenge{Data: hostile().Draw(r, "data"), Question: hostile().Draw(r, "question")},
			}).Draw(r, "held")
		}
		s.View.Failure = &flow.Failure{Code: hostile().Draw(r, "code"), Message: hostile().Draw(r, "message"), Details: []flow.Detail{{Code: flow.InvalidValue, Target: f.Fields[0].Key, Message: hostile().Draw(r, "detail")}}}
		harmless(t, p.SignOn(acme("en"), s))
	})
	if drawnForms < 10 {
		t.Errorf("only %d forms were drawn", drawnForms)
	}
}

func harmless(t *testing.T, page []byte) {
	t.Helper()
	scripts, posts := 0, 0
	for n := range parse(t, page).Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			web := strings.HasPrefix(a.Val, "https://") || strings.HasPrefix(a.Val, "http://") || strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "#")
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "formaction":
				t.Errorf("%s in <%s>", a.Key, n.Data)
			case (a.Key == "href" || a.Key == "src" || a.Key == "action") && !web:
				t.Errorf("%s leads to %q", a.Key, a.Val)
			}
		}
		switch n.Data {
		case "script":
			scripts++
		case "form":
			if to, _ := attr(n, "action"); to == here {
				posts++
			} else {
				t.Errorf("a form posts to %q", to)
			}
		case "style", "iframe", "img", "object", "embed", "base":
			t.Errorf("there is a <%s>", n.Data)
		}
	}
	if scripts != 1 || posts > 3 {
		t.Errorf("%d scripts, %d forms", scripts, posts)
	}
}
