package forms_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/static"
)

func pages(t testing.TB) *forms.Pages {
	t.Helper()
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, err := forms.NewPages(assets)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func signOn() forms.SignOn {
	return forms.SignOn{
		Address: "https://auth.example.com/e/signon/?flowId=f", Application: "Acme Travel", Owner: "Acme",
		View: flow.View{Status: "USERNAME_PASSWORD_REQUIRED", Token: "tok", Offers: []flow.Offer{
			{Name: "usernamePassword.check", Prompt: flow.Text{Default: "Sign on"}, Fields: credentials()},
			{Name: forms.Reset, Prompt: flow.Text{Default: "Start over"}},
		}},
	}
}

func known(s *forms.SignOn) { s.View.User = flow.Subject{ID: "u", Username: "ada@example.com"} }

func refused(details ...flow.Detail) *flow.Fault { return flow.Invalid(details...) }

func TestSignOnPage(t *testing.T) {
	locked := flow.Detail{Code: flow.PasswordLockedOut, Target: "password", Inner: map[string]any{"secondsUntilUnlock": 845}}
	for _, tc := range []struct {
		name   string
		change func(*forms.SignOn)
		has    []string
		not    []string
	}{
		{
			"asks for what the offer asks for", func(*forms.SignOn) {},
			[]string{`<h1>Sign on</h1>`, `to continue to <strong>Acme Travel</strong>`, `<label for="username">Username</label>`, `autocomplete="username" required`, `type="password"`, `autocomplete="current-password"`, `name="_token" value="tok"`, `name="_action" value="usernamePassword.check"`},
			[]string{"Not you?", "session.reset", "role=\"alert\"", "Error:", "<style", "onclick", "maxlength"},
		},
		{
			"shows who it is and leads back", known,
			[]string{`<span>ada@example.com</span>`, "Not you?", `name="_action" value="session.reset"`, `<input type="text" hidden name="username" value="ada@example.com" autocomplete="username">`},
			[]string{`<label for="username">`},
		},
		{"keeps the person beside a password that goes without a name", func(s *forms.SignOn) {
			known(s)
			s.View.Offers[0].Fields = credentials()[1:]
		}, []string{`<input type="text" hidden value="ada@example.com" autocomplete="username">`}, []string{`name="username"`}},
		{
			"fills in the name the application hinted at", func(s *forms.SignOn) { s.View.LoginHint = "ada" },
			[]string{`name="username" value="ada" autocomplete="username"`},
			nil,
		},
		{"keeps what was typed, never the password", func(s *forms.SignOn) {
			s.Submitted, s.Typed = "usernamePassword.check", flow.Values{"username": "ada", "password": "secret-1"}
			s.Fault = refused(flow.Detail{Code: flow.InvalidCredentials, Target: "password"})
		}, []string{`value="ada"`, `<title>Error: Sign on – Acme</title>`, `That username and password do not match.`, `aria-invalid="true" aria-describedby="password-error" autofocus`, `id="password-error"`}, []string{"secret-1", `id="problems"`}},
		{"says password when the person is known", func(s *forms.SignOn) {
			known(s)
			s.Submitted, s.Fault = "usernamePassword.check", refused(flow.Detail{Code: flow.InvalidCredentials, Target: "password"})
		}, []string{"That password is not right. Try again."}, nil},
		{
			"says when a lock opens", func(s *forms.SignOn) { s.Submitted, s.Fault = "usernamePassword.check", refused(locked) },
			[]string{"There were too many tries. Try again in 15 minutes."},
			nil,
		},
		{"sums up several errors and takes the focus there", func(s *forms.SignOn) {
			s.Submitted = "usernamePassword.check"
			s.Fault = refused(flow.Detail{Code: flow.RequiredValue, Target: "username"}, flow.Detail{Code: flow.RequiredValue, Target: "password"})
		}, []string{"There are 2 problems", `role="alert" tabindex="-1" autofocus`, "Enter your username.", "Enter your password."}, []string{`aria-describedby="username-error" autofocus`}},
		{"sums up an error that no field has", func(s *forms.SignOn) {
			s.Submitted, s.Fault = "usernamePassword.check", refused(flow.Detail{Code: flow.InvalidValue})
		}, []string{"There is a problem", `role="alert"`, "We could not take that."}, []string{`aria-invalid`}},
		{"explains another person's name", func(s *forms.SignOn) {
			known(s)
			s.Submitted, s.Fault = "usernamePassword.check", refused(flow.Detail{Code: flow.InvalidValue, Target: "username"})
		}, []string{"You are signing on as ada@example.com. To be somebody else, choose “Not you?”."}, nil},
		{
			"tells a late page apart from an error", func(s *forms.SignOn) { s.Fault = &flow.Fault{Code: flow.Conflict} },
			[]string{"That page was out of date."},
			[]string{"Error:", `role="alert"`},
		},
		{"draws every offer, the first one foremost", func(s *forms.SignOn) {
			s.View.Offers = append(s.View.Offers, flow.Offer{Name: "user.consent", Prompt: flow.Text{Default: "Agree"}, Fields: []flow.Field{{Name: "accept", Type: flow.TypeBoolean, Label: flow.Text{Default: "I agree"}}, {Name: "username", Type: flow.TypeText}}})
		}, []string{`class="or"`, `button quiet`, `<input type="checkbox" id="accept-2" name="accept" value="true">`, `id="username-2"`}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := signOn()
			tc.change(&s)
			var b bytes.Buffer
			if err := pages(t).SignOn(&b, s); err != nil {
				t.Fatal(err)
			}
			for _, want := range tc.has {
				if !strings.Contains(b.String(), want) {
					t.Errorf("no %q in\n%s", want, b.String())
				}
			}
			for _, bad := range tc.not {
				if strings.Contains(b.String(), bad) {
					t.Errorf("%q in\n%s", bad, b.String())
				}
			}
			sound(t, b.Bytes())
		})
	}
}

