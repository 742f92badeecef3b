package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"doorward/configs"
	"doorward/runtime/flow"
)

// play is one run of a script.
type play struct {
	*stage
	script *script
	ref    flow.Ref
	cookie string
	view   flow.View
	came   []hop       // the way of the last submit
	fault  *flow.Fault // what the last submit was refused with; nil: it was not
	known  bool        // an expect has named the error that there is
	codes  map[string]string
	hidden []string // what is never printed
}

// failed says which step of a script did not go as it says.
type failed struct {
	script      *script
	line, step  int // 0: before the first step
	name        string
	differences []string
	way         []hop
}

func (f *failed) Error() string {
	var b strings.Builder
	if f.step > 0 {
		fmt.Fprintf(&b, "%s:%d: step %d, %s", f.script.file, f.line, f.step, f.name)
	} else {
		fmt.Fprintf(&b, "%s: %s", f.script.file, f.name)
	}
	for _, d := range f.differences {
		b.WriteString("\n    " + d)
	}
	if len(f.way) > 0 {
		b.WriteString("\n    it went " + way(f.way))
	}
	return b.String()
}

// run plays the script. The error is a *failed when it does not go as it says.
func (p *play) run(ctx context.Context) error {
	if err := p.begin(ctx); err != nil {
		return p.stopped(0, err.Error())
	}
	for i := range p.script.steps {
		s := &p.script.steps[i]
		if s.expect == nil {
			if unnamed := p.unnamed(); unnamed != "" {
				return p.stopped(i+1, unnamed)
			}
		}
		var wrong []string
		var err error
		switch {
		case s.expect != nil:
			wrong = p.compare(s.expect)
		case s.submit != nil:
			err = p.submit(ctx, s.submit)
		case s.mail != nil:
			wrong = p.read(s.mail)
		case s.call != nil:
			wrong = p.called(s.call)
		default:
			p.clock.move(s.wait)
		}
		if err != nil {
			wrong = append(wrong, err.Error())
		}
		if len(wrong) > 0 {
			return p.stopped(i+1, wrong...)
		}
	}
	if unnamed := p.unnamed(); unnamed != "" {
		return p.stopped(len(p.script.steps), unnamed)
	}
	return nil
}

// stopped is the failure of a step, without anything that is not to be printed.
func (p *play) stopped(step int, wrong ...string) error {
	f := &failed{script: p.script, step: step, name: "the start", way: p.came}
	if step > 0 {
		f.line, f.name = p.script.steps[step-1].line, p.script.steps[step-1].name
	}
	for _, w := range wrong {
		f.differences = append(f.differences, strings.ReplaceAll(p.masked(w), "\n", "\n    "))
	}
	return f
}

// begin starts the execution as the page of an experience, or the one where
// people sign on, does.
func (p *play) begin(ctx context.Context) error {
	env := p.bundle.Environment().ID
	s := flow.Start{Env: env, Caller: p.caller(), Request: flow.Request{MaxAge: -1, ReturnTo: p.script.redirectURI}}
	if to := p.script.redirectURI; to != "" {
		app, ok := p.bundle.RedirectAllowed(to)
		if !ok {
			return fmt.Errorf("redirectUri %s is not registered with an application of the environment", to)
		}
		s.Request.Application = app.ID
	}
	if p.script.kind == kindSignOnPolicy {
		var err error
		only := &configs.Application{Assignments: []configs.Assignment{{Priority: 1, Policy: p.subject.ID}}}
		if s.Plans, err = p.bundle.Plans(only, nil); err != nil || s.Plans[0].IsZero() {
			return errors.New("the sign-on policy has no actions to be played")
		}
	} else {
		d, ok := p.bundle.FlowDefinition(p.subject.ID)
		if !ok {
			return errors.New("the flow definition has not been published")
		}
		s.Plans, s.Request.Definition = []flow.Digest{d.Plan}, d.ID
		if s.Request.ReturnTo == "" {
			s.Request.ReturnTo = baseURL + "/end"
		}
		var err error
		if s.Inputs, err = json.Marshal(p.script.parameters); err != nil {
			return err
		}
	}
	plan, err := p.Registry.Plan(ctx, env, s.Plans[0])
	if err != nil {
		return err
	}
	p.trail.plan = plan
	v, _, err := p.Engine.Start(ctx, s)
	p.came = p.trail.take()
	if err != nil {
		return err
	}
	p.ref = v.Ref
	p.see(v)
	return p.collect(ctx)
}

func (p *play) caller() flow.Caller { return flow.Caller{Cookie: p.cookie, Client: p.script.client} }

func (p *play) see(v flow.View) {
	p.view, p.known = v, false
	if v.Cookie != "" {
		p.cookie = v.Cookie
	}
}

// submit sends an action. That it is refused is for an expect to name.
func (p *play) submit(ctx context.Context, s *submission) error {
	values, err := p.filled(s.values)
	if err != nil {
		return err
	}
	m, _ := values.(map[string]any)
	p.hide("", m, s.action)
	v, err := p.Engine.Act(ctx, p.ref, p.caller(), flow.Submit{Action: s.action, Values: m, Token: p.view.Token})
	p.came, p.fault = p.trail.take(), nil
	if err != nil && !errors.As(err, &p.fault) {
		return err
	}
	switch {
	case err == nil:
		p.see(v)
	case p.fault.View != nil:
		p.see(*p.fault.View)
	default:
		p.known = false
	}
	return p.collect(ctx)
}

// shortestSecret is how many characters are worth hiding: what is shorter is in
// many a sentence.
const shortestSecret = 6

// hide keeps passwords and codes among values out of what is printed.
func (p *play) hide(at string, values map[string]any, action string) {
	secret := regexp.MustCompile(`(?i)password|code|secret|pin`)
	offer, _ := p.view.Find(action)
	for name, v := range values {
		name = strings.TrimPrefix(at+"."+name, ".")
		switch v := v.(type) {
		case map[string]any:
			p.hide(name, v, action)
		case string:
			typed := slices.ContainsFunc(offer.Fields, func(f flow.Field) bool {
				return f.Name == name && (f.Type == flow.TypePassword || f.Type == flow.TypeCode)
			})
			if typed || secret.MatchString(name) {
				p.conceal(v)
			}
		}
	}
}

// conceal hides a secret also as a URL or JSON has it.
func (p *play) conceal(secret string) {
	if len(secret) < shortestSecret {
		return
	}
	inJSON := encoded(secret)
	for _, s := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), inJSON[1 : len(inJSON)-1]} {
		if !slices.Contains(p.hidden, s) {
			p.hidden = append(p.hidden, s)
		}
	}
}

// masked is a text without what is hidden.
func (p *play) masked(text string) string {
	for _, secret := range p.hidden {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

// shown is a value on part of a line; it is masked before it is clipped.
func (p *play) shown(v any) string { return clipped(p.masked(encoded(v))) }

// collect takes what was mailed, and what services were asked. The error is that of
// a call that the script says nothing of.
func (p *play) collect(ctx context.Context) error {
	calls, missing := p.services.take()
	p.calls = append(p.calls, calls...)
	messages, err := p.Mail(ctx)
	for _, m := range messages {
		p.conceal(m.Params["code"])
	}
	p.mails = append(p.mails, messages...)
	return errors.Join(missing, err)
}
