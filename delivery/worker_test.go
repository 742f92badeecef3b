package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorward/delivery"
	"doorward/internal/mailtest"
	"doorward/runtime/flow"
)

func TestMessageArrivesAndIsSpokenOfByItsIdOnly(t *testing.T) {
	sink := mailtest.Start(t)
	box := &outbox{}
	box.add(message("m1"))
	p := work(t, box, relay(t, sink.URL()), nil)
	p.Wake()
	got := sink.Wait(t, address)
	if got.Subject != "Your code for Acme Travel" || got.Code() != code || got.Link() != "https://auth.example/e/signon/?flowId=f&code="+code {
		t.Errorf("subject %q, code %q, link %q in\n%s", got.Subject, got.Code(), got.Link(), got.Text)
	}
	until(t, "the event", func() bool { return p.has(flow.MessageSent, "") })
	p.stop()
	if r := box.row("m1"); r.end != "sent" || r.claims != 1 {
		t.Errorf("row %+v", r)
	}
	p.keepsSecrets(t)
	if !strings.Contains(p.said(), "message=m1") {
		t.Errorf("the log does not name the message:\n%s", p.said())
	}
}

func TestTwoWorkersSendEachMessageOnce(t *testing.T) {
	sink := mailtest.Start(t)
	box := &outbox{}
	const n = 100
	for i := range n {
		m := message(fmt.Sprint("m", i))
		m.To = fmt.Sprintf("u%d@x.example", i)
		box.add(m)
	}
	one, two := work(t, box, relay(t, sink.URL()), nil), work(t, box, relay(t, sink.URL()), nil)
	until(t, "all sent", func() bool { return box.left() == 0 })
	one.stop()
	two.stop()
	times := map[string]int{}
	for _, m := range sink.All() {
		times[m.To]++
	}
	for i := range n {
		if to := fmt.Sprintf("u%d@x.example", i); times[to] != 1 || box.row(fmt.Sprint("m", i)).claims != 1 {
			t.Errorf("%s got %d mails", to, times[to])
		}
	}
}

func TestWhatIsNotTakenNowIsTriedAgain(t *testing.T) {
	for verb, code := range map[string]int{"MAIL": 451, "RCPT": 450, "DATA": 452} {
		t.Run(verb, func(t *testing.T) {
			sink := mailtest.Start(t)
			sink.Refuse(verb, code)
			box := &outbox{hasty: true}
			box.add(message("m1"))
			p := work(t, box, relay(t, sink.URL()), nil)
			until(t, "two tries", func() bool { return sink.Dials() >= 2 && p.has(flow.MessageFailed, delivery.Busy) })
			sink.Refuse(verb, 0)
			sink.Wait(t, address)
			until(t, "the mark", func() bool { return box.row("m1").end == "sent" })
			p.stop()
			if len(sink.All()) != 1 {
				t.Errorf("%d mails", len(sink.All()))
			}
			p.keepsSecrets(t)
			if !strings.Contains(p.said(), fmt.Sprintf("answered %d 4.1.1", code)) {
				t.Errorf("the log does not say why:\n%s", p.said())
			}
		})
	}
}

func TestWhatIsRefusedForGoodIsDropped(t *testing.T) {
	for verb, code := range map[string]int{"MAIL": 553, "RCPT": 550, "DATA": 554} {
		t.Run(verb, func(t *testing.T) {
			sink := mailtest.Start(t)
			sink.Refuse(verb, code)
			box := &outbox{hasty: true}
			box.add(message("m1"))
			p := work(t, box, relay(t, sink.URL()), nil)
			until(t, "the event", func() bool { return p.has(flow.MessageDropped, delivery.Refused) })
			p.stop()
			if r := box.row("m1"); r.end != "dropped" || sink.Dials() != 1 || p.has(flow.MessageFailed, "") {
				t.Errorf("row %+v after %d connections", r, sink.Dials())
			}
			p.keepsSecrets(t)
		})
	}
}