func TestMessagePages(t *testing.T) {
	p := pages(t)
	for name, draw := range map[string]func(*bytes.Buffer) error{
		"failed": func(b *bytes.Buffer) error {
			return p.Failed(b, flow.View{}, "Acme Travel", "Acme", "https://a/resume")
		},
		"sign off": func(b *bytes.Buffer) error {
			return p.SignOff(b, "Acme", "/e/as/signoff", [][2]string{{"token", "t"}, {"state", `"><b>`}})
		},
		"signed off": func(b *bytes.Buffer) error { return p.SignedOff(b, "Acme") },
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := draw(&b); err != nil {
				t.Fatal(err)
			}
			sound(t, b.Bytes())
		})
	}
	for _, code := range []flow.Code{flow.InvalidData, flow.InvalidRequest, flow.InvalidToken, flow.AccessFailed, flow.NotFound, flow.MethodNotAllowed, flow.Conflict, flow.TooLarge, flow.UnsupportedMedia, flow.Misdirected, flow.Limited, flow.Unavailable, flow.Unexpected} {
		t.Run(string(code), func(t *testing.T) {
			var b bytes.Buffer
			if err := p.Fault(&b, &flow.Fault{Code: code, Message: "developer's words"}, "the-id", "Acme", "https://a/signon"); err != nil {
				t.Fatal(err)
			}
			sound(t, b.Bytes())
			for _, bad := range []string{"developer's", "flow", "session", "invalid credentials", "!"} {
				if strings.Contains(strings.ToLower(text(t, b.Bytes())), bad) {
					t.Errorf("says %q: %s", bad, text(t, b.Bytes()))
				}
			}
			if shown := strings.Contains(b.String(), "the-id"); shown == (code == flow.NotFound) {
				t.Errorf("reference shown: %t", shown)
			}
		})
	}
}

