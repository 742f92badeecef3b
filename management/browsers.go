package management

import (
	"net/http"

	"doorward/directory"
	"doorward/runtime/flow"
	"doorward/wire"
)

// browserRoutes are the browsers that a user trusts, which are not asked for a second
// factor. Ours.
func browserRoutes() []route {
	const path = userPath + "/trustedBrowsers"
	return []route{
		{path, []operation{
			{method: http.MethodGet, access: identities, params: []string{"limit", "cursor"}, run: listBrowsers},
			{method: http.MethodDelete, access: identities, run: revokeBrowsers},
		}},
		{path + "/:browser", []operation{{method: http.MethodDelete, access: identities, run: revokeBrowser}}},
	}
}

func (c *call) showBrowser(b directory.Browser) object {
	user := c.userURL(b.UserID)
	l := links("self", user+"/trustedBrowsers/"+b.ID, "environment", c.base(), "user", user)
	o := object{{"_links", l}, {"id", b.ID}, {"environment", relation(c.env)}, {"user", relation(b.UserID)}}
	return o.text("name", b.Name).text("remoteIp", b.RemoteIP).time("createdAt", b.CreatedAt).time("expiresAt", b.ExpiresAt)
}

func listBrowsers(c *call) (*answer, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	all, err := c.api.Devices.Browsers(c.Context(), c.env, u.ID)
	if err != nil {
		return nil, unserved(err)
	}
	var rows []row
	for _, b := range all {
		rows = append(rows, row{key: wire.Timestamp(b.CreatedAt), id: b.ID, show: func() any { return c.showBrowser(b) }})
	}
	page, err := c.page("trustedBrowsers", rows, "")
	if err != nil {
		return nil, err
	}
	return ok(page)
}

func revokeBrowser(c *call) (*answer, error) {
	if err := c.api.Devices.Revoke(c.Context(), c.env, c.PathValue("id"), c.PathValue("browser")); err != nil {
		return nil, absent(err)
	}
	c.about(c.PathValue("id"), flow.BrowserRevoked)
	return nothing()
}

func revokeBrowsers(c *call) (*answer, error) {
	if err := c.api.Devices.RevokeAll(c.Context(), c.env, c.PathValue("id")); err != nil {
		return nil, absent(err)
	}
	c.about(c.PathValue("id"), flow.BrowserRevoked)
	return nothing()
}
