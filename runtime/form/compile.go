package form

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"doorward/runtime/document"
)

const (
	maxRow    = 50
	maxInputs = 200 // that a page may post, boxes counted one by one
	maxLabel  = 4 << 10
	maxBlob   = 64 << 10
	mostItems = 1000 // fields of a form, options of a field
	maxWord   = 1000
	maxKey    = 100
)

// Compile checks a form and makes it ready to be drawn and to be judged by. The
// error is a document.Faults with everything that is wrong.
func Compile(body json.RawMessage) (*Form, error) {
	c := compiler{f: &Form{names: map[string]int{}, objects: map[string]bool{"user": true}}, places: map[[2]int]bool{}, taken: map[string]document.Path{}}
	switch {
	case !utf8.Valid(body):
		c.faults.Add(document.Root, "is not UTF-8")
	case !json.Valid(body):
		c.faults.Add(document.Root, "is not one JSON value")
	default:
		if o, ok := document.Open(document.Root, body, &c.faults); ok {
			c.form(o)
		}
	}
	if err := c.faults.Err(); err != nil {
		return nil, err
	}
	c.finish()
	return c.f, nil
}

// compiler collects what is wrong with one form.
type compiler struct {
	f      *Form
	faults document.Faults
	places map[[2]int]bool
	taken  map[string]document.Path // keys, and what is named after them
	outs   map[string]bool          // keys of buttons
	boxes  int                      // inputs that a page posts
}

// isKey reports whether s is letters, digits, hyphens and underscores, with dots
// between them, and no underscore at the front.
func isKey(s string) bool {
	if strings.HasPrefix(s, "_") {
		return false
	}
	for part := range strings.SplitSeq(s, ".") {
		strange := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '_' && r != '-' }
		if part == "" || strings.ContainsFunc(part, strange) {
			return false
		}
	}
	return true
}

func (c *compiler) form(o document.Object) {
	f := c.f
	o.Ignore("fieldTypes", "created", "modified", "environment", "_links", "passwordAutoCompleteEnabled", "textAutoCompleteEnabled")
	f.ID, f.Description = o.Text("id", 64), o.Text("description", 4096)
	if o.Need("name") {
		f.Name = o.Text("name", 256)
	}
	if o.Need("category") {
		f.Category = Category(o.One("category", string(Registration), string(SelfService), string(Profiling), string(Custom)))
	}
	o.Number("cols", 1, 4)
	for _, name := range []string{"markRequired", "markOptional"} {
		o.Need(name)
	}
	f.MarkRequired, f.MarkOptional = o.Flag("markRequired"), o.Flag("markOptional")
	f.words.method = o.One("translationMethod", translate, defaultValue, showKey)
	f.words.bundle = c.bundle(&o, "languageBundle")
	c.translations(&o)
	if o.Need("components") {
		if parts, ok := o.Object("components"); ok {
			parts.Ignore("button")
			c.fields(&parts)
			parts.End("components, which has fields")
		}
	}
	o.End("a form")
}

// bundle reads texts by key.
func (c *compiler) bundle(o *document.Object, name string) map[string]string {
	texts, ok := o.Object(name)
	if !ok {
		return nil
	}
	out := map[string]string{}
	for _, key := range texts.Names() {
		out[key] = texts.Text(key, maxWord)
	}
	return out
}

// translations are ours: texts by language and key.
func (c *compiler) translations(o *document.Object) {
	all, ok := o.Object("translations")
	if !ok {
		return
	}
	c.f.words.translations = map[string]map[string]string{}
	for _, name := range all.Names() {
		if _, err := language.Parse(name); err != nil {
			all.Wrong(name, "is no language, such as de or pt-BR")
		}
		c.f.words.translations[name] = c.bundle(&all, name)
	}
}

