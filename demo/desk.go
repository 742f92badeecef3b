package demo

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"
)

// Where the voucher desk lies: a service of another company, as a journey would
// call one. DeskKey is the API key that it asks for, which is published.
const (
	DeskPath     = "/demo/desk/vouchers"
	deskMoodPath = "/demo/desk/mood"
	DeskKey      = "demo-voucher-desk-key"
)

// The moods of the desk.
const (
	deskWorks  = "works"
	deskSlow   = "slow"   // answers, and takes its time
	deskBroken = "broken" // answers that it cannot
	deskDead   = "dead"   // does not answer while anybody waits
)

// How long the desk takes in its moods.
const (
	slowly = 3 * time.Second
	never  = 11 * time.Second
)

// mood is one for the page.
type mood struct {
	Name, Text string
	Now        bool
}

// desk is the voucher desk. It is in one mood for everybody.
type desk struct{ mood atomic.Value }

func (k *desk) now() string {
	now, _ := k.mood.Load().(string)
	if now == "" {
		return deskWorks
	}
	return now
}

// moods are all of them, in the order in which the page shows them.
func (k *desk) moods() []mood {
	all := []mood{
		{Name: deskWorks, Text: "Works"},
		{Name: deskSlow, Text: "Slow: answers after 3 seconds"},
		{Name: deskBroken, Text: "Broken: answers with an error"},
		{Name: deskDead, Text: "Dead: does not answer in time"},
	}
	for i := range all {
		all[i].Now = all[i].Name == k.now()
	}
	return all
}

// waits reports whether the whole time has passed, and the caller is still there.
func waits(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// judge answers {"code":"..."} with {"code":"...","valid":true,"discount":20}.
func (d *Demo) judge(w http.ResponseWriter, r *http.Request) {
	reply := func(status int, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			d.fail(w, r, err)
			return
		}
		d.answer(w, status, "application/json", b)
	}
	switch d.desk.now() {
	case deskSlow:
		if !waits(r.Context(), slowly) {
			return
		}
	case deskDead:
		waits(r.Context(), never)
		return
	case deskBroken:
		reply(http.StatusInternalServerError, map[string]string{"error": "The desk is out of order."})
		return
	}
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Api-Key")), []byte(DeskKey)) != 1 {
		reply(http.StatusUnauthorized, map[string]string{"error": "Send the key of the desk in X-Api-Key."})
		return
	}
	var in struct {
		Code string `json:"code"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&in); err != nil {
		reply(http.StatusBadRequest, map[string]string{"error": "Send an object with a code."})
		return
	}
	discount := map[string]int{"WELCOME": 20, "SPRING": 5}[in.Code]
	reply(http.StatusOK, map[string]any{"code": in.Code, "valid": discount > 0, "discount": discount})
}

// changeMood takes the mood that somebody has chosen on the home page.
func (d *Demo) changeMood(w http.ResponseWriter, r *http.Request) {
	if err := d.crossing.Check(r); err != nil {
		d.fail(w, r, &problem{Code: "access_denied", Description: "Another site asked for this.", Status: http.StatusForbidden, reason: err})
		return
	}
	chosen := r.FormValue("mood")
	for _, m := range d.desk.moods() {
		if m.Name == chosen {
			d.desk.mood.Store(chosen)
		}
	}
	redirect(w, HomePath+"#desk")
}
