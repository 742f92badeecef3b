package expression

import (
	"strconv"
	"strings"
	"time"
)

// dateReader reads text by the fields of a pattern.
type dateReader struct {
	c    *call
	rest string
	zone *time.Location
	at   map[byte]int // what was read: the letters u M d D H h K k a m s n
}

// read is the time of the whole text. It needs a day; a time that is not told is
// midnight. Source: reference/management.md 6.3, #datetime.parse.
func (r *dateReader) read(fields []dateField) (time.Time, bool) {
	r.at = map[byte]int{}
	if !r.fields(fields) || r.rest != "" {
		return time.Time{}, false
	}
	hour := r.at['H']
	if h, ok := r.at['h']; ok {
		half, told := r.at['a']
		if !told {
			return time.Time{}, false
		}
		hour = h + 12*half
	}
	month, day := r.at['M'], r.at['d']
	if n, ok := r.at['D']; ok {
		month, day = 1, n
	}
	year, ok := r.at['u']
	t := time.Date(year, time.Month(month), day, hour, r.at['m'], r.at['s'], r.at['n'], r.zone)
	if _, byDay := r.at['D']; byDay {
		return t, ok && t.Year() == year && day > 0
	}
	return t, ok && t.Day() == day && int(t.Month()) == month && day > 0 && hour < 24
}

func (r *dateReader) fields(fields []dateField) bool {
	for _, f := range fields {
		if f.optional != nil {
			before, zone := r.rest, r.zone
			if !r.fields(f.optional) {
				r.rest, r.zone = before, zone
			}
			continue
		}
		if f.letter == 0 {
			if !strings.HasPrefix(r.rest, f.text) {
				return false
			}
			r.rest = r.rest[len(f.text):]
			continue
		}
		if !r.field(f) {
			return false
		}
	}
	return true
}

func (r *dateReader) field(f dateField) bool {
	switch c := f.letter; c {
	case 'y', 'u':
		if f.count == 2 {
			return r.digits('u', 2, 2, 0, 99) && r.add('u', 2000)
		}
		if f.count == 1 {
			return r.digits('u', 1, 4, 0, 9999)
		}
		return r.digits('u', min(f.count, 4), 4, 0, 9999)
	case 'M', 'L':
		if f.count > 2 {
			return r.month(f.count)
		}
		return r.digits('M', f.count, 2, 1, 12)
	case 'd':
		return r.digits('d', f.count, 2, 1, 31)
	case 'D':
		return r.digits('D', f.count, 3, 1, 366)
	case 'H':
		return r.digits('H', f.count, 2, 0, 23)
	case 'k':
		return r.digits('H', f.count, 2, 1, 24) && r.wrap('H', 24)
	case 'h':
		return r.digits('h', f.count, 2, 1, 12) && r.wrap('h', 12)
	case 'K':
		return r.digits('h', f.count, 2, 0, 11)
	case 'm':
		return r.digits('m', f.count, 2, 0, 59)
	case 's':
		return r.digits('s', f.count, 2, 0, 59)
	case 'S':
		scale := 1
		for range 9 - f.count {
			scale *= 10
		}
		if !r.digits('n', f.count, f.count, 0, 999_999_999) {
			return false
		}
		r.at['n'] *= scale
		return true
	case 'n':
		return r.digits('n', 1, 9, 0, 999_999_999)
	case 'a':
		return r.half()
	case 'E':
		return r.weekday(f.count)
	case 'z', 'V', 'O', 'X', 'x', 'Z':
		return r.place(f)
	}
	return false
}

// digits reads a number of so many digits; a field written once takes up to most,
// one that is repeated exactly as many.
func (r *dateReader) digits(as byte, count, most, least, greatest int) bool {
	if count > 1 {
		most = count
	}
	n := 0
	for n < len(r.rest) && n < most && digit(r.rest[n]) {
		n++
	}
	if n < count {
		return false
	}
	i, err := strconv.Atoi(r.rest[:n])
	if err != nil || i < least || i > greatest {
		return false
	}
	r.rest, r.at[as] = r.rest[n:], i
	return true
}

func (r *dateReader) add(as byte, n int) bool {
	r.at[as] += n
	return true
}

func (r *dateReader) wrap(as byte, n int) bool {
	r.at[as] %= n
	return true
}

func (r *dateReader) month(count int) bool {
	for m := time.January; m <= time.December; m++ {
		if r.word(width(m.String()[:3], m.String(), "", count)) {
			r.at['M'] = int(m)
			return true
		}
	}
	return false
}

func (r *dateReader) weekday(count int) bool {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if r.word(width(d.String()[:3], d.String(), "", count)) {
			return true
		}
	}
	return false
}

// word reads a word, letter by letter as it is.
func (r *dateReader) word(w string) bool {
	if w == "" || !strings.HasPrefix(r.rest, w) {
		return false
	}
	r.rest = r.rest[len(w):]
	return true
}

func (r *dateReader) half() bool {
	switch {
	case r.word("AM"):
		r.at['a'] = 0
	case r.word("PM"):
		r.at['a'] = 1
	default:
		return false
	}
	return true
}

// place reads a zone: an offset, an id, or for z one of the abbreviations.
func (r *dateReader) place(f dateField) bool {
	n := 0
	for n < len(r.rest) && (letter(r.rest[n]) || digit(r.rest[n]) || strings.IndexByte("/+-:", r.rest[n]) >= 0) {
		n++
	}
	id := r.rest[:n]
	if f.letter == 'z' {
		id = zoneOf(id)
	}
	if strings.IndexByte("XxZ", f.letter) >= 0 {
		if _, ok := parseOffset(id); !ok {
			return false
		}
	}
	zone := r.c.e.location(r.c.at, id)
	if zone == nil {
		return false
	}
	r.rest, r.zone = r.rest[n:], zone
	return true
}

// zoneOf is the zone that an abbreviation stands for in American English.
func zoneOf(abbreviation string) string {
	switch abbreviation {
	case "PST", "PDT", "PT":
		return "America/Los_Angeles"
	case "MST", "MDT", "MT":
		return "America/Denver"
	case "CST", "CDT", "CT":
		return "America/Chicago"
	case "EST", "EDT", "ET":
		return "America/New_York"
	case "CET", "CEST":
		return "Europe/Paris"
	case "BST":
		return "Europe/London"
	case "EET", "EEST":
		return "Europe/Bucharest"
	case "WET", "WEST":
		return "Europe/Lisbon"
	case "JST":
		return "Asia/Tokyo"
	case "IST":
		return "Asia/Kolkata"
	case "AEST", "AEDT":
		return "Australia/Sydney"
	}
	return abbreviation
}
