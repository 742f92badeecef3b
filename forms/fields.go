package forms

// field is one input: its label above, its hint under the label, its error and
// its rules below.
func (m *markup) field(f *Field) {
	switch {
	case f.Fixed:
		m.raw(`<input type="text" hidden`)
		if f.Posted {
			m.attr("name", f.Name)
		} else {
			m.raw(` id="who"`)
		}
		m.attr("value", f.Value)
		m.attr("autocomplete", f.Autocomplete)
		m.raw(">\n")
	case f.Box:
		m.raw(`<div class="field"><label class="check"`)
		m.attr("for", f.ID)
		m.raw(`><input type="checkbox"`)
		m.attr("id", f.ID)
		m.attr("name", f.Name)
		m.raw(` value="true"`)
		m.flag("checked", f.Value != "")
		m.state(f)
		m.element(`> `, f.Label, `</label>`)
		m.beside(f)
		m.raw("</div>\n")
	case len(f.Options) > 0:
		m.chosen(f)
	default:
		m.typed(f)
	}
}

// typed is an input for the keyboard.
func (m *markup) typed(f *Field) {
	m.raw(`<div class="field"><label`)
	m.attr("for", f.ID)
	if f.Secret {
		m.attr("id", f.ID+"-label")
	}
	m.element(">", f.Label, "")
	if !f.Required {
		m.element(" <span>", m.Say("field.optional", nil), "</span>")
	}
	m.raw("</label>\n")
	if f.Hint != "" {
		m.raw(`<p class="hint"`)
		m.attr("id", f.ID+"-hint")
		m.element(">", f.Hint, "</p>\n")
	}
	m.raw(`<div class="box"><input`)
	m.attr("type", f.Input)
	m.attr("id", f.ID)
	m.attr("name", f.Name)
	switch {
	case f.Digits:
		m.raw(` class="code" inputmode="numeric"`)
	case f.Code:
		m.raw(` class="code" inputmode="text"`)
	}
	m.some("value", f.Value)
	if f.Passkeys {
		m.attr("autocomplete", f.Autocomplete+" webauthn")
	} else {
		m.some("autocomplete", f.Autocomplete)
	}
	m.flag("required", f.Required)
	if f.Capitalize != "" {
		m.attr("autocapitalize", f.Capitalize)
		m.raw(` spellcheck="false"`)
	}
	if f.MinLength > 0 {
		m.number("minlength", f.MinLength)
	}
	m.some("passwordrules", f.Managed)
	m.state(f)
	m.raw(">")
	if f.Secret {
		m.reveal(f)
	}
	m.raw("</div>")
	m.beside(f)
	m.raw("</div>\n")
}

// chosen is an input for one of a list. The first of it stands for none.
func (m *markup) chosen(f *Field) {
	m.raw(`<div class="field"><label`)
	m.attr("for", f.ID)
	m.element(">", f.Label, "</label>\n")
	if f.Hint != "" {
		m.raw(`<p class="hint"`)
		m.attr("id", f.ID+"-hint")
		m.element(">", f.Hint, "</p>\n")
	}
	m.raw(`<div class="box pick"><select`)
	m.attr("id", f.ID)
	m.attr("name", f.Name)
	m.some("autocomplete", f.Autocomplete)
	m.state(f)
	m.raw(">")
	for _, o := range f.Options {
		m.raw("<option")
		m.attr("value", o[0])
		if f.Name == "language" {
			m.some("lang", o[0])
		}
		m.flag("selected", o[0] == f.Value)
		m.element(">", o[1], "</option>")
	}
	m.raw("</select></div>\n")
	m.beside(f)
	m.raw("</div>\n")
}

// reveal is the button to look at a password, which the script brings to light.
func (m *markup) reveal(f *Field) {
	m.raw(`<button class="reveal" type="button" hidden`)
	m.attr("id", f.ID+"-reveal")
	m.attr("aria-controls", f.ID)
	m.attr("aria-labelledby", f.ID+"-reveal "+f.ID+"-label")
	m.element("><span>", m.Say("field.show", nil), "</span>")
	m.element("<span hidden>", m.Say("field.hide", nil), "</span></button>")
}

// state is what an input is at the moment.
func (m *markup) state(f *Field) {
	if f.Error != "" {
		m.raw(` aria-invalid="true"`)
	}
	m.some("aria-describedby", f.Described)
	m.flag("autofocus", f.Focus)
}

// beside is what is said of an input: what is wrong, and what is wanted.
func (m *markup) beside(f *Field) {
	if f.Error != "" {
		m.raw(`<div class="error"`)
		m.attr("id", f.ID+"-error")
		if f.Focus {
			m.raw(` role="alert"`)
		}
		m.element(">"+iconAlert+"<span>", f.Error, "</span></div>\n")
	}
	if len(f.Rules) > 0 {
		m.rules(f)
	}
}

// rules lists what a new password needs. The script ticks off what it can judge;
// the words it says for that come along.
func (m *markup) rules(f *Field) {
	m.raw(`<div class="rules"`)
	m.attr("id", f.ID+"-rules")
	m.attr("data-met", m.Say("rules.met", nil))
	m.element("><p>", m.Say("rules.title", nil), "</p>\n<ul>")
	for i := range f.Rules {
		r := &f.Rules[i]
		m.raw("<li")
		m.some("data-check", r.Check)
		m.flag("data-short", r.Short)
		if r.Unmet {
			m.element(` class="unmet">`+iconRule+`<span class="aloud">`, m.Say("rules.unmet", nil), "</span> ")
		} else {
			m.raw(">" + iconRule + `<span class="aloud"></span> `)
		}
		m.element("<span>", r.Text, "</span></li>\n")
	}
	m.element(`</ul><p class="aloud" role="status"><span hidden>`, m.Say("rules.all", nil), "</span></p></div>\n")
}
