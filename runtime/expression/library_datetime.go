package expression

import (
	"fmt"
	"math"
	"strings"
	"time"
	_ "time/tzdata" // the image has no zones of its own
)

// dateFunction finds a function of #datetime that has one date. What is no date is
// nothing, or -1 where a number is asked. Source: reference/management.md 6.3.
func dateFunction(named string) (function, bool) {
	f := function{least: 1, most: 1}
	if unit, ok := strings.CutPrefix(named, "add"); ok {
		f.least, f.most, f.run = 2, 2, added(unit)
		return f, f.run != nil
	}
	if field, ok := strings.CutPrefix(named, "get"); ok {
		f.run = fieldOf(field)
		return f, f.run != nil
	}
	switch named {
	case "now":
		f.least, f.most, f.run = 0, 0, now
	case "toDateTime":
		f.least, f.most, f.run = 6, 6, toDateTime
	case "toDate":
		f.run = shown(func(t time.Time) string { return t.Format("2006-01-02Z") })
	case "toTime":
		f.run = shown(func(t time.Time) string {
			if t.Nanosecond() == 0 {
				return t.Format("15:04:05Z")
			}
			return t.Format("15:04:05.000Z")
		})
	case "format":
		f.least, f.most, f.run = 2, 2, func(c *call) any {
			t, ok := c.date(0)
			if !ok || c.null(1) {
				return nil
			}
			return c.written(t, c.text(1))
		}
	case "toDateTimeInTimezone":
		f.least, f.most, f.run = 3, 3, toDateTimeInTimezone
	case "parse":
		f.least, f.most, f.run = 3, 3, parseDateTime
	case "toUnixTimestamp":
		f.run = func(c *call) any {
			if t, ok := c.date(0); ok {
				return narrow(t.Unix())
			}
			return nil
		}
	case "fromUnixTimestamp":
		f.run = fromUnixTimestamp
	default:
		return function{}, false
	}
	return f, true
}

// date is an argument that is one, in UTC.
func (c *call) date(i int) (time.Time, bool) {
	if c.null(i) {
		return time.Time{}, false
	}
	return parseDate(c.text(i))
}

// shown is a function that writes a date.
func shown(by func(time.Time) string) func(*call) any {
	return func(c *call) any {
		if t, ok := c.date(0); ok && inRange(t) {
			return c.made(by(t))
		}
		return nil
	}
}

// dated is a time as text; one whose year has more than four digits is nothing.
func (c *call) dated(t time.Time) any {
	if !inRange(t) {
		return nil
	}
	return c.made(iso(t))
}

func added(unit string) func(*call) any {
	var add func(t time.Time, n int) time.Time
	seconds := map[string]int64{"Days": 86400, "Hours": 3600, "Minutes": 60, "Seconds": 1}[unit]
	switch {
	case seconds > 0:
		add = func(t time.Time, n int) time.Time {
			return time.Unix(t.Unix()+int64(n)*seconds, int64(t.Nanosecond())).UTC()
		}
	case unit == "Months":
		add = addMonths
	case unit == "Years":
		add = func(t time.Time, n int) time.Time {
			if n < -20_000 || n > 20_000 {
				n = 20_000
			}
			return addMonths(t, 12*n)
		}
	default:
		return nil
	}
	return func(c *call) any {
		t, ok := c.date(0)
		n := c.int(1)
		if !ok {
			return nil
		}
		return c.dated(add(t, n))
	}
}

func fieldOf(field string) func(*call) any {
	var get func(time.Time) int
	switch field {
	case "DayOfMonth":
		get = time.Time.Day
	case "Month":
		get = func(t time.Time) int { return int(t.Month()) }
	case "Year":
		get = time.Time.Year
	case "Hour":
		get = time.Time.Hour
	case "Minute":
		get = time.Time.Minute
	case "Second":
		get = time.Time.Second
	default:
		return nil
	}
	return func(c *call) any {
		if t, ok := c.date(0); ok {
			return counted(get(t))
		}
		return integer(-1)
	}
}

func now(c *call) any {
	if c.e.now == nil {
		c.fail("a clock, and there is none here")
		return nil
	}
	return c.dated(c.e.now())
}

