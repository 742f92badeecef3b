package directory

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// ErrName says that a username holds something that no username may hold.
var ErrName = errors.New("not a username")

// nameMax is the longest username, in characters. Source:
// reference/management.md, user attributes.
const nameMax = 128

// NormalName is the form in which usernames are compared: two names with the
// same normal form are the same name in an environment. It is ErrName for what
// cannot be a username.
//
// The rule, after RFC 8265 UsernameCaseMapped but with the documented character
// set ^[\p{L}\p{M}\p{Zs}\p{S}\p{N}\p{P}]{1,128}$:
//
//  1. refused: invalid UTF-8, more than 128 characters, and every character
//     outside the set, so all control, zero-width, bidirectional, private and
//     unassigned ones; also what displays as nothing although it is a letter or
//     mark (default ignorable: Hangul fillers, variation selectors, U+034F);
//  2. compatibility composed (NFKC: full width and circled letters, ligatures),
//     full Unicode case folding (ß is ss, U+017F is s, the Kelvin sign is k),
//     composed again;
//  3. spaces around the name do not count, and a run of any spaces inside is one
//     space. Create refuses spaces around a name; at sign-on they are harmless,
//     since some keyboards add one.
//
// Letters of different scripts that look alike stay different.
func NormalName(name string) (string, error) {
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > nameMax {
		return "", ErrName
	}
	for _, r := range name {
		if !nameRune(r) {
			return "", ErrName
		}
	}
	key := norm.NFKC.String(cases.Fold().String(strings.Map(upperCherokee, norm.NFKC.String(name))))
	key = strings.Join(strings.Fields(key), " ")
	if key == "" {
		return "", ErrName
	}
	return key, nil
}

// nameKey is NormalName of a name that is given to somebody, which has no spaces
// around it.
func nameKey(name string) (string, error) {
	key, err := NormalName(name)
	if err == nil && strings.TrimSpace(name) != name {
		return "", fmt.Errorf("%w: spaces around it", ErrName)
	}
	return key, err
}

func nameRune(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Zs, unicode.S, unicode.N, unicode.P) &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// upperCherokee helps cases.Fold, which turns each case of Cherokee into the
// other and so never makes them equal; from upper case it folds as it should.
func upperCherokee(r rune) rune {
	if unicode.Is(unicode.Cherokee, r) {
		return unicode.ToUpper(r)
	}
	return r
}
