package configs_test

import (
	"strings"
	"testing"
	"time"
)

const (
	english  = `{"locale":"en","displayName":"English","enabled":false}`
	revision = `{"contentType":"text/plain","effectiveAt":"2026-03-01T12:00:00Z","requireReconsent":false,"text":"Be kind."}`
)

// put replaces a resource by itself with old replaced by new.
func (d *desk) put(where, id, old, new string) error {
	d.t.Helper()
	k, parents := d.at(where)
	item, err := d.Read(d.t.Context(), env, k, parents, id)
	if err != nil || !strings.Contains(string(item.Body), old) {
		d.t.Fatalf("%s: %v, and no %s", item.Body, err, old)
	}
	_, err = d.Replace(d.t.Context(), env, k, parents, id, []byte(strings.Replace(string(item.Body), old, new, 1)))
	return err
}

// Source: reference/management.md 5.9, the order in which an agreement is made.
func TestAnAgreementIsEnabledOnceItSaysSomething(t *testing.T) {
	const off, on = `"enabled":false`, `"enabled":true`
	d := newDesk(t, nil)
	a := d.make("agreement", `{"name":"Terms","enabled":false,"reconsentPeriodDays":31}`)
	wants(t, d.put("agreement", a, off, on), "CONSTRAINT_VIOLATION /enabled: needs the language en")
	l := d.make("agreementLanguage/"+a, english)
	wants(t, d.put("agreement", a, off, on), "CONSTRAINT_VIOLATION /enabled: needs the language en, the environment's default one, to be enabled")
	wants(t, d.put("agreementLanguage/"+a, l, off, on), "CONSTRAINT_VIOLATION /enabled: needs a revision")
	in := "agreementRevision/" + a + "/" + l
	r := d.make(in, strings.Replace(revision, "2026-03-01", "2026-03-02", 1))
	if err := d.put("agreementLanguage/"+a, l, off, on); err != nil {
		t.Fatal(err)
	}
	wants(t, d.put("agreement", a, off, on), "CONSTRAINT_VIOLATION /enabled: needs a revision of the language en that is in effect")
	d.now = d.now.Add(24 * time.Hour)
	if err := d.put("agreement", a, off, on); err != nil {
		t.Fatal(err)
	}
	item, err := d.Read(t.Context(), env, kind(t, "agreementRevision"), []string{a, l}, r)
	if err != nil || item.Parent != l || string(item.Withheld["text"]) != `"Be kind."` || strings.Contains(string(item.Body), "kind.") {
		t.Errorf("%s %v", item.Body, err)
	}
	if got := d.body("agreementLanguage/"+a, l); got["currentRevision"].(map[string]any)["id"] != r || got["agreement"].(map[string]any)["id"] != a || got["revisions"] != nil {
		t.Error(got)
	}
	next := d.make(in, strings.Replace(revision, "2026-03-01", "2026-04-01", 1))
	if got := d.body(in, r)["notValidAfter"]; got != "2026-04-01T12:00:00Z" {
		t.Errorf("the first one is valid until %v", got)
	}
	served, _ := d.bundle().Agreement(a)
	if current, ok := served.Languages[0].Current(d.now); !ok || current.ID != r || served.ReconsentPeriod != 31*24*time.Hour || served.Default != "en" || !served.Enabled {
		t.Errorf("%+v", served)
	}
	revisions := kind(t, "agreementRevision")
	wants(t, d.Remove(t.Context(), env, revisions, []string{a, l}, r), "CONSTRAINT_VIOLATION : has taken effect")
	if err := d.Remove(t.Context(), env, revisions, []string{a, l}, next); err != nil {
		t.Error(err)
	}
	wants(t, d.Remove(t.Context(), env, kind(t, "agreementLanguage"), []string{a}, l), `CONSTRAINT_VIOLATION : leaves the agreement "Terms" wrong: $.enabled: needs the language en`)
}

