package forms

import (
	"strconv"
	"strings"

	"doorward/runtime/passwordpolicy"
	"doorward/runtime/wording"
)

// Requirement is one rule for a new password, as a person reads it.
type Requirement struct {
	Text  string
	Check string // what the script judges it by; empty: only the server can
	Unmet bool   // the password that was sent broke it
	Short bool   // half a line is enough

	rule     string // as unsatisfiedRequirements names it
	alphabet string // of which there must be at least so many characters;
	least    int    // several lines can be of that rule
}

// past is what a new password can be compared with.
type past struct {
	typed   bool // the current password, in the same form
	account bool // there is one, with passwords of its own
}

// requirements lists the rules of a policy in the documented order.
func (w *words) requirements(p *passwordpolicy.Policy, old past) []Requirement {
	out := make([]Requirement, 0, 12)
	rule := func(name string, on bool, check string) {
		if on {
			out = append(out, Requirement{rule: name, Text: w.Say("rule."+name, nil), Check: check})
		}
	}
	counted := func(name string, n int, check string) {
		if n > 0 {
			out = append(out, Requirement{rule: name, Text: w.Count("rule."+name, n, nil), Check: check})
		}
	}
	run := func(name string, most int, rows string) {
		rule(name, most > 0, "run "+strconv.Itoa(most)+" "+rows)
	}
	out = w.length(out, p)
	for _, k := range kinds() {
		if n := k.least(p); n > 0 {
			text := w.Count("rule.minCharacters."+k.name, n, nil)
			out = append(out, Requirement{rule: passwordpolicy.MinCharacters, Text: text, Check: "kind " + strconv.Itoa(n) + " " + k.alphabets[0], Short: true, alphabet: k.alphabets[0], least: n})
		}
	}
	counted(passwordpolicy.MaxRepeatedCharacters, p.MaxRepeated, "repeated "+strconv.Itoa(p.MaxRepeated))
	counted(passwordpolicy.MinUniqueCharacters, p.MinUnique, "unique "+strconv.Itoa(p.MinUnique))
	rule(passwordpolicy.MinComplexity, p.MinComplexity > 0, "days "+strconv.Itoa(p.MinComplexity))
	run(passwordpolicy.AlphabetSequenceRule, p.MaxAlphabetSequence, "abcdefghijklmnopqrstuvwxyz")
	run(passwordpolicy.NumberSequenceRule, p.MaxNumberSequence, "0123456789 1234567890")
	run(passwordpolicy.QwertySequenceRule, p.MaxQwertySequence, "qwertyuiop asdfghjkl zxcvbnm")
	run(passwordpolicy.ShiftedNumberRowSequenceRule, p.MaxShiftedNumberRowSequence, "!@#$%^&*()")
	rule(passwordpolicy.ExcludesCommonlyUsed, p.ExcludesCommonlyUsed, "")
	rule(passwordpolicy.ExcludesProfileData, p.ExcludesProfileData, "")
	rule(passwordpolicy.NotSimilarToCurrent, p.NotSimilarToCurrent && old.typed, "")
	if old.account {
		counted(passwordpolicy.History, p.History.Count, "")
	}
	return out
}

// length names the longest length only where somebody could meet it.
func (w *words) length(out []Requirement, p *passwordpolicy.Policy) []Requirement {
	if p.MinLength == 0 && p.MaxLength == 0 {
		return out
	}
	text := w.Count("rule.length", p.MinLength, nil)
	if p.MaxLength > 0 && p.MaxLength < 128 {
		text = w.Count("rule.length.range", p.MinLength, wording.Params{"max": strconv.Itoa(p.MaxLength)})
	}
	check := "length " + strconv.Itoa(p.MinLength) + " " + strconv.Itoa(p.MaxLength)
	return append(out, Requirement{rule: passwordpolicy.Length, Text: text, Check: check})
}

// kind is one kind of characters that a policy can ask for.
type kind struct {
	name      string
	manager   string // as password managers call it
	alphabets []string
}

// kinds are in the documented order. Password managers are given the symbols
// that no other site refuses.
func kinds() []kind {
	a := passwordpolicy.Alphabets()
	return []kind{{"upper", "upper", a[:1]}, {"lower", "lower", a[1:2]}, {"digit", "digit", a[2:4]}, {"symbol", "[-!#$%&*+=?@_]", a[4:]}}
}

func (k kind) least(p *passwordpolicy.Policy) int {
	n := 0
	for _, alphabet := range k.alphabets {
		n = max(n, p.MinCharacters[alphabet])
	}
	return n
}

// managed is what a password manager makes a password by, as the value of the
// attribute passwordrules. Source: Apple, Password AutoFill, "Customizing
// Password AutoFill Rules"; WHATWG html issue 3518.
func managed(p *passwordpolicy.Policy) string {
	var b strings.Builder
	part := func(name, value string) { b.WriteString(name + ": " + value + "; ") }
	if p.MinLength > 0 {
		part("minlength", strconv.Itoa(p.MinLength))
	}
	if p.MaxLength > 0 {
		part("maxlength", strconv.Itoa(p.MaxLength))
	}
	for _, k := range kinds() {
		if k.least(p) > 0 {
			part("required", k.manager)
		}
	}
	if p.MaxRepeated > 0 {
		part("max-consecutive", strconv.Itoa(p.MaxRepeated))
	}
	return strings.TrimSuffix(b.String(), " ")
}

// missed marks the rules that a refused password broke, and reports whether there
// are any. One that is not in the list is added to it.
func (w *words) missed(list []Requirement, names []string, password string) ([]Requirement, bool) {
	marked := false
	for _, name := range names {
		listed := false
		for i := range list {
			if list[i].rule == name {
				list[i].Unmet, listed = list[i].lacking(password), true
			}
		}
		if key, ok := w.First(nil, "rule."+name); ok && !listed {
			list, listed = append(list, Requirement{rule: name, Text: w.Say(key, nil), Unmet: true}), true
		}
		marked = marked || listed
	}
	return list, marked
}

// unsure takes the marks from the lines about kinds of characters when there are
// several, and reports whether there were: a step behind a form of data has
// forgotten the password, and which kind it lacked cannot be told.
func unsure(list []Requirement) bool {
	n := 0
	for i := range list {
		if list[i].alphabet != "" && list[i].Unmet {
			n++
		}
	}
	for i := range list {
		list[i].Unmet = list[i].Unmet && (list[i].alphabet == "" || n == 1)
	}
	return n > 1
}

// lacking reports whether a password that broke the rule broke it in this line of
// the list: the rule about kinds of characters has a line for each kind.
func (r *Requirement) lacking(password string) bool {
	if r.alphabet == "" || password == "" {
		return true
	}
	n := 0
	for _, c := range password {
		if strings.ContainsRune(r.alphabet, c) {
			n++
		}
	}
	return n < r.least
}