func (c *compiler) fields(parts *document.Object) {
	if !parts.Need("fields") {
		return
	}
	at := parts.At.Member("fields")
	list := parts.List("fields", mostItems)
	if len(list) == 0 {
		c.faults.Add(at, "takes at least one field")
	}
	for i, raw := range list {
		if o, ok := document.Open(at.Index(i), raw, &c.faults); ok {
			c.field(&o)
		}
	}
	if c.boxes > maxInputs {
		c.faults.Add(at, fmt.Sprintf("ask for %d inputs, each box counted; a form takes at most %d", c.boxes, maxInputs))
	}
	c.waits(at)
}

// waits holds that a form which submits itself asks nobody to fill in anything.
func (c *compiler) waits(at document.Path) {
	if !c.f.Has(Polling) {
		return
	}
	for i := range c.f.Fields {
		if c.f.Fields[i].Input >= 0 {
			c.faults.Add(at, "POLLING submits the form by itself, and cannot stand beside fields that somebody fills in")
			return
		}
	}
}

// position reads where a field stands.
func (c *compiler) position(o *document.Object, f *Field) {
	if !o.Need("position") {
		return
	}
	p, ok := o.Object("position")
	if !ok {
		return
	}
	there := p.Need("row") && p.Need("col")
	f.Row, f.Col, f.Width = p.Number("row", 0, maxRow), p.Number("col", 0, 4), p.Number("width", 0, 100)
	p.End("a position, which has row, col and width")
	if place := [2]int{f.Row, f.Col}; there && c.places[place] {
		c.faults.Add(p.At, fmt.Sprintf("row %d, col %d is taken by another field", f.Row, f.Col))
	} else {
		c.places[place] = true
	}
}

// visible reads whether a field is shown. There is nothing on a page of ours that
// would show it later, so that what is hidden by default is not there at all.
func (c *compiler) visible(o *document.Object) bool {
	v, ok := o.Object("visibility")
	if !ok {
		return true
	}
	const always = "ALWAYS_VISIBLE"
	kind := ""
	if v.Need("type") {
		kind = v.One("type", always, "SHOW_BY_DEFAULT", "HIDE_BY_DEFAULT")
	}
	if kind != "" && kind != always {
		v.Need("key")
	}
	v.Text("key", maxKey)
	v.End("visibility, which has type and key")
	return kind != "HIDE_BY_DEFAULT"
}

// name reads the key of a field and holds that nothing else goes by it.
func (c *compiler) name(o *document.Object, suffixes ...string) string {
	key := o.Text("key", maxKey)
	switch {
	case key == "":
		return ""
	case !isKey(key):
		o.Wrong("key", "takes names of letters, digits, - and _ with dots between them, such as user.email; the first begins with a letter, a digit or -")
		return ""
	case strings.Count(key, ".") > 4:
		o.Wrong("key", "has more than 5 names")
		return ""
	}
	for _, name := range append([]string{key}, suffixed(key, suffixes)...) {
		if other, is := c.taken[name]; is {
			o.Wrong("key", fmt.Sprintf("%s is taken by %s", name, other))
		}
		for other, at := range c.taken {
			if strings.HasPrefix(other, name+".") || strings.HasPrefix(name, other+".") {
				o.Wrong("key", fmt.Sprintf("%s and %s of %s cannot both be: one is an object that the other lies in", name, other, at))
				break
			}
		}
	}
	for _, name := range append([]string{key}, suffixed(key, suffixes)...) {
		c.taken[name] = o.At
	}
	return key
}

func suffixed(key string, suffixes []string) []string {
	out := make([]string, len(suffixes))
	for i, s := range suffixes {
		out[i] = key + s
	}
	return out
}

// content reads plain text or a Slate tree.
func (c *compiler) content(o *document.Object, name string, most int) []Block {
	blocks, complaint := slate(o.Text(name, most))
	if complaint != "" {
		o.Wrong(name, complaint)
	}
	return blocks
}

// label reads a text; needed, one that says something.
func (c *compiler) label(o *document.Object, name string, needed bool) Text {
	t := flat(c.content(o, name, maxLabel))
	if needed && t.blank() {
		o.Wrong(name, "is required: people and their screen readers know the field by it")
	}
	return t
}
