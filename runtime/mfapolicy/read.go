package mfapolicy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// The most that is read of a text and of a list.
const (
	nameMost = 256
	listMost = 100
)

// open reads a document's outermost object; the faults are said when there is none.
func open(body json.RawMessage, faults *document.Faults) (document.Object, bool) {
	canonical, err := document.Canonical(body)
	if found := document.Faults(nil); errors.As(err, &found) {
		*faults = found
		return document.Object{}, false
	}
	o, ok := document.Open(document.Root, canonical, faults)
	if ok {
		o.Ignore("id", "environment", "createdAt", "updatedAt", "_links", "_embedded", "description")
	}
	return o, ok
}

// identity reads what every document of several has. "default" may be written as a
// string, as published bodies do.
func identity(o *document.Object) (id, name string, standard bool) {
	id = o.Text("id", nameMost)
	if o.Need("name") {
		name = o.Text("name", nameMost)
	}
	raw, ok := o.Take("default")
	switch {
	case !ok:
	case string(raw) == "true" || string(raw) == `"true"`:
		standard = true
	case string(raw) != "false" && string(raw) != `"false"`:
		o.Wrong("default", "takes true or false")
	}
	return id, name, standard
}

// reference is the id inside a member such as {"id": …}.
func reference(o *document.Object, member string) string {
	in, ok := o.Object(member)
	if !ok {
		return ""
	}
	defer in.End(member)
	if !in.Need("id") {
		return ""
	}
	return in.Text("id", nameMost)
}

// switched reads {"enabled": …}, which has to say so.
func switched(o *document.Object, member string) (document.Object, bool) {
	in, ok := o.Object(member)
	if !ok {
		return in, false
	}
	in.Need("enabled")
	return in, in.Flag("enabled")
}

// within is a whole number in a range, or what it is when it is left out.
func within(o *document.Object, member string, least, most, otherwise int) int {
	raw, ok := o.Take(member)
	if !ok {
		return otherwise
	}
	n, whole := number(raw)
	if !whole || n < least || n > most {
		code := ""
		if whole {
			code = flow.OutOfRange
		}
		o.Faults.AddCode(o.At.Member(member), code, fmt.Sprintf("takes a whole number from %d to %d", least, most))
		return otherwise
	}
	return n
}

// number is a JSON number that is whole, however it is written.
func number(raw json.RawMessage) (int, bool) {
	var f float64
	if raw[0] == '"' || json.Unmarshal(raw, &f) != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
		return 0, false
	}
	return int(f), true
}

// units are those in which spans are written. Source: reference/management.md 5.10.
func units() map[string]time.Duration {
	return map[string]time.Duration{"SECONDS": time.Second, "MINUTES": time.Minute, "HOURS": time.Hour, "DAYS": 24 * time.Hour}
}

// length is a span as {"duration": …, "timeUnit": …} within a range, or what it is
// when it is left out. none lets 0 stand for no span at all.
type length struct {
	least, most time.Duration
	otherwise   time.Duration
	none        bool
	units       []string
}

func (l length) read(o *document.Object, member string) time.Duration {
	in, ok := o.Object(member)
	if !ok {
		return l.otherwise
	}
	defer in.End(member)
	named := in.Need("timeUnit")
	unit := in.One("timeUnit", l.units...)
	if !in.Need("duration") {
		return l.otherwise
	}
	raw, _ := in.Take("duration")
	n, whole := number(raw)
	d := time.Duration(n) * units()[unit]
	switch {
	case !whole || n < 0:
		in.Wrong("duration", "takes a whole number")
	case !named || unit == "": // has been said
	case l.none && d == 0, d >= l.least && d <= l.most:
		return d
	default:
		in.Faults.AddCode(in.At.Member("duration"), flow.OutOfRange, l.span())
	}
	return l.otherwise
}

func (l length) span() string {
	s := fmt.Sprintf("takes %s to %s", said(l.least), said(l.most))
	if l.none {
		s += ", or 0 for none"
	}
	return s
}

// said is a span as a person writes one.
func said(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d >= u.of && d%u.of == 0 {
			s := fmt.Sprintf("%d %s", d/u.of, u.name)
			if d != u.of {
				s += "s"
			}
			return s
		}
	}
	return strings.TrimSpace(d.String())
}
