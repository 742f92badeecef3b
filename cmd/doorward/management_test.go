package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"doorward/directory"
	visit "doorward/internal/journey"
)

// refusals holds that something is refused with that status and code, and that
// each refusal is a security event.
func (x *trial) refusals(status int, code string, requests map[string]func() *visit.Answer) {
	x.Helper()
	for what, request := range requests {
		before := x.recorded("MANAGEMENT.REFUSED")
		a := request()
		if a.Status != status || a.Problem().Code != "ACCESS_FAILED" || a.Problem().Details[0].Code != code {
			x.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
		if status == 401 && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer ") {
			x.Errorf("%s: WWW-Authenticate is %q", what, a.Header.Get("WWW-Authenticate"))
		}
		if !x.await(func() bool { return x.recorded("MANAGEMENT.REFUSED") == before+1 }) {
			x.Errorf("%s: %d events", what, x.recorded("MANAGEMENT.REFUSED")-before)
		}
	}
}

// Only the token of a worker application of the environment opens the management
// API, in its header, for its hour.
func TestSec_MANAGEMENT_TOKEN(t *testing.T) {
	x := newTrial(t)
	m := x.manager(admin)
	bare := x.device()
	path := "/v1/environments/" + fourthEnv + "/populations"
	with := func(header ...string) func() *visit.Answer {
		return func() *visit.Answer { return bare.Send(http.MethodGet, path, visit.Header(header...), nil) }
	}
	_, f := x.signedOn("ada")
	people := x.tokens(f)
	parts := strings.Split(m.token, ".")
	unsigned := "eyJhbGciOiJub25lIn0." + parts[1] + "."
	x.trail.Secret("unsigned token", unsigned)
	x.refusals(401, "INVALID_TOKEN", map[string]func() *visit.Answer{
		"no token":                       with(),
		"another scheme":                 with("Authorization", "Basic "+m.token),
		"two tokens":                     with("Authorization", "Bearer "+m.token, "Authorization", "Bearer "+m.token),
		"a token in a cookie":            with("Cookie", "access_token="+m.token),
		"another environment's worker":   with("Authorization", "Bearer "+x.manager(vendorAdmin).token),
		"an application, no worker":      with("Authorization", "Bearer "+x.manager(service).token),
		"an access token of a person":    with("Authorization", "Bearer "+people.AccessToken),
		"an ID token":                    with("Authorization", "Bearer "+people.IDToken),
		"a token without signature":      with("Authorization", "Bearer "+unsigned),
		"another token's signature":      with("Authorization", "Bearer "+parts[0]+"."+parts[1]+"."+strings.Split(x.manager(deputy).token, ".")[2]),
		"a token that is over":           with("Authorization", "Bearer "+x.minted(m.token, -time.Second)),
		"a token for another API's host": with("Authorization", "Bearer "+x.minted(m.token, time.Minute, "aud", "https://api.elsewhere.example")),
		"a token in the address": func() *visit.Answer {
			return bare.Send(http.MethodGet, path+"?access_token="+m.token, nil, nil)
		},
		"a token in a form": func() *visit.Answer {
			return bare.Send(http.MethodPost, path, visit.Header("Content-Type", "application/x-www-form-urlencoded"), []byte("access_token="+m.token))
		},
	})
	with("Authorization", "bearer "+x.minted(m.token, time.Minute))().Is(200) // what was minted here is right but for what was changed
	with("Authorization", "Bearer "+m.token)().Is(200)
	unknown := x.manager(admin)
	unknown.env = noFlow
	unknown.do(http.MethodGet, "/populations", nil).Refused(404, "NOT_FOUND")
	m.do(http.MethodGet, "/populations?access_token="+m.token, nil).Refused(400, "INVALID_REQUEST", "INVALID_PARAMETER")
}

// minted is the token with another end, and other claims, signed with the key of
// the deployment.
func (x *trial) minted(token string, rest time.Duration, claims ...string) string {
	x.Helper()
	db, ring := x.directory()
	was, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA})
	if err != nil {
		x.Fatal(err)
	}
	head := was.Signatures[0].Header
	key, err := directory.NewSigningKeys(db, ring, time.Now).Active(x.Context(), fourthEnv, head.Algorithm)
	if err != nil {
		x.Fatal(err)
	}
	all := x.mustJSON(was.UnsafePayloadWithoutVerification())
	all["exp"] = time.Now().Add(rest).Unix()
	for i := 0; i < len(claims); i += 2 {
		all[claims[i]] = claims[i+1]
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(head.Algorithm), Key: key.Private},
		(&jose.SignerOptions{}).WithHeader("kid", head.KeyID).WithHeader("typ", head.ExtraHeaders["typ"]))
	if err != nil {
		x.Fatal(err)
	}
	signed, err := signer.Sign(x.json(all))
	if err != nil {
		x.Fatal(err)
	}
	out, err := signed.CompactSerialize()
	if err != nil {
		x.Fatal(err)
	}
	return out
}

