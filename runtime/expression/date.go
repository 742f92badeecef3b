package expression

import (
	"strconv"
	"strings"
	"time"
)

// parseDate reads ISO 8601 as the library takes it: a date or a date and a time
// with seconds, fraction or not, and an offset: Z, +08, +800, +0800 or +08:00. The
// fraction is cut to milliseconds. Source: reference/management.md 6.3.
func parseDate(s string) (time.Time, bool) {
	if len(s) < len("2021-03-01Z") || len(s) > 40 {
		return time.Time{}, false
	}
	day, err := time.Parse(time.DateOnly, s[:10])
	rest := s[10:]
	if err != nil {
		return time.Time{}, false
	}
	if strings.HasPrefix(rest, "T") {
		if len(rest) < len("T00:00:00Z") {
			return time.Time{}, false
		}
		clock, err := time.Parse("15:04:05", rest[1:9])
		if err != nil || rest[3] != ':' {
			return time.Time{}, false
		}
		day = day.Add(time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute + time.Duration(clock.Second())*time.Second)
		if rest = rest[9:]; rest[0] == '.' {
			n := 1
			for n < len(rest) && digit(rest[n]) {
				n++
			}
			if n < 2 || n > 10 {
				return time.Time{}, false
			}
			ms, _ := strconv.Atoi((rest[1:n] + "00")[:3])
			day = day.Add(time.Duration(ms) * time.Millisecond)
			rest = rest[n:]
		}
	}
	seconds, ok := parseOffset(rest)
	return day.Add(-time.Duration(seconds) * time.Second), ok
}

// parseOffset reads an offset from UTC, in seconds.
func parseOffset(s string) (int, bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	sign := 1
	if s[0] == '-' {
		sign = -1
	}
	digits := s[1:]
	if len(digits) == 5 && digits[2] == ':' {
		digits = digits[:2] + digits[3:]
	}
	if len(digits) == 3 {
		digits = "0" + digits
	}
	if len(digits) == 2 {
		digits += "00"
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || len(digits) != 4 || n%100 > 59 || n > 1800 {
		return 0, false
	}
	return sign * (int(n)/100*3600 + int(n)%100*60), true
}

// iso writes a time as every function of the library does.
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// inRange reports whether a year has the four digits that can be read again.
func inRange(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }

// addMonths keeps the day, or takes the last one of a month that is shorter.
func addMonths(t time.Time, n int) time.Time {
	year, month, day := t.Date()
	first := time.Date(year, month+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day, last)-1)
}

// days is the number of a day, counted from 1970.
func days(t time.Time) int { return int((t.Unix() - mod(t.Unix(), 86400)) / 86400) }

func mod(a, b int64) int64 { return (a%b + b) % b }

// monthsBetween are the whole months from one day to another, and the days left.
// Source: Java, Period.between.
func monthsBetween(a, b time.Time) (months, left int) {
	months = (b.Year()-a.Year())*12 + int(b.Month()) - int(a.Month())
	left = b.Day() - a.Day()
	switch {
	case months > 0 && left < 0:
		months--
		left = days(b) - days(addMonths(a, months))
	case months < 0 && left > 0:
		months++
		left -= b.AddDate(0, 1, -b.Day()).Day()
	}
	return months, left
}

// location is a time zone by its id or its offset. Each is looked up once in an
// evaluation. Source: Java, ZoneId.of.
func (e *evaluation) location(position int, id string) *time.Location {
	switch id {
	case "Z", "UTC", "GMT", "UT":
		return time.UTC
	case "", "Local":
		return nil
	}
	if l := e.zones[id]; l != nil {
		return l
	}
	for _, prefix := range []string{"", "UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(id, prefix); ok {
			if seconds, ok := parseOffset(rest); ok {
				return time.FixedZone(id, seconds)
			}
		}
	}
	if len(id) < 2 || len(id) > 64 || e.visit(position, 1000) != nil {
		return nil
	}
	l, err := time.LoadLocation(id)
	if err != nil {
		return nil
	}
	if e.zones == nil {
		e.zones = map[string]*time.Location{}
	}
	e.zones[id] = l
	return l
}
