package forms

import (
	"slices"
	"strconv"

	"doorward/runtime/flow"
	"doorward/runtime/form"
)

// marked writes a label and, as the form wants it, whether the field is required.
func (b *binder) marked(label string, required bool) {
	b.text(label)
	switch {
	case required && b.form.MarkRequired:
		b.element(" <span>", b.Say("field.required", nil), "</span>")
	case !required && b.form.MarkOptional:
		b.element(" <span>", b.Say("field.optional", nil), "</span>")
	}
}

// typed writes an input for the keyboard, and a second one behind it where the
// field has one.
func (b *binder) typed(x *form.Field) {
	for i := x.Input; i < len(b.sheet.fields) && b.sheet.of(i) == x; i++ {
		b.input(i, x)
	}
}

func (b *binder) input(i int, x *form.Field) {
	f := &b.sheet.fields[i]
	b.raw(`<div class="field"><label`)
	b.attr("for", f.ID)
	if f.Secret {
		b.attr("id", f.ID+"-label")
	}
	b.raw(">")
	b.marked(f.Label, f.Required)
	b.raw("</label>\n" + `<div class="box"><input`)
	b.attr("type", f.Input)
	b.attr("id", f.ID)
	b.attr("name", f.Name)
	if f.Code {
		b.raw(` class="code" inputmode="text"`)
	}
	if f.Name != x.Key && x.Type == form.PhoneNumber {
		b.raw(` inputmode="numeric"`)
	}
	b.some("autocomplete", f.Autocomplete)
	b.flag("required", f.Required)
	if f.Capitalize != "" {
		b.attr("autocapitalize", f.Capitalize)
		b.raw(` spellcheck="false"`)
	}
	b.change(func(m *markup, d *drawing) {
		now := &d.state.Fields[i]
		m.some("value", now.Value)
		if now.MinLength > 0 {
			m.number("minlength", now.MinLength)
		}
		m.some("passwordrules", now.Managed)
		m.state(now)
	})
	b.raw(">")
	if f.Secret {
		b.reveal(f)
	}
	b.raw("</div>")
	b.beneath(i)
	b.raw("</div>\n")
}

// beneath leaves room for what is wrong with an input, and for its rules.
func (b *binder) beneath(i int) {
	b.change(func(m *markup, d *drawing) { m.beside(&d.state.Fields[i]) })
}

// box writes one box to tick.
func (b *binder) box(x *form.Field) {
	i := x.Input
	f := &b.sheet.fields[i]
	b.raw(`<div class="field"><label class="check"`)
	b.attr("for", f.ID)
	b.raw(`><input type="checkbox"`)
	if x.Switch {
		b.raw(` role="switch" class="switch"`)
	}
	b.attr("id", f.ID)
	b.attr("name", f.Name)
	b.raw(` value="true"`)
	b.flag("required", f.Required)
	b.change(func(m *markup, d *drawing) {
		now := &d.state.Fields[i]
		m.flag("checked", now.Value != "")
		m.state(now)
	})
	b.raw("><span class=\"says\">")
	b.marked(f.Label, f.Required)
	b.raw("</span></label>")
	b.beneath(i)
	b.raw("</div>\n")
}

// group writes options to choose from, each with its box.
func (b *binder) group(x *form.Field) {
	i := x.Input
	f := &b.sheet.fields[i]
	b.raw("<fieldset class=\"field\"")
	b.change(func(m *markup, d *drawing) { m.some("aria-describedby", d.state.Fields[i].Described) })
	b.raw("><legend>")
	b.marked(f.Label, f.Required)
	b.raw("</legend>\n")
	if x.Across {
		b.raw("<div class=\"across\">")
	} else {
		b.raw("<div>")
	}
	for n, o := range x.Options {
		b.option(x, n, o.Value, b.form.Say(o.Label, b.Lang))
	}
	if x.Free && x.Type == form.Radio {
		b.option(x, len(x.Options), "", b.other(x))
	}
	b.raw("</div>\n")
	if x.Free {
		b.free(x)
	}
	b.beneath(i)
	b.raw("</fieldset>\n")
}

// option writes the n-th option of a group. Without a value it is the one that
// goes with what is typed.
func (b *binder) option(x *form.Field, n int, value, label string) {
	i := x.Input
	f := &b.sheet.fields[i]
	id, name := f.ID, f.Name
	if n > 0 {
		id += "-" + strconv.Itoa(n)
	}
	b.raw(`<label class="check"`)
	b.attr("for", id)
	if x.Type == form.Radio {
		b.raw(`><input type="radio"`)
		b.flag("required", f.Required)
	} else {
		b.raw(`><input type="checkbox"`)
		name += "." + strconv.Itoa(n)
	}
	b.attr("id", id)
	b.attr("name", name)
	b.attr("value", value)
	b.change(func(m *markup, d *drawing) {
		if value == "" {
			m.flag("checked", d.beside(x) != "")
		} else {
			m.flag("checked", slices.Contains(d.chosen[i], value))
		}
		m.flag("autofocus", n == 0 && d.state.Fields[i].Focus)
	})
	b.element(`><span class="says">`, label, "</span></label>\n")
}

