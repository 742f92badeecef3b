package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"time"

	"doorward/demo"
	"doorward/runtime/invoke"
)

// hanging is an action of people who do not need the demo's voucher desk, which does
// not answer anybody: as many others wait for it as may, or come back every second
// while it is left alone.
const hanging = embedded + ": action, 8 clients, a service hanging"

// voucherJourney asks the voucher desk.
const voucherJourney = "d0000000-0000-4000-8000-000000000114"

func hangingRows() []row {
	alone := stepOf(embedded, 8)
	return []row{{
		name: "action while a service hangs, CPU", unit: "us", arms: []string{alone, hanging}, target: atMost(1.1),
		values: func(r results) (sample, sample) { return r[hanging].server, r[alone].server },
	}, {
		name: "  throughput", unit: "/s", arms: []string{alone, hanging},
		values: func(r results) (sample, sample) { return r[hanging].rate, r[alone].rate },
	}}
}

// whileHanging has clients act while others wait for the desk.
func (h *house) whileHanging(length time.Duration) func(context.Context) (window, error) {
	return func(ctx context.Context) (window, error) {
		on, err := h.server(ctx, embedded)
		if err != nil {
			return window{}, err
		}
		base := "http://" + on.server.addr
		if err := deskIs(ctx, base, "dead"); err != nil {
			return window{}, err
		}
		waiting, leave := context.WithCancel(ctx)
		var under sync.WaitGroup
		for range invoke.DefaultConcurrent {
			under.Go(func() {
				for waiting.Err() == nil {
					_ = askDesk(waiting, base) // ends when it has waited long enough, or is refused at once
					time.Sleep(time.Second)
				}
			})
		}
		time.Sleep(settle)
		w, err := h.load(embedded, 8, length, (*visitor).reset)(ctx)
		leave()
		under.Wait()
		if err != nil {
			return window{}, err
		}
		return w, deskIs(ctx, base, "works")
	}
}

// deskIs sets the mood of the voucher desk.
func deskIs(ctx context.Context, base, mood string) error {
	_, err := post(ctx, http.DefaultClient, base+"/demo/desk/mood", "application/x-www-form-urlencoded", url.Values{"mood": {mood}}.Encode())
	return err
}

// askDesk walks the voucher journey to its end.
func askDesk(ctx context.Context, base string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	client := &http.Client{Jar: jar}
	b, err := post(ctx, client, base+"/"+environment+"/experiences/"+voucherJourney, "application/json", `{"redirectUri":"`+base+demo.HomePath+`"}`)
	if err != nil {
		return err
	}
	var v struct {
		Links struct {
			Self struct{ Href string } `json:"self"`
		} `json:"_links"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	_, err = post(ctx, client, v.Links.Self.Href, "application/vnd.pingidentity.form.submit+json", `{"voucher":"WELCOME"}`)
	return err
}

func post(ctx context.Context, client *http.Client, address, kind, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s: %d: %s", address, res.StatusCode, b)
	}
	return b, err
}
