package delivery_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorward/delivery"
	"doorward/runtime/flow"
)

// phone is one that needs no network.
type phone func(delivery.Text) error

func (p phone) SendText(_ context.Context, t delivery.Text) error { return p(t) }

// calling is a worker that has a phone too.
func calling(p delivery.Phone) func(*delivery.Parts) {
	return func(parts *delivery.Parts) { parts.Phone = p }
}

func TestTextsGoByPhoneAndMailByMail(t *testing.T) {
	recent := delivery.NewRecent()
	box := &outbox{}
	box.add(text("sms", flow.SMS), text("call", flow.Voice), message("mail"))
	var mu sync.Mutex
	counted := map[string]int{}
	p := work(t, box, recent, func(parts *delivery.Parts) {
		parts.Phone = recent
		parts.Count = func(channel flow.Channel, outcome flow.EventType) {
			mu.Lock()
			defer mu.Unlock()
			counted[string(channel)+" "+string(outcome)]++
		}
	})
	until(t, "all sent", func() bool { return box.left() == 0 })
	p.stop()
	got := map[string]delivery.Kept{}
	for _, k := range recent.Messages() {
		got[k.MessageID] = k
	}
	if k := got["sms"]; k.Channel != flow.SMS || k.To != number || k.Text != "Acme Travel: test message. A code would be 123987." || k.Language != "en" || k.Subject != "" {
		t.Errorf("%+v", k)
	}
	if k := got["call"]; k.Channel != flow.Voice || !strings.Contains(k.Text, "1, 2, 3, 9, 8, 7") {
		t.Errorf("%+v", k)
	}
	if k := got["mail"]; k.Channel != flow.Email || k.Subject == "" {
		t.Errorf("%+v", k)
	}
	for _, one := range []string{"SMS MESSAGE.SENT", "VOICE MESSAGE.SENT", "EMAIL MESSAGE.SENT"} {
		if counted[one] != 1 {
			t.Errorf("counted %v", counted)
		}
	}
	if !p.has(flow.MessageSent, "SMS") || !p.has(flow.MessageSent, "VOICE") || !strings.Contains(p.said(), "channel=VOICE") {
		t.Errorf("events %+v\n%s", p.events, p.said())
	}
	p.keepsSecrets(t)
}

func TestAWorkerLeavesToOthersWhatItCannotSend(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*delivery.Parts)
		sends  string
	}{
		"without a phone":   {func(*delivery.Parts) {}, "mail"},
		"with nothing else": {func(p *delivery.Parts) { p.Sender, p.Phone = nil, delivery.NewRecent() }, "sms"},
	} {
		t.Run(name, func(t *testing.T) {
			box := &outbox{}
			box.add(text("sms", flow.SMS), message("mail"))
			p := work(t, box, delivery.NewRecent(), row.change)
			until(t, "one sent", func() bool { return box.row(row.sends).end == "sent" })
			p.Wake()
			time.Sleep(100 * time.Millisecond) // for a claim that must not come
			p.stop()
			if box.left() != 1 || box.row("sms").claims+box.row("mail").claims != 1 {
				t.Errorf("%+v %+v", box.row("sms"), box.row("mail"))
			}
		})
	}
}

func TestWhatCannotBeCalledIsNotCalled(t *testing.T) {
	for reason, change := range map[string]func(*flow.Message){
		delivery.Nobody:      func(m *flow.Message) { m.To = "" },
		delivery.Expired:     func(m *flow.Message) { m.ExpiresAt = time.Now().Add(-time.Second) },
		delivery.Unwritten:   func(m *flow.Message) { m.Template = "recovery" },
		delivery.Unaddressed: func(m *flow.Message) { m.To = "030 123456" },
	} {
		t.Run(reason, func(t *testing.T) {
			box := &outbox{hasty: true}
			m := text("m1", flow.SMS)
			change(&m)
			box.add(m)
			var calls atomic.Int32
			p := work(t, box, nil, calling(phone(func(delivery.Text) error { calls.Add(1); return nil })))
			until(t, "the event", func() bool { return p.has(flow.MessageDropped, "SMS "+reason) })
			p.stop()
			if r := box.row("m1"); r.end != "dropped" || r.why != reason || calls.Load() != 0 {
				t.Errorf("%+v after %d calls", r, calls.Load())
			}
			p.keepsSecrets(t)
		})
	}
}

func TestAnUnansweredTextIsSentAgainTwiceAtMost(t *testing.T) {
	box := &outbox{hasty: true}
	box.add(text("m1", flow.SMS))
	var mu sync.Mutex
	var ids []string
	p := work(t, box, nil, calling(phone(func(s delivery.Text) error {
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, s.MessageID)
		return &delivery.Failure{Reason: delivery.Uncertain, Perhaps: true}
	})))
	until(t, "the end", func() bool { p.Wake(); return p.has(flow.MessageDropped, "SMS "+delivery.Uncertain) })
	p.stop()
	if !slices.Equal(ids, []string{"m1", "m1", "m1"}) {
		t.Error(ids)
	}
}

func TestAPhoneThatIsBusyIsLeftAloneForAsLongAsItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &outbox{}
		box.add(text("m1", flow.SMS))
		var tries atomic.Int32
		p := work(t, box, nil, calling(phone(func(delivery.Text) error {
			if tries.Add(1) > 1 {
				return nil
			}
			return &delivery.Failure{Reason: delivery.Busy, After: 40 * time.Second}
		})))
		time.Sleep(39 * time.Second)
		if tries.Load() != 1 {
			t.Errorf("%d tries", tries.Load())
		}
		time.Sleep(5 * time.Second)
		p.stop()
		if r := box.row("m1"); r.end != "sent" || r.waits[0] != 40*time.Second || r.why != delivery.Busy {
			t.Errorf("%+v", r)
		}
	})
}

// A worker that dies between its claim and the call takes the message along: nobody
// else can know that it was not on its way.
func TestAClaimWhoseWorkerDiedIsNeverSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &outbox{}
		m := text("m1", flow.SMS)
		m.ExpiresAt = time.Now().Add(72 * time.Hour)
		box.add(m)
		if got, err := box.Claim(t.Context(), 1, 7*24*time.Hour, nil, flow.SMS); err != nil || len(got) != 1 { // by one that then died
			t.Fatal(got, err)
		}
		recent := delivery.NewRecent()
		p := work(t, box, nil, calling(recent))
		time.Sleep(6 * 24 * time.Hour)
		if len(recent.Messages()) != 0 {
			t.Error("it was sent all the same")
		}
		time.Sleep(2 * 24 * time.Hour)
		p.stop()
		if r := box.row("m1"); r.end != "dropped" || r.why != delivery.Expired || len(recent.Messages()) != 0 {
			t.Errorf("%+v", r)
		}
	})
}

func TestTwoWorkersCallOnce(t *testing.T) {
	recent := delivery.NewRecent()
	box := &outbox{}
	for i := range 60 {
		box.add(text(strings.Repeat("m", i+1), []flow.Channel{flow.SMS, flow.Voice}[i%2]))
	}
	one, two := work(t, box, nil, calling(recent)), work(t, box, nil, calling(recent))
	until(t, "all sent", func() bool { return box.left() == 0 })
	one.stop()
	two.stop()
	times := map[string]int{}
	for _, k := range recent.Messages() {
		times[k.MessageID]++
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
	if len(times) != 60 {
		t.Errorf("%d messages", len(times))
	}
}
