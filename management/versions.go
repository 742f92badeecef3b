package management

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"doorward/directory"
	"doorward/runtime/flow"
)

const definitionPath = environmentPath + "/flowDefinitions/:id"

// versionRoutes are what flow definitions have beside themselves: every version
// that was published, and a draft. Both are ours.
func versionRoutes() []route {
	return []route{
		{definitionPath + "/versions", []operation{
			{method: http.MethodGet, access: reading, params: []string{"limit", "cursor"}, run: listVersions},
		}},
		{definitionPath + "/versions/:hash", []operation{
			{method: http.MethodGet, access: reading, params: []string{"against"}, run: readVersion},
			{method: http.MethodPost, access: configuration, types: ourAction("flowDefinition.restore"), run: restoreVersion},
		}},
		{definitionPath + "/draft", []operation{
			{method: http.MethodGet, access: reading, run: readDraft},
			{method: http.MethodPut, access: configuration, types: []string{jsonType}, run: saveDraft},
			{method: http.MethodPost, access: configuration, types: ourAction("flowDefinition.publish"), run: publishDraft},
			{method: http.MethodDelete, access: configuration, run: discardDraft},
		}},
	}
}

// ourAction is the media type of an action that the vendor has not.
func ourAction(name string) []string { return []string{ours + name + jsonSuffix} }

func (c *call) definitionURL() string { return c.base() + "/flowDefinitions/" + c.PathValue("id") }

func (c *call) showVersion(v flow.Version) object {
	hash := hex.EncodeToString(v.Hash[:])
	self := c.definitionURL() + "/versions/" + hash
	l := links("self", self, "environment", c.base(), "flowDefinition", c.definitionURL(), "flowDefinition.restore", self)
	o := object{{"_links", l}, {"hash", hash}, {"number", v.Number}}.time("publishedAt", v.At)
	if v.Author != "" {
		o = o.with("application", relation(v.Author))
	}
	return o.text("note", v.Note)
}

func listVersions(c *call) (*answer, error) {
	limit, err := c.pageSize()
	if err != nil {
		return nil, err
	}
	after, err := c.after()
	if err != nil {
		return nil, err
	}
	p, err := c.api.Editor.Versions(c.Context(), c.env, c.PathValue("id"), after, limit)
	switch {
	case errors.Is(err, directory.ErrCursor):
		return nil, badCursor()
	case err != nil:
		return nil, refused(err)
	case p.Count == 0:
		return nil, notFound()
	}
	var members []any
	for _, v := range p.Versions {
		members = append(members, c.showVersion(v))
	}
	return ok(c.collection("versions", members, p.Next, "", p.Count))
}

// version is one version of the definition that the path names.
func (c *call) version(hash string) (flow.Version, error) {
	b, err := hex.DecodeString(hash)
	var digest flow.Digest
	if err != nil || len(b) != len(digest) {
		return flow.Version{}, notFound()
	}
	v, err := c.api.Editor.Version(c.Context(), c.env, c.PathValue("id"), flow.Digest(b))
	return v, absent(err)
}

// readVersion is a version with its body; against another one, what is different.
func readVersion(c *call) (*answer, error) {
	v, err := c.version(c.PathValue("hash"))
	if err != nil {
		return nil, err
	}
	o := c.showVersion(v).with("flowDefinition", json.RawMessage(v.Body))
	against, sent := c.param("against")
	if !sent {
		return ok(o)
	}
	other, err := c.version(against)
	if f := (*flow.Fault)(nil); errors.As(err, &f) && f.Code == flow.NotFound {
		return nil, parameter("against", "against takes the hash of a version of the same flow definition.")
	}
	if err != nil {
		return nil, err
	}
	changes, err := difference(other.Body, v.Body)
	if err != nil {
		return nil, fmt.Errorf("versions of flow definition %s: %w", v.ID, err)
	}
	return ok(o.with("changes", changes))
}

func restoreVersion(c *call) (*answer, error) {
	if _, err := input[struct{}](c); err != nil {
		return nil, err
	}
	v, err := c.version(c.PathValue("hash"))
	if err != nil {
		return nil, err
	}
	item, err := c.editor().Restore(c.Context(), c.env, v.ID, v.Hash)
	if err != nil {
		return nil, refused(err)
	}
	c.did(flow.ManagementUpdated, "flowDefinition", item.ID)
	return ok(resourcesOf{kindNamed("flowDefinition")}.show(c, nil, item))
}
