package directory

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrProfile says that a profile is no JSON object that can be kept: it is none,
// too large, or its externalId or mobilePhone are no strings.
var ErrProfile = errors.New("not a profile")

// profileMax is the largest profile, in bytes of canonical JSON.
const profileMax = 64 << 10

// emptyProfile is that of a user of whom there is nothing more to say.
const emptyProfile = "{}"

// document is a profile as it is kept, with the keys by which its user is looked
// for.
type document struct {
	json             string
	mobile, external string
}

// readProfile makes a profile canonical (RFC 8785); none is the empty one.
func readProfile(profile []byte) (document, error) {
	if len(profile) == 0 {
		return document{json: emptyProfile}, nil
	}
	canonical := jsontext.Value(strings.Clone(string(profile)))
	if err := canonical.Canonicalize(); err != nil || canonical.Kind() != '{' {
		return document{}, fmt.Errorf("%w: no JSON object", ErrProfile)
	}
	if len(canonical) > profileMax {
		return document{}, fmt.Errorf("%w: over %d bytes", ErrProfile, profileMax)
	}
	var members map[string]json.RawMessage // exact names, unlike those of a struct
	if err := json.Unmarshal(canonical, &members); err != nil {
		return document{}, fmt.Errorf("%w: no JSON object", ErrProfile)
	}
	d := document{json: string(canonical)}
	for name, to := range map[string]*string{"externalId": &d.external, "mobilePhone": &d.mobile} {
		if m, ok := members[name]; ok && (json.Unmarshal(m, to) != nil || m[0] != '"' || !storable(*to)) {
			return document{}, fmt.Errorf("%w: %s is no text", ErrProfile, name)
		}
	}
	d.mobile, d.external = phoneKey(d.mobile), externalKey(d.external)
	return d, nil
}

// profileText is a member of a profile that is a text; empty when there is none.
func profileText(profile []byte, name string) (text string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(profile, &members) == nil {
		_ = json.Unmarshal(members[name], &text)
	}
	return text
}

// ProfileText is an attribute in the user's Profile, such as mobilePhone or nickname;
// empty when there is none, or it is no text.
func (u *User) ProfileText(name string) string { return profileText(u.Profile, name) }

// texts are all strings in a profile.
func texts(profile string) []string {
	var out []string
	var all func(v any)
	all = func(v any) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case []any:
			for _, one := range v {
				all(one)
			}
		case map[string]any:
			for _, one := range v {
				all(one)
			}
		}
	}
	var members map[string]any
	if json.Unmarshal([]byte(profile), &members) == nil {
		all(members)
	}
	return out
}
