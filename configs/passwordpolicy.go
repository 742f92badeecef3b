package configs

import (
	"maps"
	"slices"
	"time"

	"doorward/runtime/passwordpolicy"
	"doorward/runtime/policy"
)

// The most that a rule may be where the reference names no most.
const (
	historyMax = 24 // every one of them is hashed against when a password is changed
	daysMax    = 36500
	numberMax  = 1<<31 - 1
)

// warning is how many days before its end a password's end is announced.
// Source: reference/management.md 5.4.
const warning = 21

type sequenceDocument struct {
	MaxLength count `json:"maxLength" required:"true"`
}

// Source: reference/management.md 5.5. A rule that is missing is not enforced.
type passwordPolicyDocument struct {
	ID                   string `json:"id" required:"true"`
	Name                 string `json:"name" required:"true"`
	Description          string `json:"description"`
	Default              flag   `json:"default"`
	ExcludesCommonlyUsed bool   `json:"excludesCommonlyUsed"`
	ExcludesProfileData  bool   `json:"excludesProfileData"`
	NotSimilarToCurrent  bool   `json:"notSimilarToCurrent"`
	Length               struct {
		Min *count `json:"min"`
		Max *count `json:"max"`
	} `json:"length"`
	MinCharacters                map[string]count  `json:"minCharacters"`
	MaxRepeatedCharacters        *count            `json:"maxRepeatedCharacters"`
	MinUniqueCharacters          *count            `json:"minUniqueCharacters"`
	MinComplexity                *count            `json:"minComplexity"`
	AlphabetSequenceRule         *sequenceDocument `json:"alphabetSequenceRule"`
	NumberSequenceRule           *sequenceDocument `json:"numberSequenceRule"`
	QwertySequenceRule           *sequenceDocument `json:"qwertySequenceRule"`
	ShiftedNumberRowSequenceRule *sequenceDocument `json:"shiftedNumberRowSequenceRule"`
	History                      *struct {
		Count         count `json:"count" required:"true"`
		RetentionDays count `json:"retentionDays" required:"true"`
	} `json:"history"`
	MinAgeDays *count `json:"minAgeDays"`
	MaxAgeDays *count `json:"maxAgeDays"`
	Lockout    *struct {
		FailureCount    count `json:"failureCount" required:"true"`
		DurationSeconds count `json:"durationSeconds" required:"true"`
	} `json:"lockout"`
}

func (d *passwordPolicyDocument) key() (string, string) { return d.ID, d.Name }
func (d *passwordPolicyDocument) standard() bool        { return bool(d.Default) }

func (d *passwordPolicyDocument) policy() passwordpolicy.Policy {
	const day = 24 * time.Hour
	p := passwordpolicy.Policy{
		ID: d.ID, Name: d.Name, MinLength: 8, MaxLength: 255,
		MaxRepeated: d.MaxRepeatedCharacters.number(), MinUnique: d.MinUniqueCharacters.number(), MinComplexity: d.MinComplexity.number(),
		MaxAlphabetSequence: d.AlphabetSequenceRule.most(), MaxNumberSequence: d.NumberSequenceRule.most(),
		MaxQwertySequence: d.QwertySequenceRule.most(), MaxShiftedNumberRowSequence: d.ShiftedNumberRowSequenceRule.most(),
		ExcludesCommonlyUsed: d.ExcludesCommonlyUsed, ExcludesProfileData: d.ExcludesProfileData, NotSimilarToCurrent: d.NotSimilarToCurrent,
		MinAge: time.Duration(d.MinAgeDays.number()) * day, MaxAge: time.Duration(d.MaxAgeDays.number()) * day,
	}
	if d.Length.Min != nil {
		p.MinLength = d.Length.Min.number()
	}
	if d.Length.Max != nil {
		p.MaxLength = d.Length.Max.number()
	}
	if len(d.MinCharacters) > 0 {
		p.MinCharacters = map[string]int{}
		for alphabet, n := range d.MinCharacters {
			p.MinCharacters[alphabet] = int(n)
		}
	}
	if d.History != nil {
		p.History.Count, p.History.RetentionDays = int(d.History.Count), int(d.History.RetentionDays)
	}
	if d.Lockout != nil {
		p.Lockout.Failures, p.Lockout.Duration = int(d.Lockout.FailureCount), time.Duration(d.Lockout.DurationSeconds)*time.Second
	}
	return p
}

