package form

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"doorward/runtime/flow"
)

// maxData is how many bytes all values of a form may have, as JSON: an execution
// keeps them, and is kept small itself.
const maxData = 4 << 10

// Decode judges what was submitted and returns it nested by the keys' dots, with
// passwords as flow.Secret. A member of an object may be sent in its object or
// under its dotted name. Values are taken as they are: nothing is trimmed. The
// fault names everything that is wrong, by key.
func (f *Form) Decode(v flow.Values) (map[string]any, *flow.Fault) {
	s := sorting{f: f, sent: map[string]any{}}
	s.object("", v)
	out := map[string]any{}
	var faults []flow.Detail
	size, longest, most := 0, "", 0
	for i := range f.inputs {
		in := &f.inputs[i]
		value, d := in.judge(s.sent)
		if d != nil {
			faults = append(faults, *d)
			continue
		}
		if value == nil || !in.keep {
			continue
		}
		n := bytesOf(value)
		if size += n + len(in.Name); n > most {
			most, longest = n, in.Name
		}
		put(out, in.Name, value)
	}
	if size > maxData {
		faults = append(faults, flow.Detail{
			Code: flow.SizeLimitExceeded, Target: longest, Inner: map[string]any{"maximumValue": maxData / 4},
			Message: fmt.Sprintf("All values of the form together take at most %d bytes. Shorten this one.", maxData),
		})
	}
	if faults = append(faults, s.strangers()...); len(faults) > 0 {
		return nil, flow.Invalid(faults...)
	}
	return out, nil
}

// Answer is what was submitted to a field without being kept: the answer to a
// challenge.
func (f *Form) Answer(v flow.Values, key string) string {
	s := sorting{f: f, sent: map[string]any{}}
	s.object("", v)
	answer, _ := s.sent[key].(string)
	return answer
}

// Ignores reports whether there are attributes of a user in what was submitted
// that the form does not ask for. Decode drops them.
func (f *Form) Ignores(v flow.Values) bool {
	s := sorting{f: f, sent: map[string]any{}}
	s.object("", v)
	return s.ignored
}

// sorting brings what was sent under the names of the inputs.
type sorting struct {
	f       *Form
	sent    map[string]any
	twice   []string
	strange []string
	ignored bool
	foreign bool // it names another form
}

func (s *sorting) object(under string, v map[string]any) {
	for name, value := range v {
		at := under + name
		inner, nested := value.(map[string]any)
		_, input := s.f.names[at]
		switch {
		case input:
			if _, said := s.sent[at]; said {
				s.twice = append(s.twice, at)
			}
			s.sent[at] = value
		case nested && s.f.objects[at]:
			s.object(at+".", inner)
		case at == "id", at == "form", at == "form.id":
			s.named(at, value)
		case known(at):
			s.ignored = true
		default:
			s.strange = append(s.strange, at)
		}
	}
}

// named takes the id of the form, which clients may send along. Source:
// reference/flows.md 7.7.
func (s *sorting) named(at string, value any) {
	if m, ok := value.(map[string]any); ok && at == "form" && len(m) == 1 {
		value = m["id"]
	}
	if id, ok := value.(string); !ok {
		s.strange = append(s.strange, at)
	} else if id != s.f.ID {
		s.foreign = true
	}
}

// strangers are the faults about names; at most ten of a kind.
func (s *sorting) strangers() []flow.Detail {
	var out []flow.Detail
	say := func(names []string, message string) {
		sort.Strings(names)
		for _, name := range names[:min(len(names), 10)] {
			out = append(out, flow.Detail{Code: flow.InvalidValue, Target: strings.ToValidUTF8(name[:min(len(name), 64)], ""), Message: message})
		}
	}
	say(slices.Compact(slices.Sorted(slices.Values(s.twice))), "The value is sent twice, in its object and under its dotted name.")
	say(s.strange, "The form does not take this value; its fields are in _templates.")
	if s.foreign {
		out = append(out, flow.Detail{Code: flow.InvalidValue, Target: "form.id", Message: "This is not the form that waits. Read the flow again."})
	}
	return out
}

