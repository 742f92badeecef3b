package main_test

import (
	"slices"
	"strconv"
	"strings"

	"doorward/internal/browsertest"
)

// What is typed where something else would be right.
const (
	wrongPassword = "Wrong-Right-Horse-0"
	wrongCode     = "AAAAAAAA"
)

// window is somebody at a browser, before a page that asks something.
type window struct {
	*browsertest.Tab
	s        *onScreen
	nickname bool // it has been asked for one
	heard    int  // problems of the browser so far
}

// control is one input of a page.
type control struct {
	Name, Type, Value string
	Required, Checked bool
	Error             string // what stands beside it, and is told to those who do not see it
}

// controls are the inputs that a person finds on the page, in order.
func (v *window) controls() []control {
	v.s.x.Helper()
	return browsertest.Eval[[]control](v.Tab, `[...document.querySelectorAll("main form :is(input, select)")].filter(e => e.type !== "hidden" && e.name && e.checkVisibility()).map(e => {
		const error = e.closest(".field").querySelector(".error"), told = x => x && (x.getAttribute("aria-describedby") || "").split(" ").includes(error.id);
		return {Name: e.name, Type: e.type, Value: e.value, Required: e.required, Checked: !!e.checked, Error: error && (told(e) || told(e.closest("fieldset"))) ? error.innerText : ""};
	})`)
}

// sound is what the page is to everybody.
func (v *window) sound() {
	v.s.x.Helper()
	if v.s.look.NoScript {
		return
	}
	for _, dark := range []bool{true, false} {
		v.Resize(browsertest.Look{Dark: dark})
		for _, violation := range v.Violations() {
			v.s.x.Errorf("%s, dark %t: %s", v.Text("h1"), dark, violation)
		}
	}
}

// nothing sends a page that asks for something without an answer: beside what is
// required, and nothing else, stands that it is. A second time is asked for once.
func (v *window) nothing() {
	v.s.x.Helper()
	if !slices.ContainsFunc(v.controls(), func(c control) bool { return c.Required }) {
		return
	}
	v.Follow(primary)
	for _, c := range v.controls() {
		required := c.Required && !strings.HasSuffix(c.Name, "Verify")
		if (c.Error != "") != required && c.Type != "checkbox" { // several boxes are required together
			v.s.x.Errorf("beside %s stands %q", c.Name, c.Error)
		}
	}
}

// wrongly fills the page in with one thing wrong, if anything can be that: it comes
// back, says so beside it and nowhere else, and holds the rest, but for passwords.
func (v *window) wrongly(g *guest) bool {
	v.s.x.Helper()
	lie, text := lied(v.controls())
	if lie == "" {
		return false
	}
	title := v.Text("h1")
	v.fill(g, lie, text)
	typed := v.controls()
	v.Follow(primary)
	now := v.controls()
	if v.Text("h1") != title || len(now) != len(typed) {
		v.s.x.Fatalf("with %s wrong, %q is followed by %s", lie, title, v.Text("body"))
	}
	for i, c := range now {
		want := typed[i]
		if want.Type == "password" {
			want.Value = ""
		}
		if (c.Error != "") != (c.Name == lie) || c.Name != lie && (c.Value != want.Value || c.Checked != want.Checked) {
			v.s.x.Errorf("with %s wrong, %+v has become %+v", lie, want, c)
		}
	}
	return true
}

// lied says what can be wrong on a page that is filled in whole, or else what can
// be left out.
func lied(asked []control) (name, text string) {
	for _, c := range asked {
		switch {
		case strings.HasSuffix(c.Name, "Verify"):
			return c.Name, wrongPassword
		case strings.HasSuffix(c.Name, "Code"):
			name, text = c.Name, wrongCode
		case c.Type == "password" && text == "":
			name, text = c.Name, wrongPassword
		case c.Required && len(asked) > 1 && text == "":
			name = c.Name
		}
	}
	return name, text
}

// fill answers what the page asks, each input as its type wants it. lie is the
// name of one that is not answered, and what it is given instead.
func (v *window) fill(g *guest, lie ...string) {
	v.s.x.Helper()
	for _, c := range v.controls() {
		at, text := named(c.Name), v.answer(g, c, lie)
		v.s.filled[c.Type], v.nickname = true, v.nickname || strings.HasSuffix(c.Name, ".nickname")
		switch c.Type {
		case "text", "email", "tel", "password":
			if text != c.Value {
				v.Fill(at, text)
			}
		case "radio", "checkbox":
			if (text == c.Value) != c.Checked {
				v.Click(at + `[value="` + c.Value + `"]`)
			}
		case "select-one":
			browsertest.Eval[any](v.Tab, `document.querySelector(`+strconv.Quote(at)+`).focus()`)
			v.Press(text) // the option that begins with it
		default:
			v.s.x.Fatalf("nobody knows how %s is filled in: %+v", c.Name, c)
		}
	}
}

// answer is what a control is given.
func (v *window) answer(g *guest, c control, lie []string) string {
	v.s.x.Helper()
	if len(lie) > 0 && c.Name == lie[0] {
		return lie[1]
	}
	text := g.says(c.Name)
	if text == "" && c.Required {
		v.s.x.Fatalf("nobody knows what %s is: %s", c.Name, v.Text("body"))
	}
	return text
}
