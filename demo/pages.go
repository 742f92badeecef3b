package demo

import (
	"net/url"
	"regexp"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// document is a page of the demo.
func document(title string, content ...g.Node) g.Node {
	return sheet(title, stylePath, h.A(h.Href(HomePath), g.Text("Demo application")), content)
}

func sheet(title, style string, bar g.Node, content []g.Node) g.Node {
	return h.Doctype(h.HTML(h.Lang("en"),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			h.Meta(h.Name("color-scheme"), h.Content("light dark")),
			h.TitleEl(g.Text(title)),
			h.Link(h.Rel("stylesheet"), h.Href(style)),
		),
		h.Body(
			h.Header(h.Class("bar"), bar),
			h.Main(content...),
		),
	))
}

func signedOut(p page) g.Node {
	return document("Demo application",
		ended(p),
		h.H1(g.Text("You are signed out")),
		h.P(g.Text("This page stands for your application. Sign on to see what an application learns about a person.")),
		h.P(h.A(h.Class("button"), h.ID("sign-on"), h.Href(SignOnPath), g.Text("Sign on"))),
		quiet(h.A(h.Href(SignOnPath+"?prompt=none"), g.Text("Ask without showing a page"))),
		g.If(p.Outbox, quiet(h.A(h.ID("outbox"), h.Href(OutboxPath), g.Text("Read the messages that were sent")))),
		journeys(p),
	)
}

func signedIn(p page) g.Node {
	actions := []g.Node{
		h.Class("actions"),
		h.Form(h.Method("post"), h.Action(SignOutPath), h.Button(h.Class("button"), h.ID("sign-out"), g.Text("Sign out"))),
		h.A(h.Href(SignOnPath+"?prompt=login"), g.Text("Sign on again")),
	}
	if p.Journeys != nil && p.Journeys.StepUp != "" {
		actions = append(actions, h.A(h.ID("step-up"), h.Href(JourneyPath+"?journey="+url.QueryEscape(p.Journeys.StepUp)), g.Text("Ask for a second factor")))
	}
	if p.Account != "" {
		actions = append(actions, h.A(h.ID("account"), h.Href(p.Account), g.Text("Your account")))
	}
	return document("Signed on – Demo application",
		ended(p),
		h.H1(g.Text("You are signed on")),
		h.P(g.Text("This is what the application was told about you.")),
		h.Div(actions...),
		claims(p.IDToken),
		claims(p.UserInfo),
		journeys(p),
	)
}

// failed says why a sign-on came to nothing.
func failed(p *problem) g.Node {
	why := p.Description
	if why == "" {
		why = "The sign-on server gave no more detail."
	}
	return document("Sign-on did not finish – Demo application",
		h.H1(g.Text("Sign-on did not finish")),
		h.Div(h.Class("notice"), h.Role("alert"),
			h.P(g.Text(why)),
			quiet(g.Text("Error: "), h.Code(h.ID("error"), g.Text(p.Code))),
		),
		h.P(h.A(h.Class("button"), h.ID("sign-on"), h.Href(SignOnPath), g.Text("Sign on again"))),
	)
}

// sent is the messages of the outbox. With a demo beside it, it leads there.
func sent(mails []Mail, demo bool) g.Node {
	bar := g.Text("Doorward")
	if demo {
		bar = h.A(h.Href(HomePath), g.Text("Demo application"))
	}
	return sheet("Outbox", outboxStylePath, bar, []g.Node{
		h.H1(g.Text("Outbox")),
		h.P(g.Text("Mail, SMS and calls that would have been sent. They stay in memory, the newest first.")),
		h.P(h.A(h.ID("again"), h.Href(OutboxPath), g.Text("Look again"))),
		g.Map(mails, message),
		g.If(len(mails) == 0, h.P(h.Class("quiet"), h.ID("empty"), g.Text("There is no message yet."))),
	})
}

