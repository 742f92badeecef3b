package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"
)

// Whether time tells what somebody is from nobody: visitors ask for nobody, and
// for accounts of several kinds, in turns, with the same request.
const (
	checkOracle  = "password check, of accounts and of nobody"
	codeOracle   = "recovery, of accounts and of nobody"
	silentOracle = "the same, with a mail server that never answers"
	turns        = 500
	warmUp       = 10
)

// Users of the configuration, beside those with a password.
const (
	disabledUser = "disabled"
	emptyUser    = "without-password"
)

// oracleRows judge the groups of times, each against nobody's: how far their
// medians lie apart at most, and by Mann and Whitney how likely it is that there is
// no difference.
func oracleRows() []row {
	var list []row
	for _, arm := range []string{checkOracle, codeOracle, silentOracle} {
		list = append(list, row{
			name: arm + ", medians apart", arms: []string{arm}, fixed: true, target: atMost(0.05),
			values: func(r results) (sample, sample) { return r[arm].value, nil },
		}, row{
			name: "  p by Mann-Whitney", arms: []string{arm}, fixed: true, target: atLeast(0.01),
			values: func(r results) (sample, sample) { return r[arm].other, nil },
		})
	}
	return list
}

func (h *house) oracleArms() []arm {
	guesses := 0
	check := func(v *visitor) error { // an equal guess would be a repeat, and not be judged
		guesses++
		return v.post(http.StatusBadRequest, "usernamePassword.check", fmt.Sprintf(`{"username":%q,"password":"Not-This-Horse-%d"}`, v.user, guesses))
	}
	send := func(v *visitor) error { return v.post(http.StatusOK, "password.sendRecoveryCode", "") }
	return []arm{
		{name: checkOracle, once: true, run: h.oracle(node{name: "oracle"}, nil, check)},
		{name: codeOracle, once: true, run: h.oracle(node{name: "oracle-mail"}, forget, send)},
		{name: silentOracle, once: true, run: h.oracle(node{name: "oracle-silent", smtp: true}, forget, send)},
	}
}

// forget brings a visitor to where a code can be asked for again.
func forget(v *visitor) error {
	return v.post(http.StatusOK, "password.forgot", `{"username":"`+v.user+`"}`)
}

// post submits an action whatever the flow's state is, and expects a status.
func (v *visitor) post(want int, action, body string) error {
	v.etag = ""
	return v.send(want, http.MethodPost, v.flow, "application/vnd.pingidentity."+action+"+json", body)
}

// oracle times do for nobody and for every kind of account: value is how far the
// medians lie apart at most, other the least probability, corrected for having been
// asked several times (Bonferroni).
func (h *house) oracle(n node, before, do func(*visitor) error) func(context.Context) (window, error) {
	return func(ctx context.Context) (w window, err error) {
		n.binary, n.dir, n.config = h.bin.product, h.dir, h.bin.config
		if n.smtp {
			mute, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return w, err
			}
			defer mute.Close()
			go hold(mute)
			n.mail = mute.Addr().String()
		}
		p, err := n.start(ctx)
		if err != nil {
			return w, err
		}
		defer p.stop()
		took, err := timed(p.addr, []string{"nobody", demoUser, disabledUser, emptyUser}, before, do)
		if err != nil {
			return w, err
		}
		w.other = 1
		for _, of := range took[1:] {
			w.value = max(w.value, math.Abs(of.median()/took[0].median()-1))
			w.other = min(w.other, mannWhitney(of, took[0])*float64(len(took)-1))
		}
		return w, nil
	}
}

// timed has a visitor for each user do the same in turns, and returns the
// microseconds that it took each.
func timed(addr string, users []string, before, do func(*visitor) error) ([]sample, error) {
	who, took := make([]*visitor, len(users)), make([]sample, len(users))
	for i, user := range users {
		v, err := visit(addr)
		if err != nil {
			return nil, err
		}
		defer v.Close()
		who[i], v.user = v, user
		if err = v.authorize(); err == nil && before != nil {
			err = before(v)
		}
		if err != nil {
			return nil, fmt.Errorf("for %s: %w", user, err)
		}
	}
	for turn := range turns + warmUp {
		for _, i := range rand.Perm(len(who)) { // in one order, what happens every fourth time would always meet the same
			v := who[i]
			start := time.Now()
			if err := do(v); err != nil {
				return nil, fmt.Errorf("for %s: %w", v.user, err)
			}
			if turn >= warmUp {
				took[i] = append(took[i], float64(time.Since(start).Nanoseconds())/1000)
			}
		}
	}
	return took, nil
}

// hold takes connections and never says anything.
func hold(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			defer c.Close() // once the listener is
		}
	}
}

// mannWhitney is the probability of two samples that lie at least as far apart if
// they came from the same place: two-sided, by the normal approximation with ties.
// Source: Mann and Whitney 1947.
func mannWhitney(a, b sample) float64 {
	type value struct {
		v     float64
		first bool
	}
	all := make([]value, 0, len(a)+len(b))
	for _, v := range a {
		all = append(all, value{v, true})
	}
	for _, v := range b {
		all = append(all, value{v, false})
	}
	slices.SortFunc(all, func(x, y value) int { return cmp.Compare(x.v, y.v) })
	var ranks, ties float64
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		t := float64(j - i)
		ties += t*t*t - t
		for _, x := range all[i:j] {
			if x.first {
				ranks += float64(i+j+1) / 2
			}
		}
		i = j
	}
	n, m := float64(len(a)), float64(len(b))
	u := ranks - n*(n+1)/2
	spread := math.Sqrt(n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1))))
	if spread == 0 {
		return 1
	}
	return math.Erfc(math.Abs(u-n*m/2) / spread / math.Sqrt2)
}
