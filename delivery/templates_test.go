package delivery_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/delivery"
	"doorward/runtime/device"
	"doorward/runtime/flow"
)

var (
	languages = []string{"de", "en", "es"}
	names     = []string{
		"account.linked", "address.taken", "address.verify", "device.added", "device.locked", "device.removed", "device.suspected", "email.changed", "otp",
		"password.changed", "phone.changed", "phone.removed", "recovery", "registration.exists", "registration.nameTaken", "verification",
	}
)

func render(t *testing.T, m flow.Message, p delivery.Place) delivery.Mail {
	t.Helper()
	templates, err := delivery.NewTemplates()
	if err != nil {
		t.Fatal(err)
	}
	out, err := templates.Render(m, p, m.CreatedAt)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryMessageHasItsTexts and no text is left over. That the languages have the same
// is wording's to say.
func TestEveryMessageHasItsTexts(t *testing.T) {
	b, err := os.ReadFile("texts/en.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]any
	if err := json.Unmarshal(b, &texts); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"device.other", "mail.account", "mail.browser", "mail.footer", "mail.hello", "mail.valid.hours", "mail.valid.minutes",
		"verification.action", "recovery.action", "push.push", "address.verify.sms", "device.added.sms",
	}
	for _, of := range device.Types() {
		want = append(want, "device."+string(of))
	}
	for _, name := range names {
		for _, section := range []string{"subject", "title", "lead", "next", "stranger"} {
			want = append(want, name+"."+section)
		}
	}
	for _, name := range []string{flow.TestMessage, "otp"} {
		want = append(want, name+".sms", name+".voice", name+".voice.named")
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(texts)); !slices.Equal(got, want) {
		t.Errorf("texts %v\nwant %v", got, want)
	}
}

func TestEveryMailInEveryLanguage(t *testing.T) {
	subjects := map[string]string{}
	for _, name := range names {
		for _, lang := range languages {
			t.Run(lang+" "+name, func(t *testing.T) {
				m := message("m1")
				m.Template, m.Locales = name, lang
				p, _ := place("e", "f")
				p.Logo = "https://acme.example/logo.png"
				got := render(t, m, p)
				filled := name == "verification" || name == "recovery"
				coded := filled || name == "otp" || name == "address.verify"
				if got.To != address || got.Language != lang || got.Template != name || got.MessageID != "m1" || got.From != "Acme Travel" {
					t.Errorf("%+v", got)
				}
				if coded != strings.Contains(got.Text, "\n    K7MQ 2XPF\n") || coded != strings.Contains(got.HTML, ">K7MQ</span><span style=\"margin-left:12px\">2XPF<") {
					t.Errorf("code:\n%s\n%s", got.Text, got.HTML)
				}
				if filled != strings.Contains(got.Text, "\nhttps://auth.example/e/signon/?flowId=f&code=K7MQ2XPF\n") ||
					filled != strings.Contains(got.HTML, `<a href="https://auth.example/e/signon/?flowId=f&amp;code=K7MQ2XPF"`) {
					t.Errorf("link:\n%s\n%s", got.Text, got.HTML)
				}
				if coded != strings.Contains(got.Text, " 24 ") || coded != strings.Contains(got.HTML, " 24 ") {
					t.Errorf("how long the code is good for:\n%s", got.Text)
				}
				if !strings.Contains(got.HTML, `<html lang="`+lang+`">`) || !strings.Contains(got.HTML, `<img src="https://acme.example/logo.png" alt="Acme Travel"`) {
					t.Errorf("HTML:\n%s", got.HTML)
				}
				for _, never := range []string{"<table", "<script", "<no value>", "{", "!", "http://"} {
					if strings.Contains(strings.TrimPrefix(got.HTML, "<!doctype html>")+got.Text+got.Subject, never) {
						t.Errorf("holds %q:\n%s\n%s", never, got.Text, got.HTML)
					}
				}
				if strings.Contains(got.Text, "\n\n\n") || strings.Contains(got.Subject, code) || got.Subject == "" {
					t.Errorf("subject %q, text\n%s", got.Subject, got.Text)
				}
				if other, taken := subjects[got.Subject]; taken {
					t.Errorf("the subject of %s", other)
				}
				subjects[got.Subject] = lang + " " + name
			})
		}
	}
}

// TestADeviceIsCalledWhatItIs: in words of the person's language, of every type there is.
func TestADeviceIsCalledWhatItIs(t *testing.T) {
	for _, lang := range languages {
		said := map[string]device.Type{}
		for _, of := range device.Types() {
			m := message("m1")
			m.Template, m.Locales, m.Params = "device.added", lang, map[string]string{"device": string(of)}
			got := render(t, m, delivery.Place{Name: "Acme"})
			if strings.Contains(got.Text, string(of)) && of != device.SMS { // that is a word
				t.Errorf("%s: %s is not put into words:\n%s", lang, of, got.Text)
			}
			if other, same := said[got.Text]; same && (!of.IsFIDO2() || !other.IsFIDO2()) {
				t.Errorf("%s: %s is called what %s is", lang, of, other)
			}
			said[got.Text] = of
		}
		m := message("m1")
		m.Template, m.Locales, m.Params = "device.removed", lang, map[string]string{"device": "<script>"}
		if got := render(t, m, delivery.Place{Name: "Acme"}); strings.Contains(got.Text, "script") {
			t.Errorf("%s repeats what it does not know:\n%s", lang, got.Text)
		}
	}
}

func TestLanguageIsThePersons(t *testing.T) {
	for locales, want := range map[string]string{
		"": "en", "de": "de", "de-CH": "de", "es-419,en;q=0.9": "es", "fr,es;q=0.5,de;q=0.4": "es", "fr": "en", "en-GB,de": "en",
		"*": "en", "x": "en", ";;;": "en", "de;q=0.1,en;q=0.9": "en", strings.Repeat("de,", 500): "de",
	} {
		m := message("m1")
		m.Locales = locales
		if got := render(t, m, delivery.Place{Name: "Acme"}).Language; got != want {
			t.Errorf("%.20q became %s, want %s", locales, got, want)
		}
	}
	m := message("m1")
	for want, allowed := range map[string][]string{"es": {"es", "en"}, "en": {"fr", "tlh"}, "de": {"fr", "de", "es"}} {
		m.Locales = "it"
		if got := render(t, m, delivery.Place{Languages: allowed}).Language; got != want {
			t.Errorf("among %v: %s, want %s", allowed, got, want)
		}
	}
	m.Locales = "de,es"
	if got := render(t, m, delivery.Place{Languages: []string{"en", "es"}}).Language; got != "es" {
		t.Errorf("a language that the environment does not speak: %s", got)
	}
}

func TestStoredTextStaysText(t *testing.T) {
	for _, evil := range []string{
		`"><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `{code}`, `</title><form action=https://evil.example>`,
		"<a href=javascript:alert(1)>", "' style='background:url(//evil.example)", "&lt;b&gt;",
	} {
		for _, name := range names {
			m := message("m1")
			m.Template, m.Params = name, map[string]string{"code": code, "given": evil, "username": evil, "email": evil}
			got := render(t, m, delivery.Place{Name: evil, Logo: evil, SignOnURL: "https://auth.example/?x=" + evil})
			for _, never := range []string{"<script", "<img", "<form", "<a href=javascript", "style='"} {
				if strings.Contains(got.HTML, never) {
					t.Errorf("%s holds %q:\n%s", name, never, got.HTML)
				}
			}
			if !strings.Contains(got.Text, evil) || strings.Contains(got.Subject, code) {
				t.Errorf("%s does not say %q as it is:\n%s", name, evil, got.Text)
			}
		}
	}
}

func TestNamesThatSayMoreThanANameAreLeftOut(t *testing.T) {
	for name, row := range map[string]struct {
		template, given, username string
		want, never               []string
	}{
		"a person is greeted":               {"recovery", "Ada", "ada.l", []string{"Hello Ada,", "Account: ada.l\n"}, nil},
		"also with another script":          {"password.changed", "Łukasz O’Brien-陽", "", []string{"Hello Łukasz O’Brien-陽,"}, []string{"Account"}},
		"an address is an account":          {"recovery", "", "ada@b.example", []string{"Account: ada@b.example"}, []string{"Hello"}},
		"a link greets nobody":              {"recovery", "evil.example/win", "evil.example/win", nil, []string{"evil", "Hello", "Account"}},
		"a sentence greets nobody":          {"recovery", "Call 555, your account is hacked", "call me now", nil, []string{"hacked", "call", "Hello", "Account"}},
		"a paragraph is no name":            {"recovery", "Ada\n\nCall us", "ada\n\nCall", nil, []string{"Call"}},
		"a stranger's name is not repeated": {"verification", "Ada", "ada", nil, []string{"Ada", "ada\n"}},
		"nor their username":                {"registration.nameTaken", "Ada", "ada", nil, []string{"Ada", "ada\n"}},
		"nor to the one who has an account": {"registration.exists", "Ada", "ada", nil, []string{"Ada", "ada\n"}},
		"nor by whoever wants the address":  {"address.verify", "Ada", "ada", nil, []string{"Ada", "ada\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := message("m1")
			m.Template, m.Params = row.template, map[string]string{"code": code, "given": row.given, "username": row.username}
			got := render(t, m, delivery.Place{Name: "Acme"})
			for _, want := range row.want {
				if !strings.Contains(got.Text, want) || !strings.Contains(got.HTML, strings.TrimSpace(want)) {
					t.Errorf("no %q in\n%s", want, got.Text)
				}
			}
			for _, never := range row.never {
				if strings.Contains(got.Text+got.HTML, never) {
					t.Errorf("%q in\n%s", never, got.Text)
				}
			}
		})
	}
}

func TestCodeIsGroupedAndItsLifeIsTrue(t *testing.T) {
	for shown, code := range map[string]string{
		"K7MQ 2XPF": "K7MQ-2XPF", "123 456": "123456", "12345": "12345", "ABCD EFGH JKLM": "ABCDEFGHJKLM", "ABC DEF GHJ": "ABC DEF GHJ",
	} {
		m := message("m1")
		m.Params = map[string]string{"code": code}
		if got := render(t, m, delivery.Place{Name: "Acme"}); !strings.Contains(got.Text, "\n    "+shown+"\n") {
			t.Errorf("%s is not shown as %s:\n%s", code, shown, got.Text)
		}
	}
	for want, left := range map[string]time.Duration{
		"for 5 minutes.": 5*time.Minute - 20*time.Second, "for 3 minutes.": 3*time.Minute + 10*time.Second, "for 1 minute.": 5 * time.Second,
		"for 90 minutes.": 90 * time.Minute, "for 24 hours.": 24*time.Hour - time.Minute, "for 23 hours.": 23 * time.Hour,
	} {
		m := message("m1")
		m.ExpiresAt = m.CreatedAt.Add(left)
		if got := render(t, m, delivery.Place{Name: "Acme"}); !strings.Contains(got.Text, want) {
			t.Errorf("with %v left it does not say %q:\n%s", left, want, got.Text)
		}
	}
	m := message("m1")
	m.ExpiresAt = time.Time{}
	if got := render(t, m, delivery.Place{Name: "Acme"}); strings.Contains(got.Text, "works for") {
		t.Errorf("a code without an end:\n%s", got.Text)
	}
}

func TestLinkAndLogoAreOurs(t *testing.T) {
	for url, linked := range map[string]bool{
		"https://auth.example/e/signon/?flowId=f": true, "http://localhost:8080/e/signon/?flowId=f": true,
		"": false, "javascript:alert(1)": false, "//evil.example/?": false, "/signon/?flowId=f": false, "ftp://x.example/?a=b": false,
	} {
		got := render(t, message("m1"), delivery.Place{Name: "Acme", SignOnURL: url})
		if linked != strings.Contains(got.HTML, "<a ") || linked != strings.Contains(got.Text, url+"&code="+code) {
			t.Errorf("%q:\n%s", url, got.Text)
		}
	}
	m := message("m1")
	m.Flow = ""
	if got := render(t, m, delivery.Place{Name: "Acme", SignOnURL: "https://auth.example/?flowId="}); strings.Contains(got.HTML, "<a ") {
		t.Error("a link without a flow")
	}
	for logo, shown := range map[string]bool{
		"https://acme.example/l.png": true, "http://acme.example/l.png": false, "": false, "//acme.example/l.png": false,
		"data:image/png;base64,AA": false, "/l.png": false, "https:l.png": false,
	} {
		got := render(t, message("m1"), delivery.Place{Name: "Acme", Logo: logo})
		if shown != strings.Contains(got.HTML, "<img") {
			t.Errorf("logo %q:\n%s", logo, got.HTML)
		}
	}
}

func TestMessageWithoutATextIsAnErrorThatSaysNothing(t *testing.T) {
	templates, err := delivery.NewTemplates()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*flow.Message){
		"no such template":      func(m *flow.Message) { m.Template = "words" },
		"no code":               func(m *flow.Message) { m.Params = nil },
		"a code that is a text": func(m *flow.Message) { m.Params = map[string]string{"code": "s3cret, s3cret!"} },
		"a code that is short":  func(m *flow.Message) { m.Params = map[string]string{"code": "s3c"} },
	} {
		m := message("m1")
		change(&m)
		if _, err := templates.Render(m, delivery.Place{}, time.Now()); err == nil || strings.Contains(err.Error(), "s3c") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
