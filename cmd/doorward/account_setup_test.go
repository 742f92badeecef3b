package main_test

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	visit "doorward/internal/journey"
)

// walker is a person with a browser and no scripts: they open pages, follow where they
// are led, and press buttons.
type walker struct {
	*visit.Client
	x    *trial
	at   string // path and query of the page
	page *visit.Answer
	doc  *html.Node
}

func (x *trial) walker() *walker { return &walker{Client: x.browser(), x: x} }

// open opens a page and follows redirects to where they end.
func (w *walker) open(target string) *walker {
	w.x.Helper()
	return w.arrive(target, w.Send(http.MethodGet, target, visit.Header("Accept", "text/html"), nil))
}

func (w *walker) arrive(at string, a *visit.Answer) *walker {
	w.x.Helper()
	for range 12 {
		if a.Status != http.StatusFound && a.Status != http.StatusSeeOther {
			break
		}
		at = a.Location().RequestURI()
		a = w.Send(http.MethodGet, at, visit.Header("Accept", "text/html"), nil)
	}
	doc, err := html.Parse(bytes.NewReader(a.Body))
	if err != nil {
		w.x.Fatal(err)
	}
	w.at, w.page, w.doc = at, a, doc
	return w
}

// is ends the test unless the page lies at a path of the account.
func (w *walker) is(path string) *walker {
	w.x.Helper()
	if got, _, _ := strings.Cut(w.at, "?"); got != "/"+firstEnv+"/account"+path || w.page.Status != http.StatusOK {
		w.x.Fatalf("at %s (%d), not at %s\n%s", w.at, w.page.Status, path, w.text())
	}
	return w
}

// asked ends the test unless an execution waits that offers the action.
func (w *walker) asked(action string) {
	w.x.Helper()
	if !strings.HasPrefix(w.at, "/"+firstEnv+"/signon/") || w.find(action, nil) == nil {
		w.x.Fatalf("at %s (%d), which does not offer %s\n%s", w.at, w.page.Status, action, w.text())
	}
}

func (w *walker) text() string {
	var b strings.Builder
	for n := range w.doc.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// hidden are what a form holds that nobody types.
func hidden(form *html.Node) url.Values {
	v := url.Values{}
	for n := range form.Descendants() {
		if n.Data == "input" && attribute(n, "type") == "hidden" {
			v.Set(attribute(n, "name"), attribute(n, "value"))
		}
	}
	return v
}

// find is the form of an action that holds these hidden inputs; nil: there is none.
func (w *walker) find(action string, holds url.Values) *html.Node {
	for n := range w.doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		v := hidden(n)
		fits := v.Get("_action") == action
		for name := range holds {
			fits = fits && v.Get(name) == holds.Get(name)
		}
		if fits {
			return n
		}
	}
	return nil
}

// filled is the form of an action with what is typed into it, pairs of name and value;
// a name with an = before it must be a hidden one that holds the value.
func (w *walker) filled(action string, typed ...string) (target string, v url.Values) {
	w.x.Helper()
	holds, more := url.Values{}, url.Values{}
	for pair := range slices.Chunk(typed, 2) {
		if name, is := strings.CutPrefix(pair[0], "="); is {
			holds.Set(name, pair[1])
		} else {
			more.Set(pair[0], pair[1])
		}
	}
	form := w.find(action, holds)
	if form == nil {
		w.x.Fatalf("%s does not offer %s\n%s", w.at, action, w.text())
	}
	v = hidden(form)
	for name := range more {
		v.Set(name, more.Get(name))
	}
	return attribute(form, "action"), v
}

// sent is a form as a browser sends it.
func (w *walker) sent(target string, v url.Values, header ...string) *visit.Answer {
	w.x.Helper()
	header = append([]string{"Accept", "text/html", "Content-Type", "application/x-www-form-urlencoded"}, header...)
	return w.Send(http.MethodPost, target, visit.Header(header...), []byte(v.Encode()))
}

// press sends a form as our own page does.
func (w *walker) press(action string, typed ...string) *walker {
	w.x.Helper()
	target, v := w.filled(action, typed...)
	return w.arrive(w.at, w.sent(target, v, "Origin", w.Base(), "Sec-Fetch-Site", "same-origin"))
}

// in is the person signed on, at the first page of the account.
func (w *walker) in(name string) *walker {
	w.x.Helper()
	w.open("/" + firstEnv + "/account").asked("usernamePassword.check")
	return w.press("usernamePassword.check", "username", name, "password", passwords[name]).is("")
}

func (w *walker) account(page string) *walker {
	w.x.Helper()
	return w.open("/" + firstEnv + "/account" + page)
}

// shown is the text of the element with an id.
func (w *walker) shown(id string) string {
	w.x.Helper()
	for n := range w.doc.Descendants() {
		if n.Type == html.ElementNode && attribute(n, "id") == id {
			var b strings.Builder
			for c := range n.Descendants() {
				if c.Type == html.TextNode {
					b.WriteString(c.Data)
				}
			}
			return b.String()
		}
	}
	w.x.Fatalf("%s shows no %s\n%s", w.at, id, w.text())
	return ""
}

// links are the ids of devices that the page leads to.
func (w *walker) links() (ids []string) {
	for n := range w.doc.Descendants() {
		_, id, is := strings.Cut(attribute(n, "href"), "/account/devices/")
		if is && !strings.Contains(id, "/") {
			ids = append(ids, id)
		}
	}
	return ids
}
