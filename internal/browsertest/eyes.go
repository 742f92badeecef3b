package browsertest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Screenshot is what the window shows, as PNG.
func (t *Tab) Screenshot() []byte {
	t.tb.Helper()
	return t.shoot(nil)
}

// Picture is what the window shows of one element, as PNG.
func (t *Tab) Picture(css string) []byte {
	t.tb.Helper()
	at := Eval[*page.Viewport](t, `(r => ({x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height, scale: 1}))(`+one(css)+`.getBoundingClientRect())`)
	return t.shoot(at)
}

func (t *Tab) shoot(at *page.Viewport) []byte {
	t.tb.Helper()
	if !t.look.NoScript {
		Eval[any](t, "new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
	}
	var png []byte
	t.do("take a screenshot", func(ctx context.Context) error {
		shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng, Clip: at})
		png = shot.Data
		return err
	})
	return png
}

// Overflow is by how many pixels the page is wider than the window.
func (t *Tab) Overflow() int {
	t.tb.Helper()
	return Eval[int](t, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
}

// Violations is what axe-core finds wrong with the page, or cannot decide: WCAG
// 2.2 up to AA and its best practices, each with the elements concerned.
func (t *Tab) Violations() []string {
	t.tb.Helper()
	if !Eval[bool](t, `typeof axe === "object"`) { // the page is looked at more than once
		_, file, _, _ := runtime.Caller(0)
		dir := filepath.Dir(file)
		script, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
		if err != nil {
			t.tb.Fatalf("%v; run npm ci in %s, or scripts/install-test-programs.sh", err, dir)
		}
		Eval[any](t, string(script)+";0")
	}
	found := Eval[[]struct {
		ID, Help string
		Nodes    []string
	}](t, `axe.run(document, {rules: {"target-size": {enabled: true}}}).then(r => [...r.violations, ...r.incomplete].map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html + " " + n.failureSummary)})))`)
	var out []string
	for _, v := range found {
		out = append(out, v.ID+": "+v.Help+"\n  "+strings.Join(v.Nodes, "\n  "))
	}
	return out
}

// Rule is one property of an element as the browser draws it.
func (t *Tab) Rule(css, property string) string {
	t.tb.Helper()
	name, _ := json.Marshal(property)
	return Eval[string](t, "getComputedStyle("+one(css)+").getPropertyValue("+string(name)+")")
}
