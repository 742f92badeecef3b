// Package passwordpolicy says what a password must be. It is vocabulary: the
// configuration writes policies, the directory judges passwords by them, and
// pages show them.
//
// Passwords are judged in the form in which they are hashed: composed (NFC),
// and a length counts the characters of that form. What is compared with a word
// that somebody could guess is compared in lower case.
// Source: reference/flows.md 2.3, reference/management.md 5.5.
package passwordpolicy

import (
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// The rules, as innerError.unsatisfiedRequirements names them: by the member of
// the passwordPolicy object. Source: reference/flows.md 6.4.
const (
	Length                       = "length"
	MinCharacters                = "minCharacters"
	MaxRepeatedCharacters        = "maxRepeatedCharacters"
	MinUniqueCharacters          = "minUniqueCharacters"
	MinComplexity                = "minComplexity"
	AlphabetSequenceRule         = "alphabetSequenceRule"
	NumberSequenceRule           = "numberSequenceRule"
	QwertySequenceRule           = "qwertySequenceRule"
	ShiftedNumberRowSequenceRule = "shiftedNumberRowSequenceRule"
	ExcludesCommonlyUsed         = "excludesCommonlyUsed"
	ExcludesProfileData          = "excludesProfileData"
	NotSimilarToCurrent          = "notSimilarToCurrent"
	History                      = "history"    // judged by the directory, which has the old hashes
	MinAge                       = "minAgeDays" // likewise, by the time of the last change
)

// Policy is what a password must be, how long it lasts, and when wrong ones lock
// an account. A rule that is zero is not enforced.
type Policy struct {
	ID, Name  string
	MinLength int // characters, 8 to 32
	MaxLength int // characters, up to 255
	// MinCharacters is how many characters of an alphabet there must be, by
	// alphabet, which is one of Alphabets.
	MinCharacters map[string]int
	MaxRepeated   int // the same character in a row
	MinUnique     int // different characters
	MinComplexity int // days to search the haystack the password lies in
	// How long a run of neighbours may be, in either direction and any case.
	MaxAlphabetSequence         int // 2 or 3
	MaxNumberSequence           int // 2 or 3
	MaxQwertySequence           int // 3
	MaxShiftedNumberRowSequence int // 3

	ExcludesCommonlyUsed bool
	ExcludesProfileData  bool
	NotSimilarToCurrent  bool

	History struct {
		Count         int // the current password and those before it, that may not come again
		RetentionDays int // for how long an old one counts
	}
	MinAge  time.Duration // before a password may be changed again; whole days
	MaxAge  time.Duration // after which it must be changed; whole days
	Lockout struct {
		Failures int           // wrong passwords in a row that lock
		Duration time.Duration // how long
	}
}

// Alphabets are the keys that MinCharacters may have, in the documented order.
// The digits have a second spelling, which a published response shows.
func Alphabets() []string {
	return []string{
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789", "1234567890",
		"~!@#$%^&*()-_=+[]{}|;:,.<>/?",
	}
}

// Candidate is a password that somebody wants to have.
type Candidate struct {
	Password string
	Current  string   // as typed beside it; empty when it was not
	Profile  []string // the user's attributes; empty ones do not count
}

// Unsatisfied returns the names of the rules that c breaks, in the documented
// order, of those that can be judged without the user's old passwords. The work
// is linear in the length of what was typed.
func (p Policy) Unsatisfied(c Candidate) []string {
	w := wordOf(c.Password)
	var out []string
	for _, rule := range []struct {
		name   string
		broken bool
	}{
		{Length, p.MinLength > 0 && len(w.chars) < p.MinLength || p.MaxLength > 0 && len(w.chars) > p.MaxLength},
		{MinCharacters, p.lacksCharacters(w)},
		{MaxRepeatedCharacters, p.MaxRepeated > 0 && w.repeated() > p.MaxRepeated},
		{MinUniqueCharacters, p.MinUnique > 0 && w.unique() < p.MinUnique},
		{MinComplexity, p.MinComplexity > 0 && !w.outlasts(p.MinComplexity)},
		{AlphabetSequenceRule, longer(w, p.MaxAlphabetSequence, "abcdefghijklmnopqrstuvwxyz")},
		{NumberSequenceRule, longer(w, p.MaxNumberSequence, "0123456789", "1234567890")},
		{QwertySequenceRule, longer(w, p.MaxQwertySequence, "qwertyuiop", "asdfghjkl", "zxcvbnm")},
		{ShiftedNumberRowSequenceRule, longer(w, p.MaxShiftedNumberRowSequence, "!@#$%^&*()")},
		{ExcludesCommonlyUsed, p.ExcludesCommonlyUsed && commonlyUsed(w.folded)},
		{ExcludesProfileData, p.ExcludesProfileData && w.isOneOf(c.Profile)},
		{NotSimilarToCurrent, p.NotSimilarToCurrent && c.Current != "" && similar(w.folded, wordOf(c.Current).folded)},
	} {
		if rule.broken {
			out = append(out, rule.name)
		}
	}
	return out
}

// word is a password in the two forms in which it is judged.
type word struct {
	chars  []rune // of the composed form
	folded string // composed, in lower case
}

func wordOf(password string) word {
	composed := norm.NFC.String(password)
	return word{[]rune(composed), norm.NFC.String(strings.ToLower(composed))}
}

// isOneOf reports whether the word is exactly one of the profile's attributes.
func (w word) isOneOf(profile []string) bool {
	for _, attribute := range profile {
		if attribute != "" && wordOf(attribute).folded == w.folded {
			return true
		}
	}
	return false
}
