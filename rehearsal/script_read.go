package rehearsal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"doorward/runtime/flow"
)

// readScript reads a file. The error names every mistake in it with its line.
func readScript(file string, raw []byte) (*script, error) {
	d := yaml.NewDecoder(bytes.NewReader(raw))
	var doc, more yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s: the file is empty", file)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: there is more than one document in it; give each a file", file)
	}
	r := scriptReader{file: file}
	s := r.script(doc.Content[0])
	return s, errors.Join(r.faults...)
}

// scriptReader keeps what is wrong with a script.
type scriptReader struct {
	file   string
	faults []error
}

func (r *scriptReader) fault(n *yaml.Node, format string, values ...any) {
	r.faults = append(r.faults, fmt.Errorf("%s:%d: %s", r.file, n.Line, fmt.Sprintf(format, values...)))
}

func (r *scriptReader) script(n *yaml.Node) *script {
	m := r.members(n, "a flow test", scriptMembers()...)
	s := &script{
		file: r.file, config: r.text(m["config"], "config"), environment: r.text(m["environment"], "environment"),
		redirectURI: r.text(m["redirectUri"], "redirectUri"), parameters: r.object(m["parameters"], "parameters"), client: r.client(m["client"]),
		kind: kindFlowDefinition, subject: r.text(m["definition"], "definition"),
	}
	if m["policy"] != nil {
		s.kind, s.subject = kindSignOnPolicy, r.text(m["policy"], "policy")
	}
	switch {
	case n.Kind != yaml.MappingNode:
		return s
	case m["config"] == nil:
		r.fault(n, "config is missing: the directory of configuration files, relative to this file")
	case (m["definition"] == nil) == (m["policy"] == nil):
		r.fault(n, "give either definition or policy: the name or the id of what is tested")
	case m["steps"] == nil:
		r.fault(n, "steps are missing: what is done and expected, in order")
	}
	s.clock = time.Date(2030, 1, 1, 9, 0, 0, 0, time.UTC)
	if c := m["clock"]; c != nil {
		at, err := time.Parse(time.RFC3339, c.Value)
		if err != nil {
			r.fault(c, "clock takes a time as 2030-01-01T09:00:00Z")
		}
		s.clock = at.UTC()
	}
	for _, u := range r.list(m["users"], "users") {
		s.users = append(s.users, scriptUser{u.Line, r.object(u, "a user")})
	}
	for _, one := range r.list(m["services"], "services") {
		s.services = append(s.services, r.service(one))
	}
	for _, step := range r.list(m["steps"], "steps") {
		s.steps = append(s.steps, r.step(step))
	}
	return s
}

func (r *scriptReader) client(n *yaml.Node) flow.Client {
	c := flow.Client{RemoteIP: netip.MustParseAddr("192.0.2.1"), UserAgent: "doorward flow test", Locales: "en"}
	if n == nil {
		return c
	}
	m := r.members(n, "client", "remoteIp", "userAgent", "languages")
	if v := m["remoteIp"]; v != nil {
		ip, err := netip.ParseAddr(r.text(v, "remoteIp"))
		if err != nil {
			r.fault(v, "remoteIp takes an address as 192.0.2.1")
		}
		c.RemoteIP = ip
	}
	if v := m["userAgent"]; v != nil {
		c.UserAgent = r.text(v, "userAgent")
	}
	if v := m["languages"]; v != nil {
		c.Locales = r.text(v, "languages")
	}
	return c
}

func (r *scriptReader) step(n *yaml.Node) scriptStep {
	s := scriptStep{line: n.Line}
	kinds := []string{"expect", "submit", "wait", "mail", "call"}
	m := r.members(n, "a step", append(kinds, "values")...)
	for _, name := range kinds {
		if m[name] != nil && s.name != "" {
			r.fault(n, "a step is one of %s; this one is %s and %s", strings.Join(kinds, ", "), s.name, name)
		}
		if m[name] != nil {
			s.name = name
		}
	}
	if m["values"] != nil && m["submit"] == nil {
		r.fault(m["values"], "values belong to submit")
	}
	switch s.name {
	case "expect":
		s.expect = r.expectation(m["expect"])
	case "submit":
		s.submit = &submission{r.text(m["submit"], "submit"), r.object(m["values"], "values")}
	case "wait":
		d, err := time.ParseDuration(m["wait"].Value)
		if err != nil || d <= 0 {
			r.fault(m["wait"], "wait takes a duration as 90s, 5m or 2h30m")
		}
		s.wait = d
	case "mail":
		s.mail = r.mailbox(m["mail"])
	case "call":
		s.call = r.call(m["call"])
	default:
		if n.Kind == yaml.MappingNode {
			r.fault(n, "a step is one of %s", strings.Join(kinds, ", "))
		}
	}
	return s
}

func (r *scriptReader) mailbox(n *yaml.Node) *mailbox {
	if n.Kind == yaml.ScalarNode && n.Value == "none" {
		return &mailbox{none: true}
	}
	m := r.members(n, "mail", "to", "template", "as")
	b := &mailbox{to: r.text(m["to"], "to"), template: r.text(m["template"], "template"), as: r.text(m["as"], "as")}
	if b.as != "" && !regexp.MustCompile(`^`+variableName+`$`).MatchString(b.as) {
		r.fault(m["as"], "as takes a name of letters, digits and _")
	}
	return b
}

func (r *scriptReader) expectation(n *yaml.Node) *expectation {
	m := r.members(n, "expect", expectationMembers()...)
	e := &expectation{set: map[string]bool{}, err: r.expectedError(m["error"])}
	for name := range m {
		e.set[name] = true
	}
	e.status, e.user, e.redirect = r.text(m["status"], "status"), r.text(m["user"], "user"), r.text(m["redirect"], "redirect")
	e.form, e.values = r.text(m["form"], "form"), r.object(m["values"], "values")
	for _, v := range r.list(m["offers"], "offers") {
		e.offers = append(e.offers, r.text(v, "an offer"))
	}
	slices.Sort(e.offers)
	for _, v := range r.list(m["amr"], "amr") {
		e.amr = append(e.amr, r.text(v, "an amr"))
	}
	return e
}

// expectedError may be a code alone; nil says that there is none.
func (r *scriptReader) expectedError(n *yaml.Node) *expectedError {
	switch {
	case n == nil, n.Kind == yaml.ScalarNode && (n.Value == "none" || n.ShortTag() == "!!null"):
		return nil
	case n.Kind == yaml.ScalarNode:
		return &expectedError{code: n.Value}
	}
	m := r.members(n, "error", "code", "target", "message")
	return &expectedError{r.text(m["code"], "code"), r.text(m["target"], "target"), r.text(m["message"], "message")}
}