func TestWhatIsNotWorthSendingCostsNoConnection(t *testing.T) {
	for reason, change := range map[string]func(*flow.Message){
		delivery.Nobody:      func(m *flow.Message) { m.To = "" },
		delivery.Expired:     func(m *flow.Message) { m.ExpiresAt = time.Now().Add(-time.Second) },
		delivery.Unwritten:   func(m *flow.Message) { m.Template = "unheard of" },
		delivery.Unaddressed: func(m *flow.Message) { m.To = "ada lovelace, bob@x.example" },
	} {
		t.Run(reason, func(t *testing.T) {
			sink := mailtest.Start(t)
			box := &outbox{hasty: true}
			m := message("m1")
			change(&m)
			box.add(m)
			p := work(t, box, relay(t, sink.URL()), nil)
			until(t, "the event", func() bool { return p.has(flow.MessageDropped, reason) })
			p.stop()
			if box.row("m1").end != "dropped" || sink.Dials() != 0 {
				t.Errorf("row %+v after %d connections", box.row("m1"), sink.Dials())
			}
			p.keepsSecrets(t)
		})
	}
}

func TestHangingServerHoldsNobodyElse(t *testing.T) {
	sink := mailtest.Start(t)
	sink.Hang(true)
	box := &outbox{}
	box.add(message("hangs"))
	p := work(t, box, relay(t, sink.URL()), func(p *delivery.Parts) { p.Grace = 100 * time.Millisecond })
	until(t, "the connection", func() bool { return sink.Dials() == 1 })
	sink.Hang(false)
	for i := range 20 {
		m := message(fmt.Sprint("m", i))
		m.To = fmt.Sprintf("u%d@x.example", i)
		box.add(m)
	}
	p.Wake()
	for i := range 20 {
		sink.Wait(t, fmt.Sprintf("u%d@x.example", i))
	}
	if r := box.row("hangs"); r.end != "" || len(r.waits) != 0 {
		t.Fatalf("it did not hang: %+v", r)
	}
	p.stop() // and not after the 10 s that the server has
	if r := box.row("hangs"); r.end != "" || len(r.waits) != 1 || r.waits[0] > 0 || !p.has(flow.MessageFailed, delivery.Stopped) {
		t.Errorf("what was broken off is not due at once: %+v\n%s", r, p.said())
	}
}

func TestMailIsNeverSentTwice(t *testing.T) {
	t.Run("a server that takes it and hangs up", func(t *testing.T) {
		sink := mailtest.Start(t)
		sink.Lose(true)
		box := &outbox{hasty: true}
		box.add(message("m1"))
		p := work(t, box, relay(t, sink.URL()), nil)
		until(t, "the event", func() bool { return p.has(flow.MessageDropped, delivery.Uncertain) })
		p.stop()
		if len(sink.All()) != 1 || box.row("m1").end != "dropped" {
			t.Errorf("%d mails", len(sink.All()))
		}
	})
	t.Run("a server that does not answer when the process ends", func(t *testing.T) {
		sink := mailtest.Start(t)
		sink.Slow(time.Hour)
		box := &outbox{hasty: true}
		box.add(message("m1"))
		p := work(t, box, relay(t, sink.URL()), func(p *delivery.Parts) { p.Grace = 300 * time.Millisecond })
		until(t, "the connection", func() bool { return sink.Dials() == 1 })
		time.Sleep(200 * time.Millisecond) // for the mail to be on the wire; when it is not, the row is due
		p.stop()
		if r := box.row("m1"); r.end != "dropped" && len(r.waits) != 1 || p.has(flow.MessageSent, "") {
			t.Errorf("row %+v", r)
		}
	})
	t.Run("a sender that does not say what it did", func(t *testing.T) {
		box := &outbox{hasty: true}
		box.add(message("m1"))
		p := work(t, box, sender(func(delivery.Mail) error { return errors.New(address) }), nil)
		until(t, "the event", func() bool { return p.has(flow.MessageDropped, delivery.Uncertain) })
		p.stop()
		p.keepsSecrets(t)
	})
	t.Run("an outbox that does not hear it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			box, sent := &deaf{}, atomic.Int32{}
			box.add(message("m1"))
			p := work(t, &box.outbox, sender(func(delivery.Mail) error { sent.Add(1); return nil }), func(p *delivery.Parts) { p.Queue = box })
			time.Sleep(24 * time.Hour)
			p.stop()
			if sent.Load() != 1 || !strings.Contains(p.said(), "could not be marked") {
				t.Errorf("sent %d times\n%s", sent.Load(), p.said())
			}
		})
	})
}

// deaf is an outbox that cannot be told.
type deaf struct{ outbox }

func (*deaf) Sent(context.Context, string) error { return errors.New("no") }

