package configs

import (
	"net/url"
	"slices"
	"strings"
)

// secretKey is what the store keeps a secret of a resource under. Names may hold
// what divides the key.
func secretKey(kind, id, name string) string { return kind + "/" + id + "/" + url.PathEscape(name) }

// sealed are the secrets of a resource of the kind by name, of all that the store
// holds of the environment.
func (k *Kind) sealed(id string, all map[string][]byte) map[string]string {
	out := map[string]string{}
	for _, name := range k.secrets {
		if s := all[secretKey(k.Name, id, name)]; len(s) > 0 {
			out[name] = string(s)
		}
	}
	if k.seals == nil {
		return out
	}
	prefix := secretKey(k.Name, id, "")
	for key, s := range all {
		escaped, is := strings.CutPrefix(key, prefix)
		if name, err := url.PathUnescape(escaped); is && err == nil && len(s) > 0 {
			out[name] = string(s)
		}
	}
	return out
}

// turned adds to out the secrets of a document that are not what the store holds;
// an empty one is to be removed. It reports whether there are any.
func (e *entry) turned(out, all map[string][]byte) bool {
	before, n := e.kind.sealed(e.id, all), len(out)
	for name, s := range e.secrets {
		if before[name] != s {
			out[secretKey(e.kind.Name, e.id, name)] = []byte(s)
		}
	}
	for name := range before {
		if e.secrets[name] == "" {
			out[secretKey(e.kind.Name, e.id, name)] = nil
		}
	}
	return len(out) > n
}

// namesBelow are the names that begin with a member and a slash, without those,
// sorted.
func namesBelow(member string, sealed map[string]string) []string {
	out := []string{}
	for key := range sealed {
		if name, is := strings.CutPrefix(key, member+"/"); is {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
