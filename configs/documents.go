package configs

import (
	"encoding/json"
	"slices"
	"time"
	"unicode/utf8"

	"doorward/runtime/policy"
)

// The documents, each as its file and its resource body.

type reference struct {
	ID string `json:"id" required:"true"`
}

func (r *reference) id() string {
	if r == nil {
		return ""
	}
	return r.ID
}

// Source: reference/management.md 5.1; authBase, apiBase, managed and demo are
// ours.
type environmentDocument struct {
	ID          string  `json:"id" required:"true"`
	Name        string  `json:"name" required:"true"`
	Description string  `json:"description"`
	Type        string  `json:"type"`
	AuthBase    address `json:"authBase" required:"true"`
	APIBase     address `json:"apiBase"`
	Managed     bool    `json:"managed"`
	Demo        bool    `json:"demo"`
}

func (d *environmentDocument) key() (string, string) { return d.ID, d.Name }

func (d *environmentDocument) check(f *policy.Faults) {
	oneOf(f, "type", d.Type, "", "PRODUCTION", "SANDBOX")
	say(f, root.Member("authBase"), baseFault(string(d.AuthBase)))
	if d.APIBase != "" {
		say(f, root.Member("apiBase"), baseFault(string(d.APIBase)))
	}
}

func (d *environmentDocument) environment() Environment {
	e := Environment{ID: d.ID, Name: d.Name, AuthBase: string(d.AuthBase), APIBase: string(d.APIBase), Managed: d.Managed, Demo: d.Demo}
	if e.APIBase == "" {
		e.APIBase = e.AuthBase
	}
	return e
}

// Source: reference/management.md 5.2.
type populationDocument struct {
	ID             string     `json:"id" required:"true"`
	Name           string     `json:"name" required:"true"`
	Description    string     `json:"description"`
	Default        flag       `json:"default"`
	PasswordPolicy *reference `json:"passwordPolicy"`
}

func (d *populationDocument) key() (string, string) { return d.ID, d.Name }
func (d *populationDocument) check(*policy.Faults)  {}
func (d *populationDocument) standard() bool        { return bool(d.Default) }

func (d *populationDocument) population() Population {
	return Population{ID: d.ID, Name: d.Name, PasswordPolicy: d.PasswordPolicy.id()}
}

// Source: reference/management.md 5.5.
type passwordPolicyDocument struct {
	ID                   string `json:"id" required:"true"`
	Name                 string `json:"name" required:"true"`
	Description          string `json:"description"`
	Default              flag   `json:"default"`
	ExcludesCommonlyUsed bool   `json:"excludesCommonlyUsed"`
	ExcludesProfileData  bool   `json:"excludesProfileData"`
	NotSimilarToCurrent  bool   `json:"notSimilarToCurrent"`
	Length               struct {
		Min *int `json:"min"`
		Max *int `json:"max"`
	} `json:"length"`
	Lockout *struct {
		FailureCount    int `json:"failureCount" required:"true"`
		DurationSeconds int `json:"durationSeconds" required:"true"`
	} `json:"lockout"`
}

const unenforced = "is a rule that this server does not enforce; it enforces length and lockout"

// stranger names the documented rules that are not enforced, since leaving out
// a rule unsaid would leave people with weaker passwords than was asked for.
func (passwordPolicyDocument) stranger(name string) string {
	rules := []string{
		"minCharacters", "maxRepeatedCharacters", "minUniqueCharacters", "minComplexity", "history", "minAgeDays", "maxAgeDays",
		"alphabetSequenceRule", "numberSequenceRule", "qwertySequenceRule", "shiftedNumberRowSequenceRule",
	}
	if slices.Contains(rules, name) {
		return unenforced
	}
	return ""
}

func (d *passwordPolicyDocument) key() (string, string) { return d.ID, d.Name }
func (d *passwordPolicyDocument) standard() bool        { return bool(d.Default) }

