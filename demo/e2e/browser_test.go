package e2e_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"keyholder/demo/mailbox"
	"keyholder/internal/approval"
	"keyholder/internal/failover"
)

// browser is a Chromium of its own.
func (w *world) browser() context.Context {
	w.t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("KEYHOLDER_TEST_REQUIRE") != "" {
			w.t.Fatal("no Chromium on this machine")
		}
		w.t.Skip("no Chromium on this machine")
	}
	// Everything goes by way of the world, which keeps what is answered; loopback too, which a browser would go to itself.
	through := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.Header.Del("Accept-Encoding") }, Transport: w, FlushInterval: -1,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // as if nobody had listened
		ErrorLog:     log.New(io.Discard, "", 0),                                                      // parts are killed
	})
	w.t.Cleanup(through.Close)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(w.t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.ProxyServer(through.URL), chromedp.Flag("proxy-bypass-list", "<-loopback>"),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true), chromedp.NoFirstRun)
	allocator, cancelAllocator := chromedp.NewExecAllocator(w.t.Context(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx, noteRefusals()); err != nil { // the browser lives as long as the context of the first call
		w.t.Fatalf("start Chromium: %v", err)
	}
	w.t.Cleanup(func() {
		cancel()
		cancelAllocator()
	})
	return ctx
}

// do runs steps in the browser, within a deadline.
func (w *world) do(ctx context.Context, what string, steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	within, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(within, steps...); err != nil {
		w.t.Fatalf("%s: %v; the page says: %.600s", what, err, w.seen(ctx))
	}
}

// seen is what the page says, to say more about a failure.
func (w *world) seen(ctx context.Context) string {
	within, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	text, err := chromedp.Run(within, chromedp.Text("body"))
	if err != nil {
		return err.Error()
	}
	return text
}

// eval evaluates a script on the page.
func eval[T any](w *world, ctx context.Context, what, script string, options ...chromedp.EvaluateOption) T {
	w.t.Helper()
	within, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	value, err := chromedp.Run(within, chromedp.Evaluate[T](script, options...))
	if err != nil {
		w.t.Fatalf("%s: %v; the page says: %.600s", what, err, w.seen(ctx))
	}
	return value
}

// noteRefusals keeps what the content security policy of any page refuses, in window.refused.
func noteRefusals() chromedp.Action[chromedp.Void] {
	const note = `window.refused = []; document.addEventListener("securitypolicyviolation",
		e => window.refused.push(e.violatedDirective + " " + e.blockedURI + " " + e.sample));`
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: note})
		return err
	})
}

// look is a window size and a theme.
type look struct {
	width, height int64
	scheme        string
}

func (l look) String() string { return fmt.Sprintf("%dx%d-%s", l.width, l.height, l.scheme) }

func (l look) set() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 500,
		})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: l.scheme},
				{Name: "prefers-reduced-motion", Value: "reduce"}, // a colour on its way to another has no contrast to judge
			},
		})
		return err
	})
}

// noScripts switches JavaScript off.
func noScripts() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
}

func looks() []look {
	return []look{{390, 844, "light"}, {390, 844, "dark"}, {1280, 800, "light"}, {1280, 800, "dark"}}
}

// signInBrowser signs a person in by the provider's page.
func (w *world) signInBrowser(ctx context.Context, user, path string) {
	w.t.Helper()
	button := fmt.Sprintf("button[value=%q]", user)
	w.do(ctx, "sign in", chromedp.Navigate(w.base+path), chromedp.WaitVisible(button), chromedp.Click(button),
		chromedp.WaitVisible("main#page"))
	w.says(ctx, "the page has all that it needs", 20*time.Second, `document.readyState === "complete"`)
}

// waiting files a request in an outage, and returns its code.
func (w *world) waiting(ines *person) string {
	w.t.Helper()
	w.breakIt("crash", "leeds")
	var incident string
	w.until("the outage is on Now", 20*time.Second, func() bool {
		var ok bool
		incident, ok = ines.get("/").Find("a[href^='/incidents/new']").Attr("href")
		return ok
	})
	opened := ines.submit(ines.get(incident), "Open the incident", map[string]string{"cause": "site"})
	return w.request(ines, ines.get(opened.url.Path+"/recover"), map[string]string{"cause": "site", "reason": "It is dark", "mode": "emergency", "ceiling": "unknown"})
}

