package management

import (
	"encoding/hex"

	"doorward/configs"
	"doorward/runtime/flow"
)

// showDraft is a draft with everything that keeps it from being published.
func (c *call) showDraft(d configs.Draft) object {
	definition := c.base() + "/flowDefinitions/" + d.ID
	l := links("self", definition+"/draft", "environment", c.base(), "flowDefinition", definition, "flowDefinition.publish", definition+"/draft")
	o := object{{"_links", l}}
	var faults []any
	for _, f := range d.Faults {
		x := detail(f)
		faults = append(faults, object{{"code", x.Code}}.text("target", x.Target).text("pointer", x.Pointer).with("message", x.Message))
	}
	embedded := object{}
	if len(faults) > 0 {
		embedded = embedded.with("faults", faults)
	}
	if warnings := warned(d.Item); len(warnings) > 0 {
		embedded = embedded.with("warnings", warnings)
	}
	if len(embedded) > 0 {
		o = o.with("_embedded", embedded)
	}
	o = append(o, member{"id", d.ID}, member{"environment", relation(c.env)})
	if len(d.Faults) == 0 {
		o = o.with("plan", object{{"hash", hex.EncodeToString(d.Plan[:])}})
	}
	return o.body(d.Body, "id", "environment", "createdAt", "updatedAt")
}

func readDraft(c *call) (*answer, error) {
	d, err := c.api.Editor.Draft(c.Context(), c.env, c.PathValue("id"))
	if err != nil {
		return nil, refused(err)
	}
	return ok(c.showDraft(d))
}

// saveDraft keeps a draft of the definition that the path names, also before
// there is any. What is wrong with it is said, and refuses nothing.
func saveDraft(c *call) (*answer, error) {
	if _, err := c.document(); err != nil {
		return nil, err
	}
	d, err := c.editor().SaveDraft(c.Context(), c.env, c.PathValue("id"), c.body)
	if err != nil {
		return nil, refused(err)
	}
	c.did(flow.ManagementUpdated, "flowDefinition.draft", d.ID)
	return ok(c.showDraft(d))
}

func publishDraft(c *call) (*answer, error) {
	if _, err := input[struct{}](c); err != nil {
		return nil, err
	}
	item, err := c.editor().Publish(c.Context(), c.env, c.PathValue("id"))
	if err != nil {
		return nil, refused(err)
	}
	c.did(flow.ManagementUpdated, "flowDefinition", item.ID)
	return ok(resourcesOf{kindNamed("flowDefinition")}.show(c, nil, item))
}

func discardDraft(c *call) (*answer, error) {
	id := c.PathValue("id")
	if err := c.editor().DiscardDraft(c.Context(), c.env, id); err != nil {
		return nil, refused(err)
	}
	c.did(flow.ManagementDeleted, "flowDefinition.draft", id)
	return nothing()
}
