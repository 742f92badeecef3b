package management

import "doorward/wire"

// listDeviceLogs shows what the application on a device has told of itself. Source:
// reference/flows.md 8.2 (native device logs); that they are read here is ours.
func listDeviceLogs(c *call) (*answer, error) {
	user, id := c.PathValue("id"), c.PathValue("device")
	all, err := c.api.Devices.Logs(c.Context(), c.env, user, id)
	if err != nil {
		return nil, absent(err)
	}
	var rows []row
	for _, entry := range all {
		show := func() any { return object{{"id", entry.ID}}.time("createdAt", entry.At).with("log", entry.Body) }
		rows = append(rows, row{key: wire.Timestamp(entry.At), id: entry.ID, show: show})
	}
	page, err := c.page("logs", rows, "")
	if err != nil {
		return nil, err
	}
	return ok(page)
}
