package passwordpolicy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/passwordpolicy"
)

const (
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower   = "abcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
	special = "~!@#$%^&*()-_=+[]{}|;:,.<>/?"
)

// strict enforces every rule.
func strict() passwordpolicy.Policy {
	p := passwordpolicy.Policy{
		ID: "p", Name: "Strict", MinLength: 8, MaxLength: 24,
		MinCharacters: map[string]int{upper: 1, lower: 1, digits: 1, special: 1},
		MaxRepeated:   2, MinUnique: 5, MinComplexity: 7,
		MaxAlphabetSequence: 3, MaxNumberSequence: 3, MaxQwertySequence: 3, MaxShiftedNumberRowSequence: 3,
		ExcludesCommonlyUsed: true, ExcludesProfileData: true, NotSimilarToCurrent: true,
		MinAge: 24 * time.Hour, MaxAge: 182 * 24 * time.Hour,
	}
	p.History.Count, p.History.RetentionDays = 6, 365
	p.Lockout.Failures, p.Lockout.Duration = 5, 15*time.Minute
	return p
}

// without takes one rule out of strict.
func without(rule string) passwordpolicy.Policy {
	p := strict()
	switch rule {
	case passwordpolicy.Length:
		p.MinLength, p.MaxLength = 0, 0
	case passwordpolicy.MinCharacters:
		p.MinCharacters = nil
	case passwordpolicy.MaxRepeatedCharacters:
		p.MaxRepeated = 0
	case passwordpolicy.MinUniqueCharacters:
		p.MinUnique = 0
	case passwordpolicy.MinComplexity:
		p.MinComplexity = 0
	case passwordpolicy.AlphabetSequenceRule:
		p.MaxAlphabetSequence = 0
	case passwordpolicy.NumberSequenceRule:
		p.MaxNumberSequence = 0
	case passwordpolicy.QwertySequenceRule:
		p.MaxQwertySequence = 0
	case passwordpolicy.ShiftedNumberRowSequenceRule:
		p.MaxShiftedNumberRowSequence = 0
	case passwordpolicy.ExcludesCommonlyUsed:
		p.ExcludesCommonlyUsed = false
	case passwordpolicy.ExcludesProfileData:
		p.ExcludesProfileData = false
	case passwordpolicy.NotSimilarToCurrent:
		p.NotSimilarToCurrent = false
	}
	return p
}

// Every password breaks the one rule of its row, and is taken by a policy that
// has all the others.
func TestEachRule(t *testing.T) {
	const fine = "Quiet-River-72"
	profile := []string{"", "Ada-Lovelace-15", "ada@example.com"}
	for name, row := range map[string]struct{ rule, password, current string }{
		"nothing is wrong":                       {"", fine, ""},
		"characters too few":                     {passwordpolicy.Length, "Xk7#mQé", ""},
		"characters too many":                    {passwordpolicy.Length, "Quiet-River-72-Quiet-River", ""},
		"no upper case":                          {passwordpolicy.MinCharacters, "quiet-river-72", ""},
		"no lower case":                          {passwordpolicy.MinCharacters, "QUIET-RIVER-72", ""},
		"no digit":                               {passwordpolicy.MinCharacters, "Quiet-River-xy", ""},
		"no special character":                   {passwordpolicy.MinCharacters, "QuietRiver729", ""},
		"a special one of another alphabet":      {passwordpolicy.MinCharacters, "Quiet River '72'", ""},
		"a digit of another script":              {passwordpolicy.MinCharacters, "Quiet-River-٧", ""},
		"a character three times in a row":       {passwordpolicy.MaxRepeatedCharacters, "Quiet-River-777", ""},
		"a character twice in a row":             {"", "Quiet--River-77", ""},
		"a character three times, apart":         {"", "Quiet-River-7-7-7", ""},
		"four characters over and over":          {passwordpolicy.MinUniqueCharacters, "Ua7-Ua7-Ua7-Ua7", ""},
		"a small haystack":                       {passwordpolicy.MinComplexity, "Xk7#mQv9", ""},
		"a run of the alphabet":                  {passwordpolicy.AlphabetSequenceRule, "Quiet-72-abcd", ""},
		"a run of the alphabet, backwards":       {passwordpolicy.AlphabetSequenceRule, "Quiet-72-zyxw", ""},
		"a run of the alphabet, in mixed case":   {passwordpolicy.AlphabetSequenceRule, "Quiet-72-aBcD", ""},
		"three neighbours of the alphabet":       {"", "Quiet-72-abc", ""},
		"a run that turns round":                 {"", "Quiet-72-abcba", ""},
		"a run that begins anew":                 {"", "Quiet-72-abcabc", ""},
		"a run of numbers":                       {passwordpolicy.NumberSequenceRule, "Quiet-River-1234", ""},
		"a run of numbers, backwards":            {passwordpolicy.NumberSequenceRule, "Quiet-River-9876", ""},
		"a run over the end of the number row":   {passwordpolicy.NumberSequenceRule, "Quiet-River-7890", ""},
		"a run of the keyboard":                  {passwordpolicy.QwertySequenceRule, "Quiet-72-qwer", ""},
		"a run of the keyboard, backwards":       {passwordpolicy.QwertySequenceRule, "Quiet-72-lkjh", ""},
		"a run that changes the row":             {"", "Quiet-72-opas", ""},
		"a run of the shifted numbers":           {passwordpolicy.ShiftedNumberRowSequenceRule, "Quiet72@#$%", ""},
		"a run of shifted numbers, backwards":    {passwordpolicy.ShiftedNumberRowSequenceRule, "Quiet72$#@!", ""},
		"one that everybody takes":               {passwordpolicy.ExcludesCommonlyUsed, "L58jkdjp!", ""},
		"one's name":                             {passwordpolicy.ExcludesProfileData, "ada-LOVELACE-15", ""},
		"a name and more":                        {"", "ada-LOVELACE-15.", ""},
		"the current one":                        {passwordpolicy.NotSimilarToCurrent, fine, fine},
		"the current one in another case":        {passwordpolicy.NotSimilarToCurrent, fine, "qUIET-rIVER-72"},
		"two characters replaced":                {passwordpolicy.NotSimilarToCurrent, "Quiet-River-84", fine},
		"two characters more":                    {passwordpolicy.NotSimilarToCurrent, "Quiet-River-72-x", fine},
		"one character less, one more":           {passwordpolicy.NotSimilarToCurrent, "Quit-River-72x", fine},
		"three characters replaced":              {"", "Quiet-Rives-84", fine},
		"the same characters in another order":   {"", "River-Quiet-72", fine},
		"three characters more":                  {"", "Quiet-River-72-xz", fine},
		"a current one that was not typed":       {"", fine, ""},
		"characters of two halves count as one":  {passwordpolicy.Length, "Xk7#mQe\u0301", ""},
		"a name of two halves is the name still": {"", "Ade\u0301-Lovelace-15", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := passwordpolicy.Candidate{Password: row.password, Current: row.current, Profile: profile}
			var want []string
			if row.rule != "" {
				want = []string{row.rule}
			}
			if diff := cmp.Diff(want, strict().Unsatisfied(c)); diff != "" {
				t.Errorf("%s breaks:\n%s", row.password, diff)
			}
			if got := without(row.rule).Unsatisfied(c); got != nil {
				t.Errorf("with the rule taken out %s breaks %v", row.password, got)
			}
		})
	}
}

