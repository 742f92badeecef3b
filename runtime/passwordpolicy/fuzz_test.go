package passwordpolicy_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"doorward/runtime/passwordpolicy"
)

// FuzzUnsatisfied holds what must be true of any password: the names are known,
// each once and in order; the composed form is judged like the decomposed one;
// similarity is the distance of the whole table, and does not depend on which of
// the two passwords came first.
func FuzzUnsatisfied(f *testing.F) {
	for _, seed := range [][3]string{
		{"", "", ""},
		{"Quiet-River-72", "Quiet-River-73", "ada"},
		{"password", "passwort", "PASSWORD"},
		{"u\u0308ber", "\u00fcber", "\u00dcBER"},
		{"\xff\xfe", "\x00", "\u0130"},
		{"qwertyuiop[]", "!@#$%^&*()", "0987654321"},
		{strings.Repeat("ab", 127), strings.Repeat("ba", 127), "a"},
		{strings.Repeat("e\u0301", 200), "e" + strings.Repeat("\u0301", 60), "\u1e9e"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	order := []string{
		"length", "minCharacters", "maxRepeatedCharacters", "minUniqueCharacters", "minComplexity", "alphabetSequenceRule",
		"numberSequenceRule", "qwertySequenceRule", "shiftedNumberRowSequenceRule", "excludesCommonlyUsed", "excludesProfileData", "notSimilarToCurrent",
	}
	f.Fuzz(func(t *testing.T, password, current, attribute string) {
		c := passwordpolicy.Candidate{Password: password, Current: current, Profile: []string{attribute}}
		got := strict().Unsatisfied(c)
		next := 0
		for _, name := range got {
			at := slices.Index(order[next:], name)
			if at < 0 {
				t.Fatalf("%v is out of order", got)
			}
			next += at + 1
		}
		c.Password = norm.NFD.String(password)
		if other := strict().Unsatisfied(c); norm.NFC.String(c.Password) == norm.NFC.String(password) && !slices.Equal(got, other) {
			t.Errorf("decomposed it breaks %v, composed %v", other, got)
		}
		if len(password) > 255 || len(current) > 255 || current == "" || password == "" {
			return
		}
		p := passwordpolicy.Policy{NotSimilarToCurrent: true}
		a := p.Unsatisfied(passwordpolicy.Candidate{Password: password, Current: current}) != nil
		b := p.Unsatisfied(passwordpolicy.Candidate{Password: current, Current: password}) != nil
		if a != b || a != (distance(fold(password), fold(current)) < 3) {
			t.Errorf("similar: %v, the other way %v, at a distance of %d", a, b, distance(fold(password), fold(current)))
		}
	})
}

func fold(s string) []rune {
	return []rune(norm.NFC.String(strings.ToLower(norm.NFC.String(s))))
}

// distance is the textbook's, over the whole table.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		corner := row[0]
		row[0] = i + 1
		for j, y := range b {
			replaced := corner
			if x != y {
				replaced++
			}
			corner = row[j+1]
			row[j+1] = min(replaced, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