// TestHostileTextStaysText puts markup into everything that comes from outside.
func TestHostileTextStaysText(t *testing.T) {
	for _, evil := range []string{`"><script>alert(1)</script>`, `javascript:alert(1)`, `</textarea><img src=x onerror=1>`, `';alert(1)//`, `{{7*7}}`, "\x00<svg/onload=1>", `<form action=https://evil>`, `<meta http-equiv=refresh content=0>`} {
		plain, hostile := signOn(), signOn()
		for s, v := range map[*forms.SignOn]string{&plain: "x", &hostile: evil} {
			s.Application, s.Owner, s.View.Token, s.Submitted = v, v, v, "usernamePassword.check"
			s.Typed = flow.Values{"username": v}
			s.View.Offers[0].Prompt.Default, s.View.Offers[0].Fields[0].Label.Default = v, v
			s.Fault = refused(flow.Detail{Code: flow.InvalidValue, Target: "username"})
			known(s)
			s.View.User.Username = v
		}
		p := pages(t)
		var a, b bytes.Buffer
		if err := p.SignOn(&a, plain); err != nil {
			t.Fatal(err)
		}
		if err := p.SignOn(&b, hostile); err != nil {
			t.Fatal(err)
		}
		if x, y := skeleton(t, a.Bytes()), skeleton(t, b.Bytes()); x != y {
			t.Errorf("%q changed the page:\n%s\n%s", evil, x, y)
		}
		var c bytes.Buffer
		if err := p.Message(&c, forms.Message{Title: evil, Text: evil, Link: evil, Label: evil, Reference: evil}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(c.String(), `href="javascript`) {
			t.Errorf("a script became a link: %s", c.String())
		}
		sound(t, c.Bytes())
	}
}

func parse(t *testing.T, page []byte) *html.Node {
	t.Helper()
	n, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// skeleton is the page without its words: elements and attribute names.
func skeleton(t *testing.T, page []byte) string {
	t.Helper()
	var b strings.Builder
	for n := range parse(t, page).Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		b.WriteString("<" + n.Data)
		for _, a := range n.Attr {
			b.WriteString(" " + a.Key)
		}
		b.WriteString(">")
	}
	return b.String()
}

func text(t *testing.T, page []byte) string {
	t.Helper()
	var b strings.Builder
	for n := range parse(t, page).Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return b.String()
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// sound holds the rules that every page keeps.
func sound(t *testing.T, page []byte) {
	t.Helper()
	labels, ids, headings := map[string]bool{}, map[string]bool{}, 0
	var inputs []*html.Node
	for n := range parse(t, page).Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if id, ok := attr(n, "id"); ok {
			if ids[id] {
				t.Errorf("id %q twice", id)
			}
			ids[id] = true
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("inline %s in <%s>", a.Key, n.Data)
			}
		}
		switch n.Data {
		case "html":
			if lang, _ := attr(n, "lang"); lang == "" {
				t.Error("no lang")
			}
		case "h1":
			headings++
		case "label":
			id, _ := attr(n, "for")
			labels[id] = true
		case "script":
			if src, _ := attr(n, "src"); src == "" || n.FirstChild != nil {
				t.Error("inline script")
			}
		case "input":
			inputs = append(inputs, n)
		case "svg":
			if h, _ := attr(n, "aria-hidden"); h != "true" {
				t.Error("an icon is read aloud")
			}
		}
	}
	if headings != 1 {
		t.Errorf("%d h1", headings)
	}
	for _, n := range inputs {
		kind, _ := attr(n, "type")
		_, hidden := attr(n, "hidden")
		id, _ := attr(n, "id")
		if kind != "hidden" && !hidden && (id == "" || !labels[id]) {
			t.Errorf("input %q has no label", id)
		}
		if described, ok := attr(n, "aria-describedby"); ok && !ids[described] {
			t.Errorf("input %q is described by nothing", id)
		}
		if a, _ := attr(n, "autocomplete"); kind == "password" && a == "" {
			t.Errorf("password without autocomplete")
		}
	}
}

func BenchmarkSignOn(b *testing.B) {
	p, s := pages(b), signOn()
	var buf bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		buf.Reset()
		if err := p.SignOn(&buf, s); err != nil {
			b.Fatal(err)
		}
	}
}
