package management

import (
	"encoding/hex"
	"net/http"

	"doorward/directory"
	"doorward/runtime/flow"
	"doorward/wire"
)

// certificateRoutes are the certificates with which a user signs on to Windows. Ours.
func certificateRoutes() []route {
	const path = userPath + "/certificates"
	return []route{
		{path, []operation{{method: http.MethodGet, access: identities, params: []string{"limit", "cursor"}, run: listCertificates}}},
		{path + "/:certificate", []operation{
			{method: http.MethodGet, access: identities, run: readCertificate},
			{method: http.MethodDelete, access: identities, run: revokeCertificate},
		}},
	}
}

// showCertificate is what is known of a certificate, which is not kept itself.
func (c *call) showCertificate(d *directory.Certificate) object {
	user := c.userURL(d.UserID)
	l := links("self", user+"/certificates/"+d.ID, "environment", c.base(), "user", user, "device", c.devicesURL(d.UserID)+"/"+d.Device)
	o := object{
		{"_links", l},
		{"id", d.ID},
		{"environment", relation(c.env)},
		{"user", relation(d.UserID)},
		{"device", relation(d.Device)},
		{"status", string(d.Status)},
		{"serialNumber", d.Serial},
		{"thumbprint", hex.EncodeToString(d.Thumbprint[:])},
	}
	if d.PIN {
		o = o.with("pin", object{{"reads", d.PINReads}}.time("readAt", d.PINReadAt))
	}
	return o.time("createdAt", d.CreatedAt).time("expiresAt", d.ExpiresAt).time("revokedAt", d.RevokedAt)
}

func listCertificates(c *call) (*answer, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	all, err := c.api.Certificates.List(c.Context(), c.env, u.ID)
	if err != nil {
		return nil, unserved(err)
	}
	var rows []row
	for _, d := range all {
		rows = append(rows, row{key: wire.Timestamp(d.CreatedAt), id: d.ID, show: func() any { return c.showCertificate(&d) }})
	}
	page, err := c.page("certificates", rows, "")
	if err != nil {
		return nil, err
	}
	return ok(page)
}

func readCertificate(c *call) (*answer, error) {
	d, err := c.api.Certificates.Get(c.Context(), c.env, c.PathValue("id"), c.PathValue("certificate"))
	if err != nil {
		return nil, absent(err)
	}
	return ok(c.showCertificate(&d))
}

// revokeCertificate makes one good no more, for good. It stays listed until it would
// have ended.
func revokeCertificate(c *call) (*answer, error) {
	id := c.PathValue("certificate")
	if err := c.api.Certificates.Revoke(c.Context(), c.env, c.PathValue("id"), id); err != nil {
		return nil, absent(err)
	}
	c.api.record(c, flow.Event{Type: flow.CertificateRevoked, User: c.PathValue("id"), Reason: "certificate " + id})
	return nothing()
}
