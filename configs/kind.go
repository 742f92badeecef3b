package configs

import (
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// Kind is the one declaration of a kind of resource. The files, the management
// API, the checks of an environment and what is served are derived from it.
//
// Some resources are parts of another's document, such as the actions of a
// sign-on policy: Parent names that kind. They have ids, paths and bodies of
// their own; what is stored, checked and changed is always the whole document.
type Kind struct {
	Name       string // flow.Resource.Kind: "signOnPolicy"
	Title      string // as a sentence names it: "sign-on policy"
	Collection string // URL segment, key of _embedded, folder of files; of parts also the member that holds them
	Relation   string // member and link by which parts name it: "signOnPolicy"
	Parent     *Kind  // nil: it has documents of its own
	Parts      []*Kind
	Singleton  bool   // one in an environment: no id in its path, and a file instead of a folder
	Created    string // member that says when it was made
	Modified   string // member that says when it was changed
	Relations  []Relation
	Pinned     bool // a plan takes the whole document in; others are read live

	secrets  []string // members that are sealed beside the body and never shown
	apart    []string // members of files that clients only see as lists of names, and change at an address of their own
	readOnly []string // members that a client may send back; they are not kept
	fixed    []string // members that only creating sets
	kept     []string // members that a replacement without them leaves as they are
	withheld []string // members that are kept and not shown; see Item.Withheld
	defaults bool     // exactly one has "default": true
	implied  bool     // of those: there may be none, as in environments from before; what is built in holds then
	ordered  string   // of parts: member that is its own among its siblings, from which its id follows where it has none
	final    bool     // it cannot be replaced

	seals     func(m object) (map[string]string, policy.Faults) // takes what is secret out of a body, in the place of secrets; by names of its own
	spares    func(e *entry, secret string) bool                // of those: what a replacement keeps
	omits     func(m object)                                    // takes out what follows from the rest, where readOnly does not reach
	completes func(m object)                                    // adds what every document of the kind has
	shape     reflect.Type                                      // of the struct that a body is read into; nil: it is read in another way
	read      func(body []byte, base string) (document, policy.Faults)
	refers    func(t *tree, e *entry) []link                                    // what it names beyond Relations
	across    func(t *tree, e *entry, f *policy.Faults)                         // rules that take the whole environment
	doubts    func(t *tree, e *entry) []Fault                                   // what works, and looks as if it were not meant
	plan      func(t *tree, e *entry) (src []byte, hash flow.Digest, err error) // nil: there is none; no src: not now
	shows     func(body, above object, now time.Time) object                    // members that follow from others
	stands    func() object                                                     // of a singleton: what holds while there is none
	enters    func(part object, now time.Time) policy.Faults                    // what keeps a part from being made now
	leaves    func(part object, now time.Time) string                           // what keeps a part from being removed now
}

// Relation is a member that holds another resource, as {"id": …}.
type Relation struct {
	Member string // and name of the link
	Kind   string // name of the other's kind
}

// object is a JSON object, its values as they were written.
type object = map[string]json.RawMessage

// document is what a body means. Some have more methods, which say what a kind
// can do: standard for those of which one is the default.
type document interface {
	key() (id, name string)
	check(f *policy.Faults)
}

// Path is where the collection lies below its environment, with {} for the id of
// each parent: "signOnPolicies/{}/actions".
func (k *Kind) Path() string {
	if k.Parent == nil {
		return k.Collection
	}
	return k.Parent.Path() + "/{}/" + k.Collection
}

// Depth is how many parents a resource is addressed through.
func (k *Kind) Depth() int {
	if k.Parent == nil {
		return 0
	}
	return k.Parent.Depth() + 1
}

// Replaceable reports whether a resource can be changed once it is made.
func (k *Kind) Replaceable() bool { return !k.final }

// environmentFile is what makes a folder that of an environment.
const environmentFile = "environment.json"

// file is the name of a singleton's file.
func (k *Kind) file() string {
	if k.Name == kindEnvironment {
		return environmentFile
	}
	return k.Collection + ".json"
}

// root is the kind whose documents hold this one.
func (k *Kind) root() *Kind {
	if k.Parent == nil {
		return k
	}
	return k.Parent.root()
}

// lineage is the kinds from the document's parts down to k: none for a document.
func (k *Kind) lineage() []*Kind {
	if k.Parent == nil {
		return nil
	}
	return append(k.Parent.lineage(), k)
}

// own are the members of a body that are no part of what it says: they are shown
// and not kept.
func (k *Kind) own() []string {
	out := append([]string{"environment", "_links", "_embedded", k.Created, k.Modified}, k.readOnly...)
	if k.Parent != nil {
		out = append(out, k.Parent.Relation)
	}
	return out
}

// declare completes the declaration of a kind whose documents are read into D.
func declare[D any, P interface {
	*D
	document
}](k Kind,
) *Kind {
	k.shape = reflect.TypeFor[D]()
	return declareAs(k, func(body []byte, base string) (document, policy.Faults) {
		d := new(D)
		faults := decode(body, base, d)
		return P(d), faults
	})
}

// declareAs is declare for documents that read reads.
func declareAs(k Kind, read func(body []byte, base string) (document, policy.Faults)) *Kind {
	k.read = read
	k.settle()
	return &k
}

// settle fills in what most kinds have in common, in the parts too.
func (k *Kind) settle() {
	if k.Relation == "" {
		k.Relation = k.Name
	}
	if k.Created == "" {
		k.Created, k.Modified = "createdAt", "updatedAt"
	}
	for _, p := range k.Parts {
		p.Parent = k
		p.settle()
	}
}

// Kinds are all kinds of resources, each before those that may name it, and parts
// behind what they are parts of.
func Kinds() []*Kind {
	var out []*Kind
	for _, k := range documents() {
		out = append(out, k.family()...)
	}
	return out
}

func (k *Kind) family() []*Kind {
	out := []*Kind{k}
	for _, p := range k.Parts {
		out = append(out, p.family()...)
	}
	return out
}

// kindOf is the declaration of a name; nil when there is none.
func kindOf(kinds []*Kind, name string) *Kind {
	if i := slices.IndexFunc(kinds, func(k *Kind) bool { return k.Name == name }); i >= 0 {
		return kinds[i]
	}
	return nil
}
