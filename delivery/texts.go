package delivery

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"
	"unicode/utf16"

	"doorward/runtime/flow"
)

// calls are the messages that go by phone, by template.
func calls() map[string]letter {
	return map[string]letter{
		flow.TestMessage: {coded: true},
		"otp":            {coded: true},
		flow.PushMessage: {},
	}
}

// readCalls reads the texts of one language: each is a file, templates/<language>/phone/
// <template>.tmpl, of the sections sms and voice, or of push.
func readCalls(lang string) (map[string]letter, error) {
	out := map[string]letter{}
	for name, l := range calls() {
		var err error
		if l.text, err = template.ParseFS(sources, "templates/"+lang+"/phone/"+name+".tmpl"); err != nil {
			return nil, err
		}
		out[name] = l
	}
	return out, nil
}

// RenderText writes a message that goes by phone, as Render does mail. An SMS is one
// part: where the environment's name would make it longer, less of the name is said.
// What is read aloud has codes letter by letter, and never holds what would be markup
// to a machine that reads it. Source: reference/management.md 5.13 (contents of SMS).
func (t *Templates) RenderText(m flow.Message, p Place, now time.Time) (Text, error) {
	lang := t.language(p.Languages, m.Locales)
	l, ok := t.calls[lang][m.Template]
	if !ok {
		return Text{}, fmt.Errorf("no template %q that goes by phone", m.Template)
	}
	c := content{Language: lang, Name: oneLine(p.Name)}
	if l.coded {
		var err error
		if c.Code, err = codeOf(m); err != nil {
			return Text{}, err
		}
		c.Said = strings.Join(strings.Split(c.Code, ""), ", ")
		c.Minutes, c.Hours = span(m.ExpiresAt, now)
	}
	out := Text{Env: m.Env, Channel: m.Channel, To: m.To, Language: lang, Template: m.Template, MessageID: m.ID, At: now}
	var err error
	switch m.Channel {
	case flow.Voice:
		c.Name = oneLine(strings.NewReplacer("<", " ", ">", " ", "&", " ").Replace(c.Name))
		out.Content, err = l.section("voice", c)
	case flow.Push:
		out.Content, err = l.section("push", c)
	default:
		out.Content, err = l.short(c)
	}
	if err != nil {
		return Text{}, fmt.Errorf("template %q by phone: %w", m.Template, err)
	}
	return out, nil
}

// short is an SMS of one part, with as much of the name as there is room for.
func (l letter) short(c content) (string, error) {
	for {
		text, err := l.section("sms", c)
		switch {
		case err != nil:
			return "", err
		case onePart(text):
			return text, nil
		case c.Name == "":
			return "", errors.New("longer than one part")
		}
		name := []rune(c.Name)
		c.Name = strings.TrimSpace(string(name[:len(name)-1]))
	}
}

// What one part of an SMS holds, by the alphabet that it takes. Source: 3GPP TS 23.038
// 6.2.1; reference/management.md 5.13.
const (
	gsmPart = 153
	ucsPart = 67

	gsmOnce = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡" +
		"ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmTwice = "^{}\\[~]|€" // take two places
)

// onePart reports whether a text is one part of an SMS.
func onePart(text string) bool {
	n := 0
	for _, c := range text {
		switch {
		case strings.ContainsRune(gsmOnce, c):
			n++
		case strings.ContainsRune(gsmTwice, c):
			n += 2
		default:
			return len(utf16.Encode([]rune(text))) <= ucsPart
		}
	}
	return n <= gsmPart
}
