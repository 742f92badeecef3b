package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorward/configs"
	"doorward/delivery"
	"doorward/runtime/flow"
)

const (
	gatewayID = "d0000000-0000-4000-8000-0000000000f1"
	callee    = "+4930123456"
)

// texting is a house whose demo sends SMS by a gateway at an address, and calls by
// one whose answer has to say that it is queued.
func texting(t *testing.T, at string) (*house, *strings.Builder) {
	t.Helper()
	return textingBy(t, at, "")
}

// textingBy has the gateway want to know who is texting.
func textingBy(t *testing.T, at, scheme string) (*house, *strings.Builder) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, configs.Demo); err != nil {
		t.Fatal(err)
	}
	const both = `"inputSchema":"{\"properties\":{\"to\":{},\"content\":{}}}","body":{"type":"JSON","template":"{'to': inputs.to, 'text': inputs.content}"}`
	schemes, by := "", ""
	if scheme != "" {
		schemes, by = `"authSchemes":[{"name":"who",`+scheme+`}],`, `"authScheme":"who",`
	}
	gateway := `{"id":"` + gatewayID + `","name":"Gateway","variables":{"base":"` + at + `"},` + schemes + `"requests":[
		{"name":"sms","request":{` + by + `"method":"POST","url":"variables.base + '/sms'",` + both + `}},
		{"name":"call","request":{"method":"POST","url":"variables.base + '/call'",` + both + `},
			"response":{"output":"{'queued': response.body.queued}","outputSchema":"{\"properties\":{\"queued\":{\"const\":true}},\"required\":[\"queued\"]}"}}]}`
	sent := func(method, request string) string {
		return `{"deliveryMethod":"` + method + `","externalService":{"id":"` + gatewayID + `"},"request":"` + request + `"}`
	}
	for file, text := range map[string]string{
		"externalServices/gateway.json": gateway, "notificationsSettings.json": `{"requests":[` + sent("SMS", "sms") + `,` + sent("VOICE", "call") + `]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, "demo", file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	data, log := t.TempDir(), &strings.Builder{}
	h, err := build(t.Context(), options{
		Listen: "localhost:8080", BaseURL: "http://localhost:8080", Config: dir, Data: data, OutboundAllow: []string{"127.0.0.1/32:" + u.Port()},
		Database: filepath.Join(data, "doorward.db"), Keys: filepath.Join(data, "keys.json"), LogFormat: "text",
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.close(context.Background()) })
	return h, log
}

// send sends a text by the house's phones.
func send(h *house, channel flow.Channel) *delivery.Failure {
	err := h.phones.SendText(context.Background(), delivery.Text{
		Env: demoEnvironment, Channel: channel, To: callee, Content: "Code 123987", Language: "en", MessageID: "m1", At: time.Now(),
	})
	f := (*delivery.Failure)(nil)
	if err != nil && !errors.As(err, &f) {
		panic(err)
	}
	return f
}

// TestWhatAGatewaySaysDecides asks a gateway over HTTP.
func TestWhatAGatewaySaysDecides(t *testing.T) {
	t.Parallel()
	const yes, no, jsonType = `{"queued":true}`, `{"queued":false,"to":"` + callee + `"}`, "application/json"
	taken := delivery.Failure{}
	refused := delivery.Failure{Reason: delivery.Refused, Final: true}
	busy := delivery.Failure{Reason: delivery.Busy}
	perhaps := delivery.Failure{Reason: delivery.Unreachable, Perhaps: true}
	for name, row := range map[string]struct {
		channel flow.Channel
		status  int // 0: it hangs up
		media   string
		body    string
		want    delivery.Failure
	}{
		"created":                          {flow.SMS, 201, jsonType, yes, taken},
		"accepted with nothing":            {flow.SMS, 202, "", "", taken},
		"words of its own":                 {flow.SMS, 200, "text/plain", "OK", taken},
		"what the schema wants":            {flow.Voice, 200, jsonType, yes, taken},
		"what the schema does not want":    {flow.Voice, 200, jsonType, no, refused},
		"words where a schema wants more":  {flow.Voice, 200, "text/plain", "OK", refused},
		"bad, though the body says queued": {flow.Voice, 400, jsonType, yes, refused},
		"bad":                              {flow.SMS, 400, jsonType, no, refused},
		"broken":                           {flow.SMS, 500, jsonType, no, refused},
		"redirected elsewhere":             {flow.SMS, 302, "", "", delivery.Failure{Reason: delivery.Unconfigured, Final: true}},
		"too many":                         {flow.SMS, 429, jsonType, no, busy},
		"busy":                             {flow.Voice, 503, "text/html", "busy", busy},
		"nobody behind it":                 {flow.SMS, 502, "text/html", "no", perhaps},
		"hangs up":                         {flow.SMS, 0, "", "", perhaps},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var keys atomic.Value
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				keys.Store(r.Header.Get("Idempotency-Key"))
				if row.status == 0 {
					panic(http.ErrAbortHandler)
				}
				if row.media != "" {
					w.Header().Set("Content-Type", row.media)
				}
				w.Header().Set("Location", "https://elsewhere.example/")
				w.WriteHeader(row.status)
				_, _ = io.WriteString(w, row.body)
			}))
			t.Cleanup(s.Close)
			h, log := texting(t, s.URL)
			f := send(h, row.channel)
			if f == nil {
				f = &delivery.Failure{}
			}
			if err := h.close(t.Context()); err != nil { // so that nothing is logged any more
				t.Fatal(err)
			}
			cause := f.Cause
			if f.Cause = ""; *f != row.want {
				t.Errorf("%+v, want %+v", *f, row.want)
			}
			if strings.Contains(cause+log.String(), "4930123456") || strings.Contains(cause+log.String(), "123987") || keys.Load() != "m1" {
				t.Errorf("key %v, cause %q, log\n%s", keys.Load(), cause, log)
			}
		})
	}
}

// A gateway's token endpoint that is busy, or a second try that nobody answers, is no
// refusal of the message. The numbers are statuses in the order of the calls; 0 hangs up.
func TestAMessageWaitsForItsAccessToken(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		tokens, answers []int
		want            delivery.Failure
	}{
		"taken":                        {[]int{200}, []int{202}, delivery.Failure{}},
		"taken with another token":     {[]int{200, 200}, []int{401, 202}, delivery.Failure{}},
		"a busy endpoint":              {[]int{503}, nil, delivery.Failure{Reason: delivery.Busy, After: 7 * time.Second}},
		"asked too often":              {[]int{429}, nil, delivery.Failure{Reason: delivery.Busy, After: 7 * time.Second}},
		"busy for another token":       {[]int{200, 503}, []int{401}, delivery.Failure{Reason: delivery.Busy, After: 7 * time.Second}},
		"no answer for another token":  {[]int{200, 0}, []int{401}, delivery.Failure{Reason: delivery.Unreachable}},
		"wrong credentials":            {[]int{401}, nil, delivery.Failure{Reason: delivery.Unconfigured, Final: true}},
		"no token is good enough":      {[]int{200, 200}, []int{401, 401}, delivery.Failure{Reason: delivery.Refused, Final: true}},
		"no answer with another token": {[]int{200, 200}, []int{401, 0, 0}, delivery.Failure{Reason: delivery.Unreachable, Perhaps: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked, called atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				statuses, n := row.answers, &called
				if r.URL.Path == "/token" {
					statuses, n = row.tokens, &asked
				}
				i := int(n.Add(1)) - 1
				if i >= len(statuses) || statuses[i] == 0 {
					panic(http.ErrAbortHandler)
				}
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(statuses[i])
				_, _ = fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":60}`, i)
			}))
			t.Cleanup(s.Close)
			h, _ := textingBy(t, s.URL, `"type":"OAUTH_2","tokenEndpointAuthType":"client_secret_post","tokenEndpoint":"`+s.URL+`/token","clientId":"c","clientSecret":"s"`)
			f := send(h, flow.SMS)
			if f == nil {
				f = &delivery.Failure{}
			}
			f.Cause = ""
			if *f != row.want {
				t.Errorf("%+v, want %+v", *f, row.want)
			}
		})
	}
}

