package expression_test

import (
	"testing"

	"doorward/runtime/expression"
)

func BenchmarkAddress(b *testing.B) {
	t, err := expression.CompileTemplate(`variables.baseUrl + '/users/' + inputs.id`, roots...)
	if err != nil {
		b.Fatal(err)
	}
	ctx := expression.Context{Root: decoded(b, root), Now: clock}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := t.Eval(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBody(b *testing.B) {
	t, err := expression.CompileTemplate(`{'id': inputs.userId, 'name': user.name.given + ' ' + user.name.family, 'phones': user.contacts.?[type == 'phone'].![info]}`)
	if err != nil {
		b.Fatal(err)
	}
	ctx := expression.Context{Root: decoded(b, root), Now: clock}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := t.Eval(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := expression.Compile(`variables.baseUrl + '/users/' + inputs.id`, roots...); err != nil {
			b.Fatal(err)
		}
	}
}

// What an evaluation allocates does not depend on how busy the machine is.
func TestAnAddressTakesFewAllocations(t *testing.T) {
	tmpl, err := expression.CompileTemplate(`variables.baseUrl + '/users/' + inputs.id`, roots...)
	if err != nil {
		t.Fatal(err)
	}
	ctx := expression.Context{Root: decoded(t, root), Now: clock}
	if n := testing.AllocsPerRun(100, func() { _, _ = tmpl.Eval(ctx) }); n > 5 {
		t.Errorf("%v allocations", n)
	}
}