// A worker does what its role is for, and nothing changes where it may not.
func TestSec_MANAGEMENT_ROLE(t *testing.T) {
	x := newTrial(t)
	m, reader, guest := x.manager(admin), x.manager(viewer), x.manager(intern)
	const form = `{"name":"Taken over","category":"CUSTOM","components":{"fields":[]}}`
	population := "/populations/" + populationOf(admin)
	before := m.get(population)
	x.refusals(403, "INSUFFICIENT_PERMISSIONS", map[string]func() *visit.Answer{
		"without a role, reading":         func() *visit.Answer { return guest.do(http.MethodGet, "/populations", nil) },
		"without a role, the environment": func() *visit.Answer { return guest.do(http.MethodGet, "", nil) },
		"without a role, writing":         func() *visit.Answer { return guest.do(http.MethodPost, "/forms", form) },
		"read only, making":               func() *visit.Answer { return reader.do(http.MethodPost, "/forms", form) },
		"read only, changing":             func() *visit.Answer { return reader.do(http.MethodPut, population, `{"name":"Taken over"}`) },
		"read only, removing":             func() *visit.Answer { return reader.do(http.MethodDelete, population, nil) },
		"read only, a secret":             func() *visit.Answer { return reader.do(http.MethodGet, "/applications/"+admin.ID+"/secret", nil) },
		"read only, a new secret":         func() *visit.Answer { return reader.do(http.MethodPost, "/applications/"+admin.ID+"/secret", nil) },
		"read only, a role for itself": func() *visit.Answer {
			return reader.do(http.MethodPut, "/applications/"+viewer.ID, `{"roles":["ENVIRONMENT_ADMIN"]}`)
		},
		"read only, people": func() *visit.Answer { return reader.do(http.MethodGet, "/users", nil) },
		"read only, publishing a draft": func() *visit.Answer {
			return reader.act(http.MethodPost, "/flowDefinitions/"+noFlow+"/draft", "flowDefinition.publish", nil)
		},
		"everything but other environments": func() *visit.Answer { return m.do(http.MethodDelete, "", nil) },
		"everything but new ones": func() *visit.Answer {
			return m.Send(http.MethodPost, "/v1/environments", visit.Header("Authorization", "Bearer "+m.token, "Content-Type", "application/json"), []byte(`{"name":"Mine","type":"SANDBOX"}`))
		},
	})
	if now := m.get(population); fmt.Sprint(now) != fmt.Sprint(before) {
		t.Errorf("the population is %v, was %v", now, before)
	}
	reader.get(population)
}

// An application that sends too much waits; others do not.
func TestSec_MANAGEMENT_LIMIT(t *testing.T) {
	x := newTrial(t)
	m, other := x.manager(hasty).via(0), x.manager(viewer).via(0)
	began := time.Now()
	var sent atomic.Int64
	var limited atomic.Pointer[visit.Answer]
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for limited.Load() == nil && sent.Add(1) < 3000 {
				if a := m.do(http.MethodGet, "/flowMetadata/triggerTypes", nil); a.Status != 200 {
					limited.Store(a)
				}
			}
		})
	}
	all.Wait()
	allowed := 200 + int64(100*time.Since(began).Seconds())
	a := limited.Load()
	if a == nil {
		if sent.Load() > allowed+50 {
			t.Errorf("%d requests were answered where %d are allowed", sent.Load(), allowed)
		}
		t.Skipf("this machine sent %d requests in %v, which is allowed", sent.Load(), time.Since(began))
	}
	a.Refused(429, "REQUEST_LIMITED", "LIMIT_EXCEEDED")
	if a.Header.Get("Retry-After") == "" || sent.Load() < 200 {
		t.Errorf("the answer after %d requests has the headers %v", sent.Load(), a.Header)
	}
	if !x.await(func() bool { return x.recorded("REQUEST.LIMITED") > 0 }) {
		t.Error("it is not recorded")
	}
	other.do(http.MethodGet, "/flowMetadata/triggerTypes", nil).Is(200)
}

// Of changes that meet on two nodes each is made whole, one after the other, and
// none is lost: each is a version of its own.
func TestSec_MANAGEMENT_LOST_UPDATE(t *testing.T) {
	x := newTrial(t)
	workers := []*manager{x.manager(admin), x.manager(deputy)}
	id := workers[0].create("/flowDefinitions", terminates("Contended", "first", "first"))
	path := "/flowDefinitions/" + id
	const rounds = 6
	for round := range rounds {
		body := func(i int) map[string]any {
			mark := fmt.Sprintf("mark-%d-%d", round, i)
			return terminates("Contended "+mark, mark, strings.Repeat(mark+" ", 40))
		}
		for i, a := range atOnce(2, func(i int) *visit.Answer { return workers[i].via((round+i)%2).do(http.MethodPut, path, body(i)) }) {
			if got := x.mustJSON(a.Is(200).Body); round == 0 && memberOf(got, "stepDefinitions", "end", "input", "error", "code") == nil {
				t.Errorf("answer %d is %s", i, a.Body)
			}
		}
		for node := range 2 {
			now := workers[0].via(node).get(path)
			code, _ := memberOf(now, "stepDefinitions", "end", "input", "error", "code").(string)
			if now["name"] != "Contended "+code || memberOf(now, "stepDefinitions", "end", "input", "error", "message") != strings.Repeat(code+" ", 40) || !strings.HasPrefix(code, fmt.Sprintf("mark-%d-", round)) {
				t.Fatalf("round %d: node %d has a mixture: %v", round, node, now)
			}
		}
	}
	versions := embedded(workers[0].get(path+"/versions"), "versions")
	if len(versions) != 1+2*rounds {
		t.Fatalf("%d versions of %d changes", len(versions), 1+2*rounds)
	}
	authors, hashes := map[any]int{}, map[any]int{}
	for i, v := range versions {
		if v["number"] != float64(len(versions)-i) {
			t.Errorf("version %d has the number %v", len(versions)-i, v["number"])
		}
		authors[memberOf(v, "application", "id")]++
		hashes[v["hash"]]++
	}
	if authors[deputy.ID] != rounds || authors[admin.ID] != rounds+1 || len(hashes) != len(versions) {
		t.Errorf("the versions are by %v, with %d hashes", authors, len(hashes))
	}
	workers[0].do(http.MethodDelete, path, nil).Is(204)
}