func TestWhatIsWrongWithPartsOfAnAgreement(t *testing.T) {
	d := newDesk(t, nil)
	a := d.make("agreement", `{"name":"Terms","enabled":false}`)
	l := d.make("agreementLanguage/"+a, english)
	in := "agreementRevision/" + a + "/" + l
	r := d.make(in, revision)
	for name, tt := range map[string]struct {
		where, body string
		want        []string
	}{
		"a language twice":         {"agreementLanguage/" + a, strings.Replace(english, `"en"`, `"EN"`, 1), []string{"UNIQUENESS_VIOLATION /locale"}},
		"no language":              {"agreementLanguage/" + a, strings.Replace(english, `"en"`, `"english please"`, 1), []string{"INVALID_VALUE /locale: takes a language tag"}},
		"nothing":                  {"agreementLanguage/" + a, `{}`, []string{"REQUIRED_VALUE /displayName", "REQUIRED_VALUE /enabled", "REQUIRED_VALUE /locale"}},
		"a button with a tag":      {"agreementLanguage/" + a, `{"locale":"de","displayName":"Deutsch","enabled":false,"userExperience":{"acceptCheckboxText":"a=b"}}`, []string{"INVALID_VALUE /userExperience/acceptCheckboxText"}},
		"a time that has gone":     {in, strings.Replace(revision, "2026-03-01", "2026-02-28", 1), []string{"OUT_OF_RANGE /effectiveAt: takes now or a time to come"}},
		"a time that is taken":     {in, revision, []string{"UNIQUENESS_VIOLATION /effectiveAt"}},
		"no time":                  {in, strings.Replace(revision, "2026-03-01T12:00:00Z", "soon", 1), []string{"INVALID_VALUE /effectiveAt: takes a time"}},
		"another type of text":     {in, strings.NewReplacer("text/plain", "text/markdown", "12:00", "13:00").Replace(revision), []string{"INVALID_VALUE /contentType"}},
		"no text":                  {in, strings.NewReplacer("Be kind.", "", "12:00", "13:00").Replace(revision), []string{"REQUIRED_VALUE /text"}},
		"a text that is too long":  {in, strings.NewReplacer("Be kind.", strings.Repeat("x", 256<<10+1), "12:00", "13:00").Replace(revision), []string{"SIZE_LIMIT_EXCEEDED /text"}},
		"members that are ignored": {in, strings.NewReplacer(`{`, `{"id":1,"notValidAfter":"x","language":{},`, "12:00", "14:00").Replace(revision), nil},
	} {
		t.Run(name, func(t *testing.T) {
			k, parents := d.at(tt.where)
			_, err := d.Create(t.Context(), env, k, parents, []byte(tt.body))
			wants(t, err, tt.want...)
		})
	}
	k, parents := d.at(in)
	_, err := d.Replace(t.Context(), env, k, parents, r, []byte(revision))
	wants(t, err, "CONSTRAINT_VIOLATION : cannot be changed once it is made")
}

// asked is a flow definition that asks for consent to an agreement.
func asked(agreement string) string {
	s := strings.Replace(signOn("FORM"), `"PASSWORD_VALID":{"next":"done"}`, `"PASSWORD_VALID":{"next":"consent"}`, 1)
	return strings.Replace(s, `"stop":`, `"consent":{"type":"AGREEMENT_CONSENT_FORM","configuration":{"agreement":{"id":"`+agreement+`"}},
		"input":{"user":{"id":"${steps.lookup.outputs.user.id}"}},"outlets":{"SAVED":{"next":"done"}}},"stop":`, 1)
}

func TestAnAgreementThatIsAskedForStaysEnabled(t *testing.T) {
	d := newDesk(t, map[string]string{"demo/agreements/terms.json": `{"id":"d0000000-0000-4000-8000-000000000055","name":"Terms","enabled":true,
		"languages":[{"locale":"en","displayName":"English","enabled":true,"revisions":[{"contentType":"text/plain","effectiveAt":"2026-01-01T00:00:00Z","requireReconsent":false,"text":"x"}]}]}`})
	const terms = "d0000000-0000-4000-8000-000000000055"
	def := d.make("flowDefinition", strings.Replace(asked(terms), "FORM\"}}", d.make("form", signOnForm)+"\"}}", 1))
	err := d.put("agreement", terms, `"enabled":true`, `"enabled":false`)
	wants(t, err, `CONSTRAINT_VIOLATION /enabled: takes true while the flow definition "Sign on" asks`)
	if err := d.Remove(t.Context(), env, kind(t, "flowDefinition"), nil, def); err != nil {
		t.Fatal(err)
	}
	if err := d.put("agreement", terms, `"enabled":true`, `"enabled":false`); err != nil {
		t.Error(err)
	}
	served, _ := d.bundle().Agreement(terms)
	languages, _ := d.List(t.Context(), env, kind(t, "agreementLanguage"), []string{terms})
	if len(languages) != 1 || served.Languages[0].ID != languages[0].ID || served.Enabled {
		t.Errorf("%+v, and %v", served, languages)
	}
}
