package house_test

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// maxLines is where a file stops being one room.
const maxLines = 400

// product is every file of the product itself.
func product(t *testing.T) []source {
	t.Helper()
	l := theLaw(t)
	var out []source
	for _, p := range packages(t) {
		if _, ok := find(l.product, p.name); ok {
			out = append(out, p.files...)
		}
	}
	return out
}

func TestFilesAreSmall(t *testing.T) {
	for _, s := range product(t) {
		if n := s.FileSet.File(s.FileStart).LineCount(); n > maxLines {
			t.Errorf("%s/%s has %d lines, more than %d", s.in, s.name, n, maxLines)
		}
	}
}

// A missing import must show when the house is built, and not when it runs.
func TestNothingHappensOnImport(t *testing.T) {
	for _, s := range product(t) {
		for _, d := range s.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: init", s.Position(f.Pos()))
			}
		}
	}
}

func TestNothingIsNamedAfterNothing(t *testing.T) {
	empty := []string{"util", "utils", "common", "helper", "helpers", "shared", "manager", "misc", "base", "lib"}
	for _, p := range packages(t) {
		names := strings.Split(p.name, "/")
		for _, f := range p.files {
			names = append(names, f.name)
		}
		for _, n := range names {
			if slices.Contains(empty, strings.TrimSuffix(n, path.Ext(n))) {
				t.Errorf("%s in %s says nothing about what it is", n, p.name)
			}
		}
	}
	for _, s := range product(t) {
		ast.Inspect(s.File, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if ok && slices.ContainsFunc(empty, func(e string) bool { return strings.HasSuffix(strings.ToLower(spec.Name.Name), e) && len(e) > 4 }) {
				t.Errorf("%s: type %s says nothing about what it is", s.Position(spec.Pos()), spec.Name.Name)
			}
			return true
		})
	}
}

// oneRoom names what only one package may touch.
// "{}" stands for making one.
func oneRoom() map[string][]string {
	return map[string][]string{
		"time.Now":               {"cmd/doorward", "runtime/flow"}, // there for deadlines, which are of the real clock
		"time.Since":             {"cmd/doorward"},
		"net.Dial":               {"runtime/invoke"},
		"net.DialTimeout":        {"runtime/invoke"},
		"net.Dialer":             {"runtime/invoke", "cmd/doorward"},
		"crypto/tls.Dial":        {"runtime/invoke"},
		"net/http.Client{}":      {"runtime/invoke", "cmd/doorward"},
		"net/http.Transport{}":   {"runtime/invoke", "cmd/doorward"},
		"net/http.DefaultClient": {"runtime/invoke"},
		"net/http.Get":           {"runtime/invoke"},
		"net/http.Post":          {"runtime/invoke"},
		"net/http.PostForm":      {"runtime/invoke"},
		"net/http.Head":          {"runtime/invoke"},
		"fmt.Print":              {"cmd/doorward"},
		"fmt.Printf":             {"cmd/doorward"},
		"fmt.Println":            {"cmd/doorward"},
		"log.Print":              {},
		"log.Printf":             {},
		"log.Println":            {},
		"log.Fatal":              {},
		"os.Exit":                {"cmd/doorward"},
		"os.Getenv":              {"cmd/doorward"},
	}
}

func TestWhatOnlyOnePackageMayTouch(t *testing.T) {
	rules := oneRoom()
	for _, s := range product(t) {
		named := map[string]string{} // local name to import path
		for _, i := range s.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			local := path.Base(p)
			if i.Name != nil {
				local = i.Name.Name
			}
			named[local] = p
		}
		touches := func(n ast.Node, suffix string) {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok || named[x.Name] == "" {
				return
			}
			what := named[x.Name] + "." + sel.Sel.Name + suffix
			if rooms, ruled := rules[what]; ruled && !slices.Contains(rooms, s.in) {
				t.Errorf("%s: %s belongs in %v only", s.Position(sel.Pos()), what, rooms)
			}
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			touches(n, "")
			if made, ok := n.(*ast.CompositeLit); ok {
				touches(made.Type, "{}")
			}
			return true
		})
	}
}