// told waits until somebody has a mail that leads to a page, and returns the page.
func (w *world) told(address, path string) string {
	w.t.Helper()
	w.until("a mail to "+address, 20*time.Second, func() bool {
		var all []mailbox.Message
		w.shop(http.MethodGet, "mailbox", "/messages", nil, &all)
		return slices.ContainsFunc(all, func(m mailbox.Message) bool { return m.To == address && strings.Contains(m.Text, w.base+path+" ") })
	})
	return path
}

const approveButton = "button[value=approve]"

func (w *world) approvedBy(code, name string) {
	w.t.Helper()
	w.until("the vote of "+name, 10*time.Second, func() bool {
		r, err := w.store.Request(w.t.Context(), code)
		return err == nil && len(r.Decisions) == 1 && strings.HasPrefix(r.Decisions[0].By.Name, name) && r.State == approval.Approved
	})
}

// settled waits until the facts have stopped changing after the outage, so that a vote is for what is shown.
func (w *world) settled(code string) {
	w.t.Helper()
	r, err := w.store.Request(w.t.Context(), code)
	if err != nil {
		w.t.Fatal(err)
	}
	w.until("the facts are steady", 20*time.Second, func() bool {
		sheet, err := w.store.NewestSheet(w.t.Context(), r.ID)
		success, _ := sheet.Fact("signal-checkout-success")
		volume, _ := sheet.Fact("signal-checkout-volume")
		old, _ := sheet.Fact("old-copy")
		return err == nil && success.State == failover.FactBad && volume.State == failover.FactBad && old.State == failover.FactBad
	})
}

func TestNightApprovalOnAPhoneInThreeTaps(t *testing.T) {
	w := newWorld(t)
	w.signIn("bea") // some day before, so that her address is known
	code := w.waiting(w.signIn("ines"))
	w.settled(code)
	ctx := w.browser()
	w.do(ctx, "a phone at night", look{390, 844, "dark"}.set())
	w.signInBrowser(ctx, "bea", w.told("bea@retailer.example", "/a/"+code)) // one tap: who they are; the link leads back to the page
	w.do(ctx, "the button", chromedp.WaitVisible(approveButton))
	bottom := eval[float64](w, ctx, "where the button ends", `document.querySelector("button[value=approve]").getBoundingClientRect().bottom`)
	if bottom > 844 {
		t.Errorf("the button ends at %.0f of 844", bottom)
	}
	w.do(ctx, "by day", look{390, 844, "light"}.set())
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("KEYHOLDER_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "approval.png"), shot, 0o600); err != nil {
			t.Error(err)
		}
	}
	w.do(ctx, "vote", chromedp.Click(approveButton)) // the second tap
	w.approvedBy(code, "Bea")
}

func TestApprovalWithoutJavaScript(t *testing.T) {
	w := newWorld(t)
	code := w.waiting(w.signIn("ines"))
	w.settled(code)
	ctx := w.browser()
	w.do(ctx, "no scripts", noScripts(), look{390, 844, "light"}.set())
	w.signInBrowser(ctx, "bea", "/a/"+code)
	w.do(ctx, "vote", chromedp.Click(approveButton))
	w.approvedBy(code, "Bea")
}

func TestApprovalByKeyboardAlone(t *testing.T) {
	w := newWorld(t)
	code := w.waiting(w.signIn("ines"))
	w.settled(code)
	ctx := w.browser()
	w.signInBrowser(ctx, "bea", "/a/"+code)
	w.do(ctx, "the page", chromedp.WaitVisible(approveButton))
	for range 60 {
		w.do(ctx, "tab", chromedp.KeyEvent("\t"))
		if eval[string](w, ctx, "where the focus is", `String(document.activeElement.value || "")`) == "approve" {
			w.do(ctx, "press", chromedp.KeyEvent("\r"))
			w.approvedBy(code, "Bea")
			return
		}
	}
	t.Error("the button cannot be reached by the keyboard")
}
