package demo_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"doorward/demo"
)

// asks posts a body to the voucher desk.
func (w *world) asks(t *testing.T, key, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.TrimSuffix(w.at, demo.HomePath)+demo.DeskPath, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// chooses sets the mood of the desk as the form of the home page does.
func (b *browser) chooses(at, mood string) page {
	b.t.Helper()
	return b.do(http.MethodPost, at+"desk/mood?"+url.Values{"mood": {mood}}.Encode(), http.Header{"Sec-Fetch-Site": {"same-origin"}})
}

func TestDeskJudgesVouchers(t *testing.T) {
	w := start(t)
	for name, tt := range map[string]struct {
		key, body string
		status    int
		answer    string
	}{
		"a good one":    {demo.DeskKey, `{"code":"WELCOME"}`, 200, `{"code":"WELCOME","discount":20,"valid":true}`},
		"another one":   {demo.DeskKey, `{"code":"welcome"}`, 200, `{"code":"welcome","discount":0,"valid":false}`},
		"no JSON":       {demo.DeskKey, `code=WELCOME`, 400, "Send an object"},
		"too long":      {demo.DeskKey, `{"code":"` + strings.Repeat("a", 5000) + `"}`, 400, "Send an object"},
		"without a key": {"", `{"code":"WELCOME"}`, 401, "X-Api-Key"},
	} {
		if status, answer := w.asks(t, tt.key, tt.body); status != tt.status || !strings.Contains(answer, tt.answer) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
}

func TestDeskDoesAsItsMoodIs(t *testing.T) {
	w, b := start(t), newBrowser(t)
	b.get(w.at).holds(t, `value="works" checked`)
	p := b.chooses(w.at, "broken")
	p.holds(t, `value="broken" checked`)
	if status, _ := w.asks(t, demo.DeskKey, `{"code":"WELCOME"}`); status != 500 {
		t.Errorf("broken: %d", status)
	}
	b.chooses(w.at, "furious").holds(t, `value="broken" checked`)
	if p := b.do(http.MethodPost, w.at+"desk/mood?mood=works", http.Header{"Sec-Fetch-Site": {"cross-site"}}); p.status != http.StatusForbidden {
		t.Errorf("another site changed the mood: %d", p.status)
	}
	b.chooses(w.at, "works")
	if status, _ := w.asks(t, demo.DeskKey, `{"code":"WELCOME"}`); status != 200 {
		t.Errorf("works again: %d", status)
	}
}