func message(m Mail) g.Node {
	title := h.H2(g.Text(m.Kind()))
	if m.Subject != "" {
		title = h.H2(h.Lang(m.Language), g.Text(m.Subject))
	}
	at := m.At.UTC()
	return h.Article(h.Class("mail"),
		title,
		quiet(g.Text(m.Kind()+" to "), h.Span(h.Class("to"), g.Text(m.To)), g.Text(", "),
			h.Time(h.DateTime(at.Format(time.RFC3339)), g.Text(at.Format("2006-01-02 15:04:05 UTC")))),
		h.P(h.Class("text"), h.Lang(m.Language), linked(m.Text)),
	)
}

// linked is text whose addresses can be followed.
func linked(text string) g.Node {
	var out g.Group
	addresses := regexp.MustCompile(`https?://[^\s<>"]+`)
	at := 0
	for _, found := range addresses.FindAllStringIndex(text, -1) {
		to := text[found[0]:found[1]]
		out = append(out, g.Text(text[at:found[0]]), h.A(h.Href(to), g.Text(to)))
		at = found[1]
	}
	return append(out, g.Text(text[at:]))
}

// ended says how a journey went that led back here.
func ended(p page) g.Node {
	switch {
	case p.Ended != "":
		return h.Div(h.Class("notice"), h.Role("alert"), h.P(g.Text("The journey ended early: "), h.Code(h.ID("error"), g.Text(p.Ended))))
	case p.Done:
		return h.Div(h.Class("notice done"), h.Role("status"), h.P(h.ID("done"), g.Text("The journey is at its end.")))
	}
	return nil
}

// journeys are the flow definitions to try, and the desk that one of them calls.
func journeys(p page) g.Node {
	if p.Journeys == nil {
		return nil
	}
	return g.Group{
		h.Section(
			h.H2(g.Text("Journeys")),
			h.P(g.Text("Flow definitions: graphs of steps, kept as data.")),
			h.Div(h.Class("journeys"),
				h.Div(h.H3(g.Text("Begun by a link")), h.Ul(h.ID("experiences"), g.Map(p.Journeys.Experiences, func(e Experience) g.Node {
					return h.Li(h.A(h.Href(e.Address), g.Text(e.Name)))
				}))),
				h.Div(h.H3(g.Text("As an action of a sign-on policy")), h.Ul(h.ID("policies"), g.Map(p.Journeys.Policies, func(name string) g.Node {
					return h.Li(h.A(h.Href(JourneyPath+"?prompt=login&journey="+url.QueryEscape(name)), g.Text(name)))
				}))),
			),
		),
		h.Section(h.ID("desk"),
			h.H2(g.Text("Voucher desk")),
			h.P(g.Text("A service of another company, which the journey with a voucher asks. See what becomes of the journey when the desk does badly; after ten failures in a row it is left alone for five seconds.")),
			h.Form(h.Class("moods"), h.Method("post"), h.Action(deskMoodPath),
				h.FieldSet(h.Legend(g.Text("The desk")), g.Map(p.Moods, func(m mood) g.Node {
					return h.Label(h.Input(h.Type("radio"), h.Name("mood"), h.Value(m.Name), g.If(m.Now, h.Checked())), g.Text(" "+m.Text))
				})),
				h.Button(h.Class("button"), h.ID("mood"), g.Text("Set the desk")),
			),
		),
	}
}

// claims are what a token or an answer says.
func claims(t table) g.Node {
	return h.Section(
		h.H2(g.Text(t.Title)),
		h.Div(h.Class("scroll"), h.TabIndex("0"), h.Role("region"), h.Aria("label", t.Title), h.Table(h.ID(t.ID),
			h.THead(h.Tr(h.Th(h.Scope("col"), g.Text("Claim")), h.Th(h.Scope("col"), g.Text("Value")))),
			h.TBody(g.Map(t.Rows, func(c claim) g.Node {
				return h.Tr(h.Th(h.Scope("row"), g.Text(c.Name)), h.Td(g.Text(c.Value)))
			})),
		)),
	)
}

func quiet(content ...g.Node) g.Node { return h.P(h.Class("quiet"), g.Group(content)) }
