package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	visit "doorward/internal/journey"
)

// A node that dies between a call and its save leaves a call that was made. The
// repeat of the submit, at another node, makes the same call again: by the same key,
// so that the company does nothing twice. Row EXT-CRASH.
func TestFaultKillBetweenCallAndSave(t *testing.T) {
	t.Parallel()
	x := apart(t)
	r := x.room(admin, shop4)
	c := r.company(x.partner)
	f := x.browser().Begin(r.shop, c.submitted(), map[string]any{"to": "-", "name": "-", "what": "good"})
	header := []string{"Cookie", "ST=" + f.ST(r.env), "If-Match", f.Get().Header.Get("ETag")}
	called := make(chan struct{}, 8)
	c.at.mu.Lock()
	c.at.before = func(inquiry) {
		if len(called) == 0 { // nothing that is written from now on is kept
			_ = x.redis.Client().Do(t.Context(), "CLIENT", "PAUSE", "30000", "WRITE").Err()
		}
		called <- struct{}{}
	}
	c.at.mu.Unlock()
	x.dead = x.nodes[0]
	go func() {
		within(t, 10*time.Second, "the call", func() bool { return len(called) > 0 })
		x.dead.Kill() // whether the answer is there or not, it is not saved
		_ = x.redis.Client().Do(t.Context(), "CLIENT", "UNPAUSE").Err()
	}()
	first := newDoor(x.dead)
	req, err := http.NewRequest(http.MethodPost, x.site.Base+f.Path(), strings.NewReader(`{"note":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = visit.Header(append(header, "Content-Type", visit.ContentType("form.submit"))...)
	if a, err := first.send(req); err == nil {
		t.Fatalf("the node answered before it died: %v", a)
	}
	var a *visit.Answer
	within(t, 40*time.Second, "an answer to the repeat", func() bool { // a lease of the dead node lasts 15 s
		a = f.Via(1).Act("form.submit", `{"note":"a"}`, header...)
		return a.Status != http.StatusServiceUnavailable
	})
	if got := became(a.Flow()); got != "200" {
		t.Errorf("the repeat came to %s", got)
	}
	if all := c.asked(); len(all) != 2 || len(keysOfCalls(all)) != 1 || all[0].Body != all[1].Body {
		t.Errorf("the company was asked %+v", all)
	}
}