func TestBrokenRulesComeInTheDocumentedOrder(t *testing.T) {
	p := strict()
	p.MinLength = 32
	got := p.Unsatisfied(passwordpolicy.Candidate{Password: "aaaabcd", Current: "aaaabce", Profile: []string{"AAAABCD"}})
	want := []string{"length", "minCharacters", "maxRepeatedCharacters", "minUniqueCharacters", "minComplexity", "alphabetSequenceRule", "excludesProfileData", "notSimilarToCurrent"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = p.Unsatisfied(passwordpolicy.Candidate{Password: "!@#$1234asdf"})
	want = []string{"length", "minCharacters", "numberSequenceRule", "qwertySequenceRule", "shiftedNumberRowSequenceRule"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAPolicyWithoutRulesTakesEverything(t *testing.T) {
	for _, password := range []string{"", "a", "12345678", strings.Repeat("a", 10_000)} {
		c := passwordpolicy.Candidate{Password: password, Current: password, Profile: []string{password}}
		if got := (passwordpolicy.Policy{}).Unsatisfied(c); got != nil {
			t.Errorf("%.20q breaks %v", password, got)
		}
	}
}

// The sample's own bound: seven days at 1e11 guesses a second.
func TestComplexityIsTheHaystack(t *testing.T) {
	for name, row := range map[string]struct {
		password string
		days     int
		fine     bool
	}{
		"8 of 95":                   {"Xk7#mQv9", 7, false},
		"9 of 95":                   {"Xk7#mQv9a", 7, true},
		"11 of 26":                  {"kqzvxwpmtrh", 7, false},
		"12 of 26":                  {"kqzvxwpmtrha", 7, true},
		"16 of 10":                  {"1827364554637281", 7, false},
		"17 of 10":                  {"18273645546372819", 7, true},
		"6 with one outside ASCII":  {"Xk7#mé", 7, false},
		"7 with one outside ASCII":  {"Xk7#mQé", 7, true},
		"a space is of the special": {"k q z v x w", 7, true}, // 11 of 59
		"a control is outside":      {"k\tqzvxw", 7, true},
		"nothing":                   {"", 1, false},
		"the most days":             {strings.Repeat("x", 255), 1<<31 - 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := passwordpolicy.Policy{MinComplexity: row.days}
			if fine := p.Unsatisfied(passwordpolicy.Candidate{Password: row.password}) == nil; fine != row.fine {
				t.Errorf("taken: %v", fine)
			}
		})
	}
}

func TestEitherSpellingOfTheDigitsIsAnAlphabet(t *testing.T) {
	p := passwordpolicy.Policy{MinCharacters: map[string]int{"1234567890": 2}}
	for password, want := range map[string][]string{"a1b2": nil, "a1b": {"minCharacters"}} {
		if diff := cmp.Diff(want, p.Unsatisfied(passwordpolicy.Candidate{Password: password})); diff != "" {
			t.Error(diff)
		}
	}
}

func TestComposedAndDecomposedAreTheSame(t *testing.T) {
	p := passwordpolicy.Policy{ExcludesProfileData: true, NotSimilarToCurrent: true, MaxLength: 4}
	c := passwordpolicy.Candidate{Password: "u\u0308ber", Current: "\u00dcber", Profile: []string{"\u00fcBER"}}
	want := []string{"excludesProfileData", "notSimilarToCurrent"}
	if diff := cmp.Diff(want, p.Unsatisfied(c)); diff != "" {
		t.Error(diff)
	}
}

// However long a password is, judging it takes no more than it does to read it.
func TestTheWorkIsLinear(t *testing.T) {
	long := strings.Repeat("Quiet-River-72", 1<<16)
	c := passwordpolicy.Candidate{Password: long, Current: long[1:] + "x", Profile: []string{long}}
	began := time.Now()
	got := strict().Unsatisfied(c)
	if took := time.Since(began); took > 30*time.Second { // a table of 10^12 places would take hours
		t.Errorf("took %s", took)
	}
	if !slices.Contains(got, "notSimilarToCurrent") {
		t.Errorf("broken: %v", got)
	}
}
