package browsertest

import (
	"cmp"
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Keys that have no letter.
const (
	TabKey   = kb.Tab
	EnterKey = kb.Enter
	// BackTabKey is Tab with Shift.
	BackTabKey = "\x00" + kb.Tab
)

// Open goes to an address, as typed into the address bar, and waits for its page.
func (t *Tab) Open(url string) {
	t.tb.Helper()
	t.Leads(func() { t.Go(url) })
}

// Go sets out for an address and does not wait.
func (t *Tab) Go(url string) {
	t.tb.Helper()
	t.do("go to "+url, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.Navigate, page.NavigateParams{URL: url})
		return err
	})
}

// Leads waits until what f does has led to another page. It begins when the page
// that is there has loaded: else the end of that would be taken for another one.
func (t *Tab) Leads(f func()) {
	t.tb.Helper()
	t.Await(`location.protocol === "about:" || performance.getEntriesByType("navigation").every(n => n.loadEventEnd > 0)`)
	before := t.loaded()
	f()
	for end := time.Now().Add(patience); t.loaded() == before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.tb.Fatalf("nothing follows %s:\n%s", t.URL(), t.Text("body"))
		}
	}
}

func (t *Tab) loaded() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pages
}

// Follow clicks an element and waits for the page it leads to.
func (t *Tab) Follow(css string) {
	t.tb.Helper()
	t.Leads(func() { t.Click(css) })
}

// Click clicks into the middle of an element.
func (t *Tab) Click(css string) {
	t.tb.Helper()
	at := t.middle(css)
	t.do("click "+css, func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.MouseClickXY(at[0], at[1])) })
}

// DoubleClick clicks at the same place again after gap, and does not wait. Nor does
// the second click wait until the page has seen the first: on a busy machine it
// would meet the page that follows.
func (t *Tab) DoubleClick(css string, gap time.Duration) {
	t.tb.Helper()
	at := t.middle(css)
	t.do("double click "+css, func(ctx context.Context) error {
		mouse := func(kind input.DispatchMouseEventType, count int64) error {
			_, err := chromedp.Call(ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{
				Type: kind, X: at[0], Y: at[1], Button: input.MouseButtonLeft, ClickCount: count,
			})
			return err
		}
		if err := mouse(input.DispatchMouseEventTypeMousePressed, 1); err != nil {
			return err
		}
		first := make(chan error, 1)
		go func() { first <- mouse(input.DispatchMouseEventTypeMouseReleased, 1) }()
		time.Sleep(max(gap, 10*time.Millisecond)) // so that it is sent before the next
		return cmp.Or(mouse(input.DispatchMouseEventTypeMousePressed, 2), mouse(input.DispatchMouseEventTypeMouseReleased, 2), <-first)
	})
}

// middle scrolls an element into view and fails when a click into its middle
// would meet another one.
func (t *Tab) middle(css string) []float64 {
	t.tb.Helper()
	t.painted()
	at := Eval[[]float64](t, `(e => {
		if (!e) return [];
		e.scrollIntoView({block: "nearest"});
		const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2, hit = document.elementFromPoint(x, y);
		return hit && (e.contains(hit) || hit.contains(e)) ? [x, y] : [];
	})(`+one(css)+`)`)
	if len(at) != 2 {
		t.tb.Fatalf("no %s to click at %s:\n%s", css, t.URL(), t.Text("body"))
	}
	return at
}

// painted waits for the page to be on the screen. Until then Chromium drops what the
// mouse does, since nobody can have meant it; a busy machine paints long after it loads.
func (t *Tab) painted() {
	t.tb.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if Eval[bool](t, `performance.getEntriesByType("paint").length > 0`) {
			return
		}
	}
	t.tb.Fatalf("nothing is painted at %s", t.URL())
}

// Fill replaces what a field holds by typing. All but the first letter comes at
// once, as from a keyboard on a screen: every key that is pressed costs the browser
// as much as the rest of a page.
func (t *Tab) Fill(css, text string) {
	t.tb.Helper()
	t.Click(css)
	Eval[any](t, one(css)+".select()")
	if text == "" {
		text = kb.Delete
	}
	_, first := utf8.DecodeRuneInString(text)
	t.Press(text[:first])
	if rest := text[first:]; rest != "" {
		t.do("type", func(ctx context.Context) error {
			_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: rest})
			return err
		})
	}
}

// Press presses keys one after the other, wherever the focus is.
func (t *Tab) Press(keys string) {
	t.tb.Helper()
	var options []chromedp.KeyOption
	if rest, back := strings.CutPrefix(keys, "\x00"); back {
		keys, options = rest, append(options, chromedp.KeyModifiers(chromedp.ModifierShift))
	}
	t.do("press keys", func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.KeyEvent(keys, options...)) })
}

// Back presses the back button and waits for the page.
func (t *Tab) Back() {
	t.tb.Helper()
	t.Leads(func() {
		t.do("back", func(ctx context.Context) error {
			h, err := chromedp.Run(ctx, chromedp.NavigationEntries())
			if err != nil || h.CurrentIndex == 0 {
				return err
			}
			_, err = chromedp.Call(ctx, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: h.Entries[h.CurrentIndex-1].ID})
			return err
		})
	})
}

// Focused is the id of the element that has the focus, or its name in HTML.
func (t *Tab) Focused() string {
	t.tb.Helper()
	const focused = "document.activeElement.id || document.activeElement.localName"
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if f := Eval[string](t, focused); f != "body" {
			return f
		}
	}
	return Eval[string](t, focused)
}
