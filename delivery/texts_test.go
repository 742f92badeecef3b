package delivery_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"doorward/delivery"
	"doorward/runtime/flow"
)

// text is a message that goes by phone.
func text(id string, channel flow.Channel) flow.Message {
	return flow.Message{
		ID: id, Env: "e", Channel: channel, Template: flow.TestMessage, To: number, Params: map[string]string{"code": sample},
		CreatedAt: time.Now(), ExpiresAt: time.Now().Add(5 * time.Minute),
	}
}

func spoken(t *testing.T, m flow.Message, p delivery.Place) delivery.Text {
	t.Helper()
	templates, err := delivery.NewTemplates()
	if err != nil {
		t.Fatal(err)
	}
	out, err := templates.RenderText(m, p, m.CreatedAt)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryTextInEveryLanguage(t *testing.T) {
	seen := map[string]bool{}
	for _, lang := range languages {
		for i, channel := range []flow.Channel{flow.SMS, flow.Voice, flow.SMS, flow.Voice} {
			m := text("m1", channel)
			if i >= 2 {
				m.Template = "otp"
			}
			m.Locales = lang + ";q=0.8, fr"
			p, _ := place("e", "")
			got := spoken(t, m, p)
			if got.Env != "e" || got.Channel != channel || got.To != number || got.Language != lang || got.Template != m.Template || got.MessageID != "m1" || !got.At.Equal(m.CreatedAt) {
				t.Errorf("%+v", got)
			}
			if !strings.Contains(got.Content, "Acme Travel") || seen[got.Content] || strings.ContainsAny(got.Content, "\n<>&!{") {
				t.Errorf("%s %s: %q", lang, channel, got.Content)
			}
			seen[got.Content] = true
			if said := strings.Count(got.Content, "1, 2, 3, 9, 8, 7"); channel == flow.Voice && said != 2 || strings.Contains(got.Content, sample) == (channel == flow.Voice) {
				t.Errorf("%s %s does not have the code: %q", lang, channel, got.Content)
			}
		}
	}
}

// TestAPushSaysNothing: an app is woken by way of others, who learn no more than that.
func TestAPushSaysNothing(t *testing.T) {
	seen := map[string]bool{}
	for _, lang := range languages {
		m := flow.Message{ID: "m1", Env: "e", Channel: flow.Push, Template: flow.PushMessage, To: "d0000000-0000-4000-8000-0000000000d1", Locales: lang, CreatedAt: time.Now()}
		p, _ := place("e", "")
		got := spoken(t, m, p)
		if got.To != m.To || got.Channel != flow.Push || !strings.HasPrefix(got.Content, "Acme Travel: ") || seen[got.Content] {
			t.Errorf("%+v", got)
		}
		seen[got.Content] = true
	}
}

func TestAnSMSIsOnePart(t *testing.T) {
	for name, row := range map[string]struct {
		place string
		most  int // characters
		ends  string
	}{
		"a short name":                       {"Acme", 153, ""},
		"none":                               {"", 153, ""},
		"one too long":                       {strings.Repeat("Acme Travel ", 20), 153, ""},
		"one that takes another alphabet":    {"Ácme", 67, ""},
		"one that does and is too long":      {strings.Repeat("Ácme ", 20), 67, ""},
		"one of characters that are two":     {strings.Repeat("😀", 40), 67, ""},
		"one of characters that count twice": {strings.Repeat("€", 100), 153, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, lang := range languages {
				m := text("m1", flow.SMS)
				m.Locales = lang
				got := spoken(t, m, delivery.Place{Name: row.place}).Content
				n := len(utf16.Encode([]rune(got))) + strings.Count(got, "€")
				if n > row.most || !strings.Contains(got, sample) {
					t.Errorf("%d: %q", n, got)
				}
				if row.place == "" && strings.Contains(got, ":  ") || len(row.place) > 100 && n < row.most-2 {
					t.Errorf("%d of %d: %q", n, row.most, got)
				}
			}
		})
	}
}

func TestWhatIsReadAloudIsNoMarkup(t *testing.T) {
	got := spoken(t, text("m1", flow.Voice), delivery.Place{Name: `Black & <break time="9s"/> White`}).Content
	if strings.ContainsAny(got, "<>&") || !strings.Contains(got, "Black") || !strings.Contains(got, "White") {
		t.Error(got)
	}
}

func TestATextNeedsItsTemplateAndItsCode(t *testing.T) {
	templates, err := delivery.NewTemplates()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*flow.Message){
		"that goes by mail": func(m *flow.Message) { m.Template = "recovery" },
		"without a code":    func(m *flow.Message) { m.Params = nil },
		"with a strange one": func(m *flow.Message) {
			m.Params = map[string]string{"code": "https://x.example"}
		},
	} {
		m := text("m1", flow.SMS)
		change(&m)
		if got, err := templates.RenderText(m, delivery.Place{}, time.Now()); err == nil || strings.Contains(err.Error(), "x.example") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
