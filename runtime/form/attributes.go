package form

import (
	"strings"
	"sync"

	"doorward/runtime/flow"
)

// attribute is one of a user, as a field can ask for it.
type attribute struct {
	most         int // characters
	autocomplete string
	boolean      bool
}

// attributes are those of a user that somebody may be asked for, by the key
// behind "user.". Source: reference/management.md 5.3; autocomplete: HTML Living
// Standard 4.10.18.7.
var attributes = sync.OnceValue(func() map[string]attribute { //nolint:gochecknoglobals // never changes
	tokens := map[string]string{
		"username": "username", "email": "email", "name.given": "given-name", "name.family": "family-name",
		"name.middle": "additional-name", "name.formatted": "name", "name.honorificPrefix": "honorific-prefix", "name.honorificSuffix": "honorific-suffix",
		"address.streetAddress": "street-address", "address.locality": "address-level2", "address.region": "address-level1",
		"address.postalCode": "postal-code", "address.countryCode": "country",
		"nickname": "nickname", "title": "organization-title", "preferredLanguage": "language",
		"primaryPhone": "tel", "mobilePhone": "tel", "photo.href": "photo",
	}
	out := map[string]attribute{"password": {most: 255}, "mfaEnabled": {boolean: true}}
	for _, a := range flow.UserAttributes() {
		out[a.Name] = attribute{most: a.Most, autocomplete: tokens[a.Name]}
	}
	return out
})

// kept are the attributes that nobody is asked for: they are the service's own.
func kept() []string {
	return []string{
		"id", "createdAt", "updatedAt", "enabled", "emailVerified", "memberOfGroupIDs", "memberOfGroupNames", "lastSignOn",
		"population", "lifecycle", "account", "identityProvider", "verifyStatus",
	}
}

// known reports whether a name is an attribute of a user, or lies in one.
func known(name string) bool {
	rest, is := strings.CutPrefix(name, "user.")
	if !is {
		return false
	}
	head, _, _ := strings.Cut(rest, ".")
	for _, k := range kept() {
		if head == k {
			return true
		}
	}
	for a := range attributes() {
		if first, _, _ := strings.Cut(a, "."); head == first {
			return true
		}
	}
	return false
}

// reserved reports whether a key is an attribute that is the service's own.
func reserved(key string) bool {
	if !known(key) {
		return false
	}
	head, _, _ := strings.Cut(strings.TrimPrefix(key, "user."), ".")
	for _, k := range kept() {
		if head == k {
			return true
		}
	}
	return false
}

// meaning is what a browser and a client are told of a value by its key.
func meaning(f *Field, c Category) (t flow.FieldType, most int, autocomplete string) {
	last := f.Key[strings.LastIndexByte(f.Key, '.')+1:]
	a, is := attributes()[strings.TrimPrefix(f.Key, "user.")]
	if !is || !strings.HasPrefix(f.Key, "user.") {
		a = attribute{most: 1000}
	}
	most, autocomplete = a.most, a.autocomplete
	switch f.Type {
	case Password, PasswordVerify:
		t, autocomplete = flow.TypePassword, "current-password"
		if f.Type == PasswordVerify || f.Rules || last == "newPassword" || c == Registration {
			autocomplete = "new-password"
		}
		return t, min(most, 255), autocomplete
	case PhoneNumber:
		return flow.TypeTel, min(most, 64), "tel"
	case TextField:
		t = flow.TypeText
	default:
		return "", most, autocomplete
	}
	switch {
	case autocomplete == "email":
		t = flow.TypeEmail
	case autocomplete == "tel":
		t = flow.TypeTel
	case last == "recoveryCode" || last == "verificationCode" || last == "otp":
		t, autocomplete = flow.TypeCode, "one-time-code"
	case last == "birthdate" || last == "birthday":
		autocomplete = "bday"
	}
	return t, most, autocomplete
}
