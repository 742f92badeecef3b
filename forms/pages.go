package forms

import (
	"html/template"
	"io"
	"strings"
	"unicode/utf8"

	"doorward/runtime/flow"
	"doorward/static"
)

// Pages draws the hosted pages.
type Pages struct{ templates *template.Template }

// NewPages compiles the built-in templates.
func NewPages(assets *static.Assets) (*Pages, error) {
	t, err := template.New("pages").Funcs(template.FuncMap{"asset": assets.Path}).ParseFS(static.Templates(), "*.html")
	if err != nil {
		return nil, err
	}
	return &Pages{templates: t}, nil
}

// frame is what every page has.
type frame struct {
	Lang    string
	Title   string
	Mark    string // first letter of the application or the environment
	Owner   string // name of the environment
	Failing bool   // the page tells of an error in what was typed
}

func newFrame(title, application, owner string) frame {
	f := frame{Lang: "en", Title: title, Owner: owner}
	name := application
	if name == "" {
		name = owner
	}
	if r, _ := utf8.DecodeRuneInString(name); r != utf8.RuneError {
		f.Mark = strings.ToUpper(string(r))
	}
	return f
}

// SignOn is a waiting execution, to be drawn as a page.
type SignOn struct {
	View        flow.View
	Address     string // of this page, to which its forms post
	Application string // display name
	Owner       string // name of the environment
	Submitted   string // action that was refused; empty: none was
	Typed       flow.Values
	Fault       *flow.Fault // why it was refused
}

func (s *SignOn) details() []flow.Detail {
	if s.Fault == nil || s.Fault.Code != flow.InvalidData {
		return nil
	}
	return s.Fault.Details
}

// SignOn writes the page of a waiting execution.
func (p *Pages) SignOn(w io.Writer, s SignOn) error {
	page := struct {
		frame
		Application, Person, Notice string
		Summary                     []Problem // what is not said beside one field
		Reset                       *Form
		Forms                       []Form
	}{Application: s.Application, Person: s.View.User.Username, Notice: p.say(noticeOf(s.Fault))}
	for i := range s.View.Offers {
		o := &s.View.Offers[i]
		f := p.form(&s, o, len(page.Forms))
		if o.Name == Reset {
			page.Reset = &f
			continue
		}
		page.Forms = append(page.Forms, f)
	}
	title := p.say(textSignOn())
	if len(page.Forms) > 0 && page.Forms[0].Button != p.say(textContinue()) {
		title = page.Forms[0].Button
	}
	problems := p.mark(&s, page.Forms)
	focus(page.Forms, problems)
	if len(problems) != 1 || problems[0].Field == "" {
		page.Summary = problems
	}
	page.frame = newFrame(title, s.Application, s.Owner)
	page.Failing = len(problems) > 0
	return p.templates.ExecuteTemplate(w, "signon", page)
}

// Message is a page that only tells something.
type Message struct {
	Title     string
	Text      string
	Owner     string
	Link      string // where to go on; empty: nowhere from here
	Label     string // of the link
	Reference string // id of the failure, for support
}

// Message writes the page.
func (p *Pages) Message(w io.Writer, m Message) error {
	return p.templates.ExecuteTemplate(w, "message", struct {
		frame
		Message Message
	}{newFrame(m.Title, "", m.Owner), m})
}

// Fault writes the page for a fault that leaves nothing to fill in. again is the
// address to try again at, used when trying again makes sense.
func (p *Pages) Fault(w io.Writer, f *flow.Fault, id, owner, again string) error {
	title, text, retry := Explain(f)
	m := Message{Title: p.say(title), Text: p.say(text), Owner: owner}
	if f.Code != flow.NotFound { // nobody can be asked about a page that is not there
		m.Reference = id
	}
	if retry && again != "" {
		m.Link, m.Label = again, p.say(flow.Text{Key: "page.again", Default: "Try again"})
	}
	return p.Message(w, m)
}

// Failed writes the page of an execution that failed; its link leads back to the
// application, which learns of the failure.
func (p *Pages) Failed(w io.Writer, v flow.View, application, owner, resume string) error {
	m := Message{
		Title: p.say(flow.Text{Key: "page.ended.title", Default: "We could not sign you on"}), Owner: owner, Link: resume,
		Text:  p.say(flow.Text{Key: "page.ended.text", Default: "Go back to the application to try again or to get help."}),
		Label: p.say(flow.Text{Key: "page.back", Default: "Go back"}),
	}
	if v.Failure != nil && v.Failure.Message != "" {
		m.Text = v.Failure.Message
	}
	if application != "" {
		m.Label = p.say(flow.Text{Key: "page.backTo", Default: "Go back to {application}", Params: map[string]string{"application": application}})
	}
	return p.Message(w, m)
}

// SignOff writes the page that asks whether to sign off. Its form posts the
// hidden fields, pairs of name and value, to action.
func (p *Pages) SignOff(w io.Writer, owner, action string, hidden [][2]string) error {
	title := p.say(flow.Text{Key: "page.signOff.title", Default: "Sign off?"})
	return p.templates.ExecuteTemplate(w, "confirm", struct {
		frame
		Text, Action, Label string
		Hidden              [][2]string
	}{
		newFrame(title, "", owner),
		p.say(flow.Text{Key: "page.signOff.text", Default: "You will be signed off from every application you opened here with this browser."}),
		action, p.say(flow.Text{Key: "page.signOff.button", Default: "Sign off"}), hidden,
	})
}

// SignedOff writes the page that says it is done.
func (p *Pages) SignedOff(w io.Writer, owner string) error {
	return p.Message(w, Message{
		Title: p.say(flow.Text{Key: "page.signedOff.title", Default: "You are signed off"}), Owner: owner,
		Text: p.say(flow.Text{Key: "page.signedOff.text", Default: "You can close this page."}),
	})
}
