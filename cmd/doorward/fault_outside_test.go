package main_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	visit "doorward/internal/journey"
)

// TestFaultOutside is what becomes of people when a service that they are asked
// about does badly. Rows EXT-SLOW, EXT-DEAD, EXT-LOAD of the faults.
func TestFaultOutside(t *testing.T) {
	t.Parallel()
	x := apart(t)
	for name, suffer := range map[string]func(*room){
		"a service that takes its time":        suffersSlow,
		"a service that is gone":               suffersDead,
		"a service that hangs, and a crowd":    suffersLoad,
		"a turn that has used its time":        suffersContinue,
		"the same submit, again and again":     suffersRepeats,
		"a secret and an address that changed": suffersChange,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := x.trial(t).room(admin, shop4)
			defer r.clear()
			suffer(r)
		})
	}
}

// undisturbed holds that people sign on at a node as ever.
func (r *room) undisturbed(node int) {
	r.x.Helper()
	for range 3 {
		f := r.x.browser().Via(node).Start(shop.Ask())
		if now := f.Password("ada", passwords["ada"]).Flow(); now.Status != completed {
			r.x.Errorf("somebody else's sign-on came to %s", now.Status)
		}
	}
}

// suffersSlow: an answer within the time counts, and no other is waited for.
func suffersSlow(r *room) {
	c, fast := r.company(r.x.partner), r.company(r.x.partner)
	id, fastID := c.journey(), fast.journey()
	moods := []string{"after-3000", "after-6000", "hostile-silent", "hostile-headed", "hostile-drip"}
	took := make([]time.Duration, len(moods))
	var got []string
	var all sync.WaitGroup
	all.Go(func() {
		for _, a := range atOnce(len(moods), func(i int) *visit.Answer {
			began := time.Now()
			defer func() { took[i] = time.Since(began) }()
			return c.begin(r.x.browser().Via(1), id, "what", moods[i])
		}) {
			got = append(got, became(a.Resource()))
		}
	})
	r.undisturbed(1)
	if got := fast.asksFor(1, fastID, "what", "good"); got != "200" {
		r.x.Errorf("another service: %s", got)
	}
	all.Wait()
	if want := []string{"200", "200", "LATE", "LATE", "LATE"}; !slices.Equal(got, want) {
		r.x.Errorf("%q came to %q, want %q", moods, got, want)
	}
	for i, d := range took[2:] {
		if d < 7*time.Second || d > 12*time.Second {
			r.x.Errorf("%s took %v", moods[2+i], d)
		}
	}
}