// TestAGatewayThatIsNotThereIsTriedAgain has nobody listen, until the breaker opens.
func TestAGatewayThatIsNotThereIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(nil)
	h, _ := texting(t, s.URL)
	s.Close()
	var last *delivery.Failure
	for range 12 {
		last = send(h, flow.SMS)
		if last == nil || last.Final || last.Perhaps {
			t.Fatalf("%+v", last)
		}
	}
	if last.Reason != delivery.Busy || last.After <= 0 {
		t.Errorf("the breaker does not show: %+v", last)
	}
}

func TestPhonesOfAnEnvironmentThatSaysNothing(t *testing.T) {
	t.Parallel()
	h, _ := texting(t, "http://127.0.0.1:1")
	if !h.phones.Reaches(demoEnvironment, flow.SMS) || h.phones.recent == nil || !h.phones.Reaches("another", flow.SMS) {
		t.Error("on loopback all are shown")
	}
	h.phones.recent = nil // as with --smtp
	if h.phones.Reaches("another", flow.SMS) || !h.phones.Reaches(demoEnvironment, flow.Voice) {
		t.Error("what is not configured is said to be sent")
	}
	f := &delivery.Failure{}
	if err := h.phones.SendText(t.Context(), delivery.Text{Env: "another", Channel: flow.SMS}); !errors.As(err, &f) || f.Reason != delivery.Unconfigured || f.Final {
		t.Error(fmt.Sprint(err))
	}
}