func (d *passwordPolicyDocument) policy() PasswordPolicy {
	p := PasswordPolicy{ID: d.ID, Name: d.Name, MinLength: 8, MaxLength: 255}
	if d.Length.Min != nil {
		p.MinLength = *d.Length.Min
	}
	if d.Length.Max != nil {
		p.MaxLength = *d.Length.Max
	}
	if d.Lockout != nil {
		p.FailureCount, p.LockDuration = d.Lockout.FailureCount, time.Duration(d.Lockout.DurationSeconds)*time.Second
	}
	return p
}

func (d *passwordPolicyDocument) check(f *policy.Faults) {
	for name, on := range map[string]bool{"excludesCommonlyUsed": d.ExcludesCommonlyUsed, "excludesProfileData": d.ExcludesProfileData, "notSimilarToCurrent": d.NotSimilarToCurrent} {
		if on {
			f.Add(root.Member(name), unenforced)
		}
	}
	p, length, lockout := d.policy(), root.Member("length"), root.Member("lockout")
	if p.MinLength < 8 || p.MinLength > 32 {
		f.Add(length.Member("min"), "takes 8 to 32 characters")
	}
	if p.MaxLength < p.MinLength || p.MaxLength > 255 {
		f.Add(length.Member("max"), "takes min to 255 characters")
	}
	if d.Lockout != nil && (p.FailureCount < 1 || p.FailureCount > 100) {
		f.Add(lockout.Member("failureCount"), "takes 1 to 100 failures")
	}
	if d.Lockout != nil && (d.Lockout.DurationSeconds < 1 || d.Lockout.DurationSeconds > 1<<31-1) {
		f.Add(lockout.Member("durationSeconds"), "takes 1 to 2147483647 seconds")
	}
}

// Source: reference/management.md 4.2; the actions lie in the same file.
type signOnPolicyDocument struct {
	ID          string            `json:"id" required:"true"`
	Name        string            `json:"name" required:"true"`
	Description string            `json:"description"`
	Default     flag              `json:"default"`
	Actions     []json.RawMessage `json:"actions"`
}

func (d *signOnPolicyDocument) key() (string, string) { return d.ID, d.Name }
func (d *signOnPolicyDocument) standard() bool        { return bool(d.Default) }
func (d *signOnPolicyDocument) check(*policy.Faults)  {} // by policy.Source

// Source: reference/management.md 5.3.
type userDocument struct {
	ID            string `json:"id" required:"true"`
	Username      string `json:"username" required:"true"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"emailVerified"`
	Enabled       *bool  `json:"enabled"`
	Name          struct {
		Given  string `json:"given"`
		Family string `json:"family"`
	} `json:"name"`
	Population *reference `json:"population"`
	Type       string     `json:"type"`
	Locale     string     `json:"locale"`
	Password   string     `json:"password"`
}

func (d *userDocument) key() (string, string) { return d.ID, d.Username }

func (d *userDocument) check(f *policy.Faults) {
	if utf8.RuneCountInString(d.Username) > 128 {
		f.Add(root.Member("username"), "takes at most 128 characters")
	}
}

// User is a seed: it is created when there is nobody with its id yet.
type User struct {
	Env, ID, Username string
	Email             string
	EmailVerified     bool
	Enabled           bool
	Given, Family     string
	Population        string // UUID, never empty
	Type, Locale      string
	Password          string // clear; empty for a user without one
}

func (d *userDocument) user(env, population string) User {
	return User{
		Env: env, ID: d.ID, Username: d.Username, Email: d.Email, EmailVerified: d.EmailVerified,
		Enabled: d.Enabled == nil || *d.Enabled, Given: d.Name.Given, Family: d.Name.Family,
		Population: population, Type: d.Type, Locale: d.Locale, Password: d.Password,
	}
}

func oneOf(f *policy.Faults, name, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		say(f, root.Member(name), choice(allowed))
	}
}

func choice(allowed []string) string {
	words := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
	b, _ := json.Marshal(words) // cannot fail: strings
	return "takes one of " + string(b) + "; this server does no other"
}

func say(f *policy.Faults, at policy.Path, message string) {
	if message != "" {
		f.Add(at, message)
	}
}
