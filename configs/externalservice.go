package configs

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"doorward/runtime/external"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// externalServiceDocument is an external service, which runtime/external judges.
// It holds nothing secret: see sealsService. Source: reference/management.md 1.2.
type externalServiceDocument struct {
	id, name    string
	service     *external.Service // nil: there is something wrong with it
	credentials []external.Credential
	faults      policy.Faults
}

func (d *externalServiceDocument) key() (string, string)  { return d.id, d.name }
func (d *externalServiceDocument) check(f *policy.Faults) { *f = append(*f, d.faults...) }

// judged remembers what services came to, by their bodies: a change reads all of
// them, and has to compile the one that is changed.
type judged struct {
	mu sync.Mutex
	by map[[sha256.Size]byte]*externalServiceDocument
}

func (j *judged) read(body []byte, _ string) (document, policy.Faults) {
	key := sha256.Sum256(body)
	j.mu.Lock()
	defer j.mu.Unlock()
	d := j.by[key]
	if d != nil {
		return d, nil
	}
	if len(j.by) >= cached {
		clear(j.by)
	}
	d = readExternalService(body)
	j.by[key] = d
	return d, nil
}

func readExternalService(body []byte) *externalServiceDocument {
	d := &externalServiceDocument{credentials: external.Credentials(body)}
	var m object
	_ = json.Unmarshal(body, &m) // what is no object, Compile says
	d.id, d.name = text(m, "id"), text(m, "name")
	var err error
	if d.service, err = external.Compile(body); err != nil && !errors.As(err, &d.faults) {
		d.faults.Add(root, err.Error())
	}
	return d
}

// serviceSecrets is the member of files that holds a service's secrets, and what
// their names begin with where they are kept.
const serviceSecrets = "secrets"

// sealsService takes the credentials and the secrets out of a service. Those of
// a file have a value each; clients send them in a document of their own.
func sealsService(m object) (map[string]string, policy.Faults) {
	rest, sealed, faults := external.Seal(raw(m))
	clear(m)
	_ = json.Unmarshal(rest, &m) // was an object
	var names []string
	_ = json.Unmarshal(m[serviceSecrets], &names) // what is wrong with them has been said
	if m[serviceSecrets] != nil && names == nil {
		faults.Add(root.Member(serviceSecrets), "takes a list of secrets, each with its name and its value")
	}
	for i, name := range names {
		at := root.Member(serviceSecrets).Index(i)
		switch {
		case name == "": // likewise
		case slices.Index(names, name) < i:
			faults.AddCode(at.Member("name"), flow.UniquenessViolation, "is the name of another secret of this service")
		case sealed[secretOf(name)] == "" && !slices.ContainsFunc(faults, func(f policy.Fault) bool { return f.Path == at.Member("value") }):
			faults.AddCode(at.Member("value"), flow.RequiredValue, "is required")
		}
	}
	delete(m, serviceSecrets)
	return sealed, faults
}

// secretOf is what a secret of a service is kept under.
func secretOf(name string) string { return serviceSecrets + "/" + name }

// secretNames are the names of a service's secrets, sorted, of all that is kept
// beside it.
func secretNames(sealed map[string]string) []string { return namesBelow(serviceSecrets, sealed) }

// sparesService keeps the secrets, and the credentials of schemes that are still
// there under their name and with their type.
func sparesService(e *entry, secret string) bool {
	d, _ := e.doc.(*externalServiceDocument)
	return strings.HasPrefix(secret, serviceSecrets+"/") ||
		slices.ContainsFunc(d.credentials, func(c external.Credential) bool { return c.Name == secret })
}

// omitsService takes out what follows from the rest of a request.
func omitsService(m object) {
	list, ok := parts(m, "requests")
	if !ok {
		return
	}
	for _, request := range list {
		delete(request, "inputs")
		if text(request, "displayName") == displayed(request) {
			delete(request, "displayName")
		}
	}
	m["requests"] = raw(list)
}

// displayed is what a request is called that does not say. Source:
// reference/management.md 1.4 displayName.
func displayed(request object) string {
	var call object
	_ = json.Unmarshal(request["request"], &call) // what is wrong with it, Compile says
	return text(call, "method") + " " + text(call, "url")
}

// serviceAcross holds that every scheme has its credential.
func serviceAcross(_ *tree, e *entry, f *policy.Faults) {
	d, _ := e.doc.(*externalServiceDocument)
	for _, c := range d.credentials {
		if e.secrets[c.Name] == "" {
			f.AddCode(c.Path, flow.RequiredValue, "is required")
		}
	}
}

// serviceDoubts are the secrets that requests read and that have no value yet. Such a
// request fails when it is invoked. They are no faults, since a service is there
// before its secrets are.
func serviceDoubts(_ *tree, e *entry) []Fault {
	d, _ := e.doc.(*externalServiceDocument)
	if d.service == nil {
		return nil
	}
	var out []Fault
	for i, r := range d.service.Requests() {
		for _, name := range r.Secrets() {
			if e.secrets[secretOf(name)] == "" {
				message := fmt.Sprintf("reads the secret %s, which has no value; the request fails until it has one", quoted(name))
				out = append(out, Fault{Fault: policy.Fault{Path: root.Member("requests").Index(i), Message: message, Code: flow.ConstraintViolation}, Finding: SecretUnset})
				break
			}
		}
	}
	return out
}

// SecretUnset is the finding about a request that reads a secret without a value.
const SecretUnset = "SECRET_UNSET"

// showsService names the inputs that each request reads, and what it is called.
// Source: reference/management.md 1.4.
func showsService(body, _ object, _ time.Time) object {
	service, err := external.Compile(encode(body))
	list, ok := parts(body, "requests")
	if err != nil || !ok {
		return nil
	}
	for _, request := range list {
		if r, is := service.Request(text(request, "name")); is {
			request["inputs"] = raw(append([]string{}, r.Inputs()...))
		}
		if request["displayName"] == nil {
			request["displayName"] = raw(displayed(request))
		}
	}
	return object{"requests": raw(list)}
}
