// Package house_test holds the house to its own rules: who may import whom, how
// large a file is, what a package is called, and what may be touched only in one
// place. The rules are read from ARCHITECTURE.md and CONTRIBUTING.md, so that
// they are true.
package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "doorward/"

// around is the line of the table under which nothing belongs to the product.
const around = "around the product"

// root is the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// pack is one package of the repository, without its tests.
type pack struct {
	name    string // path inside the module
	files   []source
	imports []string
}

// source is one file.
type source struct {
	in   string // package
	name string
	*ast.File
	*token.FileSet
}

// packages reads every package of the repository, whatever its build tags. That
// the files are read by this very process also tells the go tool's test cache
// what the answer depends on.
func packages(t *testing.T) []pack {
	t.Helper()
	byName := map[string]*pack{}
	err := filepath.WalkDir(root(t), func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); at != root(t) && (n == "testdata" || n == "node_modules" || n[0] == '.' || n[0] == '_') {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(at) != ".go" {
			return nil
		}
		dir, err := filepath.Rel(root(t), filepath.Dir(at))
		if err != nil {
			return err
		}
		name := filepath.ToSlash(dir)
		if byName[name] == nil {
			byName[name] = &pack{name: name}
		}
		if strings.HasSuffix(at, "_test.go") {
			return nil
		}
		return byName[name].add(at)
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []pack
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, *byName[name])
	}
	return all
}

func (p *pack) add(at string) error {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, at, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	p.files = append(p.files, source{p.name, filepath.Base(at), f, set})
	for _, i := range f.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		p.imports = append(p.imports, imported)
	}
	return nil
}

// row is one line of a table: a pattern, and the patterns that it is given.
type row struct {
	name string
	may  []string
}

// law is ARCHITECTURE.md's tables.
type law struct {
	product []row
	around  []row
	modules []row
}

func theLaw(t *testing.T) law {
	t.Helper()
	var l law
	into := (*[]row)(nil)
	for line := range strings.Lines(read(t, "ARCHITECTURE.md")) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < 4 {
			into = nil
			continue
		}
		first := strings.Trim(strings.TrimSpace(cells[1]), "`")
		second := strings.Fields(strings.ReplaceAll(cells[2], "`", ""))
		switch header := strings.Join(second, " "); {
		case first == "package" && header == "may import":
			into = &l.product
		case first == "module" && header == "only in":
			into = &l.modules
		case into == nil || strings.HasPrefix(first, "---"):
		case first == around:
			into = &l.around
		default:
			*into = append(*into, row{first, second})
		}
	}
	if len(l.product) < 10 || len(l.around) == 0 || len(l.modules) == 0 {
		t.Fatalf("ARCHITECTURE.md holds no tables: %v", l)
	}
	return l
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func find(rows []row, name string) (row, bool) {
	for _, exact := range []bool{true, false} {
		for _, r := range rows {
			if r.name == name || !exact && matches(r.name, name) {
				return r, true
			}
		}
	}
	return row{}, false
}

// permits reports whether r's row gives it the package named name.
func (l law) permits(r row, name string) bool {
	return slices.ContainsFunc(r.may, func(pattern string) bool {
		if pattern == "product" {
			_, ok := find(l.product, name)
			return ok
		}
		return matches(pattern, name)
	})
}

func TestEveryImportIsInTheTable(t *testing.T) {
	l := theLaw(t)
	for _, p := range packages(t) {
		r, ok := find(slices.Concat(l.product, l.around), p.name)
		if !ok {
			t.Errorf("package %s has no row in ARCHITECTURE.md", p.name)
			continue
		}
		for _, imported := range p.imports {
			if name, ours := strings.CutPrefix(imported, module); ours && !l.permits(r, name) {
				t.Errorf("%s imports %s, which its row in ARCHITECTURE.md does not name", p.name, name)
			}
		}
	}
}

func TestEveryRowHasAPackage(t *testing.T) {
	l := theLaw(t)
	all := packages(t)
	rows := slices.Concat(l.product, l.around)
	for i, r := range rows {
		if !slices.ContainsFunc(all, func(p pack) bool { return matches(r.name, p.name) }) {
			t.Errorf("row %s of ARCHITECTURE.md has no package", r.name)
		}
		if slices.ContainsFunc(rows[:i], func(o row) bool { return o.name == r.name }) {
			t.Errorf("row %s of ARCHITECTURE.md is there twice", r.name)
		}
		for _, pattern := range r.may {
			if _, ok := find(rows, pattern); pattern != "product" && !ok {
				t.Errorf("row %s of ARCHITECTURE.md names %s, which has no row", r.name, pattern)
			}
		}
	}
}

func TestModulesStayWhereTheyBelong(t *testing.T) {
	l := theLaw(t)
	used := map[string]bool{}
	for _, p := range packages(t) {
		for _, imported := range p.imports {
			for _, m := range l.modules {
				if imported != m.name && !strings.HasPrefix(imported, m.name+"/") {
					continue
				}
				used[m.name] = true
				if !slices.ContainsFunc(m.may, func(pattern string) bool { return matches(pattern, p.name) }) {
					t.Errorf("%s imports %s, which ARCHITECTURE.md keeps in %v", p.name, imported, m.may)
				}
			}
			if p.name == "runtime/flow" && strings.Contains(imported, ".") {
				t.Errorf("runtime/flow imports %s; the vocabulary needs the standard library only", imported)
			}
		}
	}
	for _, m := range l.modules {
		if len(m.may) > 0 && !used[m.name] {
			t.Errorf("nothing imports %s", m.name)
		}
	}
}

// The linter's rules are written out from the table.
func TestTheLinterHoldsTheSameTable(t *testing.T) {
	config := read(t, ".golangci.yml")
	for _, r := range theLaw(t).product {
		if slices.Contains(r.may, "product") {
			continue
		}
		var want strings.Builder
		want.WriteString("        " + strings.NewReplacer("/", "-", "*", "each").Replace(r.name) + ":\n" +
			"          files: [\"**/" + r.name + "/*.go\", \"!$test\"]\n          list-mode: lax\n" +
			"          deny: [{pkg: " + module + ", desc: see the import table in ARCHITECTURE.md}]\n")
		if len(r.may) > 0 {
			want.WriteString("          allow: [" + module + strings.ReplaceAll(strings.Join(r.may, ", "+module), "*", "") + "]\n")
		}
		if !strings.Contains(config, want.String()) {
			t.Errorf(".golangci.yml lacks, under depguard's rules:\n%s", want.String())
		}
	}
}
