package expression

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// conversion finds a function of #string that reads or writes text of a form.
// Source: reference/management.md 6.3.
func conversion(named string) (function, bool) {
	f := function{least: 2, most: 2}
	switch named {
	case "asInt":
		f.run = number32
	case "asLong":
		f.run = read(func(s string) any {
			i, err := strconv.ParseInt(s, 10, 64)
			return valid(long(i), err)
		})
	case "asBigInt":
		f.run = read(func(s string) any {
			if i := parseBig(s); i != nil {
				return i
			}
			return nil
		})
	case "asFloat":
		f.run = read(func(s string) any {
			f, err := parseFloat(s, 32)
			return valid(single(f), err)
		})
	case "asDouble":
		f.run = read(func(s string) any {
			f, err := parseFloat(s, 64)
			return valid(double(f), err)
		})
	case "asBigDecimal":
		f.run = read(func(s string) any {
			if d := parseDecimal(s); d != nil {
				return d
			}
			return nil
		})
	case "uuidAsBase64Guid":
		f.run = guid
	case "asBase64Encoded":
		f.least, f.most, f.run = 1, 1, changed(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) })
	case "asBase64Decoded":
		f.least, f.most, f.run = 1, 1, decoded(fromBase64)
	case "asUrlEncoded":
		f.least, f.most, f.run = 1, 1, changed(urlEncoded)
	case "asUrlDecoded":
		f.least, f.most, f.run = 1, 1, decoded(url.QueryUnescape)
	default:
		return function{}, false
	}
	return f, true
}

func number32(c *call) any {
	return read(func(s string) any {
		i, err := strconv.ParseInt(s, 10, 32)
		return valid(integer(i), err)
	})(c)
}

func valid(v any, err error) any {
	if err != nil {
		return nil
	}
	return v
}

// read is a function from text to a number; where there is none it is the second
// argument.
func read(parse func(string) any) func(*call) any {
	return func(c *call) any {
		s := c.text(0)
		if c.null(0) || len(s) > 2*maxScale {
			return c.args[1]
		}
		if v := parse(s); v != nil {
			return v
		}
		return c.args[1]
	}
}

// parseFloat reads decimal digits alone: no hexadecimal, no infinity.
func parseFloat(s string, bits int) (float64, error) {
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, strconv.ErrSyntax
	}
	f, err := strconv.ParseFloat(s, bits)
	if err == nil && math.IsInf(f, 0) {
		err = strconv.ErrRange
	}
	return f, err
}

// decoded is a function from text to text that is nothing where the text is not of
// the form. What is no UTF-8 is replaced, as in Java.
func decoded(by func(string) (string, error)) func(*call) any {
	return func(c *call) any {
		if c.null(0) {
			return nil
		}
		s := c.text(0)
		if !c.room(len(s)) {
			return nil
		}
		plain, err := by(s)
		if err != nil {
			return nil
		}
		return c.made(strings.ToValidUTF8(plain, "\uFFFD"))
	}
}

func fromBase64(s string) (string, error) {
	encoding := base64.StdEncoding
	if strings.ContainsAny(s, "\r\n") {
		return "", base64.CorruptInputError(0)
	}
	if len(s)%4 != 0 {
		encoding = base64.RawStdEncoding
	}
	b, err := encoding.DecodeString(s)
	return string(b), err
}

// urlEncoded is java.net.URLEncoder: like Go's, but for two characters.
func urlEncoded(s string) string {
	return strings.NewReplacer("%2A", "*", "~", "%7E").Replace(url.QueryEscape(s))
}

// guid writes a UUID as the bytes of a Microsoft GUID, whose first three groups are
// little-endian.
func guid(c *call) any {
	s := c.text(0)
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return c.args[1]
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != 16 {
		return c.args[1]
	}
	order := [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}
	var swapped [16]byte
	for to, from := range order {
		swapped[to] = b[from]
	}
	return c.made(base64.StdEncoding.EncodeToString(swapped[:]))
}
