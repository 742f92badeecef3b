package management

import "encoding/json"

// counted are the members of resources that nobody writes and that are counted
// when they are asked for, by id: one query for a page.
func (s resourcesOf) counted(c *call, ids []string) (map[string]object, error) {
	out := map[string]object{}
	switch s.Name {
	case "population":
		users, err := c.api.Users.Members(c.Context(), c.env, ids)
		for _, id := range ids {
			out[id] = object{{"userCount", users[id]}}
		}
		return out, unserved(err)
	case "agreement":
		at := c.api.Now()
		consents, err := c.api.Consents.Totals(c.Context(), c.env, ids)
		for _, id := range ids {
			t := consents[id]
			out[id] = object{{"totalConsents", t.All}, {"totalExpiredConsents", t.Expired}}.time("consentsAggregatedAt", at)
		}
		return out, unserved(err)
	case "passwordPolicy":
		populations, err := c.governed()
		for _, id := range ids {
			out[id] = object{{"populationCount", populations[id]}}
		}
		return out, err
	}
	return out, nil
}

// governed is how many populations each password policy holds for. The default one
// holds for those that name none, too.
func (c *call) governed() (map[string]int, error) {
	all, err := c.api.Editor.List(c.Context(), c.env, kindNamed("passwordPolicy"), nil)
	if err != nil {
		return nil, refused(err)
	}
	populations, err := c.api.Editor.List(c.Context(), c.env, kindNamed("population"), nil)
	if err != nil {
		return nil, refused(err)
	}
	standard := ""
	for _, item := range all {
		var body struct {
			Default bool `json:"default"`
		}
		if _ = json.Unmarshal(item.Body, &body); body.Default { // was checked when it was kept
			standard = item.ID
		}
	}
	out := map[string]int{}
	for _, item := range populations {
		var body struct {
			PasswordPolicy struct {
				ID string `json:"id"`
			} `json:"passwordPolicy"`
		}
		_ = json.Unmarshal(item.Body, &body) // likewise
		if id := body.PasswordPolicy.ID; id != "" {
			out[id]++
			continue
		}
		out[standard]++
	}
	return out, nil
}
