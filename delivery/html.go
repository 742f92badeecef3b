package delivery

import (
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// html is the mail as a page. Mail programs know few styles and no sheets: each element
// has its own.
func (c draft) html() (string, error) {
	var b strings.Builder
	err := h.Doctype(h.HTML(h.Lang(c.Lang),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			h.Meta(h.Name("color-scheme"), h.Content("light dark")),
			h.Meta(h.Name("supported-color-schemes"), h.Content("light dark")),
			h.TitleEl(g.Text(c.own("subject"))),
		),
		h.Body(h.Style("margin:0;padding:32px 16px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Noto Sans',sans-serif"),
			h.Div(h.Style("max-width:400px;margin:0 auto"),
				c.sender(),
				h.H1(h.Style("margin:0 0 16px;font-size:24px;line-height:32px;font-weight:600"), g.Text(c.own("title"))),
				paragraph(body, c.told("hello")),
				paragraph(body, c.own("lead")),
				paragraph(body, c.told("account")),
				c.fillIn(),
				paragraph(body, c.own("next")),
				paragraph(body, c.own("stranger")),
				paragraph("margin:32px 0 0;font-size:14px", c.word("footer")),
			),
		),
	)).Render(&b)
	return b.String(), err
}

const body = "margin:0 0 16px"

// paragraph is a text, if there is one.
func paragraph(style, text string) g.Node {
	if text == "" {
		return nil
	}
	return h.P(h.Style(style), g.Text(text))
}

// sender is whose mail it is.
func (c draft) sender() g.Node {
	if c.logo == "" {
		return h.P(h.Style("margin:0 0 24px;font-weight:600"), g.Text(c.params["name"]))
	}
	return h.P(h.Style("margin:0 0 24px"),
		h.Img(h.Src(c.logo), h.Alt(c.params["name"]), h.Height("40"), h.Style("display:block;height:40px;max-width:100%;border:0")))
}

// fillIn is the code, and the link that fills it in.
func (c draft) fillIn() g.Node {
	if c.code == nil {
		return nil
	}
	groups := make([]g.Node, len(c.code))
	for i, group := range c.code {
		groups[i] = h.Span(g.If(i > 0, h.Style("margin-left:12px")), g.Text(group))
	}
	return g.Group{
		h.P(h.Style("margin:24px 0 8px;font:600 28px/40px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;letter-spacing:4px;-webkit-user-select:all;user-select:all"), g.Group(groups)),
		paragraph("margin:0 0 24px", c.valid),
		g.If(c.link != "", g.Group{
			h.P(h.Style("margin:0 0 8px"), h.A(h.Href(c.link),
				h.Style("display:block;padding:10px 24px;border:1px solid #1d5bd6;border-radius:6px;background:#1d5bd6;color:#ffffff;font-weight:600;line-height:22px;text-align:center;text-decoration:none"),
				g.Text(c.own("action")))),
			paragraph("margin:0 0 24px;font-size:14px", c.word("browser")),
		}),
	}
}
