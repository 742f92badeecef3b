package main_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"doorward/directory"
	visit "doorward/internal/journey"
	"doorward/keys"
)

// The applications of testdata/config/fourth and testdata/config/vendor.
var (
	admin   = visit.App{Env: fourthEnv, ID: "e4000000-0000-4000-8000-0000000000d1", Secret: "fourth-admin-secret-93fe"}  // ENVIRONMENT_ADMIN
	deputy  = visit.App{Env: fourthEnv, ID: "e4000000-0000-4000-8000-0000000000d2", Secret: "fourth-deputy-secret-7a20"} // likewise
	viewer  = visit.App{Env: fourthEnv, ID: "e4000000-0000-4000-8000-0000000000d3", Secret: "fourth-viewer-secret-c5d8"} // CONFIGURATION_READ_ONLY
	intern  = visit.App{Env: fourthEnv, ID: "e4000000-0000-4000-8000-0000000000d4", Secret: "fourth-intern-secret-1e64"} // no role
	hasty   = visit.App{Env: fourthEnv, ID: "e4000000-0000-4000-8000-0000000000d5", Secret: "fourth-hasty-secret-b90d"}  // CONFIGURATION_READ_ONLY
	service = visit.App{Env: fourthEnv, ID: "e4000000-0000-4000-8000-0000000000d6", Secret: "fourth-service-secret-2f81"}
	shop4   = visit.App{Env: fourthEnv, ID: "e4000000-0000-4000-8000-0000000000a1", Secret: "fourth-shop-secret-41b7", RedirectURI: "https://fourth.example/cb"}

	vendorAdmin = visit.App{Env: vendorEnv, ID: "e5000000-0000-4000-8000-0000000000d1", Secret: "vendor-admin-secret-93fe"} // ENVIRONMENT_ADMIN
	vendorShop  = visit.App{Env: vendorEnv, ID: "e5000000-0000-4000-8000-0000000000a1", Secret: "vendor-shop-secret-41b7", RedirectURI: "https://vendor.example/cb"}
)

// populationOf is the one population of either environment.
func populationOf(app visit.App) string {
	return strings.Replace(app.Env, "000000000001", "0000000000b1", 1)
}

// manager is a worker application with its token. It sends to both nodes in turn.
type manager struct {
	*visit.Client
	x     *trial
	env   string
	token string
}

// grant asks for a token by client_credentials.
func (x *trial) grant(app visit.App) *visit.Answer {
	x.Helper()
	return x.device().Redeem(visit.Ask{App: app, Query: url.Values{}}, "", "grant_type", "client_credentials", "code", "", "code_verifier", "")
}

func (x *trial) manager(app visit.App) *manager {
	x.Helper()
	return &manager{Client: x.device(), x: x, env: app.Env, token: x.grant(app).Tokens().AccessToken}
}

// via is the same worker, whose requests all reach one node.
func (m *manager) via(node int) *manager {
	n := *m
	n.Client = m.Via(node)
	return &n
}

// do sends a request; path is below the environment. body is as of visit.Flow.Act
// and, unless header says otherwise, application/json.
func (m *manager) do(method, path string, body any, header ...string) *visit.Answer {
	m.x.Helper()
	h := visit.Header("Authorization", "Bearer "+m.token)
	if body != nil {
		h.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		h[header[i]] = []string{header[i+1]}
	}
	var b []byte
	switch v := body.(type) {
	case nil:
	case string:
		b = []byte(v)
	default:
		b = m.x.json(v)
	}
	return m.Send(method, "/v1/environments/"+m.env+path, h, b)
}

func (m *manager) get(path string) map[string]any {
	m.x.Helper()
	return m.x.mustJSON(m.do(http.MethodGet, path, nil).Is(200).Body)
}

func (m *manager) put(path string, body any) map[string]any {
	m.x.Helper()
	return m.x.mustJSON(m.do(http.MethodPut, path, body).Is(200).Body)
}

// create makes a resource and returns its id.
func (m *manager) create(path string, body any) string {
	m.x.Helper()
	made := m.x.mustJSON(m.do(http.MethodPost, path, body).Is(201).Body)
	id, _ := made["id"].(string)
	return id
}

// act sends a body of a media type of the vendor's, or of ours when name begins
// with "flowDefinition.".
func (m *manager) act(method, path, name string, body any) *visit.Answer {
	m.x.Helper()
	media := visit.ContentType(name)
	if strings.HasPrefix(name, "flowDefinition.") {
		media = strings.Replace(media, "pingidentity", "doorward", 1)
	}
	if body == nil {
		body = "{}"
	}
	return m.do(method, path, body, "Content-Type", media)
}

// user makes somebody who can sign on with the password.
func (m *manager) user(name, password string) string {
	m.x.Helper()
	body := map[string]any{
		"username": name, "email": name + "@fourth.example", "name": map[string]any{"given": strings.ToUpper(name[:1]) + name[1:], "family": "Fourth"},
		"population": map[string]any{"id": strings.Replace(m.env, "000000000001", "0000000000b1", 1)},
		"password":   map[string]any{"value": password},
	}
	a := m.act(http.MethodPost, "/users", "user.import", body).Is(201)
	id, _ := m.x.mustJSON(a.Body)["id"].(string)
	return id
}

// served waits until both nodes serve a change, as the answers to probe show.
func (m *manager) served(probe func(node int) bool) {
	m.x.Helper()
	began := time.Now()
	for node := range 2 {
		for !probe(node) {
			if time.Since(began) > 5*time.Second {
				m.x.Fatalf("node %d does not serve a change", node)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// publish makes a flow definition that both nodes serve.
func (m *manager) publish(body any) string {
	m.x.Helper()
	id := m.create("/flowDefinitions", body)
	m.served(func(node int) bool {
		return m.x.browser().Via(node).Experience(m.env, id, `{"redirectUri":"https://nowhere.example/"}`).Status != 404
	})
	return id
}

// memberOf is a member of a member of an object; nil where there is none.
func memberOf(v any, names ...string) any {
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// embedded are the members of a collection's page.
func embedded(page map[string]any, name string) (out []map[string]any) {
	list, _ := memberOf(page, "_embedded", name).([]any)
	for _, v := range list {
		m, _ := v.(map[string]any)
		out = append(out, m)
	}
	return out
}

func (x *trial) json(v any) []byte {
	x.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		x.Fatal(err)
	}
	return b
}

// directory opens what the deployment keeps, as a process of it does.
func (x *trial) directory() (*directory.DB, *keys.Ring) {
	x.Helper()
	ring, _, err := keys.LoadOrCreate(x.keys)
	if err != nil {
		x.Fatal(err)
	}
	db, err := directory.Open(x.Context(), directory.Options{Path: x.file, Now: time.Now})
	if err != nil {
		x.Fatal(err)
	}
	x.Cleanup(func() { _ = db.Close() })
	return db, ring
}
