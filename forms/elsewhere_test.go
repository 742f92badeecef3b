package forms_test

import (
	"strings"
	"testing"

	"doorward/forms"
	"doorward/runtime/flow"
)

// TestSigningOnElsewhere reads the page of whoever is to, in every language.
func TestSigningOnElsewhere(t *testing.T) {
	refused := elsewhere()
	refused.Fault = &flow.Fault{Code: flow.RequestFailed, Details: []flow.Detail{{Code: flow.ExternalFailed}}}
	for language, want := range map[string]struct{ said, button, reset, trouble string }{
		"en": {"Sign on elsewhere You sign on with Partner.", "Continue with Partner", "Not you?", "The sign-on there was not completed."},
		"de": {"Anderswo anmelden Sie melden sich mit Partner an.", "Weiter mit Partner", "Nicht Ihr Konto?", "Die Anmeldung dort wurde nicht abgeschlossen."},
		"es": {"Inicie sesión en otro sitio Inicia sesión con Partner.", "Continuar con Partner", "¿No es usted?", "El inicio de sesión allí no se ha completado."},
	} {
		page, again := draw(t, language, elsewhere()), draw(t, language, refused)
		said := strings.NewReplacer(" .", ".", " ,", ",").Replace(text(t, []byte(page)))
		link := `<a class="button" href="https://auth.example.com/e/rp/authenticate?providerId=p&amp;flowId=f">` + want.button + `</a>`
		if !strings.Contains(said, want.said) || !strings.Contains(page, link) || strings.Count(page, `class="button"`) != 1 || !strings.Contains(page, want.reset) || !strings.Contains(page, "ada@example.com") || strings.Contains(page, want.trouble) {
			t.Errorf("%s: %s", language, page)
		}
		if !strings.Contains(again, want.trouble) || !strings.Contains(again, link) {
			t.Errorf("%s, refused: %s", language, again)
		}
		noEnglish(t, language, said)
	}
}

func TestWhoIsNotNamedStartsAgain(t *testing.T) {
	nobody := elsewhere()
	nobody.View.User = flow.Subject{}
	for _, s := range []forms.SignOn{nobody, unlinked()} {
		if page := draw(t, "en", s); strings.Count(page, `<button class="button quiet" type="submit">Start again</button>`) != 1 {
			t.Error(page)
		}
	}
}

// TestALinkIsNoMarkup: the name of a provider is text.
func TestALinkIsNoMarkup(t *testing.T) {
	s := elsewhere()
	s.View.External.Name = "<b>Partner</b>"
	if page := draw(t, "en", s); strings.Contains(page, "<b>") || !strings.Contains(page, "&lt;b&gt;Partner") {
		t.Error(page)
	}
}

// TestLinkingAsksWhoSomebodyIsHere: the name that led elsewhere is proposed, and another
// can be typed.
func TestLinkingAsksWhoSomebodyIsHere(t *testing.T) {
	for _, show := range []string{"", "password.forgot"} {
		s := unlinked()
		s.Show = show
		page := draw(t, "en", s)
		if strings.Contains(page, `class="chip"`) || !strings.Contains(page, `id="username"`) || !strings.Contains(page, `value="ada@example.com"`) {
			t.Errorf("%q: %s", show, page)
		}
	}
	s := unlinked()
	s.View.External = nil
	if page := draw(t, "en", s); !strings.Contains(page, "The account you signed on with is not linked") {
		t.Error(page)
	}
}