// Changes of different things that meet do not take each other back, however
// many there are.
func TestSec_MANAGEMENT_LOST_UPDATE_of_others(t *testing.T) {
	x := newTrial(t)
	m := x.manager(admin)
	const many = 8
	made := map[string]bool{}
	for _, a := range atOnce(many, func(i int) *visit.Answer {
		return m.via(i%2).do(http.MethodPost, "/populations", map[string]string{"name": fmt.Sprintf("At once %d", i)})
	}) {
		id, _ := x.mustJSON(a.Is(201).Body)["id"].(string)
		made[id] = true
	}
	if len(made) != many {
		t.Errorf("%d populations were made of %d", len(made), many)
	}
	left := maps.Clone(made)
	for _, p := range embedded(m.get("/populations"), "populations") {
		id, _ := p["id"].(string)
		delete(left, id)
	}
	if len(left) != 0 {
		t.Errorf("%v are lost", left)
	}
	for id := range made {
		m.do(http.MethodDelete, "/populations/"+id, nil).Is(204)
	}
}

// What a client sends of a document is told with all its faults, and changes
// nothing: bodies over the limit, of another type, and of no JSON.
func TestSec_MANAGEMENT_BODY(t *testing.T) {
	x := newTrial(t)
	m := x.manager(admin)
	count := m.get("/forms")["count"]
	head := "POST /v1/environments/" + fourthEnv + "/forms HTTP/1.1\r\nHost: " + strings.TrimPrefix(x.site.Base, "http://") + "\r\nAuthorization: Bearer " + m.token + "\r\nContent-Type: application/json\r\n"
	if status, body := x.raw(1, head+fmt.Sprintf("Content-Length: %d\r\n\r\n{}", 1<<20+1)); status != 413 || !strings.Contains(body, "REQUEST_TOO_LARGE") {
		t.Errorf("over the limit: %d %s", status, body)
	}
	m.do(http.MethodPost, "/forms", `{"name":"`+strings.Repeat("long", 1<<17)+`"}`).Is(400)
	m.do(http.MethodPost, "/forms", strings.Repeat(`{"a":`, 33)+"1"+strings.Repeat("}", 33)).Refused(400, "INVALID_REQUEST")
	m.do(http.MethodPost, "/forms", `{"name":"A","name":"B"}`).Refused(400, "INVALID_REQUEST")
	m.do(http.MethodPost, "/forms", `{"name":"A"}`, "Content-Type", "text/plain").Is(415)
	m.do(http.MethodPost, "/forms", `[]`).Refused(400, "INVALID_REQUEST")
	var pointers []string
	for _, d := range m.do(http.MethodPost, "/forms", `{"nam":1,"category":"NONE","cols":99,"components":{"fields":[{"type":"TEXT"},{"type":"NONE"}]}}`).Is(400).Problem().Details {
		pointers = append(pointers, d.Pointer)
		if !strings.HasPrefix(d.Message, d.Target+" ") || !strings.HasSuffix(d.Message, ".") || strings.HasSuffix(d.Message, "..") {
			t.Errorf("the fault at %s says %q", d.Pointer, d.Message)
		}
	}
	for _, want := range []string{"/nam", "/name", "/category", "/cols", "/components/fields/1/type"} {
		if !strings.Contains(strings.Join(pointers, " ")+" ", want+" ") {
			t.Errorf("no fault is at %s: %v", want, pointers)
		}
	}
	if now := m.get("/forms")["count"]; now != count {
		t.Errorf("%v forms, before %v", now, count)
	}
}

// terminates is a definition of one step.
func terminates(name, code, message string) map[string]any {
	var m map[string]any
	_ = json.Unmarshal([]byte(`{"enabled":true,"trigger":{"type":"EXPERIENCE","next":"end"},"stepDefinitions":{"end":{"type":"TERMINATE_FLOW","input":{"error":{}}}}}`), &m)
	m["name"] = name
	failure, _ := memberOf(m, "stepDefinitions", "end", "input", "error").(map[string]any)
	failure["code"], failure["message"] = code, message
	return m
}
