package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const verifierGuide = "verifier.md"

// TestGoldenVerifier holds that docs/verifier.md explains every code, each with
// what is found in a definition of the verifier's own tests.
func TestGoldenVerifier(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("../../docs", verifierGuide))
	if err != nil {
		t.Fatal(err)
	}
	about := regexp.MustCompile("(?m)^### `([A-Z_]+)`$")
	var explained []string
	for _, m := range about.FindAllStringSubmatch(string(raw), -1) {
		explained = append(explained, m[1])
	}
	codes := constants(t, "../../runtime/verifier/verifier.go", "UnknownKind")
	slices.Sort(codes)
	if slices.Sort(explained); !slices.Equal(explained, codes) {
		t.Errorf("docs/%s explains\n%v, and there are\n%v", verifierGuide, explained, codes)
	}
	w := newWorkbench(t, verifierGuide)
	run, at := w.console(t), 0
	hold(t, verifierGuide, guide{fence: func(info, content string) string {
		at += strings.Index(string(raw)[at:], "```"+info+"\n") + len(info)
		name, is := strings.CutPrefix(info, "text ")
		if !is {
			return run(info, content)
		}
		before := about.FindAllStringSubmatch(string(raw)[:at], -1)
		return finding(t, name, before[len(before)-1][1])
	}})
}

// constants are the values of a group of constants, by one of its names.
func constants(t *testing.T, file, name string) (values []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || !slices.ContainsFunc(group.Specs, func(s ast.Spec) bool {
			v, ok := s.(*ast.ValueSpec)
			return ok && v.Names[0].Name == name
		}) {
			continue
		}
		for _, s := range group.Specs {
			value, err := strconv.Unquote(s.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		t.Fatalf("%s has no constant %s", file, name)
	}
	return values
}

// finding is the first of a code in one of the verifier's golden files, as check
// prints it.
func finding(t *testing.T, name, code string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("../../runtime/verifier/testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^(error|warning) ` + code + ` at (\S+): (.*?)(?: \[([^\]]*)\])?$`).FindStringSubmatch(string(raw))
	if line == nil {
		t.Fatalf("%s does not show %s", name, code)
	}
	out := line[1] + " " + line[2] + ": " + line[3] + "\n"
	if line[4] == "" {
		return out
	}
	var way []string
	for hop := range strings.SplitSeq(line[4], " > ") {
		step, result, leaves := strings.Cut(hop, " ")
		if way = append(way, step); leaves {
			way = append(way, "-("+result+")->")
		}
	}
	if strings.HasSuffix(way[len(way)-1], "->") {
		way = append(way, "end")
	}
	return out + "    " + strings.Join(way, " ") + "\n"
}
