package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"doorward/internal/nodetest"
)

// guide is what a test makes of a page in docs. A part that is nil stays as it is
// written.
type guide struct {
	// fence makes the content of a fenced block. info is what stands behind its
	// backticks.
	fence func(info, content string) string
	// made makes what stands between "<!-- made by a test: name -->" and
	// "<!-- end -->".
	made func(name string) string
}

// hold compares a page with what a test makes of it. UPDATE_GOLDEN=1 writes it
// anew.
func hold(t *testing.T, name string, g guide) {
	t.Helper()
	file := filepath.Join("../../docs", name)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page, made := string(raw), 0
	if g.made != nil {
		block := regexp.MustCompile(`(?s)(<!-- made by a test: ([^\n]+) -->\n).*?(<!-- end -->\n)`)
		page = block.ReplaceAllStringFunc(page, func(b string) string {
			made++
			part := block.FindStringSubmatch(b)
			return part[1] + g.made(part[2]) + part[3]
		})
	}
	if g.fence != nil {
		block := regexp.MustCompile("(?ms)^```([^`\n]+)\n(.*?)^```\n")
		page = block.ReplaceAllStringFunc(page, func(b string) string {
			made++
			part := block.FindStringSubmatch(b)
			return "```" + part[1] + "\n" + g.fence(part[1], part[2]) + "```\n"
		})
	}
	switch {
	case made == 0:
		t.Fatalf("%s has nothing that is held", file)
	case page == string(raw):
		return
	case os.Getenv("UPDATE_GOLDEN") != "":
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := strings.Split(string(raw), "\n")
	for i, line := range strings.Split(page, "\n") {
		if i >= len(want) || want[i] != line {
			t.Fatalf("%s:%d: it is now\n  %s\nUPDATE_GOLDEN=1 writes the page anew", file, i+1, line)
		}
	}
	t.Fatalf("%s is longer than it should be; UPDATE_GOLDEN=1 writes the page anew", file)
}

// chosen is an answer with the members that are named alone, in that order; all of
// it when none is. A name is a JSON Pointer without its first slash.
func chosen(t *testing.T, raw []byte, members []string) []byte {
	t.Helper()
	if len(members) == 0 {
		return raw
	}
	var out excerpt
	for _, name := range members {
		value := json.RawMessage(raw)
		names := strings.Split(name, "/")
		for _, n := range names {
			var m map[string]json.RawMessage
			if err := json.Unmarshal(value, &m); err != nil || m[n] == nil {
				t.Fatalf("the answer has no %s: %s", name, raw)
			}
			value = m[n]
		}
		out.put(names, value)
	}
	return out.json()
}

// excerpt is a part of a JSON object, with the order of its members.
type excerpt struct {
	names  []string
	inside map[string]*excerpt
	whole  json.RawMessage
}

func (e *excerpt) put(names []string, value json.RawMessage) {
	if len(names) == 0 {
		e.whole = value
		return
	}
	if e.inside[names[0]] == nil {
		if e.inside == nil {
			e.inside = map[string]*excerpt{}
		}
		e.inside[names[0]] = &excerpt{}
		e.names = append(e.names, names[0])
	}
	e.inside[names[0]].put(names[1:], value)
}

func (e *excerpt) json() []byte {
	if e.whole != nil {
		return e.whole
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range e.names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + name + `":`)
		b.Write(e.inside[name].json())
	}
	b.WriteByte('}')
	return b.Bytes()
}

// workbench is a folder in which the commands of a page are run. The demo lies in it as
// config/demo, and every block of the page whose fence names a file.
type workbench struct{ dir, bin string }

func newWorkbench(t *testing.T, page string) workbench {
	t.Helper()
	d := workbench{t.TempDir(), filepath.Dir(nodetest.Binary(t))}
	if err := os.CopyFS(filepath.Join(d.dir, "config", "demo"), os.DirFS("../../configs/demo")); err != nil {
		t.Fatal(err)
	}
	for name, content := range filesOf(t, page) {
		at := filepath.Join(d.dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// filesOf are the blocks of a page whose fences name a file.
func filesOf(t *testing.T, page string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("../../docs", page))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, b := range regexp.MustCompile("(?ms)^```(?:json|yaml) (\\S+)\n(.*?)^```\n").FindAllStringSubmatch(string(raw), -1) {
		out[b[1]] = b[2]
	}
	return out
}

// run is what a command prints, to either of its outputs.
func (d workbench) run(t *testing.T, command string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "sh", "-c", command)
	c.Dir, c.Env = d.dir, append(os.Environ(), "PATH="+d.bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := c.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out)
}

// console makes the blocks of console: lines that begin with "$ " are run, in
// order, and followed by what they print.
func (d workbench) console(t *testing.T) func(info, content string) string {
	t.Helper()
	return func(info, content string) string {
		if info != "console" {
			return content
		}
		var b strings.Builder
		for line := range strings.Lines(content) {
			if command, is := strings.CutPrefix(line, "$ "); is {
				b.WriteString(line + d.run(t, strings.TrimSpace(command)))
			}
		}
		return b.String()
	}
}

// drawn makes pictures: of the name "doorward flow graph ..." what that prints.
func (d workbench) drawn(t *testing.T, name string) (string, bool) {
	t.Helper()
	if !strings.HasPrefix(name, "doorward flow graph --format mermaid ") {
		return "", false
	}
	return "```mermaid\n" + d.run(t, name) + "```\n", true
}
