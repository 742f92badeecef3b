package browsertest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Tab is one tab with a person at its mouse and keyboard. Whatever does not come
// about within a minute fails the test.
type Tab struct {
	ctx  context.Context // chromedp keeps the tab in it
	tb   testing.TB
	look Look

	mu       sync.Mutex
	pages    int // documents that have loaded
	answer   *network.Response
	problems []string
}

// hear keeps what the browser tells of the tab.
func (t *Tab) hear(event any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := event.(type) {
	case *page.EventLoadEventFired:
		t.pages++
	case *page.EventFrameNavigated:
		if e.Frame.ParentID == "" && e.Type == page.NavigationTypeBackForwardCacheRestore {
			t.pages++
		}
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			t.answer = e.Response
		}
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork && e.Entry.Level != log.EntryLevelInfo && e.Entry.Level != log.EntryLevelVerbose { // that a page came with 4xx is for tests to judge
			t.problems = append(t.problems, string(e.Entry.Source)+": "+e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		t.problems = append(t.problems, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		t.problems = append(t.problems, "console: "+string(e.Type))
	case *audits.EventIssueAdded:
		if q := e.Issue.Details.QuirksModeIssueDetails; q != nil && strings.HasPrefix(q.URL, "chrome-error:") {
			return // a page of the browser's own
		}
		if g := e.Issue.Details.GenericIssueDetails; g != nil && g.ErrorType == audits.GenericIssueErrorTypeNavigationEntryMarkedSkippable {
			return // about the back button, which passes over pages that nobody has touched
		}
		details, _ := json.Marshal(e.Issue.Details)
		t.problems = append(t.problems, string(e.Issue.Code)+": "+string(details))
	}
}

// Problems is what the browser had to say of the pages so far: violations of the
// content security policy, script errors, and the issues of its inspector.
func (t *Tab) Problems() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.problems)
}

// Status is the status that the last document came with, and Header one of its
// header fields.
func (t *Tab) Status() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int(t.answer.Status)
}

// Header is a header field of the last document.
func (t *Tab) Header(name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, v := range t.answer.Headers {
		if s, ok := v.(string); ok && strings.EqualFold(k, name) {
			return s
		}
	}
	return ""
}

// Eval returns what an expression is in the page, also where the page itself may
// run no script.
func Eval[T any](t *Tab, expression string) T {
	t.tb.Helper()
	v, err := eval[T](t, expression)
	if err != nil {
		t.tb.Fatalf("%s at %s: %v", expression, t.URL(), err)
	}
	return v
}

func eval[T any](t *Tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Await waits until the expression is true in the page.
func (t *Tab) Await(expression string) {
	t.tb.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok, err := eval[bool](t, "Boolean("+expression+")"); err == nil && ok {
			return
		}
	}
	t.tb.Fatalf("%s does not come true at %s:\n%s", expression, t.URL(), t.Text("body"))
}

// URL is the address of the page.
func (t *Tab) URL() string {
	url, err := eval[string](t, "location.href")
	if err != nil {
		return err.Error()
	}
	return url
}

// Text is what a person reads in the element.
func (t *Tab) Text(css string) string {
	t.tb.Helper()
	return Eval[string](t, one(css)+".innerText")
}

// Has reports whether there is such an element.
func (t *Tab) Has(css string) bool {
	t.tb.Helper()
	return Eval[bool](t, one(css)+"!==null")
}

func one(css string) string {
	quoted, _ := json.Marshal(css)
	return "document.querySelector(" + string(quoted) + ")"
}
