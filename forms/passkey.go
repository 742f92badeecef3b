package forms

import (
	"cmp"
	"encoding/base64"
	"strings"

	"github.com/skip2/go-qrcode"

	"doorward/runtime/flow"
)

// isScripted reports whether an offer takes what only a script can make.
func isScripted(o *flow.Offer) bool {
	for i := range o.Fields {
		if o.Fields[i].Type == flow.TypeCredential {
			return true
		}
	}
	return false
}

// ceremony is the form of an offer that takes what an authenticator says, which
// the script fills in; or, where the browser is to be asked for nothing, the form
// for what else it takes. nil: there is nothing else.
func (w *words) ceremony(s *SignOn, o *flow.Offer, r *room) *Form {
	options, kind := cmp.Or(r.creation, r.request), r.kind()
	must := kind == "FIDO2"
	var filled []string
	plain := flow.Offer{Name: o.Name, Prompt: o.Prompt}
	for _, d := range o.Fields {
		switch {
		case d.Type == flow.TypeCredential || d.Name == "origin" || d.Name == compatibilityInput:
			filled, must = append(filled, d.Name), must || d.Required
		case d.Type == flow.TypeCode && options == "" && !must && kind != recoveryCode:
			d.Required = true
			plain.Fields = append(plain.Fields, d)
		case d.Type == flow.TypeBoolean:
			plain.Fields = append(plain.Fields, d)
		}
	}
	if options == "" && must {
		return nil
	}
	f := w.form(s, &plain)
	switch {
	case options != "":
		f.Options, f.Filled = options, filled
		if r.creation != "" {
			f.Button = w.Say("enrol.create", nil)
		}
	case kind == recoveryCode:
		f.Button = w.Say("enrol.kept", nil)
	}
	f.digits(r)
	return f
}

// forget has the script tell the browser of a passkey that nobody here has.
func (f *Form) forget(fault *flow.Fault) {
	if f != nil && fault != nil {
		f.Unknown = base64.RawURLEncoding.EncodeToString(fault.Unknown)
	}
}

// isScripted reports whether the script fills the form in.
func (f *Form) isScripted() bool { return f != nil && f.Options != "" }

// offerPasskeys lets the browser offer passkeys among the names it knows, or
// among the passwords where the name is known.
func (f *Form) offerPasskeys() {
	if f == nil {
		return
	}
	for i := range f.Fields {
		if x := &f.Fields[i]; !x.Fixed && (x.Autocomplete == "username" || x.Autocomplete == "current-password") {
			x.Passkeys = true
			return
		}
	}
}

// needsPasskeys reports whether the page has something for the script of passkeys
// to do.
func (l *layout) needsPasskeys() bool {
	if l.passkey != nil || l.form != nil && len(l.form.Filled) > 0 {
		return true
	}
	for i := range l.choices {
		if c := &l.choices[i]; c.Scripted || c.Form != nil && len(c.Form.Filled) > 0 {
			return true
		}
	}
	return false
}

// passkey is another way to sign on, which the script brings to light.
func (m *markup) passkey(f *Form) {
	if f == nil {
		return
	}
	m.open("unseen", f)
	m.element(`<p class="or">`, m.Say("page.or", nil), "</p>\n")
	m.boxes(f)
	m.element(`<button class="button quiet" type="button">`+iconKey, f.Button, "</button>\n")
	m.excuses()
	m.raw("</form>\n")
}

// ceremony is a form that the script fills in. Its button does nothing without
// one, and what to do then is said in its place.
func (m *markup) ceremony(f *Form) {
	m.open("", f)
	m.boxes(f)
	m.element(`<button class="button" type="button">`+iconKey, f.Button, "</button>\n")
	m.excuses()
	m.element(`<div class="notice" data-unable hidden>`+iconInfo+`<p>`, m.Say("passkey.unable", nil), "</p></div>\n")
	m.raw("</form>\n<noscript>")
	m.notice(m.Say("passkey.scripts", nil), false)
	m.raw("</noscript>\n")
}

