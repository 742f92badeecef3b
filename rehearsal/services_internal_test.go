package rehearsal

import (
	"net/http"
	"strings"
	"testing"
)

// scripted reads a script that has these services and steps.
func scripted(services, steps string) (*script, error) {
	return readScript("script.yaml", []byte("config: config\ndefinition: Voucher\nservices:\n"+services+"steps:\n"+steps+"  - wait: 1m\n"))
}

func TestTheFirstServiceThatFitsAnswers(t *testing.T) {
	s, err := scripted(`
  - {method: post, url: "https://desk.example/*", fails: TIMEOUT}
  - {url: https://desk.example/a, times: 2, answer: {status: 404, headers: {content-type: application/problem+json}, body: {title: Gone}}}
  - {url: https://desk.example/a, answer: {body: [1, 2030-01-01]}}
  - {url: "*.example/page", answer: {headers: {content-type: text/html}, body: <h1>}}
  - {url: "*.example/nothing", answer: {}}
`, "")
	if err != nil {
		t.Fatal(err)
	}
	g := newServices(s.services)
	for _, tt := range []struct {
		call  Call
		reply Reply
		kind  string
	}{
		{Call{Method: "POST", URL: "https://desk.example/a"}, Reply{Fails: "TIMEOUT"}, ""},
		{Call{Method: "GET", URL: "https://desk.example/a"}, Reply{Status: 404, Body: []byte(`{"title":"Gone"}`)}, "application/problem+json"},
		{Call{Method: "PUT", URL: "https://desk.example/a"}, Reply{Status: 404, Body: []byte(`{"title":"Gone"}`)}, "application/problem+json"},
		{Call{Method: "GET", URL: "https://desk.example/a"}, Reply{Status: 200, Body: []byte(`[1,"2030-01-01"]`)}, "application/json"},
		{Call{Method: "GET", URL: "https://other.example/page"}, Reply{Status: 200, Body: []byte(`<h1>`)}, "text/html"},
		{Call{Method: "GET", URL: "https://other.example/nothing"}, Reply{Status: 200}, ""},
	} {
		got := g.reply(tt.call)
		if got.Fails != tt.reply.Fails || got.Status != tt.reply.Status || string(got.Body) != string(tt.reply.Body) || got.Header.Get("Content-Type") != tt.kind {
			t.Errorf("%s: %+v %s", &tt.call, got, got.Body)
		}
	}
	if calls, missing := g.take(); len(calls) != 6 || missing != nil {
		t.Error(calls, missing)
	}
	if calls, _ := g.take(); len(calls) != 0 {
		t.Error("calls are there twice:", calls)
	}
}

// The first call that the script says nothing of is named, with what to add.
func TestACallThatNobodyAnswers(t *testing.T) {
	s, err := scripted("  - {url: 'https://desk.example/a', times: 1, answer: {}}\n", "")
	if err != nil {
		t.Fatal(err)
	}
	g := newServices(s.services)
	for range 3 {
		g.reply(Call{Method: "GET", URL: "https://desk.example/a"})
	}
	const says = "none of the services of the script answers GET https://desk.example/a any more: the one in line 4 answers 1 call; add one:\n" +
		`  - {method: GET, url: "https://desk.example/a", answer: {status: 200, body: {}}}`
	if _, missing := g.take(); missing == nil || missing.Error() != says {
		t.Error(missing)
	}
	if got := g.reply(Call{Method: "GET", URL: "https://desk.example/ab"}); got.Fails != callFailed {
		t.Errorf("%+v", got)
	}
	if _, missing := g.take(); missing == nil || !strings.Contains(missing.Error(), "answers GET https://desk.example/ab; add one") {
		t.Error(missing)
	}
}