// suffersDead: after ten failures nobody is kept waiting, and five seconds after
// the service is back it is asked again.
func suffersDead(r *room) {
	c := r.companyAt(r.x.partner, r.x.partner.Safe)
	id := c.journey()
	ask := func() string { return c.asksFor(1, id, "what", "good") }
	if got := ask(); got != "200" {
		r.x.Fatalf("came to %s", got)
	}
	up := c.at.down()
	failures := 0
	for ; ask() == "NO_HTTP_RESPONSE"; failures++ {
	}
	if failures == 0 || failures > 10 || c.breaker(1) != "OPEN" {
		r.x.Errorf("after %d failures the breaker is %s", failures, c.breaker(1))
	}
	var took []time.Duration
	for range 15 {
		began := time.Now()
		if got := ask(); got != "AWAY" && got != "NO_HTTP_RESPONSE" { // the one that tries
			r.x.Errorf("with an open breaker: %s", got)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	if took[7] > 500*time.Millisecond {
		r.x.Errorf("refusals took %v in the middle", took[7])
	}
	up()
	back := time.Now()
	for got := ""; got != "200"; {
		time.Sleep(100 * time.Millisecond)
		if got = ask(); got != "200" && time.Since(back) > 15*time.Second { // 5, and what a loaded machine adds
			r.x.Fatalf("%v after it is back: %s", time.Since(back), got)
		}
	}
	if c.breaker(1) != "CLOSED" {
		r.x.Errorf("the breaker is %s", c.breaker(1))
	}
}

// suffersLoad: fifteen wait for a service, and everybody else is told at once.
func suffersLoad(r *room) {
	const crowd = 50
	c, other := r.company(r.x.partner), r.company(r.x.partner)
	id, otherID := c.journey(), other.journey()
	release := c.at.hold(c.place)
	defer release()
	came := make(chan string, crowd)
	for range crowd {
		go func() { came <- became(c.begin(r.x.browser().Via(0), id, "what", "hold").Resource()) }()
	}
	for i := range crowd - 15 {
		select {
		case got := <-came:
			if got != "AWAY" {
				r.x.Errorf("one of a crowd came to %s", got)
			}
		case <-time.After(6 * time.Second): // those who wait do so for eight
			r.x.Fatalf("%d of %d were told at once", i, crowd-15)
		}
	}
	if now, most := c.at.waiting(c.place); now != 15 || most != 15 {
		r.x.Errorf("%d calls wait, %d did at most", now, most)
	}
	r.undisturbed(0)
	if got := other.asksFor(0, otherID, "what", "good"); got != "200" {
		r.x.Errorf("another service: %s", got)
	}
	release()
	for range 15 {
		if got := <-came; got != "200" {
			r.x.Errorf("one who waited came to %s", got)
		}
	}
	if n := len(c.asked()); n != 15 || c.breaker(0) != "CLOSED" {
		r.x.Errorf("%d calls were made; the breaker is %s", n, c.breaker(0))
	}
}

// suffersContinue: a call that has no time left in its turn waits for the person,
// and is made once, however often they go on.
func suffersContinue(r *room) {
	c := r.company(r.x.partner)
	parameters := map[string]any{"to": "-", "name": "-", "what": "after-2300", "then": "hold"}
	f := r.x.browser().Begin(r.shop, c.submitted("then"), parameters)
	a := f.Act("form.submit", map[string]string{"note": "a"}).Is(200)
	c.silent(a)
	now := a.Flow()
	if now.Status != "CONTINUE_REQUIRED" || !slices.Contains(now.Offered(), "continue") || len(now.Templates["continue"].Properties) != 0 || len(c.asked()) != 1 {
		r.x.Fatalf("after a long call, %+v", now)
	}
	again := f.Get()
	if got := again.Flow(); got.Status != now.Status {
		r.x.Errorf("read again, the execution is in %s", got.Status)
	}
	f.Act("form.submit", map[string]string{"note": "b"}).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
	f.Act("continue", `{"what":"good"}`).Is(400)
	release := c.at.hold(c.place)
	defer release()
	header := []string{"Cookie", "ST=" + f.ST(r.env), "If-Match", again.Header.Get("ETag")}
	time.AfterFunc(500*time.Millisecond, release)
	answers := atOnce(6, func(i int) *visit.Answer { return f.Via(i%2).Act("continue", `{}`, header...) })
	r.x.same(answers)
	if got := became(answers[0].Flow()); got != "200" {
		r.x.Errorf("went on to %s", got)
	}
	if n := len(c.asked()); n != 2 {
		r.x.Errorf("%d calls were made", n)
	}
	begun := c.definition(definition("EXPERIENCE", "what", c.calls("what", []string{"then"})))
	if got := r.x.browser().Begin(r.shop, begun, parameters).Get().Flow(); got.Status != "CONTINUE_REQUIRED" || len(c.asked()) != 3 {
		r.x.Errorf("one that begins with calls is in %s", got.Status)
	}
}

// suffersRepeats: a submit is one call, whichever nodes its repeats reach.
func suffersRepeats(r *room) {
	c := r.company(r.x.partner)
	id := c.submitted()
	release := c.at.hold(c.place)
	defer release()
	f := r.x.browser().Begin(r.shop, id, map[string]any{"to": "-", "name": "-", "what": "hold"})
	header := []string{"Cookie", "ST=" + f.ST(r.env), "If-Match", f.Get().Header.Get("ETag")}
	time.AfterFunc(700*time.Millisecond, release)
	answers := atOnce(8, func(i int) *visit.Answer {
		return f.Via(i%2).Act("form.submit", map[string]string{"note": "a"}, header...)
	})
	r.x.same(answers)
	late := f.Via(1).Act("form.submit", map[string]string{"note": "a"}, header...)
	if got := became(late.Flow()); got != "200" || len(c.asked()) != 1 || len(c.asked()[0].Header.Get("Idempotency-Key")) != 32 {
		r.x.Errorf("came to %s by %+v", got, c.asked())
	}
	for range 3 { // other executions are other calls
		f := r.x.browser().Begin(r.shop, id, map[string]any{"to": "-", "name": "-", "what": "good"})
		f.Act("form.submit", map[string]string{"note": "a"}).Is(200)
	}
	if n := len(keysOfCalls(c.asked())); n != 4 {
		r.x.Errorf("four calls have %d keys", n)
	}
}

// suffersChange: executions that are under way use the secret of this minute, and
// the address of when they began; where the company has left that, no secret is
// sent there.
func suffersChange(r *room) {
	c := r.company(r.x.partner)
	id := c.submitted()
	begin := func() *visit.Flow {
		return r.x.browser().Begin(r.shop, id, map[string]any{"to": "-", "name": "-", "what": "good"})
	}
	early, late, last := begin(), begin(), begin()
	came := func(f *visit.Flow) (string, inquiry) {
		before := len(c.asked())
		got := became(f.Act("form.submit", map[string]string{"note": "a"}).Flow())
		if all := c.asked(); len(all) > before {
			return got, all[len(all)-1]
		}
		return got, inquiry{}
	}
	old := c.key
	if got, i := came(early); got != "200" || i.Header.Get("X-Api-Key") != old || i.Header.Get("Authorization") != "Bearer "+c.token {
		r.x.Errorf("came to %s by %+v", got, i)
	}
	c.key = "Changed-secret-" + c.key
	c.keep(c.key)
	document := c.body(c.at.Plain + "/" + c.place + "/moved")
	document["name"] = r.unique("Company")
	r.put("/externalServices/"+c.id, document)
	r.served(func(node int) bool {
		got, i := came(begin().Via(node))
		return got == "200" && i.Header.Get("X-Api-Key") == c.key && strings.Contains(i.URI, "/moved/")
	})
	if got, i := came(late); got != "200" || i.Header.Get("X-Api-Key") != c.key || strings.Contains(i.URI, "moved") {
		r.x.Errorf("with what has changed, it came to %s by %+v", got, i)
	}
	elsewhere := c.body("https://127.0.0.1:9/" + c.place) // where nothing is opened
	elsewhere["name"] = r.unique("Company")
	r.put("/externalServices/"+c.id, elsewhere)
	r.served(func(node int) bool { got, _ := came(begin().Via(node)); return got == "MALICIOUS_URL" })
	if got, i := came(last); got != "INVOCATION_ERROR" || i.URI != "" {
		r.x.Errorf("after the company has moved, it came to %s by %+v", got, i)
	}
}