// boxes are the inputs beside what the script fills in.
func (m *markup) boxes(f *Form) {
	for i := range f.Fields {
		m.field(&f.Fields[i])
	}
}

// excuses are what the script says when the browser did not do as it was asked, by
// the names of its errors. Source: WebAuthn level 3, 5.1.3 and 5.1.4.
func (m *markup) excuses() {
	m.raw(`<div class="error" role="alert" hidden>` + iconAlert + "<span>")
	m.element(`<span hidden data-error="NotAllowedError AbortError">`, m.Say("passkey.stopped", nil), "</span>")
	m.element(`<span hidden data-error="InvalidStateError">`, m.Say("passkey.known", nil), "</span>")
	m.element(`<span hidden data-error="SecurityError NotSupportedError">`, m.Say("passkey.unable", nil), "</span>")
	m.element(`<span hidden data-error="Error">`, m.Say("passkey.failed", nil), "</span></span></div>\n")
}

// script is one that only some pages need.
func (m *markup) script(path string) {
	m.raw("<script defer")
	m.address("src", path)
	m.raw("></script>\n")
}

// above is what has to be read, scanned or kept before anything is typed.
func (m *markup) above(s *SignOn, l *layout) {
	r := &l.room
	if l.shown != nil {
		return
	}
	if s.View.Status == pushing && r.number != "" {
		m.element(`<p class="token number">`, r.number, "</p>\n")
	}
	if r.key != "" {
		m.pairing(cmp.Or(r.code, r.key), r.key)
	}
	m.kept(r.codes)
	if Waits(&s.View) {
		m.reading(s)
	}
}

// kept are codes to be written down.
func (m *markup) kept(codes []string) {
	if len(codes) == 0 {
		return
	}
	m.raw(`<ol class="codes" id="codes">`)
	for _, code := range codes {
		m.element("<li>", grouped(code), "</li>\n")
	}
	m.raw("</ol>\n")
	m.copying("codes")
}

// pairing is a QR code, and what can be typed instead.
func (m *markup) pairing(code, key string) {
	m.raw(`<div class="qr middle">`)
	m.picture(code, codeWidth)
	m.element(`</div><p class="small">`, m.Say("enrol.key", nil), "</p>\n")
	m.element(`<p class="key" id="key">`, grouped(key), "</p>\n")
	m.copying("key")
}

// codeWidth is the least width of a QR code, in pixels.
const codeWidth = 200

// picture draws a QR code at least so many pixels wide.
func (m *markup) picture(text string, least int) {
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil || text == "" {
		return
	}
	m.raw(`<div role="img"`)
	m.attr("aria-label", m.Say("form.code", nil))
	m.raw(">")
	m.squares(q.Bitmap(), least)
	m.raw("</div>")
}

// grouped puts what is typed by hand into groups of four.
func grouped(s string) string {
	if strings.ContainsAny(s, " -") {
		return s
	}
	var b strings.Builder
	for i, c := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// copying is a button that copies an element, which the script brings to light.
func (m *markup) copying(id string) {
	m.raw(`<p class="copy"><button class="link" type="button" hidden`)
	m.attr("data-copy", id)
	m.element("><span>", m.Say("page.copy", nil), "</span>")
	m.element(`<span hidden role="status">`, m.Say("page.copied", nil), "</span></button></p>\n")
}

// reading says that something is waited for. The script reads the page again now
// and then, until it has another step token; without one a link does.
func (m *markup) reading(s *SignOn) {
	waits, done := m.Say("push.waiting", nil), m.Say("push.approved", nil)
	if s.View.Status == pairing {
		waits, done = m.Say("pairing.waiting", nil), m.Say("pairing.paired", nil)
	}
	m.raw(`<p class="waiting" role="status"`)
	m.attr("data-read", s.View.Token)
	m.element(">", waits, "</p>\n")
	m.raw(`<noscript><a class="button after"`)
	m.address("href", s.Address)
	m.element(">", done, "</a></noscript>\n")
}
