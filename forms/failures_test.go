package forms_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/runtime/form"
	"doorward/runtime/passwordpolicy"
)

// TestAFailureIsToldOnEveryPage: why an execution ended, and why one that came
// back by an ERROR outlet waits again, also where it waits for no form of data.
func TestAFailureIsToldOnEveryPage(t *testing.T) {
	failure := func(code, message string, details ...flow.Detail) *flow.Failure {
		return &flow.Failure{Code: code, Message: message, Details: details}
	}
	credentials := failure(flow.InvalidCredentials, "m", flow.Detail{Code: flow.InvalidCredentials, Target: "user.password", Message: "m"})
	locked := failure(flow.PasswordLockedOut, "m", inner(flow.PasswordLockedOut, "user.password", "secondsUntilUnlock", 845))
	taken := failure(flow.UniquenessViolation, "m", flow.Detail{Code: flow.UniquenessViolation, Target: "user.username", Message: "m"})
	for name, tc := range map[string]struct {
		failure    *flow.Failure
		en, de, es string
	}{
		"a wrong password": {
			credentials, "That username and password do not match.", "Benutzername und Passwort passen nicht zusammen.", "El nombre de usuario y la contraseña no coinciden.",
		},
		"a lock": {locked, "Try again in 15 minutes.", "in 15 Minuten", "en 15 minutos."},
		"a lock without an end": {
			failure(flow.PasswordLockedOut, "m", flow.Locked("", 0)), "Ask your administrator to unlock it.", "Bitten Sie Ihren Administrator", "Pida a su administrador que la desbloquee.",
		},
		"a lock of which nothing is known": {
			failure(flow.PasswordLockedOut, "m"), "Ask your administrator to unlock it.", "Bitten Sie Ihren Administrator", "Pida a su administrador que la desbloquee.",
		},
		"too many requests to one device": {
			failure(string(flow.Limited), "m"), "There were too many requests of this kind.", "Es gab zu viele Anfragen dieser Art.", "Ha habido demasiadas solicitudes de este tipo.",
		},
		"a taken name": {taken, "“Username” is taken.", "„Benutzername“ ist vergeben.", "«Nombre de usuario» ya está en uso."},
		"a code alone": {failure(flow.InvalidCredentials, "m"), "That username and password do not match.", "Benutzername und Passwort passen nicht zusammen.", "no coinciden"},
		"a given value": {
			failure(string(flow.InvalidData), "m", flow.Detail{Code: flow.RequiredValue, Target: "user.id", Message: "m"}),
			"We could not take that. Try again.", "Das konnten wir nicht annehmen.", "No hemos podido aceptar eso.",
		},
		"the operator's words": {failure("MOON", "The moon is not full."), "The moon is not full.", "The moon is not full.", "The moon is not full."},
	} {
		t.Run(name, func(t *testing.T) {
			for language, want := range map[string]string{"en": tc.en, "de": tc.de, "es": tc.es} {
				code := verification()
				code.View.Failure, code.View.User = tc.failure, flow.Subject{}
				terms := execution("AGREEMENT_CONSENT_REQUIRED", flow.Offer{Name: "user.consent"})
				terms.View.Form, terms.View.Failure = form.Terms{Paragraphs: []string{"p"}}, tc.failure
				for _, page := range []string{
					draw(t, language, code), draw(t, language, terms),
					drawn(t, pages(t).Failed(acme(language), &flow.View{Failure: tc.failure}, "Acme Travel", "/resume")),
				} {
					if said := text(t, []byte(page)); !strings.Contains(said, want) {
						t.Errorf("%s: no %q in %s", language, want, said)
					}
				}
			}
		})
	}
	past := verification()
	past.View.Failure, past.Fault = credentials, &flow.Fault{Code: flow.Conflict}
	if page := draw(t, "en", past); strings.Contains(page, "do not match") || !strings.Contains(page, "out of date") {
		t.Error("a failure is told when something else has gone wrong since")
	}
}

// TestAKindOfCharactersIsNotGuessed: which one a password lacked is not known
// behind a form of data, unless the policy wants one kind.
func TestAKindOfCharactersIsNotGuessed(t *testing.T) {
	f := compiled(t, around(`{"type":"PASSWORD_VERIFY","position":{"row":0,"col":0},"key":"user.password","label":"Password","required":true,"showPasswordRequirements":true}`))
	lacks := flow.Detail{Code: flow.InvalidValue, Target: "user.password", Inner: map[string]any{"unsatisfiedRequirements": []string{passwordpolicy.MinCharacters, passwordpolicy.Length}}}
	for name, tc := range map[string]struct {
		kinds map[string]int
		marks int
		says  string
	}{
		"one kind":  {map[string]int{"0123456789": 2}, 2, "The password does not meet what is marked below."},
		"two kinds": {map[string]int{"0123456789": 2, "abcdefghijklmnopqrstuvwxyz": 1}, 1, "The password needs every kind of character that is listed below."},
	} {
		t.Run(name, func(t *testing.T) {
			s := waiting(f)
			known(&s)
			s.Policy = &passwordpolicy.Policy{MinLength: 8, MaxLength: 255, MinCharacters: tc.kinds}
			s.View.Failure = &flow.Failure{Code: flow.InvalidValue, Details: []flow.Detail{lacks}}
			if page := draw(t, "en", s); strings.Count(page, `class="unmet"`) != tc.marks || !strings.Contains(page, tc.says) {
				t.Errorf("%d marks in %s", strings.Count(page, `class="unmet"`), page)
			}
		})
	}
}

