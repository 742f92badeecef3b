package form

import (
	"strings"

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
func attributes() map[string]attribute {
	return map[string]attribute{
		"username": {most: 128, autocomplete: "username"}, "email": {most: 254, autocomplete: "email"},
		"password":   {most: 255},
		"name.given": {most: 256, autocomplete: "given-name"}, "name.family": {most: 256, autocomplete: "family-name"},
		"name.middle": {most: 256, autocomplete: "additional-name"}, "name.formatted": {most: 256, autocomplete: "name"},
		"name.honorificPrefix": {most: 256, autocomplete: "honorific-prefix"}, "name.honorificSuffix": {most: 256, autocomplete: "honorific-suffix"},
		"address.streetAddress": {most: 256, autocomplete: "street-address"}, "address.locality": {most: 256, autocomplete: "address-level2"},
		"address.region": {most: 256, autocomplete: "address-level1"}, "address.postalCode": {most: 40, autocomplete: "postal-code"},
		"address.countryCode": {most: 2, autocomplete: "country"},
		"externalId":          {most: 1024}, "nickname": {most: 256, autocomplete: "nickname"}, "title": {most: 256, autocomplete: "organization-title"},
		"type": {most: 256}, "locale": {most: 256}, "timezone": {most: 256}, "preferredLanguage": {most: 256, autocomplete: "language"},
		"primaryPhone": {most: 32, autocomplete: "tel"}, "mobilePhone": {most: 32, autocomplete: "tel"},
		"photo.href": {most: 1024, autocomplete: "photo"}, "mfaEnabled": {boolean: true},
	}
}

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
