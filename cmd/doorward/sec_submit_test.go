package main_test

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"testing"

	visit "doorward/internal/journey"
)

// atOnce sends n submits over both nodes at the same moment.
func atOnce(n int, submit func(i int) *visit.Answer) []*visit.Answer {
	answers := make([]*visit.Answer, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			<-begin
			answers[i] = submit(i)
		})
	}
	close(begin)
	all.Wait()
	return answers
}

var errorID = regexp.MustCompile(`^\{"id":"[0-9a-f-]{36}"`)

// same holds that all answers are one answer, session cookie included.
func (x *trial) same(answers []*visit.Answer) {
	x.Helper()
	body := errorID.ReplaceAll(answers[0].Body, nil)
	st, set := answers[0].ST()
	for i, a := range answers {
		if a.Is(answers[0].Status); !bytes.Equal(errorID.ReplaceAll(a.Body, nil), body) {
			x.Errorf("answer %d is\n%s\nand the first\n%s", i, a.Body, answers[0].Body)
		}
		if got, also := a.ST(); got != st || also != set || a.Header.Get("ETag") != answers[0].Header.Get("ETag") {
			x.Errorf("answer %d has another cookie or tag than the first", i)
		}
	}
}

// Of identical submits over both nodes one is evaluated, and all get its answer;
// with a step token, with an Idempotency-Key, and with neither.
func TestSec_FLT_DOUBLE_SUBMIT(t *testing.T) {
	x := newTrial(t)
	for _, with := range []string{"nothing", "If-Match", "Idempotency-Key"} {
		f := x.in(anybody)
		header := []string{"Cookie", "ST=" + f.ST(firstEnv)}
		switch with {
		case "If-Match":
			header = append(header, with, f.Get().Header.Get("ETag"))
		case "Idempotency-Key":
			header = append(header, with, "7b1c")
		}
		before := x.failures("otto")
		wrong := atOnce(24, func(i int) *visit.Answer { return f.Via(i%2).Password("otto", "Not-Otto-Horse-1", header...) })
		wrong[0].Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
		x.same(wrong)
		if n := x.failures("otto") - before; n != 1 {
			t.Errorf("with %s: 24 repeats of a wrong password counted %d failures", with, n)
		}
		if with == "Idempotency-Key" {
			f.Password("otto", passwords["otto"], header...).Refused(409, "CONFLICT")
		}
		if with != "nothing" {
			header[3] = f.Get().Header.Get("ETag")
		}
		right := atOnce(24, func(i int) *visit.Answer { return f.Via(i%2).Password("otto", passwords["otto"], header...) })
		if r := right[0].Flow(); r.Status != completed {
			t.Errorf("with %s: %s after the right password", with, r.Status)
		}
		x.same(right)
		if st, _ := right[0].ST(); st == "" || st != f.ST(firstEnv) {
			t.Errorf("with %s: the browser does not hold the cookie it was given", with)
		}
		x.happened(f, "PASSWORD.CHECK_FAILED", 1)
		x.happened(f, "PASSWORD.CHECK_SUCCEEDED", 1)
		x.happened(f, "SESSION.CREATED", 1)
		if tokens := x.tokens(f); tokens.AccessToken == "" {
			t.Errorf("with %s: no token", with)
		}
	}
	f := x.in(bound)
	cookie := f.ST(firstEnv)
	x.same(atOnce(24, func(i int) *visit.Answer {
		return f.Via(i%2).Act("session.reset", nil, "Cookie", "ST="+cookie)
	}))
	x.happened(f, "FLOW.RESET", 1)
	x.happened(f, "SESSION.ENDED", 1)
}

// Of two different submits one is evaluated and the other learns what became of
// the step: 200 or 400, and 409 with the flow as it stands.
func TestSec_FLT_DOUBLE_SUBMIT_different(t *testing.T) {
	x := newTrial(t)
	for round := range 6 {
		x.exec(`DELETE FROM failures WHERE env = $1`, firstEnv) // five wrong ones that win are no lock
		f := x.in(anybody)
		header := []string{"Cookie", "ST=" + f.ST(firstEnv), "If-Match", f.Get().Header.Get("ETag")}
		guesses := []string{passwords["otto"], "Not-Otto-Horse-2"}
		answers := atOnce(2, func(i int) *visit.Answer {
			return f.Via((round+i)%2).Password("otto", guesses[i], header...)
		})
		loser := answers[0]
		switch {
		case answers[0].Status == 200:
			loser = answers[1]
			x.happened(f, "PASSWORD.CHECK_FAILED", 0)
		case answers[1].Status == 400:
			answers[1].Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
			x.happened(f, "PASSWORD.CHECK_SUCCEEDED", 0)
		default:
			t.Errorf("round %d: %d and %d", round, answers[0].Status, answers[1].Status)
			continue
		}
		p := loser.Refused(409, "CONFLICT")
		if got := p.Embedded.Flow; got.ID != f.ID || got.Status != anybody && got.Status != completed {
			t.Errorf("round %d: the loser is shown %+v", round, got)
		}
		if _, set := loser.ST(); set {
			t.Errorf("round %d: the loser got a cookie", round)
		}
		x.happened(f, "PASSWORD.CHECK_SUCCEEDED", strings.Count(f.Get().Flow().Status, completed))
	}
}

// Without a step token the two may also come one after the other; never are
// there two winners, and never is one refused without a reason.
func TestSec_FLT_DOUBLE_SUBMIT_unmarked(t *testing.T) {
	x := newTrial(t)
	x.exec(`DELETE FROM failures WHERE env = $1`, firstEnv)
	conflicts := 0
	for round := range 6 {
		f := x.in(anybody)
		guesses := []string{"Not-Otto-Horse-3", "Not-Otto-Horse-4"}
		before, evaluated := x.failures("otto"), 0
		for _, a := range atOnce(2, func(i int) *visit.Answer { return f.Via((round+i)%2).Password("otto", guesses[i]) }) {
			if a.Status == 409 {
				conflicts++
				continue
			}
			evaluated++
			a.Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
		}
		x.happened(f, "PASSWORD.CHECK_FAILED", evaluated)
		if n := x.failures("otto") - before; n != evaluated {
			t.Errorf("round %d: %d failures are counted of %d evaluated", round, n, evaluated)
		}
		f.Password("otto", passwords["otto"]).Is(200)
	}
	if conflicts == 0 {
		t.Error("no two of twelve submits met")
	}
}
