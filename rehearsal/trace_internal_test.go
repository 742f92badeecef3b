package rehearsal

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps"
)

// An action that is watched is the action in everything else.
func TestAWatchedActionIsTheSame(t *testing.T) {
	exported := cmp.FilterPath(func(p cmp.Path) bool {
		f, is := p.Last().(cmp.StructField)
		return is && f.Name() == "run"
	}, cmp.Ignore())
	for _, k := range steps.Builtin(steps.Parts{}) {
		for i, w := range newTrail().watch([]flow.Kind{k})[0].Meta().Actions {
			if diff := cmp.Diff(k.Meta().Actions[i], w, exported, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
				t.Errorf("%s: %s", k.Meta().Name, diff)
			}
		}
	}
}
