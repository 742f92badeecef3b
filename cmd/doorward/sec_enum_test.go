package main_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	visit "doorward/internal/journey"
)

var untilUnlock = regexp.MustCompile(`"secondsUntilUnlock":\d{3}`)

// guess is one attempt: what a stranger is told, and what it left in Redis.
func (x *trial) guess(f *visit.Flow, name, password string) string {
	x.Helper()
	before, more := x.redisKeys(), 0
	shape := untilUnlock.ReplaceAllString(f.Password(name, password).Shape(), "(seconds)")
	for _, k := range x.redisKeys() {
		if !slices.Contains(before, k) {
			more++
		}
	}
	return fmt.Sprintf("%s\n%d more keys", shape, more)
}

// Eight kinds of accounts and names are told the same, guess by guess, down to
// the headers, the length and the guess at which the lock is named. ZITADEL
// CVE-2026-23511.
func TestSec_ENUM_LOGIN(t *testing.T) {
	x := newTrial(t)
	kinds := map[string]string{
		"wrong password":       "enum-wrong",
		"disabled":             "enum-disabled",
		"no password":          "enum-empty",
		"another population":   "enum-partner",
		"verified":             "enum-verified",
		"unknown":              "nobody-of-that-name",
		"unknown, Unicode":     "Ünbekännt-ﬀ",
		"no username could be": "a\u0000b\u202ec",
	}
	x.exec(`DELETE FROM failures WHERE env = $1`, firstEnv)
	const limit = 5
	series := map[string][]string{}
	for kind, name := range kinds {
		f := x.browser().Start(shop.Ask())
		for i := range limit + 2 {
			series[kind] = append(series[kind], x.guess(f, name, fmt.Sprintf("Guess-%d-of-a-stranger", i)))
		}
		if shape := f.Get().Flow(); shape.Status != anybody || shape.Embedded.User.ID != "" {
			t.Errorf("%s: the flow is in %s for %q", kind, shape.Status, shape.Embedded.User.ID)
		}
		x.happened(f, "PASSWORD.CHECK_FAILED", limit-1)
		x.happened(f, "PASSWORD.LOCKED", 3)
	}
	want := series["unknown"]
	for i, told := range want {
		if locked := strings.Contains(told, "PASSWORD_LOCKED_OUT"); locked != (i >= limit-1) || !locked && !strings.Contains(told, "INVALID_CREDENTIALS") {
			t.Errorf("guess %d of an unknown name is told\n%s", i+1, told)
		}
	}
	for kind, told := range series {
		if !slices.Equal(told, want) {
			t.Errorf("%s is told\n%s\nand an unknown name\n%s", kind, strings.Join(told, "\n"), strings.Join(want, "\n"))
		}
	}

	// Once locked: a new browser, a new spelling, the right password.
	f := x.browser().Start(shop.Ask())
	right := x.guess(f, "  ENUM-Wrong ", passwords["enum-wrong"])
	g := x.browser().Start(shop.Ask())
	if wrong := x.guess(g, "  NOBODY-of-that-NAME ", passwords["enum-wrong"]); right != wrong || right != want[limit] {
		t.Errorf("locked, the right password is told\n%s\nand an unknown name\n%s", right, wrong)
	}
	if n := x.failures("enum-wrong"); n != limit {
		t.Errorf("%d failures are counted, want %d", n, limit)
	}
}

// The hosted page tells no more than the API does.
func TestSec_ENUM_LOGIN_page(t *testing.T) {
	x := newTrial(t)
	pages := map[string]string{}
	for _, name := range []string{"time-wrong", "time-empty", "nobody-abc"} { // of one length, since the page repeats it
		f := x.browser().Start(shop.Ask())
		token := formToken(t, f.Send(http.MethodGet, f.Page(), nil, nil).Is(200).Body)
		form := url.Values{"_action": {check}, "_token": {token}, "username": {name}, "password": {"Guess-on-a-page"}}
		a := f.Send(http.MethodPost, f.Page(), visit.Header("Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"), []byte(form.Encode())).Is(400)
		next := formToken(t, a.Body)
		pages[name] = strings.NewReplacer(name, "(name)", next, "(token)").Replace(a.Shape())
		if strings.Contains(pages[name], "Guess-on-a-page") {
			t.Error("the page repeats the password")
		}
	}
	for name, page := range pages {
		if page != pages["nobody-abc"] {
			t.Errorf("%s is shown\n%s\nand an unknown name\n%s", name, page, pages["nobody-abc"])
		}
	}
	x.exec(`DELETE FROM failures WHERE env = $1`, firstEnv)
}

// Whatever the account is, a guess takes as long: of all that are not locked, and
// of all that are. Whether one is locked, the answer says anyway.
func TestSec_ENUM_LOGIN_time(t *testing.T) {
	x := newTrial(t)
	names := map[string]string{
		"wrong password": "time-wrong", "disabled": "time-disabled", "no password": "time-empty",
		"unknown": "nobody-in-time", "no username could be": "a\u0000b",
	}
	flows := map[string]*visit.Flow{}
	for kind := range names {
		flows[kind] = x.browser().Start(shop.Ask())
	}
	guesses := 0
	guess := func(kind, detail string) time.Duration {
		guesses++
		start := time.Now()
		flows[kind].Via(guesses%2).Password(names[kind], fmt.Sprintf("Guess-in-time-%d", guesses)).Refused(400, "INVALID_DATA", detail)
		return time.Since(start)
	}
	x.alike("not locked", func() map[string][]time.Duration {
		took := map[string][]time.Duration{}
		for i := range 9 {
			if i%3 == 0 { // before any is locked
				x.exec(`DELETE FROM failures WHERE env = $1`, firstEnv)
			}
			for _, kind := range slices.Sorted(maps.Keys(names)) {
				took[kind] = append(took[kind], guess(kind, "INVALID_CREDENTIALS@password"))
			}
		}
		return took
	})
	x.exec(`UPDATE failures SET count = 5, locked_until = at + 900000 WHERE env = $1`, firstEnv)
	x.alike("locked", func() map[string][]time.Duration {
		took := map[string][]time.Duration{}
		for range 7 {
			for _, kind := range slices.Sorted(maps.Keys(names)) {
				took[kind] = append(took[kind], guess(kind, "PASSWORD_LOCKED_OUT@password"))
			}
		}
		return took
	})
	x.exec(`DELETE FROM failures WHERE env = $1`, firstEnv)
}

// alike measures until the times lie together, six times at most, and keeps what was
// measured: on a busy machine few of them may lie apart, but a difference that is there
// stays. What else a machine does only ever adds, so that of each kind the quicker ones
// are compared: the first quarter's end.
func (x *trial) alike(what string, measure func() map[string][]time.Duration) {
	x.Helper()
	took := map[string][]time.Duration{}
	for range 6 {
		least, most := time.Hour, time.Duration(0)
		var all []string
		for kind, more := range measure() {
			d := slices.Concat(took[kind], more)
			slices.Sort(d)
			took[kind] = d
			quick := d[len(d)/4]
			least, most = min(least, quick), max(most, quick)
			all = append(all, fmt.Sprintf("%s %v (median %v)", kind, quick.Round(time.Millisecond), d[len(d)/2].Round(time.Millisecond)))
		}
		x.Logf("%s: %v", what, all)
		if most < 2*least+10*time.Millisecond {
			return
		}
	}
	x.Errorf("%s: the times lie apart", what)
}