func TestSendsUnderWayAreFinished(t *testing.T) {
	sink := mailtest.Start(t)
	sink.Slow(300 * time.Millisecond)
	box := &outbox{}
	box.add(message("m1"))
	p := work(t, box, relay(t, sink.URL()), nil)
	until(t, "the connection", func() bool { return sink.Dials() == 1 })
	box.add(message("m2"))
	p.stop()
	if box.row("m1").end != "sent" || len(sink.All()) != 1 || box.row("m2").claims != 0 {
		t.Errorf("rows %+v and %+v, %d mails", box.row("m1"), box.row("m2"), len(sink.All()))
	}
}

// sender is one that needs no server.
type sender func(delivery.Mail) error

func (s sender) Send(_ context.Context, m delivery.Mail) error { return s(m) }

func TestPanicCostsOneMessage(t *testing.T) {
	recent := delivery.NewRecent()
	box := &outbox{hasty: true}
	sends := sender(func(m delivery.Mail) error {
		if m.MessageID == "sender" {
			panic(m.Text)
		}
		return recent.Send(t.Context(), m)
	})
	p := work(t, box, sends, func(p *delivery.Parts) {
		p.Place = func(env, flowID string) (delivery.Place, bool) {
			if env == "panics" {
				panic(address)
			}
			return place(env, flowID)
		}
	})
	homeless := message("place")
	homeless.Env = "panics"
	box.mu.Lock()
	box.panic = true
	box.mu.Unlock()
	until(t, "a claim that panics", func() bool { return strings.Contains(p.said(), "cannot be read") })
	box.mu.Lock()
	box.panic = false
	box.mu.Unlock()
	box.add(homeless, message("sender"), message("m1"))
	until(t, "the good one", func() bool { return box.left() == 0 })
	p.stop()
	if len(recent.Messages()) != 1 || box.row("sender").end != "dropped" || box.row("place").end != "dropped" {
		t.Errorf("%+v %+v", box.row("sender"), box.row("place"))
	}
	if !p.has(flow.MessageDropped, delivery.Uncertain) || !p.has(flow.MessageDropped, delivery.Unwritten) {
		t.Errorf("events %+v", p.events)
	}
	p.keepsSecrets(t)
}

func TestEnvironmentThatIsNotKnownYetIsWaitedFor(t *testing.T) {
	var known atomic.Bool
	box := &outbox{hasty: true}
	box.add(message("m1"))
	p := work(t, box, delivery.NewRecent(), func(p *delivery.Parts) {
		p.Place = func(env, flowID string) (delivery.Place, bool) {
			at, _ := place(env, flowID)
			return at, known.Load()
		}
	})
	until(t, "a failure", func() bool { return p.has(flow.MessageFailed, delivery.NoEnvironment) })
	known.Store(true)
	until(t, "the mail", func() bool { return box.row("m1").end == "sent" })
}

func TestTriesAreFurtherAndFurtherApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &outbox{}
		m := message("m1")
		m.ExpiresAt = time.Now().Add(3 * time.Hour)
		box.add(m)
		p := work(t, box, sender(func(delivery.Mail) error { return &delivery.Failure{Reason: delivery.Unreachable} }), nil)
		time.Sleep(4 * time.Hour)
		p.stop()
		waits := box.row("m1").waits
		if len(waits) < 15 || !p.has(flow.MessageDropped, delivery.Expired) || box.row("m1").end != "dropped" {
			t.Fatalf("waited %v", waits)
		}
		for i, w := range waits {
			full := min(2*time.Second<<min(i, 20), 10*time.Minute)
			if w < full*3/4 || w > full*5/4 {
				t.Errorf("waited %v after try %d, want about %v", w, i+1, full)
			}
		}
	})
}

func TestTriesEnd(t *testing.T) {
	box := &outbox{hasty: true}
	m := message("m1")
	m.ExpiresAt = time.Time{}
	box.add(m)
	var tries atomic.Int32
	p := work(t, box, sender(func(delivery.Mail) error {
		tries.Add(1)
		return &delivery.Failure{Reason: delivery.Busy}
	}), nil)
	until(t, "the end", func() bool { p.Wake(); return p.has(flow.MessageDropped, delivery.Exhausted) })
	if tries.Load() != 100 {
		t.Errorf("tried %d times", tries.Load())
	}
}

func TestWorkerLooksAtOnceWhenWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &outbox{}
		recent := delivery.NewRecent()
		p := work(t, box, recent, nil)
		time.Sleep(time.Second + 100*time.Millisecond) // between two looks
		box.add(message("m1"))
		p.Wake()
		p.Wake()
		synctest.Wait() // no time passes
		if len(recent.Messages()) != 1 {
			t.Error("it was not woken")
		}
		box.add(message("m2"))
		time.Sleep(time.Second)
		synctest.Wait()
		if len(recent.Messages()) != 2 {
			t.Error("it does not look by itself")
		}
	})
}

func TestOutboxThatCannotBeReadIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &outbox{fails: errors.New("locked")}
		p := work(t, box, delivery.NewRecent(), nil)
		time.Sleep(time.Minute)
		box.mu.Lock()
		box.fails = nil
		box.mu.Unlock()
		time.Sleep(time.Minute)
		p.stop()
		if n := strings.Count(p.said(), "\n"); n != 2 || !strings.Contains(p.said(), "error=locked") || !strings.Contains(p.said(), "again") {
			t.Errorf("said %d times:\n%s", n, p.said())
		}
	})
}

func TestSendsAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var now, most int
		box := &outbox{}
		for i := range 50 {
			box.add(message(fmt.Sprint("m", i)))
		}
		p := work(t, box, sender(func(delivery.Mail) error {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return nil
		}), nil)
		time.Sleep(10 * time.Second)
		p.stop()
		if most != 8 || box.left() != 0 {
			t.Errorf("%d at once, %d left", most, box.left())
		}
	})
}

// However many mails hang, an SMS is sent at once; and the other way round.
func TestOneLaneHoldsUpNoOther(t *testing.T) {
	for name, row := range map[string]struct{ hangs, sent flow.Channel }{
		"a mail server that hangs": {flow.Email, flow.SMS},
		"a provider that hangs":    {flow.Push, flow.Email},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				box := &outbox{}
				add := func(id string, by flow.Channel) {
					m := message(id)
					if by != flow.Email {
						m = text(id, by)
					}
					box.add(m)
				}
				hang := func(by flow.Channel) {
					if by == row.hangs {
						time.Sleep(30 * time.Second)
					}
				}
				p := work(t, box, sender(func(delivery.Mail) error { hang(flow.Email); return nil }), func(p *delivery.Parts) {
					p.Phone = phone(func(s delivery.Text) error { hang(s.Channel); return nil })
				})
				for i := range 20 {
					add(fmt.Sprint("hangs", i), row.hangs)
				}
				p.Wake()
				synctest.Wait()
				add("m1", row.sent)
				p.Wake()
				synctest.Wait() // no time passes
				if r := box.row("m1"); r.end != "sent" {
					t.Errorf("it waits: %+v", r)
				}
			})
		})
	}
}

// However many messages of some environments hang at their providers, those of another
// are sent at once.
func TestAProviderThatHangsHoldsUpItsEnvironmentAlone(t *testing.T) {
	for n := 1; n <= 3; n++ {
		t.Run(fmt.Sprint(n, " of them"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				box := &outbox{}
				add := func(id, env string) {
					m := text(id, flow.SMS)
					m.Env = env
					box.add(m)
				}
				p := work(t, box, nil, func(p *delivery.Parts) {
					p.Phone = phone(func(s delivery.Text) error {
						if s.Env != "prompt" {
							time.Sleep(30 * time.Second)
						}
						return nil
					})
				})
				for i := range 40 * n {
					add(fmt.Sprint("hangs", i), fmt.Sprint("e", i%n))
				}
				p.Wake()
				synctest.Wait()
				for i := range 20 {
					add(fmt.Sprint("m", i), "prompt")
				}
				p.Wake()
				synctest.Wait() // no time passes
				if left := box.left(); left != 40*n {
					t.Errorf("%d wait", left-40*n)
				}
				time.Sleep(5*30*time.Second + time.Second) // 8 at once, each as soon as it may
				if left := box.left(); left != 0 {
					t.Errorf("%d are left of what hung", left)
				}
			})
		})
	}
}

func TestWorkerNeedsItsParts(t *testing.T) {
	if _, err := delivery.New(delivery.Parts{Sender: delivery.NewRecent(), Place: place}); err == nil {
		t.Error("accepted")
	}
}

func TestRecentKeepsTheLastHundred(t *testing.T) {
	r := delivery.NewRecent()
	for i := range 103 {
		if err := r.Send(t.Context(), delivery.Mail{Subject: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	got := r.Messages()
	if len(got) != 100 || got[0].Subject != "102" || got[99].Subject != "3" {
		t.Errorf("%d mails, from %s to %s", len(got), got[0].Subject, got[99].Subject)
	}
}
