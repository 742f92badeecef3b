package forms

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/wording"
)

// sentence says what a detail means to the person who typed, by the keys
// "fault.CODE.target" and, for whatever has no words of its own, "fault.CODE".
// Each may be followed by what is known beside it: ".known" where the page shows
// who signs on, ".left" and ".spent" where the tries are counted, ".lasting" where
// nobody can say how long it takes. An unknown name and a wrong password are one
// sentence.
func (w *words) sentence(d *flow.Detail, label, person string) string {
	code := d.Code
	if code == flow.EmptyValue {
		code = flow.RequiredValue
	}
	p := wording.Params{"label": label, "person": person}
	if n, ok := number(d.Inner["maximumValue"]); ok {
		p["max"] = strconv.Itoa(n)
	}
	if n, ok := number(d.Inner["secondsUntilUnlock"]); ok {
		p["wait"] = w.wait(n)
	}
	base := "fault." + code
	left, counted := number(d.Inner["attemptsRemaining"])
	for _, key := range []string{base + "." + d.Target, base} {
		if _, ok := w.Phrase(key + ".left"); ok && counted && left > 0 {
			return w.Count(key+".left", left, p)
		}
		if _, ok := w.Phrase(key + ".spent"); ok && counted {
			return w.Say(key+".spent", p)
		}
		if known, ok := w.First(p, key+".known"); ok && person != "" {
			return w.Say(known, p)
		}
		if key, ok := w.First(p, key, key+".lasting"); ok {
			return w.Say(key, p)
		}
	}
	return w.Say("fault.OTHER", nil)
}

// number reads a number of an innerError, also one that lay in a store.
func number(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case int64:
		return int(n), true
	case float64:
		return int(n), true
	}
	return 0, false
}

// wait rounds seconds up to a time people say.
func (w *words) wait(seconds int) string {
	minutes := max(1, (seconds+59)/60)
	if minutes <= 90 {
		return w.Count("time.minutes", minutes, nil)
	}
	return w.Count("time.hours", (minutes+59)/60, nil)
}

// notice says above the form why the page is not what was expected; nothing when
// the fault has details, which say it better.
func (w *words) notice(f *flow.Fault) string {
	switch {
	case f == nil || len(f.Details) > 0 && f.Code == flow.InvalidData:
		return ""
	case f.Code == flow.Limited:
		return w.limited(f, "notice.limited", "notice.limited.long")
	case f.Code == flow.Unavailable:
		return w.Say("notice.busy", nil)
	case f.Code == flow.RequestFailed && len(f.Details) > 0:
		return w.sentence(&f.Details[0], "", "")
	}
	return w.Say("notice.moved", nil)
}

// limited tells of too many tries by the key short, or by long, with the wait, where
// that is more than a moment.
func (w *words) limited(f *flow.Fault, short, long string) string {
	if f.RetryAfter > time.Minute {
		return w.Say(long, wording.Params{"wait": w.wait(int(f.RetryAfter.Seconds()))})
	}
	return w.Say(short, nil)
}

// noticed is the notice of a page that has no form of data: why what was sent was
// not taken, why a step behind the page failed and led back to it, or what trouble
// the step itself tells of.
func (w *words) noticed(s *SignOn, trouble *flow.Failure) string {
	if failure := cmp.Or(s.View.Failure, trouble); s.Fault == nil && failure != nil {
		return w.failure(failure, s.View.User.Username)
	}
	return w.notice(s.Fault)
}

// failure is what a failure means, in our words where there are some: those of
// its code, or else those of the first input that it is about.
func (w *words) failure(f *flow.Failure, person string) string {
	if key, ok := w.First(nil, "failure."+f.Code); ok {
		return w.Say(key, nil)
	}
	if len(f.Details) > 0 {
		d := f.Details[0]
		d.Target = strings.TrimPrefix(d.Target, "user.")
		name := d.Target[strings.LastIndexByte(d.Target, '.')+1:]
		return w.sentence(&d, cmp.Or(w.labels["register."+name+".label"].text, w.labels["change."+name+".label"].text), person)
	}
	if key, ok := w.First(nil, "fault."+f.Code, "fault."+f.Code+".lasting"); ok {
		return w.Say(key, nil)
	}
	return cmp.Or(f.Message, w.Say("fault.OTHER", nil))
}

// explain is the page for a fault that leaves nothing to fill in: the key of its
// words. Retry says that the same page may be tried again.
func explain(f *flow.Fault) (key string, retry bool) {
	switch f.Code {
	case flow.NotFound, flow.Misdirected:
		if f.Restart {
			return "page.expired", false
		}
		return "page.missing", false
	case flow.Unavailable:
		return "page.down", true
	case flow.Limited:
		return "page.limited", true
	case flow.AccessFailed:
		return "page.refused", true
	case flow.Unexpected:
		return "page.failed", true
	case flow.InvalidData, flow.InvalidRequest, flow.InvalidToken, flow.MethodNotAllowed, flow.Conflict, flow.TooLarge, flow.UnsupportedMedia, flow.RequestFailed:
	}
	return "page.malformed", false
}