func TestWhatIsWrongWithAService(t *testing.T) {
	for name, tt := range map[string]struct{ service, says string }{
		"fails and answers":       {"{url: '*', fails: TIMEOUT, answer: {}}", "script.yaml:4: give either answer, or fails: TIMEOUT, TOO_MANY_INVOCATIONS, "},
		"neither":                 {"{url: '*'}", "give either answer, or fails"},
		"a failure there is not":  {"{url: '*', fails: SLOW}", "script.yaml:4: fails takes TIMEOUT, "},
		"no URL":                  {"{method: GET, answer: {}}", "url is missing"},
		"a redirect":              {"{url: '*', answer: {status: 302}}", "status takes 200 to 299 and 400 to 599"},
		"a status in words":       {"{url: '*', answer: {status: OK}}", "status takes 200 to 299"},
		"no times":                {"{url: '*', times: 0, fails: TIMEOUT}", "times takes how many calls are answered: 1 or more"},
		"what JSON cannot say":    {"{url: '*', answer: {body: {a: .nan}}}", "body takes what JSON can say"},
		"a text of several parts": {"{url: '*', answer: {headers: {content-type: text/plain}, body: [a]}}", "a body of text/plain takes a text"},
		"headers of no names":     {"{url: '*', answer: {headers: [a]}}", "headers takes names and texts"},
		"a header of parts":       {"{url: '*', answer: {headers: {a: [b]}}}", "headers: a takes a text"},
		"a member there is not":   {"{url: '*', reply: {}}", `a service takes method, url, times, answer, fails; there is no "reply"`},
		"a text":                  {"none", "a service takes method, url"},
	} {
		if _, err := scripted("  - "+tt.service+"\n", ""); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v lacks %s", name, err, tt.says)
		}
	}
}

func TestACallIsComparedInWhatIsSaidOfIt(t *testing.T) {
	const secret = `Correct "Horse" 9`
	first := Call{"GET", "https://desk.example/a?key=Correct+%22Horse%22+9", http.Header{"Accept": {"application/json"}}, nil}
	object := Call{"POST", "https://desk.example/b", nil, []byte(`{"who":{"name":"lin","password":"Correct \"Horse\" 9"},"tags":["a","b"],"n":20}`)}
	form := Call{"POST", "https://desk.example/c", nil, []byte("a=b&c=hush")}
	for name, tt := range map[string]struct{ call, says, left string }{
		"none of them":            {"none", "expected no call, came GET https://desk.example/a?key=***, POST https://desk.example/b, POST https://desk.example/c", "abc"},
		"any":                     {"{}", "", "bc"},
		"by its method":           {"{method: post}", "", "c"},
		"by its URL":              {"{url: 'https://desk.example/c'}", "", ""},
		"by a part of it":         {"{url: '*key=*'}", "", "bc"},
		"none that fits":          {"{method: PUT, url: 'https://desk.example/a'}", "expected a call PUT https://desk.example/a, came GET https://desk.example/a?key=***, POST", "abc"},
		"its headers":             {"{headers: {accept: application/*}}", "", "bc"},
		"another header":          {"{headers: {Accept: text/*, X-Trace: '1'}}", "headers: Accept: expected \"text/*\", came \"application/json\"\nheaders: X-Trace: expected \"1\", came \"\"", "bc"},
		"members of its body":     {"{method: POST, body: {who: {name: lin}, tags: [a, b], n: 20}}", "", "c"},
		"a code in its body":      {"{method: POST, body: {who: {name: '${code}'}}}", "", "c"},
		"other members":           {"{method: POST, body: {who: {name: ann, age: 7}, tags: [a]}}", "body: tags: expected [\"a\"], came [\"a\",\"b\"]\nbody: who.age: expected 7, came null\nbody: who.name: expected \"ann\", came \"lin\"", "c"},
		"a password":              {"{method: POST, body: {who: {password: x}}}", `body: who.password: expected "x", came "***"`, "c"},
		"another type":            {"{method: POST, body: [lin]}", `body: expected ["lin"], came {"`, "c"},
		"a form":                  {"{url: '*/c', body: '*c=hush'}", "", ""},
		"a form that is not seen": {"{url: '*/c', body: {a: b}}", `body: expected {"a":"b"}, came 10 bytes that are something else`, ""},
		"a body of nothing":       {"{body: {a: b}}", `came 0 bytes that are something else`, "bc"},
		"a code of nobody":        {"{body: {a: '${other}'}}", "there is no ${other}", "bc"},
		"a header of nobody":      {"{headers: {a: '${other}'}}", "there is no ${other}", "bc"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := scripted("  []\n", "  - call: "+tt.call+"\n")
			if err != nil {
				t.Fatal(err)
			}
			p := &play{stage: &stage{calls: []Call{first, object, form}}, codes: map[string]string{"code": "lin"}}
			p.conceal(secret)
			got := p.masked(strings.Join(p.called(s.steps[0].call), "\n"))
			if (got == "") != (tt.says == "") || !strings.Contains(got, tt.says) || strings.Contains(got, "hush") {
				t.Errorf("it says %s\nwhich lacks %s", got, tt.says)
			}
			left := ""
			for _, c := range p.calls {
				left += c.URL[21:22]
			}
			if left != tt.left {
				t.Errorf("%s are left, want %s", left, tt.left)
			}
		})
	}
}
