package main_test

import (
	"net/http"
	"net/url"
	"sync"
	"testing"

	visit "doorward/internal/journey"
)

// code is a new code of the shop, with the request it answers.
func (x *trial) code(c *visit.Client) (visit.Ask, string) {
	x.Helper()
	ask := shop.Ask()
	code := c.Authorize(ask).Is(302).Code()
	if code == "" {
		x.Fatal("the session gave no code")
	}
	return ask, code
}

// A code is good once, for its own client, address and verifier, for a minute;
// a second use takes back what the first one got. Source: RFC 6749 4.1.2.
func TestSec_OP_CODE(t *testing.T) {
	x := newTrial(t)
	c, _ := x.signedOn("ada")

	x.part("sixteen redemptions at once", func() {
		redeemed, replayed := x.recorded("OIDC.CODE_REDEEMED"), x.recorded("OIDC.CODE_REPLAYED")
		ask, code := x.code(c)
		answers := make([]*visit.Answer, 16)
		var all sync.WaitGroup
		begin := make(chan struct{})
		for i := range answers {
			all.Go(func() {
				<-begin
				answers[i] = c.Via(i%2).Redeem(ask, code)
			})
		}
		close(begin)
		all.Wait()
		var won []visit.Tokens
		for _, a := range answers {
			switch {
			case a.Status == 200:
				won = append(won, a.Tokens())
			case a.Is(400).Refusal() != "invalid_grant":
				t.Errorf("a loser is told %s", a.Body)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d redemptions won", len(won))
		}
		for i := range 2 {
			c.Via(i).UserInfo(firstEnv, won[0].AccessToken).Is(401)
		}
		x.await(func() bool { return x.recorded("OIDC.CODE_REPLAYED") >= replayed+15 })
		if n, m := x.recorded("OIDC.CODE_REDEEMED")-redeemed, x.recorded("OIDC.CODE_REPLAYED")-replayed; n != 1 || m != 15 {
			t.Errorf("%d redemptions and %d replays are recorded", n, m)
		}
	})

	x.part("twice, one after the other", func() {
		ask, code := x.code(c)
		tokens := c.Via(0).Redeem(ask, code).Tokens()
		c.Via(1).UserInfo(firstEnv, tokens.AccessToken).Is(200)
		if a := c.Via(1).Redeem(ask, code).Is(400); a.Refusal() != "invalid_grant" {
			t.Errorf("the second is told %s", a.Body)
		}
		c.Via(0).UserInfo(firstEnv, tokens.AccessToken).Is(401)
	})

	for name, misuse := range map[string]func(visit.Ask, string) *visit.Answer{
		"another client": func(ask visit.Ask, code string) *visit.Answer {
			ask.App.ID, ask.App.Secret = wiki.ID, wiki.Secret
			return c.Redeem(ask, code)
		},
		"another address": func(ask visit.Ask, code string) *visit.Answer {
			return c.Redeem(ask, code, "redirect_uri", "https://shop.example/other")
		},
		"no address":       func(ask visit.Ask, code string) *visit.Answer { return c.Redeem(ask, code, "redirect_uri", "") },
		"another verifier": func(ask visit.Ask, code string) *visit.Answer { return c.Redeem(shop.Ask(), code) },
		"no verifier":      func(ask visit.Ask, code string) *visit.Answer { return c.Redeem(ask, code, "code_verifier", "") },
		"after a minute": func(ask visit.Ask, code string) *visit.Answer {
			x.exec(`UPDATE grants SET code_expires_at = code_expires_at - 61000, issued_at = issued_at - 61000`)
			return c.Redeem(ask, code)
		},
	} {
		x.part(name, func() {
			ask, code := x.code(c)
			mismatched := x.recorded("OIDC.CODE_MISMATCH")
			if a := misuse(ask, code).Is(400); a.Refusal() != "invalid_grant" {
				t.Errorf("it is told %s", a.Body)
			}
			if a := c.Redeem(ask, code).Is(400); a.Refusal() != "invalid_grant" {
				t.Errorf("the rightful client is told %s afterwards", a.Body)
			}
			if name != "after a minute" && !x.await(func() bool { return x.recorded("OIDC.CODE_MISMATCH") == mismatched+1 }) {
				t.Error("no mismatch is recorded")
			}
		})
	}

	x.part("in an address", func() {
		ask, code := x.code(c)
		query := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {shop.RedirectURI}, "code_verifier": {ask.Verifier}}
		target := "/" + firstEnv + "/as/token?" + query.Encode()
		if a := c.Send(http.MethodGet, target, nil, nil); a.Status != 405 && a.Status != 404 {
			t.Errorf("GET is told %d %s", a.Status, a.Body)
		}
		c.Send(http.MethodPost, target, visit.Header("Content-Type", "application/x-www-form-urlencoded"), nil).Is(400)
		c.Redeem(ask, code).Is(200)
	})
}
