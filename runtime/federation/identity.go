package federation

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"doorward/runtime/flow"
)

// supplement adds to the claims of an ID token those that only the userinfo endpoint
// tells. That an address is verified is taken for the address that it was said of.
func supplement(claims, more map[string]any) {
	address, told := claims["email"].(string)
	verifies := claims["email"] == nil || told && more["email"] == address
	for name, value := range more {
		if claims[name] == nil && (verifies || name != "email_verified") {
			claims[name] = value
		}
	}
}

// identity is who the claims tell of. An attribute whose value a user cannot have is
// left out: nobody is kept from signing on by a middle name.
func (p *Provider) identity(subject string, claims map[string]any) Identity {
	out := Identity{ID: subject, Attributes: flow.Attributes{}}
	for _, m := range p.Mappings {
		attribute, known := flow.UserAttribute(m.Name)
		value := m.of(claims)
		if _, twice := out.Attributes[m.Name]; twice || !known || value == "" ||
			utf8.RuneCountInString(value) > attribute.Most || !attribute.Fits(value) {
			continue
		}
		if out.Attributes[m.Name] = value; m.Always {
			out.Always = append(out.Always, m.Name)
		}
	}
	address, told := out.Attributes["email"]
	out.EmailVerified = told && claims["email"] == address && claims["email_verified"] == true
	return out
}

// of is the value that claims give, or empty when one of those that it is made of is
// not there.
func (m Mapping) of(claims map[string]any) string {
	parts, err := parts(m.Value)
	if err != nil { // which the configuration does not take
		return ""
	}
	var out strings.Builder
	for _, p := range parts {
		text := p.text
		if p.claim != "" {
			if text = written(find(claims, p.claim)); text == "" {
				return ""
			}
		}
		out.WriteString(text)
	}
	return out.String()
}

// find finds a claim by its whole name, as "https://example.com/team" is one, or else
// by the names that the dots in it part.
func find(claims map[string]any, name string) any {
	if v, there := claims[name]; there {
		return v
	}
	outer, inner, dotted := strings.Cut(name, ".")
	inside, ok := claims[outer].(map[string]any)
	if !dotted || !ok {
		return nil
	}
	return find(inside, inner)
}

// written is a claim as text: a string, a number as it was sent, true or false. Objects
// and lists are none.
func written(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