// rich is what the page of a failure says in markup.
func rich(t *testing.T, markup string) string {
	t.Helper()
	page := drawn(t, pages(t).Failed(acme("en"), &flow.View{Failure: &flow.Failure{Code: "X", Message: "plain", HTML: markup}}, "Acme Travel", "/resume"))
	_, rest, is := strings.Cut(page, `<div class="blob">`)
	if !is {
		return ""
	}
	said, _, _ := strings.Cut(rest, "</div>")
	return strings.ReplaceAll(said, "\n", "")
}

func TestMarkupOfAFailure(t *testing.T) {
	for name, tc := range map[string]struct{ markup, want string }{
		"emphasis":               {"<b>Service</b> <em>unavailable</em>.", "<b>Service</b> <em>unavailable</em>."},
		"headings below ours":    {"<h1>a</h1><h4>b</h4><p>c</p>", "<h2>a</h2><h3>b</h3><p>c</p>"},
		"a list":                 {"<ul> <li>a</li> <li>b<br>c</li></ul>", "<ul><li>a</li><li>b<br>c</li></ul>"},
		"a list of nothing else": {"<ul>a<b>b</b><li>c</li></ul>", "<ul><li>c</li></ul>"},
		"an item of no list":     {"a<li>b</li>", "a"},
		"a link":                 {`<a href="https://example.com/?a=1&amp;b=2" rel="nofollow">h</a>`, `<a href="https://example.com/?a=1&amp;b=2" rel="nofollow noreferrer">h</a>`},
		"a link into a script":   {`<a href="javascript:alert(1)">h</a>`, "h"},
		"what is escaped":        {"a &lt;script&gt; &amp; b", "a &lt;script&gt; &amp; b"},
		"what is not closed":     {"<b>a<i>b", "<b>a<i>b</i></b>"},
		"a script":               {"a<script>alert(1)</script>b", "ab"},
		"attributes":             {`<p onclick="x()" style="color:red" class="button">a</p>`, "<p>a</p>"},
		"a form":                 {`a<form action="https://evil.example"><input name=p></form>`, "a"},
		"a comment":              {"a<!-- b -->c", "ac"},
		"a foreign element":      {`a<svg onload=x()><path d="m0"/><b>b</b></svg>`, "a<b>b</b>"},
		"what lies too deep":     {strings.Repeat("<b>", 20) + "a", strings.Repeat("<b>", 16) + strings.Repeat("</b>", 16)},
		"nothing":                {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rich(t, tc.markup); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
	if page := drawn(t, pages(t).Failed(acme("en"), &flow.View{Failure: &flow.Failure{Code: "X", Message: "plain", HTML: strings.Repeat("<div>", 2000)}}, "", "/")); !strings.Contains(page, "<p>plain</p>") {
		t.Error("what cannot be read leaves nothing in its place")
	}
}

// TestMarkupOfAFailureIsHarmless: also when it was never sanitised.
func TestMarkupOfAFailureIsHarmless(t *testing.T) {
	p := pages(t)
	rapid.Check(t, func(r *rapid.T) {
		piece := rapid.OneOf(hostile(), rapid.SampledFrom([]string{
			"<p>", "</p>", "<ul><li>", "<a href=\"", "\">", "<h1>", "<b ", "<style>", "<textarea>", "<noscript>", "<math><mi>", "<template>", "<iframe srcdoc=\"", "<select>", "<table><tr>", "&#60;script&#62;", "<base href=//evil.example>",
		}))
		markup := strings.Join(rapid.SliceOfN(piece, 1, 6).Draw(r, "markup"), "")
		harmless(t, p.Failed(acme("en"), &flow.View{Failure: &flow.Failure{Code: "X", Message: "m", HTML: markup}}, "Acme Travel", "/resume"))
	})
}

// TestWaysLeadOn: the ways to other executions stand last, on every kind of page.
func TestWaysLeadOn(t *testing.T) {
	ways := []forms.Way{{Address: "https://id.example/experiences/1?redirectUri=x&y=z", Prompt: said("user.register.submit", "Create account")}}
	password, sheet := password(), waiting(compiled(t, around(`{"type":"TEXT","position":{"row":0,"col":0},"key":"a","label":"A","validation":{"type":"NONE"}}`)))
	terms := execution("AGREEMENT_CONSENT_REQUIRED", flow.Offer{Name: "user.consent"})
	terms.View.Form = form.Terms{Paragraphs: []string{"p"}}
	for name, s := range map[string]forms.SignOn{"an ordinary page": password, "a form": sheet, "terms": terms} {
		for language, label := range map[string]string{"en": "Create account", "de": "Konto erstellen", "es": "Crear cuenta"} {
			s.Ways = ways
			if page := draw(t, language, s); !strings.Contains(page, `<a href="https://id.example/experiences/1?redirectUri=x&amp;y=z">`+label+"</a> </p>\n</main>") {
				t.Errorf("%s in %s: %s", name, language, page)
			}
		}
	}
	behind := registration()
	behind.Ways = ways
	if strings.Contains(draw(t, "en", behind), "/experiences/") {
		t.Error("a form behind a link leads elsewhere than back")
	}
}