func (s *sequenceDocument) most() int {
	if s == nil {
		return 0
	}
	return int(s.MaxLength)
}

func (d *passwordPolicyDocument) check(f *policy.Faults) {
	d.checkLength(f)
	d.checkCharacters(f)
	for name, rule := range map[string]*sequenceDocument{"alphabetSequenceRule": d.AlphabetSequenceRule, "numberSequenceRule": d.NumberSequenceRule} {
		if rule != nil && (rule.MaxLength < 2 || rule.MaxLength > 3) {
			f.Add(root.Member(name).Member("maxLength"), "takes 2 or 3 characters")
		}
	}
	for name, rule := range map[string]*sequenceDocument{"qwertySequenceRule": d.QwertySequenceRule, "shiftedNumberRowSequenceRule": d.ShiftedNumberRowSequenceRule} {
		if rule != nil && rule.MaxLength != 3 {
			f.Add(root.Member(name).Member("maxLength"), "takes 3 characters")
		}
	}
	if at := root.Member("history"); d.History != nil {
		within(f, at.Member("count"), &d.History.Count, 1, historyMax, "passwords")
		within(f, at.Member("retentionDays"), &d.History.RetentionDays, 1, daysMax, "days")
	}
	if at := root.Member("lockout"); d.Lockout != nil {
		within(f, at.Member("failureCount"), &d.Lockout.FailureCount, 1, 100, "failures")
		within(f, at.Member("durationSeconds"), &d.Lockout.DurationSeconds, 1, numberMax, "seconds")
	}
	within(f, root.Member("minAgeDays"), d.MinAgeDays, 1, daysMax, "days")
	within(f, root.Member("maxAgeDays"), d.MaxAgeDays, d.MinAgeDays.number()+warning+1, daysMax, "days, which is after minAgeDays and the 21 days of warning")
}

func (d *passwordPolicyDocument) checkLength(f *policy.Faults) {
	p, at := d.policy(), root.Member("length")
	if p.MinLength < 8 || p.MinLength > 32 {
		f.Add(at.Member("min"), "takes 8 to 32 characters")
	}
	if p.MaxLength < p.MinLength || p.MaxLength > 255 {
		f.Add(at.Member("max"), "takes min to 255 characters")
	}
}

// checkCharacters refuses what no password could ever satisfy, too.
func (d *passwordPolicyDocument) checkCharacters(f *policy.Faults) {
	longest, sum := d.policy().MaxLength, 0
	at := root.Member("minCharacters")
	for _, alphabet := range slices.Sorted(maps.Keys(d.MinCharacters)) {
		n := d.MinCharacters[alphabet]
		if !slices.Contains(passwordpolicy.Alphabets(), alphabet) {
			f.Add(at.Member(alphabet), "is no alphabet; "+choice(passwordpolicy.Alphabets()))
			continue
		}
		within(f, at.Member(alphabet), &n, 1, longest, "characters, no more than length.max")
		sum += min(int(n), longest)
	}
	if sum > longest {
		f.Add(at, "takes no more characters together than length.max")
	}
	within(f, root.Member("maxRepeatedCharacters"), d.MaxRepeatedCharacters, 1, longest, "characters, no more than length.max")
	within(f, root.Member("minUniqueCharacters"), d.MinUniqueCharacters, 1, longest, "characters, no more than length.max")
	within(f, root.Member("minComplexity"), d.MinComplexity, 1, numberMax, "days")
}