// beside is what was typed beside the options.
func (d *drawing) beside(x *form.Field) string {
	for _, v := range d.chosen[x.Input] {
		if !slices.ContainsFunc(x.Options, func(o form.Option) bool { return o.Value == v }) {
			return v
		}
	}
	return ""
}

// other is how the choice is called that none of the options is.
func (b *binder) other(x *form.Field) string {
	if s := b.form.Say(x.Other, b.Lang); s != "" {
		return s
	}
	return b.Say("form.other", nil)
}

// free writes the input for what is none of the options.
func (b *binder) free(x *form.Field) {
	f := &b.sheet.fields[x.Input]
	label := b.form.Say(x.Typed, b.Lang)
	if label == "" {
		label = b.other(x)
	}
	b.raw(`<div class="free"><label`)
	b.attr("for", f.ID+"-other")
	b.element(">", label, "</label>\n"+`<input type="text"`)
	b.attr("id", f.ID+"-other")
	b.attr("name", f.Name+form.OtherSuffix)
	b.change(func(m *markup, d *drawing) { m.some("value", d.beside(x)) })
	b.raw("></div>\n")
}

// list writes options to choose one from in a list.
func (b *binder) list(x *form.Field) {
	i := x.Input
	f := &b.sheet.fields[i]
	b.raw(`<div class="field"><label`)
	b.attr("for", f.ID)
	b.raw(">")
	b.marked(f.Label, f.Required)
	b.raw("</label>\n<div class=\"box pick\"><select")
	b.attr("id", f.ID)
	b.attr("name", f.Name)
	b.some("autocomplete", f.Autocomplete)
	b.flag("required", f.Required && !x.Free)
	b.change(func(m *markup, d *drawing) { m.state(&d.state.Fields[i]) })
	first := b.Say("form.choose", nil)
	if x.Free {
		first = b.other(x)
	}
	b.element(`><option value="">`, first, "</option>\n")
	for _, o := range x.Options {
		value := o.Value
		b.raw("<option")
		b.attr("value", value)
		b.change(func(m *markup, d *drawing) { m.flag("selected", slices.Contains(d.chosen[i], value)) })
		b.element(">", b.form.Say(o.Label, b.Lang), "</option>\n")
	}
	b.raw("</select></div>\n")
	if x.Free {
		b.free(x)
	}
	b.beneath(i)
	b.raw("</div>\n")
}

// captcha writes what tells people from programs. What the provider's script or
// ours puts in goes back under the field's name.
func (m *markup) captcha(x *form.Field, d *drawing) {
	c, ok := d.s.View.Values[x.Key].(form.Challenge)
	now := &d.state.Fields[x.Input]
	switch {
	case !ok:
		return
	case c.Provider == form.GoogleCaptcha:
		m.raw(`<div class="field"><div`)
		m.attr("class", "g-recaptcha"+map[string]string{"CENTER": " center", "RIGHT": " right"}[x.Align])
		m.attr("data-sitekey", c.SiteKey)
		m.attr("data-theme", map[string]string{"DARK": "dark"}[x.Theme])
		m.attr("data-size", map[string]string{"COMPACT": "compact"}[x.Size])
		m.raw(`></div><noscript><p>`)
		m.element("", m.Say("form.scripts", nil), "</p></noscript>\n"+`<script src="https://www.google.com/recaptcha/api.js" async defer></script>`)
		m.raw(`<p class="aloud" tabindex="-1"`)
		m.attr("id", now.ID)
		m.element(">", now.Label, "</p>")
	default:
		m.work(c, now)
	}
	m.beside(now)
	m.raw("</div>\n")
}

// work writes a proof of work: a question, which the script answers by working.
func (m *markup) work(c form.Challenge, now *Field) {
	m.raw(`<div class="field proof"`)
	m.attr("data-challenge", c.Data)
	m.number("data-bits", c.Bits)
	m.raw(`><p class="waiting" role="status" hidden>`)
	m.element("", m.Say("form.working", nil), "</p>\n<div>")
	if c.Question == "" {
		m.raw("<noscript><p>")
		m.element("", m.Say("form.scripts", nil), "</p></noscript>")
		m.raw(`<input type="hidden"`)
	} else {
		m.raw("<label")
		m.attr("for", now.ID)
		m.element(">", c.Question, "</label>\n"+`<input type="text" autocomplete="off"`)
	}
	m.attr("id", now.ID)
	m.attr("name", now.Name)
	if c.Question != "" {
		m.state(now)
	}
	m.raw("></div>\n")
}

// ThirdParty reports whether the page of a view takes a script from Google, and
// shows what it makes, which its content security policy has to let in.
func ThirdParty(v *flow.View) bool {
	f, ok := v.Form.(*form.Form)
	if !ok {
		return false
	}
	for i := range f.Fields {
		if c, ok := v.Values[f.Fields[i].Key].(form.Challenge); ok && c.Provider == form.GoogleCaptcha {
			return true
		}
	}
	return false
}