func toDateTime(c *call) any {
	var n [6]int
	for i := range n {
		n[i] = c.int(i)
	}
	if n[0] < 0 || n[0] > 9999 || n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 31 {
		return nil
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3]&63, n[4]&127, n[5]&127, 0, time.UTC)
	if t.Day() != n[2] || t.Hour() != n[3] || t.Minute() != n[4] || t.Second() != n[5] {
		return nil
	}
	return c.dated(t)
}

func toDateTimeInTimezone(c *call) any {
	t, ok := c.date(0)
	if !ok || c.null(1) {
		return nil
	}
	zone := c.e.location(c.at, c.text(1))
	if zone == nil {
		return nil
	}
	pattern := "yyyy-MM-dd'T'HH:mm:ss[.SSS]Z"
	if !c.null(2) {
		pattern = c.text(2)
	}
	return c.written(t.In(zone), pattern)
}

// written is a time by a pattern of Java's; of one that is none it is nothing.
func (c *call) written(t time.Time, pattern string) any {
	fields, ok := readDatePattern(pattern)
	if !ok || !c.is(c.e.work(c.at, 64*len(fields))) {
		return nil
	}
	b, ok := writeDate(nil, t, fields)
	if !ok {
		return nil
	}
	return c.made(string(b))
}

func parseDateTime(c *call) any {
	if c.null(0) || c.null(1) {
		return nil
	}
	zone := time.UTC
	if options, ok := members(c.args[2]); ok {
		if id, ok := options["zoneid"]; ok && id != nil {
			s, _ := id.(string)
			if zone = c.e.location(c.at, s); zone == nil {
				return nil
			}
		}
	}
	fields, ok := readDatePattern(c.text(1))
	if !ok || !c.is(c.e.work(c.at, 64*len(fields))) {
		return nil
	}
	r := dateReader{c: c, rest: c.text(0), zone: zone}
	t, ok := r.read(fields)
	if !ok {
		return nil
	}
	return c.dated(t.Truncate(time.Millisecond))
}

func fromUnixTimestamp(c *call) any {
	if c.null(0) {
		return nil
	}
	f, ok := approximate(c.args[0])
	if !ok {
		c.fail("a number as argument 1, not %s", describe(c.args[0]))
	}
	if !ok || math.Abs(f) > 1e12 {
		return nil
	}
	return c.dated(time.Unix(int64(f), 0))
}

// periodFunction finds a function of #datetime that has two dates. Periods are
// between days, whatever the time. Source: reference/management.md 6.3.
func periodFunction(named string) (function, bool) {
	f := function{least: 3, most: 3}
	switch named {
	case "compare":
		f.least, f.most, f.run = 2, 2, compareDates
	case "daysBetween":
		f.run = between(func(a, b time.Time) any { return counted(days(b) - days(a)) })
	case "weeksBetween":
		f.run = between(func(a, b time.Time) any { return counted((days(b) - days(a)) / 7) })
	case "monthsBetween":
		f.run = between(func(a, b time.Time) any { m, _ := monthsBetween(a, b); return counted(m) })
	case "yearsBetween":
		f.run = between(func(a, b time.Time) any { m, _ := monthsBetween(a, b); return counted(m / 12) })
	case "periodBetween":
		f.run = between(func(a, b time.Time) any { return period(monthsBetween(a, b)) })
	default:
		return function{}, false
	}
	return f, true
}

// compareDates puts nothing, and what is no date, before every date.
func compareDates(c *call) any {
	a, okA := c.date(0)
	b, okB := c.date(1)
	if !okA || !okB {
		return counted(truthAsNumber(okA) - truthAsNumber(okB))
	}
	return counted(a.Compare(b))
}

func between(by func(a, b time.Time) any) func(*call) any {
	return func(c *call) any {
		a, okA := c.date(0)
		b, okB := c.date(1)
		if !okA || !okB {
			return c.args[2]
		}
		return by(a, b)
	}
}

// period is a span as ISO 8601 has it: P1Y1M10D, P0D.
func period(months, left int) string {
	var b strings.Builder
	b.WriteByte('P')
	for _, n := range []struct {
		n    int
		unit byte
	}{{months / 12, 'Y'}, {months % 12, 'M'}, {left, 'D'}} {
		if n.n != 0 {
			fmt.Fprintf(&b, "%d%c", n.n, n.unit)
		}
	}
	if b.Len() == 1 {
		return "P0D"
	}
	return b.String()
}