// judge is the value of an input, nil for none.
func (in *input) judge(sent map[string]any) (any, *flow.Detail) {
	raw := sent[in.Name]
	if raw == nil {
		if in.Required {
			return nil, in.required()
		}
		return nil, nil
	}
	switch in.Type {
	case flow.TypeBoolean:
		b, ok := raw.(bool)
		switch {
		case !ok:
			return nil, in.wrong("takes true or false.")
		case in.Required && !b:
			return nil, in.required()
		}
		return b, nil
	case flow.TypeChoices:
		return in.choices(raw)
	case flow.TypeText, flow.TypePassword, flow.TypeEmail, flow.TypeCode, flow.TypeCredential, flow.TypeTel, flow.TypeChoice, flow.TypeProof:
	}
	s, ok := raw.(string)
	switch {
	case !ok:
		return nil, in.wrong("takes a string.")
	case s == "" && in.Required:
		return nil, in.required()
	case s == "" && in.part != second:
		return nil, nil
	case in.MaxLength > 0 && utf8.RuneCountInString(s) > in.MaxLength:
		return nil, in.long()
	}
	return in.single(s, sent)
}

// single judges a text that is there and not too long.
func (in *input) single(s string, sent map[string]any) (any, *flow.Detail) {
	switch {
	case !utf8.ValidString(s):
		return nil, in.wrong("is not valid UTF-8.")
	case in.part == second:
		if s != sent[in.of.Key] {
			return nil, in.wrong("is not the same as " + in.of.Key + ". Type both again.")
		}
		return nil, nil
	case in.part == extension:
		if strings.Trim(s, "0123456789") != "" {
			return nil, in.wrong("takes digits.")
		}
		return nil, nil
	case in.Type == flow.TypeChoice && !in.Free && !in.offers(s):
		return nil, in.wrong("takes one of its options.")
	case in.of.pattern != nil && !in.of.pattern.MatchString(s):
		return nil, in.wrong("does not match " + in.Pattern + ".")
	case in.of.Type == PhoneNumber:
		ext, _ := sent[in.Name+ExtensionSuffix].(string)
		number, ok := in.of.number(s, ext)
		if !ok {
			return nil, in.wrong("is no telephone number. Begin with + and the country code.")
		}
		return number, nil
	case in.Type == flow.TypePassword:
		return flow.Secret(s), nil
	}
	return s, nil
}

func (in *input) choices(raw any) (any, *flow.Detail) {
	list, ok := raw.([]any)
	if !ok {
		return nil, in.wrong("takes a list of strings.")
	}
	if len(list) == 0 && in.Required {
		return nil, in.required()
	}
	if len(list) > len(in.Options)+1 {
		return nil, in.wrong("has more values than there are options.")
	}
	out := make([]any, 0, len(list))
	for _, x := range list {
		s, ok := x.(string)
		switch {
		case !ok || s == "" || !utf8.ValidString(s):
			return nil, in.wrong("takes a list of strings.")
		case !in.Free && !in.offers(s):
			return nil, in.wrong("takes its options alone.")
		case utf8.RuneCountInString(s) > in.MaxLength:
			return nil, in.long()
		case slices.Contains(out, x):
			return nil, in.wrong("has a value twice.")
		}
		out = append(out, s)
	}
	return out, nil
}

func (in *input) offers(s string) bool {
	return slices.ContainsFunc(in.Options, func(o flow.Option) bool { return o.Value == s })
}

func (in *input) required() *flow.Detail {
	return &flow.Detail{Code: flow.RequiredValue, Target: in.Name, Message: "A value for " + in.Name + " is required."}
}

// wrong is a fault in the administrator's own words, where there are some.
func (in *input) wrong(why string) *flow.Detail {
	message := in.Name + " " + why
	if s := in.of.Wrong; !s.blank() && in.part == whole {
		message = s.plain()
	}
	return &flow.Detail{Code: flow.InvalidValue, Target: in.Name, Message: message}
}

func (in *input) long() *flow.Detail {
	return &flow.Detail{
		Code: flow.SizeLimitExceeded, Target: in.Name, Inner: map[string]any{"maximumValue": in.MaxLength},
		Message: in.Name + " takes at most " + strconv.Itoa(in.MaxLength) + " characters.",
	}
}

// plain is a text without translations.
func (t Text) plain() string {
	var b strings.Builder
	for _, p := range t {
		if p.Text == "" {
			b.WriteString(p.Key)
		}
		b.WriteString(p.Text)
	}
	return strings.TrimSpace(b.String())
}

// put lays a value at its dotted name.
func put(to map[string]any, name string, value any) {
	for {
		head, rest, more := strings.Cut(name, ".")
		if !more {
			to[head] = value
			return
		}
		next, ok := to[head].(map[string]any)
		if !ok {
			next = map[string]any{}
			to[head] = next
		}
		to, name = next, rest
	}
}

// bytesOf is how long a value is as JSON, about.
func bytesOf(v any) int {
	if s, ok := v.(flow.Secret); ok {
		return len(s)
	}
	b, err := json.Marshal(v)
	if err != nil { // cannot happen: strings, lists of strings and booleans alone
		return maxData
	}
	return len(b)
}
