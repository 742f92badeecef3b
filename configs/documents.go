package configs

import (
	"encoding/json"
	"regexp"
	"slices"

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

// Source: reference/management.md 5.1; authBase, apiBase, managed, demo, languages,
// theme and compatibility are ours. region and what belongs to it is kept for
// clients and means nothing here.
type environmentDocument struct {
	ID          string  `json:"id" required:"true"`
	Name        string  `json:"name" required:"true"`
	Description string  `json:"description"`
	Type        string  `json:"type"`
	AuthBase    address `json:"authBase" required:"true"`
	APIBase     address `json:"apiBase"`
	Managed     bool    `json:"managed"`
	Demo        bool    `json:"demo"`

	Languages     []string       `json:"languages"`
	Theme         *themeDocument `json:"theme"`
	Compatibility struct {
		Disclosure string `json:"disclosure"`
	} `json:"compatibility"`

	Region          json.RawMessage `json:"region"`
	License         json.RawMessage `json:"license"`
	Organization    json.RawMessage `json:"organization"`
	BillOfMaterials json.RawMessage `json:"billOfMaterials"`
}

func (d *environmentDocument) key() (string, string) { return d.ID, d.Name }

func (d *environmentDocument) check(f *policy.Faults) {
	oneOf(f, "type", d.Type, "", "PRODUCTION", "SANDBOX")
	if d.Compatibility.Disclosure != "" && d.Compatibility.Disclosure != vendor {
		f.Add(root.Member("compatibility").Member("disclosure"), choice([]string{vendor}))
	}
	say(f, root.Member("authBase"), baseFault(string(d.AuthBase)))
	if d.APIBase != "" {
		say(f, root.Member("apiBase"), baseFault(string(d.APIBase)))
	}
	for i, l := range d.Languages {
		if !slices.Contains(pageLanguages(), l) {
			say(f, root.Member("languages").Index(i), choice(pageLanguages()))
		}
	}
	if d.Theme != nil {
		d.Theme.check(f, root.Member("theme"))
	}
}

// vendor is the disclosure that tells who has an account, as the documents do.
const vendor = "vendor"

// pageLanguages are those that there are pages in.
func pageLanguages() []string { return []string{"de", "en", "es"} }

func (d *environmentDocument) environment() Environment {
	e := Environment{ID: d.ID, Name: d.Name, AuthBase: string(d.AuthBase), APIBase: string(d.APIBase), Managed: d.Managed, Demo: d.Demo, Languages: d.Languages}
	if e.APIBase == "" {
		e.APIBase = e.AuthBase
	}
	if d.Theme != nil {
		e.Theme = d.Theme.theme(d.ID)
	}
	return e
}

// Source: reference/management.md 5.2.
type populationDocument struct {
	ID                string     `json:"id" required:"true"`
	Name              string     `json:"name" required:"true"`
	Description       string     `json:"description"`
	Default           flag       `json:"default"`
	PasswordPolicy    *reference `json:"passwordPolicy"`
	PreferredLanguage string     `json:"preferredLanguage"`
}

func (d *populationDocument) key() (string, string) { return d.ID, d.Name }
func (d *populationDocument) standard() bool        { return bool(d.Default) }

func (d *populationDocument) check(f *policy.Faults) {
	say(f, root.Member("preferredLanguage"), languageFault(d.PreferredLanguage))
}

func (d *populationDocument) population() Population {
	return Population{ID: d.ID, Name: d.Name, PasswordPolicy: d.PasswordPolicy.id(), PreferredLanguage: d.PreferredLanguage}
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

// languageFault says what is wrong with what somebody prefers to read: language
// tags, the best first or with their weights. Source: RFC 9110 12.5.4.
func languageFault(s string) string {
	const one = `([A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*|\*)(; ?q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?))?`
	if s == "" || len(s) <= 256 && regexp.MustCompile(`^`+one+`(, ?`+one+`)*$`).MatchString(s) {
		return ""
	}
	return "takes language tags, as Accept-Language does: de-CH, de;q=0.9"
}
