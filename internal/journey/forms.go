package journey

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// Fill goes through a flow by its forms alone: as long as the flow describes a
// form of which every required input has an answer, it sends the first one to the
// address that the form's link names. answer is asked with what the form says of
// an input. It returns the last answer that came; no form is ever sent twice.
func (f *Flow) Fill(answer func(Property) (value any, known bool)) *Answer {
	f.tb.Helper()
	last := f.Get()
	sent := map[string]bool{}
	for last.Status == http.StatusOK {
		r := last.Flow()
		name, values := fillable(r, f.order(last), answer)
		key := r.Status + name
		for _, p := range r.Templates[name].Properties {
			key += "\x00" + p.Name
		}
		if name == "" || sent[key] {
			return last
		}
		sent[key] = true
		last = f.submit(last, name, values)
	}
	return last
}

// Choose sends the form with that title, as a person does who reads it.
func (f *Flow) Choose(title string, answer func(Property) (value any, known bool)) *Answer {
	f.tb.Helper()
	now := f.Get()
	r := now.Flow()
	for name, form := range r.Templates {
		if form.Title == title {
			values, _ := answers(form, answer)
			return f.submit(now, name, values)
		}
	}
	f.tb.Fatalf("%s has no form titled %q", r.Status, title)
	return nil
}

func (f *Flow) submit(now *Answer, name string, values map[string]any) *Answer {
	f.tb.Helper()
	r := now.Flow()
	form := r.Templates[name]
	return f.Send(form.Method, r.Links[name].Href, Header("Content-Type", form.ContentType, "If-Match", now.Header.Get("ETag")), f.body(values))
}

// order is the names of the forms in the order in which they are described: the
// first is the one that the flow waits for.
func (f *Flow) order(a *Answer) []string {
	f.tb.Helper()
	var r struct {
		Templates json.RawMessage `json:"_templates"`
	}
	if err := json.Unmarshal(a.Body, &r); err != nil {
		f.tb.Fatal(err)
	}
	var names []string
	depth, key := 0, true
	for d := json.NewDecoder(bytes.NewReader(r.Templates)); ; {
		t, err := d.Token()
		if err != nil {
			return names
		}
		delim, _ := t.(json.Delim)
		switch {
		case delim == '{' || delim == '[':
			depth++
		case delim == '}' || delim == ']':
			depth--
			key = depth == 1
		case depth == 1 && key:
			name, _ := t.(string)
			names, key = append(names, name), false
		}
	}
}

// fillable is the first form that asks something and that can be answered whole.
func fillable(r Resource, order []string, answer func(Property) (any, bool)) (string, map[string]any) {
	for _, name := range order {
		if values, whole := answers(r.Templates[name], answer); len(values) > 0 && whole {
			return name, values
		}
	}
	return "", nil
}

func answers(form Template, answer func(Property) (any, bool)) (values map[string]any, whole bool) {
	values, whole = map[string]any{}, true
	for _, p := range form.Properties {
		v, known := answer(p)
		if known {
			values[p.Name] = v
		}
		whole = whole && (known || !p.Required)
	}
	return values, whole
}
