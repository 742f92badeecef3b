package journey

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// Fill goes through a flow by its forms alone: as long as the flow describes a
// form of which every required input has an answer, it sends that form to the
// address that the form's link names. answer is asked with what the form says of
// an input. It returns the last answer that came; no form is ever sent twice.
func (f *Flow) Fill(answer func(Property) (value any, known bool)) *Answer {
	f.tb.Helper()
	last := f.Get()
	sent := map[string]bool{}
	for last.Status == http.StatusOK {
		r := last.Flow()
		name, values := fillable(r, answer)
		form := r.Templates[name]
		body, err := json.Marshal(values)
		if err != nil {
			f.tb.Fatal(err)
		}
		if name == "" || sent[r.Status+name] {
			return last
		}
		sent[r.Status+name] = true
		last = f.Send(form.Method, r.Links[name].Href, Header("Content-Type", form.ContentType, "If-Match", last.Header.Get("ETag")), body)
	}
	return last
}

// fillable is the first form that asks something and that can be answered whole.
func fillable(r Resource, answer func(Property) (any, bool)) (string, map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(r.Templates)) {
		values, missing := map[string]any{}, false
		for _, p := range r.Templates[name].Properties {
			v, known := answer(p)
			if known {
				values[p.Name] = v
			}
			missing = missing || p.Required && !known
		}
		if len(values) > 0 && !missing {
			return name, values
		}
	}
	return "", nil
}
