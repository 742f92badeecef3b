// Package browsertest drives a real Chromium for tests: its mouse, its keyboard,
// its back button, and what it says about a page.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to come, to show something, or to answer, on
// a machine that is busy with other tests.
const patience = time.Minute

// Browser is one Chromium process with an empty user data directory.
type Browser struct{ ctx context.Context } // chromedp keeps the process in it

// Start runs Chromium until the test ends.
func Start(tb testing.TB) *Browser {
	tb.Helper()
	if testing.Short() {
		tb.Skip("drives a browser; make test runs it")
	}
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		tb.Fatal("this test needs Chromium; run scripts/install-test-programs.sh")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Env("FONTCONFIG_FILE="+fonts(tb)),
	)
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(ctx)
	tb.Cleanup(func() {
		end, release := context.WithTimeout(ctx, patience)
		defer release()
		_ = chromedp.Cancel(end)
		cancel()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		tb.Fatalf("start %s: %v", program, err)
	}
	return &Browser{ctx}
}

// fonts makes the system's font one that is near those of people's machines,
// where Debian alone has DejaVu, so that screenshots are true and alike.
func fonts(tb testing.TB) string {
	tb.Helper()
	const conf = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<match><edit name="family" mode="prepend_first" binding="strong"><string>Inter</string><string>Liberation Sans</string></edit></match>
</fontconfig>`
	file := filepath.Join(tb.TempDir(), "fonts.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		tb.Fatal(err)
	}
	return file
}

// Look is what a browser window is like. The zero Look is 1280 by 800 pixels,
// light, with scripts.
type Look struct {
	Width, Height int
	Zoom          float64 // as the browser's own zoom: 2 is 200 %
	Dark          bool
	NoScript      bool
	Language      string // Accept-Language; empty: the browser's own
}

// Visitor opens a tab in a profile of its own, without cookies or history, which
// is closed with the test.
func (b *Browser) Visitor(tb testing.TB, l Look) *Tab {
	tb.Helper()
	return b.open(tb, l, chromedp.WithNewBrowserContext())
}

// Another opens a second tab beside this one; it shares the cookies.
func (t *Tab) Another() *Tab {
	t.tb.Helper()
	return (&Browser{t.ctx}).open(t.tb, t.look)
}

func (b *Browser) open(tb testing.TB, l Look, options ...chromedp.ContextOption) *Tab {
	tb.Helper()
	t := &Tab{tb: tb}
	ctx, cancel := chromedp.NewContext(b.ctx, append(options, chromedp.WithListener(t.hear))...)
	t.ctx = ctx
	tb.Cleanup(cancel)
	t.do("open a tab", func(context.Context) error {
		if err := chromedp.Do(ctx); err != nil { // lives as long as the context it is run with
			return err
		}
		_, err := chromedp.Call(ctx, audits.Enable, cdp.Empty{})
		return err
	})
	t.Resize(l)
	return t
}

// Resize makes the window another one. Scripts are switched from the next page on.
func (t *Tab) Resize(l Look) {
	t.tb.Helper()
	if l.Width == 0 {
		l.Width, l.Height = 1280, 800
	}
	if l.Zoom == 0 {
		l.Zoom = 1
	}
	t.look = l
	scheme := "light"
	if l.Dark {
		scheme = "dark"
	}
	t.do("resize", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: int64(float64(l.Width) / l.Zoom), Height: int64(float64(l.Height) / l.Zoom), DeviceScaleFactor: l.Zoom,
		})
		if err != nil {
			return err
		}
		_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		if err != nil {
			return err
		}
		fields := network.Headers{}
		if l.Language != "" {
			fields["Accept-Language"] = l.Language
		}
		if _, err = chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: fields}); err != nil {
			return err
		}
		_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.NoScript})
		return err
	})
}

// do gives f the time that anything here may take.
func (t *Tab) do(what string, f func(context.Context) error) {
	t.tb.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	if err := f(ctx); err != nil {
		t.tb.Fatalf("%s: %v", what, err)
	}
}
