package forms

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorward/runtime/flow"
)

// say returns the words of a text with its parameters put in.
func (p *Pages) say(t flow.Text) string {
	s := t.Default
	for name, value := range t.Params {
		s = strings.ReplaceAll(s, "{"+name+"}", value)
	}
	return s
}

func textSignOn() flow.Text   { return flow.Text{Key: "page.signOn", Default: "Sign on"} }
func textContinue() flow.Text { return flow.Text{Key: "page.continue", Default: "Continue"} }

// sentence says what a detail means to the person who typed. An unknown name and
// a wrong password are one sentence.
func sentence(d flow.Detail, label, person string) flow.Text {
	about := map[string]string{"label": label, "field": lowered(label), "person": person}
	switch d.Code {
	case flow.InvalidCredentials:
		if person != "" {
			return flow.Text{Key: "error.password", Default: "That password is not right. Try again."}
		}
		return flow.Text{Key: "error.credentials", Default: "That username and password do not match. Check both and try again."}
	case flow.PasswordLockedOut:
		return flow.Text{Key: "error.locked", Default: "There were too many tries. Try again in {wait}.", Params: map[string]string{"wait": wait(d.Inner["secondsUntilUnlock"])}}
	}
	if label == "" {
		return flow.Text{Key: "error.other", Default: "We could not take that. Try again."}
	}
	switch d.Code {
	case flow.RequiredValue, flow.EmptyValue:
		return flow.Text{Key: "error.required", Default: "Enter your {field}.", Params: about}
	case flow.SizeLimitExceeded:
		if n, ok := d.Inner["maximumValue"].(int); ok {
			about["max"] = strconv.Itoa(n)
			return flow.Text{Key: "error.tooLong", Default: "{label} is too long. Use at most {max} characters.", Params: about}
		}
	case flow.InvalidValue:
		if person != "" && d.Target == "username" {
			return flow.Text{Key: "error.otherPerson", Default: "You are signing on as {person}. To be somebody else, choose “Not you?”.", Params: about}
		}
	}
	return flow.Text{Key: "error.value", Default: "{label} is not right. Check it and try again.", Params: about}
}

// lowered puts a label into a sentence: "Username" becomes "username", "PIN"
// stays.
func lowered(label string) string {
	first, n := utf8.DecodeRuneInString(label)
	if next, _ := utf8.DecodeRuneInString(label[n:]); unicode.IsUpper(next) {
		return label
	}
	return string(unicode.ToLower(first)) + label[n:]
}

// wait rounds seconds up to a time people say.
func wait(seconds any) string {
	s, _ := seconds.(int)
	unit, n := "minute", max(1, (s+59)/60)
	if n > 90 {
		unit, n = "hour", (n+59)/60
	}
	if n > 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}

// noticeOf says above the form why the page is not what was expected; the empty
// text when the fault has details, which say it better.
func noticeOf(f *flow.Fault) flow.Text {
	if f == nil || len(f.Details) > 0 && f.Code == flow.InvalidData {
		return flow.Text{}
	}
	if f.Code == flow.Limited {
		return flow.Text{Key: "notice.limited", Default: "There were too many tries. Wait a moment, then try again."}
	}
	return flow.Text{Key: "notice.moved", Default: "That page was out of date. This is where you are now."}
}

// Explain is the page for a fault that leaves nothing to fill in: what happened
// and what to do. Retry says that the same page may be tried again.
func Explain(f *flow.Fault) (title, text flow.Text, retry bool) {
	switch f.Code {
	case flow.NotFound, flow.Misdirected:
		if !f.Restart {
			return flow.Text{Key: "page.missing.title", Default: "There is no page here"},
				flow.Text{Key: "page.missing.text", Default: "Check the address, or go back to the application you came from."}, false
		}
		return flow.Text{Key: "page.expired.title", Default: "This page has expired"},
			flow.Text{Key: "page.expired.text", Default: "Sign-on pages close after a while, to keep you safe. Go back to the application you came from and start again."}, false
	case flow.Unavailable:
		return flow.Text{Key: "page.down.title", Default: "We cannot sign you on right now"},
			flow.Text{Key: "page.down.text", Default: "This is on our side and nothing you typed is lost. Wait a moment, then try again."}, true
	case flow.Limited:
		return flow.Text{Key: "page.limited.title", Default: "Too many tries"},
			flow.Text{Key: "page.limited.text", Default: "Wait a minute, then try again."}, true
	case flow.AccessFailed:
		return flow.Text{Key: "page.refused.title", Default: "We did not accept that"},
			flow.Text{Key: "page.refused.text", Default: "It did not come from our own page. If you were signing on, load the page again and go on from there."}, true
	case flow.Unexpected:
		return flow.Text{Key: "page.failed.title", Default: "Something went wrong on our side"},
			flow.Text{Key: "page.failed.text", Default: "Try again. If it happens again, tell the people who run this service the reference below."}, true
	case flow.InvalidData, flow.InvalidRequest, flow.InvalidToken, flow.MethodNotAllowed, flow.Conflict, flow.TooLarge, flow.UnsupportedMedia:
	}
	return flow.Text{Key: "page.malformed.title", Default: "We could not read that"},
		flow.Text{Key: "page.malformed.text", Default: "Go back to the application you came from and start again."}, false
}
