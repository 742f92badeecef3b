package forms

import (
	"strconv"

	"doorward/runtime/flow"
	"doorward/runtime/form"
	"doorward/runtime/wording"
)

// binder writes the sheet of a form in a language.
type binder struct {
	*markup
	sheet   *sheet
	form    *form.Form
	heading int  // level of the last one
	primary bool // the one button of its kind was written
}

// bind writes a form in a language.
func (w *words) bind(f *form.Form) *sheet {
	b := &binder{markup: &markup{w, nil}, form: f, sheet: &sheet{form: f, title: f.Name}, heading: 1}
	for i, in := range f.Inputs() {
		b.sheet.fields = append(b.sheet.fields, b.state(i, in))
	}
	first := b.titled()
	for i := 0; i < len(f.Fields); {
		n := i + 1
		for n < len(f.Fields) && f.Fields[n].Row == f.Fields[i].Row {
			n++
		}
		b.row(f.Fields[i:n], i == first)
		i = n
	}
	if f.Submits() && !f.Has(form.SubmitButton) {
		b.element(`<button class="button" type="submit">`, b.Say("page.continue", nil), "</button>\n")
	}
	b.change(nil)
	return b.sheet
}

// change ends a strip with what changes behind it.
func (b *binder) change(draw func(m *markup, d *drawing)) {
	b.sheet.strips = append(b.sheet.strips, strip{b.cut(), draw})
}

// state is an input before anything is typed.
func (b *binder) state(i int, in flow.Field) Field {
	x := b.sheet.of(i)
	f := b.words.field(&in)
	f.ID, f.Label = "f"+strconv.Itoa(i), b.form.Say(x.Label, b.Lang)
	switch {
	case in.Name == x.Key:
	case x.Type == form.PasswordVerify:
		f.Required = x.Required
		if f.Label = b.form.Say(x.Again, b.Lang); f.Label == "" {
			f.Label = b.Say("form.again", wording.Params{"label": b.form.Say(x.Label, b.Lang)})
		}
	default:
		f.Label = b.form.Say(x.ExtensionLabel, b.Lang)
	}
	if x.Type == form.Captcha {
		f.Label = b.Say("form.person", nil)
	}
	if x.Rules && in.Name == x.Key && f.Autocomplete == "new-password" {
		f.Managed = "later" // the policy is not known before the page is
	}
	return f
}

// titled takes the title of the page from the heading that the form begins with,
// and returns the index of its field; -1 when it begins with something else.
func (b *binder) titled() int {
	for i := range b.form.Fields {
		switch x := &b.form.Fields[i]; x.Type {
		case form.Divider, form.EmptyField, form.ErrorDisplay:
		case form.TextBlob:
			if len(x.Content) > 0 && x.Content[0].Kind == form.Heading {
				if t := b.form.Say(flatten(x.Content[0].Spans), b.Lang); t != "" {
					b.sheet.title = t
					return i
				}
			}
			return -1
		default:
			return -1
		}
	}
	return -1
}

func flatten(spans []form.Span) form.Text {
	var t form.Text
	for _, s := range spans {
		t = append(t, s.Piece)
	}
	return t
}

// row writes what stands beside each other, in twelfths of the width.
func (b *binder) row(fields []form.Field, titled bool) {
	if len(fields) == 1 && (fields[0].Width == 0 || isButton(&fields[0]) || fields[0].Width > 95) {
		b.draw(&fields[0], titled)
		return
	}
	if len(fields) > 2 {
		b.raw(`<div class="row wide">` + "\n")
	} else {
		b.raw(`<div class="row">` + "\n")
	}
	for i := range fields {
		span := 12 / len(fields)
		if n := fields[i].Width; n > 0 && !isButton(&fields[i]) {
			span = min(max((n*12+50)/100, 1), 12)
		}
		b.raw("<div")
		b.attr("class", "w"+strconv.Itoa(span))
		b.raw(">")
		b.draw(&fields[i], titled && i == 0)
		b.raw("</div>\n")
	}
	b.raw("</div>\n")
}

func isButton(f *form.Field) bool {
	return f.Type == form.SubmitButton || f.Type == form.FlowButton || f.Type == form.FlowLink
}

// draw writes one field.
func (b *binder) draw(x *form.Field, titled bool) {
	switch x.Type {
	case form.TextField, form.Password, form.PasswordVerify, form.PhoneNumber:
		b.typed(x)
	case form.Radio, form.Checkbox:
		b.group(x)
	case form.Dropdown, form.Combobox:
		b.list(x)
	case form.SingleCheckbox:
		b.box(x)
	case form.SubmitButton, form.FlowButton, form.FlowLink:
		b.button(x)
	case form.TextBlob:
		b.blob(x, titled)
	case form.Divider:
		b.raw("<hr>\n")
	case form.EmptyField:
		b.raw("<div class=\"space\"></div>\n")
	case form.ErrorDisplay:
		if !b.sheet.tells {
			b.sheet.tells = true
			b.change(func(m *markup, d *drawing) { m.summary(d.problems) })
		}
	case form.Agreement:
		b.change(func(m *markup, d *drawing) { m.agreement(x, d) })
	case form.QRCode:
		b.change(func(m *markup, d *drawing) { m.code(x, d) })
	case form.Captcha:
		b.change(func(m *markup, d *drawing) { m.captcha(x, d) })
	case form.Polling:
		b.polling(x)
	case form.SocialLogin:
	}
}

// button writes a way on. The first that submits is the one primary action of the
// page; where nothing is submitted it is the first button.
func (b *binder) button(x *form.Field) {
	submits := x.Type == form.SubmitButton
	class := "button"
	switch {
	case x.Type == form.FlowLink:
		class = "link"
	case b.primary || !submits && b.form.Submits():
		class = "button quiet"
	default:
		b.primary = true
	}
	if x.Width > 0 && x.Width < 96 && x.Type != form.FlowLink {
		class += " sized w" + strconv.Itoa(max((x.Width*12+50)/100, 3))
	}
	place := map[string]string{"CENTER": " center", "RIGHT": " right"}[x.Align]
	if x.Type == form.FlowLink {
		b.raw("<p")
		b.attr("class", "way"+place)
		b.raw(">")
		place = ""
	}
	b.raw("<button")
	b.attr("class", class+place)
	b.raw(` type="submit"`)
	if !submits {
		b.raw(` form="ways" name="key"`)
		b.attr("value", x.Key)
	}
	b.element(">", b.form.Say(x.Label, b.Lang), "</button>")
	if x.Type == form.FlowLink {
		b.raw("</p>")
	}
	b.raw("\n")
}

// polling says that something is waited for. The script submits the form now and
// then; without one its button does.
func (b *binder) polling(x *form.Field) {
	if x.Quiet {
		b.raw(`<p class="still" role="status" data-poll>`)
	} else {
		b.raw(`<p class="waiting" role="status" data-poll>`)
	}
	b.element("", b.Say("page.waiting", nil), "</p>\n")
}
