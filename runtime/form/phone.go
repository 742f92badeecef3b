package form

import "github.com/nyaruka/phonenumbers"

// number is a telephone number as the form puts it out: where it is checked, in
// the form of E.164, and else as it was typed; an extension stands behind it as
// in RFC 3966. One without a country code is of the field's country.
func (f *Field) number(s, ext string) (string, bool) {
	if f.dials {
		n, err := phonenumbers.Parse(s, f.country)
		if err != nil || !phonenumbers.IsValidNumber(n) {
			return "", false
		}
		if e := n.GetExtension(); ext == "" && f.Extension {
			ext = e
		}
		s = phonenumbers.Format(n, phonenumbers.E164)
	}
	if ext != "" {
		s += ";ext=" + ext
	}
	return s, true
}
