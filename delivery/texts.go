package delivery

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"doorward/runtime/flow"
	"doorward/runtime/wording"
)

// calls are the messages that go by phone, by template.
func calls() map[string]letter {
	return map[string]letter{
		flow.TestMessage: {coded: true},
		"otp":            {coded: true},
		"address.verify": {coded: true},
		"device.added":   {},
		flow.PushMessage: {},
	}
}

// RenderText writes a message that goes by phone, as Render does mail. An SMS is one
// part: where the environment's name would make it longer, less of the name is said.
// What is read aloud has codes letter by letter, and never holds what would be markup
// to a machine that reads it. Source: reference/management.md 5.13 (contents of SMS).
func (t *Templates) RenderText(m flow.Message, p Place, now time.Time) (Text, error) {
	l, ok := calls()[m.Template]
	if !ok {
		return Text{}, fmt.Errorf("no template %q that goes by phone", m.Template)
	}
	w := t.languages[t.language(p.Languages, m.Locales)]
	name, params := oneLine(p.Name), wording.Params{}
	if l.coded {
		code, err := codeOf(m)
		if err != nil {
			return Text{}, err
		}
		params["code"], params["said"] = code, strings.Join(strings.Split(code, ""), ", ")
	}
	out := Text{Env: m.Env, Channel: m.Channel, To: m.To, Language: w.Lang, Template: m.Template, MessageID: m.ID, At: now}
	var err error
	switch m.Channel {
	case flow.Voice:
		params["name"] = oneLine(strings.NewReplacer("<", " ", ">", " ", "&", " ").Replace(name))
		key, _ := w.First(params, m.Template+".voice.named", m.Template+".voice")
		out.Content = w.Say(key, params)
	case flow.Push:
		out.Content = from(name) + w.Say(m.Template+".push", params)
	default:
		out.Content, err = short(name, w.Say(m.Template+".sms", params))
	}
	if err == nil && out.Content == "" {
		err = errors.New("it has no text for " + string(m.Channel))
	}
	if err != nil {
		return Text{}, fmt.Errorf("template %q by phone: %w", m.Template, err)
	}
	return out, nil
}

// from says at the beginning whose message it is.
func from(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}

// short is an SMS of one part, with as much of the name as there is room for.
func short(name, says string) (string, error) {
	for {
		text := from(name) + says
		switch {
		case onePart(text):
			return text, nil
		case name == "":
			return "", errors.New("longer than one part")
		}
		letters := []rune(name)
		name = strings.TrimSpace(string(letters[:len(letters)-1]))
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
