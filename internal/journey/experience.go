package journey

import "net/http"

// Experience asks for an execution of a flow definition. body is as of Act.
func (c *Client) Experience(env, definition string, body any, header ...string) *Answer {
	c.tb.Helper()
	h := Header(append([]string{"Content-Type", "application/json"}, header...)...)
	return c.Send(http.MethodPost, "/"+env+"/experiences/"+definition, h, c.body(body))
}

// Begin starts an execution of a flow definition that ends at an address of the
// application. parameters may be nil.
func (c *Client) Begin(app App, definition string, parameters map[string]any) *Flow {
	c.tb.Helper()
	body := map[string]any{"redirectUri": app.RedirectURI}
	if parameters != nil {
		body["parameters"] = parameters
	}
	a := c.Experience(app.Env, definition, body).Is(http.StatusCreated)
	f := c.Execution(app, a.Resource().ID)
	if got := a.Header.Get("Location"); got != c.site.Base+f.Path() {
		c.tb.Errorf("%s: Location is %q", a.request, got)
	}
	return f
}

// Execution is the client's view of an execution of a flow definition.
func (c *Client) Execution(app App, id string) *Flow {
	return &Flow{ID: id, Ask: Ask{App: app}, Client: c, experience: true}
}
