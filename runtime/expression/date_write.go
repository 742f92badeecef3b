package expression

import (
	"strconv"
	"strings"
	"time"
)

// writeDate adds a time by the fields of a pattern, in English. Not ok: the pattern
// has a field that cannot be written.
func writeDate(b []byte, t time.Time, fields []dateField) ([]byte, bool) {
	for _, f := range fields {
		ok := true
		switch {
		case f.optional != nil:
			b, ok = writeDate(b, t, f.optional)
		case f.letter == 0:
			b = append(b, f.text...)
		case strings.IndexByte("zVOXxZ", f.letter) >= 0:
			b, ok = writeZone(b, t, f)
		default:
			b = writeField(b, t, f)
		}
		if !ok {
			return nil, false
		}
	}
	return b, true
}

func writeField(b []byte, t time.Time, f dateField) []byte {
	switch f.letter {
	case 'G':
		return append(b, width("AD", "Anno Domini", "A", f.count)...)
	case 'M', 'L':
		if f.count > 2 {
			long := t.Month().String()
			return append(b, width(long[:3], long, long[:1], f.count)...)
		}
	case 'E':
		long := t.Weekday().String()
		return append(b, width(long[:3], long, long[:1], f.count)...)
	case 'e', 'c':
		if f.count > 2 {
			long := t.Weekday().String()
			return append(b, width(long[:3], long, long[:1], f.count)...)
		}
	case 'Q', 'q':
		if f.count > 2 {
			n := (int(t.Month()) + 2) / 3
			long := [...]string{"1st", "2nd", "3rd", "4th"}[n-1] + " quarter"
			return append(b, width("Q"+strconv.Itoa(n), long, strconv.Itoa(n), f.count)...)
		}
	case 'a':
		if t.Hour() < 12 {
			return append(b, "AM"...)
		}
		return append(b, "PM"...)
	case 'S':
		s := strconv.Itoa(1_000_000_000 + t.Nanosecond())
		return append(b, s[1:1+f.count]...)
	case 'y', 'u', 'Y':
		if n := fieldValue(t, f.letter); f.count == 2 {
			return appendPadded(b, n%100, 2)
		}
	}
	return appendPadded(b, fieldValue(t, f.letter), f.count)
}

// width chooses by how often a letter is repeated: up to three, four, five.
func width(short, long, narrow string, count int) string {
	switch count {
	case 4:
		return long
	case 5:
		return narrow
	}
	return short
}

func fieldValue(t time.Time, c byte) int {
	year, week := weekOfYear(t)
	midnight := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	switch c {
	case 'Y':
		return year
	case 'w':
		return week
	case 'W':
		return weekOfMonth(t)
	case 'F':
		return (t.Day()-1)%7 + 1
	case 'M', 'L':
		return int(t.Month())
	case 'D':
		return t.YearDay()
	case 'd':
		return t.Day()
	case 'e', 'c':
		return int(t.Weekday()) + 1
	case 'Q', 'q':
		return (int(t.Month()) + 2) / 3
	case 'H':
		return t.Hour()
	case 'k':
		return (t.Hour()+23)%24 + 1
	case 'K':
		return t.Hour() % 12
	case 'h':
		return (t.Hour()+11)%12 + 1
	case 'm':
		return t.Minute()
	case 's':
		return t.Second()
	case 'A':
		return int(midnight.Milliseconds())
	case 'N':
		return int(midnight)
	case 'n':
		return t.Nanosecond()
	}
	return t.Year()
}

func appendPadded(b []byte, n, digits int) []byte {
	s := strconv.Itoa(n)
	for i := len(s); i < digits; i++ {
		b = append(b, '0')
	}
	return append(b, s...)
}

// writeZone writes where a time is: z PST, VV America/Vancouver, O GMT-8, X -08,
// x -08, Z -0800.
func writeZone(b []byte, t time.Time, f dateField) ([]byte, bool) {
	abbreviation, seconds := t.Zone()
	id := t.Location().String()
	switch f.letter {
	case 'V':
		if id == "UTC" {
			id = "Z"
		}
		return append(b, id...), f.count == 2
	case 'z':
		if strings.ContainsAny(abbreviation, "+-0123456789") {
			abbreviation = id
		}
		return append(b, abbreviation...), true
	case 'O':
		b = append(b, "GMT"...)
		switch {
		case seconds == 0:
			return b, f.count == 1 || f.count == 4
		case f.count == 4:
			return appendOffset(b, seconds, true, true), true
		}
		b = append(b, sign10(seconds)...)
		if minutes := abs(seconds) / 60 % 60; minutes > 0 {
			return appendPadded(append(b, ':'), minutes, 2), f.count == 1
		}
		return b, f.count == 1
	case 'X':
		if seconds == 0 {
			return append(b, 'Z'), true
		}
	case 'Z':
		switch f.count {
		case 4:
			return writeZone(b, t, dateField{letter: 'O', count: 4})
		case 5:
			return writeZone(b, t, dateField{letter: 'X', count: 3})
		}
		return appendOffset(b, seconds, true, false), true
	}
	return appendOffset(b, seconds, f.count > 1 || abs(seconds)/60%60 > 0, f.count == 3 || f.count == 5), true
}

func abs(n int) int { return max(n, -n) }

// sign10 is the hours of an offset with their sign, without a zero before.
func sign10(seconds int) string {
	if seconds < 0 {
		return "-" + strconv.Itoa(-seconds/3600)
	}
	return "+" + strconv.Itoa(seconds/3600)
}

func appendOffset(b []byte, seconds int, minutes, colon bool) []byte {
	if seconds < 0 {
		b = append(b, '-')
	} else {
		b = append(b, '+')
	}
	b = appendPadded(b, abs(seconds)/3600, 2)
	if !minutes {
		return b
	}
	if colon {
		b = append(b, ':')
	}
	return appendPadded(b, abs(seconds)/60%60, 2)
}
