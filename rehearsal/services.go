package rehearsal

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Call is a call of an outside service as it would be made, with names in the place
// of its secrets.
type Call struct {
	Method, URL string
	Header      http.Header
	Body        []byte
}

func (c *Call) String() string { return c.Method + " " + c.URL }

// Reply is what a Call comes to.
type Reply struct {
	Fails  string // code of its failure; empty: there is an answer
	Status int
	Header http.Header
	Body   []byte
}

// services answer in the place of those that the configuration names.
type services struct {
	mu       sync.Mutex
	scripted []scriptService
	answered []int // calls that each of scripted has answered
	calls    []Call
	missing  error // the first call that the script says nothing of
}

func newServices(scripted []scriptService) *services {
	return &services{scripted: scripted, answered: make([]int, len(scripted))}
}

// reply is that of the first of the script's services that fits.
func (s *services) reply(c Call) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	tired := ""
	for i, one := range s.scripted {
		switch {
		case one.method != "" && one.method != c.Method || !fits(one.url, c.URL):
		case one.times > 0 && s.answered[i] == one.times:
			tired = fmt.Sprintf(" any more: the one in line %d answers %s", one.line, counted(one.times, "call"))
		default:
			s.answered[i]++
			return one.reply
		}
	}
	if s.missing == nil {
		s.missing = fmt.Errorf("none of the services of the script answers %s%s; add one:\n  - {method: %s, url: %q, answer: {status: 200, body: {}}}", &c, tired, c.Method, c.URL)
	}
	return Reply{Fails: callFailed}
}

// take is the calls since they were taken last.
func (s *services) take() ([]Call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls, missing := s.calls, s.missing
	s.calls, s.missing = nil, nil
	return calls, missing
}

// called takes the first call that is as wanted, and forgets those before it.
func (p *play) called(want *wantedCall) []string {
	if want.none {
		if len(p.calls) == 0 {
			return nil
		}
		return []string{"expected no call, came " + listedCalls(p.calls)}
	}
	i := slices.IndexFunc(p.calls, func(c Call) bool {
		return (want.method == "" || want.method == c.Method) && (want.url == "" || fits(want.url, c.URL))
	})
	if i < 0 {
		return []string{fmt.Sprintf("expected a call %s %s, came %s", orAny(want.method), orAny(want.url), listedCalls(p.calls))}
	}
	c := p.calls[i]
	p.calls = p.calls[i+1:]
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(want.headers)) {
		text, err := p.filledText(want.headers[name])
		if err != nil {
			return []string{err.Error()}
		}
		if got := strings.Join(c.Header.Values(name), ", "); !fits(text, got) {
			wrong = append(wrong, fmt.Sprintf("headers: %s: expected %s, came %s", name, p.shown(text), p.shown(got)))
		}
	}
	if !want.bodied {
		return wrong
	}
	body, err := p.filled(want.body)
	if err != nil {
		return []string{err.Error()}
	}
	return append(wrong, p.compareBody(body, c.Body)...)
}

// compareBody says how a body differs: an object in the members that are wanted,
// anything else in whole. What is not JSON is not shown.
func (p *play) compareBody(want any, body []byte) []string {
	var got any
	if json.Unmarshal(body, &got) != nil {
		if text, is := want.(string); is && fits(text, string(body)) {
			return nil
		}
		return []string{"body: expected " + p.shown(want) + ", came " + counted(len(body), "byte") + " that are something else"}
	}
	members, isObject := want.(map[string]any)
	object, cameObject := got.(map[string]any)
	if !isObject || !cameObject {
		if encoded(want) != encoded(got) {
			return []string{"body: expected " + p.shown(want) + ", came " + p.shown(got)}
		}
		return nil
	}
	var wrong []string
	wanted, came := flat(members), flat(object)
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if encoded(came[name]) != encoded(wanted[name]) {
			wrong = append(wrong, fmt.Sprintf("body: %s: expected %s, came %s", name, p.shown(wanted[name]), p.shown(came[name])))
		}
	}
	return wrong
}

func listedCalls(calls []Call) string {
	if len(calls) == 0 {
		return "none"
	}
	var out []string
	for _, c := range calls {
		out = append(out, c.String())
	}
	return strings.Join(out, ", ")
}
