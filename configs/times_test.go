package configs_test

import (
	"testing"
	"time"
)

func TestPartsHaveTimesOfTheirOwn(t *testing.T) {
	d := newDesk(t, nil)
	at := func(minutes int) time.Time {
		return time.Date(2026, 3, 1, 12, minutes, 0, 0, time.UTC)
	}
	read := func(where, id string, created, updated int) {
		t.Helper()
		k, parents := d.at(where)
		item, err := d.Read(t.Context(), env, k, parents, id)
		if err != nil || !item.CreatedAt.Equal(at(created)) || !item.UpdatedAt.Equal(at(updated)) {
			t.Errorf("%s: made at %s, changed at %s, %v; want minutes %d and %d", where, item.CreatedAt, item.UpdatedAt, err, created, updated)
		}
	}
	replace := func(where, id, body string) {
		t.Helper()
		k, parents := d.at(where)
		if _, err := d.Replace(t.Context(), env, k, parents, id, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	later := func() { d.now = d.now.Add(time.Minute) }
	actions := "signOnPolicyAction/" + single
	k, parents := d.at(actions)
	list, err := d.List(t.Context(), env, k, parents)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	first := list[0].ID // of a file, in minute 0
	read(actions, first, 0, 0)
	later()
	second := d.make(actions, `{"type":"LOGIN","priority":7}`)
	read(actions, first, 0, 0)
	read(actions, second, 1, 1)
	read("signOnPolicy", single, 0, 1)
	later()
	replace(actions, second, `{"type":"LOGIN","priority":8}`)
	read(actions, second, 1, 2)
	later()
	replace("signOnPolicy", single, `{"name":"Renamed","default":true}`)
	read(actions, first, 0, 0)
	read(actions, second, 1, 2)
	read("signOnPolicy", single, 0, 3)

	agreement := d.make("agreement", `{"name":"Terms","enabled":false}`)
	later()
	languages := "agreementLanguage/" + agreement
	language := d.make(languages, `{"displayName":"English","locale":"en","enabled":false}`)
	later()
	revisions := "agreementRevision/" + agreement + "/" + language
	revision := d.make(revisions, `{"contentType":"text/plain","effectiveAt":"2026-04-01T00:00:00Z","requireReconsent":false,"text":"T"}`)
	read(languages, language, 4, 4)
	read(revisions, revision, 5, 5)
	later()
	replace(languages, language, `{"displayName":"British","locale":"en","enabled":false}`)
	read(languages, language, 4, 6)
	read(revisions, revision, 5, 5)
	if err := d.Remove(t.Context(), env, kind(t, "agreement"), nil, agreement); err != nil {
		t.Fatal(err)
	}
	all, err := d.store.List(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.ID == agreement {
			t.Errorf("%s is left of it", r.Kind)
		}
	}
}
