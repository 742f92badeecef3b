package passwordpolicy

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
)

// object is the documented passwordPolicy object, its members in the documented
// order. The three flags are there always, as they are required of the resource.
type object struct {
	ID                           string    `json:"id,omitempty"`
	Name                         string    `json:"name,omitempty"`
	Length                       *length   `json:"length,omitempty"`
	MinCharacters                alphabets `json:"minCharacters,omitempty"`
	MaxRepeatedCharacters        int       `json:"maxRepeatedCharacters,omitempty"`
	MinUniqueCharacters          int       `json:"minUniqueCharacters,omitempty"`
	MinComplexity                int       `json:"minComplexity,omitempty"`
	AlphabetSequenceRule         *sequence `json:"alphabetSequenceRule,omitempty"`
	NumberSequenceRule           *sequence `json:"numberSequenceRule,omitempty"`
	QwertySequenceRule           *sequence `json:"qwertySequenceRule,omitempty"`
	ShiftedNumberRowSequenceRule *sequence `json:"shiftedNumberRowSequenceRule,omitempty"`
	ExcludesCommonlyUsed         bool      `json:"excludesCommonlyUsed"`
	ExcludesProfileData          bool      `json:"excludesProfileData"`
	NotSimilarToCurrent          bool      `json:"notSimilarToCurrent"`
	History                      *history  `json:"history,omitempty"`
	MaxAgeDays                   int       `json:"maxAgeDays,omitempty"`
	MinAgeDays                   int       `json:"minAgeDays,omitempty"`
	Lockout                      *lockout  `json:"lockout,omitempty"`
}

type length struct {
	Min int `json:"min,omitempty"`
	Max int `json:"max,omitempty"`
}

type sequence struct {
	MaxLength int `json:"maxLength"`
}

type history struct {
	Count         int `json:"count"`
	RetentionDays int `json:"retentionDays,omitempty"`
}

type lockout struct {
	FailureCount    int `json:"failureCount"`
	DurationSeconds int `json:"durationSeconds"`
}

// alphabets writes the counts in the order of Alphabets.
type alphabets map[string]int

// MarshalJSON implements json.Marshaler.
func (a alphabets) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for _, alphabet := range Alphabets() {
		if n, ok := a[alphabet]; ok {
			b.WriteByte(',')
			b.Write(encode(alphabet))
			b.WriteByte(':')
			b.Write(encode(n))
		}
	}
	return slices.Concat([]byte("{"), bytes.TrimPrefix(b.Bytes(), []byte(",")), []byte("}")), nil
}

// JSON is the policy as the documented object, without the rules that are not
// enforced. Source: reference/flows.md 2.3.
func (p Policy) JSON() []byte {
	o := object{
		ID: p.ID, Name: p.Name,
		MinCharacters: p.MinCharacters, MaxRepeatedCharacters: p.MaxRepeated, MinUniqueCharacters: p.MinUnique,
		MinComplexity:        p.MinComplexity,
		AlphabetSequenceRule: sequenceOf(p.MaxAlphabetSequence), NumberSequenceRule: sequenceOf(p.MaxNumberSequence),
		QwertySequenceRule: sequenceOf(p.MaxQwertySequence), ShiftedNumberRowSequenceRule: sequenceOf(p.MaxShiftedNumberRowSequence),
		ExcludesCommonlyUsed: p.ExcludesCommonlyUsed, ExcludesProfileData: p.ExcludesProfileData, NotSimilarToCurrent: p.NotSimilarToCurrent,
		MaxAgeDays: days(p.MaxAge), MinAgeDays: days(p.MinAge),
	}
	if p.MinLength > 0 || p.MaxLength > 0 {
		o.Length = &length{p.MinLength, p.MaxLength}
	}
	if p.History.Count > 0 {
		o.History = &history{p.History.Count, p.History.RetentionDays}
	}
	if p.Lockout.Failures > 0 {
		o.Lockout = &lockout{p.Lockout.Failures, int(p.Lockout.Duration / time.Second)}
	}
	return encode(o)
}

func sequenceOf(most int) *sequence {
	if most == 0 {
		return nil
	}
	return &sequence{most}
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

// encode leaves "<", ">" and "&", which are in an alphabet, as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // cannot fail: strings, numbers and flags
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
