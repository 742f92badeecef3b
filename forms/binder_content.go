package forms

import (
	"cmp"
	"strconv"

	"doorward/runtime/form"
)

// blob writes a text with its icon. The heading that became the page's title is
// not said again.
func (b *binder) blob(x *form.Field, titled bool) {
	blocks := x.Content
	if titled {
		blocks = blocks[1:]
	}
	if len(blocks) == 0 && (x.Icon == "" || x.Icon == "NONE") {
		return
	}
	b.raw(`<div class="blob">`)
	if path, ok := iconPaths()[x.Icon]; ok {
		b.raw("<div")
		b.attr("class", "icon "+map[string]string{"SMALL": "small-icon", "LARGE": "large-icon"}[x.Size])
		b.raw(">" + svg)
		b.raw(path)
		b.raw("</svg></div>")
	}
	for i := range blocks {
		b.block(&blocks[i])
	}
	b.raw("</div>\n")
}

func (b *binder) block(x *form.Block) {
	switch x.Kind {
	case form.Line:
		b.raw("<hr>\n")
	case form.List, form.Numbers:
		var open, closing constant = "<ul>", "</ul>\n"
		if x.Kind == form.Numbers {
			open, closing = "<ol>", "</ol>\n"
		}
		b.raw(open)
		for _, item := range x.Items {
			b.raw("<li>")
			b.spans(item)
			b.raw("</li>")
		}
		b.raw(closing)
	case form.Heading:
		if b.form.Say(flatten(x.Spans), b.Lang) == "" {
			return
		}
		// the page's title is its one h1, and no level is left out
		b.heading = min(x.Level+1, b.heading+1, 6)
		tag := headings()[b.heading-2]
		b.raw(tag.open)
		b.spans(x.Spans)
		b.raw(tag.closing)
	case form.Paragraph:
		if b.form.Say(flatten(x.Spans), b.Lang) == "" {
			return
		}
		b.raw("<p>")
		b.spans(x.Spans)
		b.raw("</p>\n")
	}
}

// headings are the levels below the page's title.
func headings() [5]struct{ open, closing constant } {
	return [5]struct{ open, closing constant }{{"<h2>", "</h2>\n"}, {"<h3>", "</h3>\n"}, {"<h4>", "</h4>\n"}, {"<h5>", "</h5>\n"}, {"<h6>", "</h6>\n"}}
}

// spans writes text with its links, which open beside the page: what was typed
// here stays.
func (b *binder) spans(spans []form.Span) {
	for _, s := range spans {
		text := b.form.Piece(s.Piece, b.Lang)
		if s.Link != "" {
			b.raw("<a")
			b.address("href", s.Link)
			b.raw(` target="_blank" rel="noopener noreferrer">`)
		}
		if s.Strong {
			b.element("<strong>", text, "</strong>")
		} else {
			b.text(text)
		}
		if s.Link != "" {
			b.raw("</a>")
		}
	}
}

// iconPaths are the icons of texts by their names, 20 units high. Source:
// reference/management.md 3.4.
func iconPaths() map[string]constant {
	return map[string]constant{
		"AGREEMENT":    `<path d="M5 2.5h7l3 3v12H5zM8 9h4M8 12h4"/>`,
		"ALERT":        `<path d="M10 3 1.8 17h16.4zM10 8.5v4M10 14.6v.1"/>`,
		"CALL":         `<path d="M5 2.5 8 3l1 4-2 1.5a9 9 0 0 0 4.5 4.5L13 11l4 1 .5 3c0 1.500-1 2.500-2.500 2.500C8.500 17.500 2.500 11.500 2.500 5c0-1.500 1-2.500 2.500-2.500z"/>`,
		"FAILURE":      circle + `<path d="m7 7 6 6M13 7l-6 6"/>`,
		"FINGERPRINT":  `<path d="M4 11V9.500a6 6 0 0 1 12 0V12M7 17c-.6-2-.5-4-.5-7a3.500 3.500 0 0 1 7 0c0 3 0 5-.7 7M10 10c0 3 0 5-.5 7.500"/>`,
		"LINK":         `<path d="m8.500 11.500 3-3M7.500 9 5 11.500a2.500 2.500 0 0 0 3.500 3.500L11 12.500M9 7.500 11.500 5A2.500 2.500 0 0 1 15 8.500L12.500 11"/>`,
		"MAIL":         `<path d="M2.500 4.500h15v11h-15zM3 5l7 6 7-6"/>`,
		"MOBILE_PHONE": `<path d="M6 1.500h8v17H6zM9 16h2"/>`,
		"PASSKEY":      `<circle cx="7" cy="7" r="3.500"/><path d="M2 17c.6-3 2.500-4.500 5-4.500 1.200 0 2.200.3 3 1M14.500 11a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM14.500 11v6M14.500 14H16"/>`,
		"SUCCESS":      circle + `<path ` + tick + `/>`,
		"QR_CODE":      `<path d="M3 3h5v5H3zM12 3h5v5h-5zM3 12h5v5H3zM12 12h2v2M17 12v5h-3"/>`,
		"TEXT_MESSAGE": `<path d="M2.500 4h15v10H9l-4 3.500V14H2.500zM6.500 9h.1M10 9h.1M13.500 9h.1"/>`,
		"USB_KEY":      `<path d="M6 8h8v10H6zM7.500 8V2.500h5V8"/>`,
	}
}

// agreement writes the terms that the step read.
func (m *markup) agreement(x *form.Field, d *drawing) {
	t, ok := d.s.View.Values[x.Key].(form.Terms)
	if !ok {
		return
	}
	if x.Titled && t.Title != "" {
		m.element(`<p class="over">`, t.Title, "</p>\n")
	}
	if t.Title == "" {
		t.Title = m.Say("form.terms", nil)
	}
	m.terms(terms{t.Title, t.Paragraphs})
}

// code writes a QR code as the step fills it, and what to do without a camera.
func (m *markup) code(x *form.Field, d *drawing) {
	text, _ := d.s.View.Values[x.Key].(string)
	m.raw("<div")
	m.attr("class", "qr"+map[string]string{"CENTER": " center", "RIGHT": " right"}[x.Align])
	m.raw(">")
	m.picture(text, cmp.Or(map[string]int{"SMALL": 144, "LARGE": 280}[x.Size], codeWidth))
	if f := d.sheet.form.Say(x.Fallback, m.Lang); f != "" {
		m.element("<p>", f, "</p>")
	}
	m.raw("</div>\n")
}

// squares draws what is dark, a run of it at a time. It is at least so many pixels
// wide: more where a square would not be whole pixels, since uneven ones are hard to
// read for a camera.
func (m *markup) squares(dark [][]bool, least int) {
	n := len(dark)
	width := strconv.Itoa((least + n - 1) / n * n)
	m.raw("<svg")
	m.attr("width", width)
	m.attr("height", width)
	m.attr("viewBox", "0 0 "+strconv.Itoa(n)+" "+strconv.Itoa(n))
	m.raw(` aria-hidden="true" shape-rendering="crispEdges"><path d="`)
	for y, row := range dark {
		for x := 0; x < len(row); x++ {
			run := 0
			for x+run < len(row) && row[x+run] {
				run++
			}
			if run > 0 {
				m.text("M" + strconv.Itoa(x) + " " + strconv.Itoa(y) + "h" + strconv.Itoa(run) + "v1h-" + strconv.Itoa(run) + "z")
				x += run
			}
		}
	}
	m.raw(`"/></svg>`)
}
