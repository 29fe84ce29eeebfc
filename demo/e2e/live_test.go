package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// says waits until the page says something. A page that is only on its way, or gives way to the next while it is asked, says nothing.
func (w *world) says(ctx context.Context, what string, within time.Duration, script string) {
	w.t.Helper()
	w.until(what, within, func() bool {
		asking, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		said, err := chromedp.Run(asking, chromedp.Evaluate[bool](`document.readyState === "complete" && (`+script+`)`))
		if err != nil && !strings.Contains(err.Error(), "navigated or closed") {
			w.t.Fatalf("%s: %v; the page says: %.600s", what, err, w.seen(ctx))
		}
		return err == nil && said
	})
}

const staleShown = `!document.getElementById("stale").hidden`

// changed is the change that the page was made after.
func (w *world) changed(ctx context.Context) int64 {
	w.t.Helper()
	return eval[int64](w, ctx, "the page's change", `Number(document.getElementById("page").dataset.change)`)
}

func TestAPageThatMayBeOldSaysSoAndRecoversByItself(t *testing.T) {
	w := newWorld(t)
	ctx := w.browser()
	w.signInBrowser(ctx, "bea", "/")
	w.kill("portal")
	w.says(ctx, "the page says that it may be old", 30*time.Second, staleShown+` && document.getElementById("stale").textContent.includes("No answer for")`)
	w.start("portal")
	w.until("ready again", 20*time.Second, w.ready)
	w.says(ctx, "the page is live again", 20*time.Second, "!("+staleShown+")")
	before := w.changed(ctx)
	w.signIn("otto") // a change
	w.until("the page follows", 10*time.Second, func() bool { return w.changed(ctx) > before })
}

func TestWhatIsTypedSurvivesEveryChange(t *testing.T) {
	w := newWorld(t)
	code := w.waiting(w.signIn("ines"))
	ctx := w.browser()
	w.signInBrowser(ctx, "bea", "/a/"+code)
	w.do(ctx, "type", chromedp.WaitVisible("textarea[name=comment]"), chromedp.SendKeys("textarea[name=comment]", "Seen with finance"))
	w.says(ctx, "the page says that it changed meanwhile", 20*time.Second,
		staleShown+` && document.getElementById("stale").textContent.includes("since you began to type")`)
	if kept := eval[string](w, ctx, "what is typed", `document.querySelector("textarea[name=comment]").value`); kept != "Seen with finance" {
		t.Errorf("the page kept %q", kept)
	}
	w.until("the vote", 30*time.Second, func() bool { // the facts may change under the vote; then what was typed comes back
		w.do(ctx, "vote", chromedp.Click(approveButton), chromedp.WaitVisible("main#page"))
		time.Sleep(500 * time.Millisecond)
		r, err := w.store.Request(t.Context(), code)
		if err == nil && len(r.Decisions) == 1 {
			if said := r.Decisions[0].Comment; said != "Seen with finance" {
				t.Errorf("the vote says %q", said)
			}
			return true
		}
		return false
	})
}

// TestTheButtonsDoNotMoveUnderTheThumb watches where the buttons are while the page changes every two seconds.
func TestTheButtonsDoNotMoveUnderTheThumb(t *testing.T) {
	w := newWorld(t)
	code := w.waiting(w.signIn("ines"))
	w.settled(code)
	ctx := w.browser()
	w.do(ctx, "a phone", look{390, 844, "light"}.set())
	w.signInBrowser(ctx, "bea", "/a/"+code)
	w.do(ctx, "the button", chromedp.WaitVisible(approveButton))
	where := func() string {
		return eval[string](w, ctx, "where the buttons are", `Array.from(document.querySelectorAll("button[name=verdict]"))
			.map(b => b.value + " " + Math.round(b.getBoundingClientRect().top)).join(", ")`)
	}
	first, began := where(), w.changed(ctx)
	for range 40 {
		time.Sleep(200 * time.Millisecond)
		if now := where(); now != first {
			t.Fatalf("the buttons moved from %s to %s", first, now)
		}
	}
	if w.changed(ctx) == began {
		t.Error("the page did not change: the test does not test it")
	}
}

func TestAPageInTheBackgroundIsCurrentWhenItIsLookedAtAgain(t *testing.T) {
	w := newWorld(t)
	ctx := w.browser()
	w.signInBrowser(ctx, "bea", "/audit")
	// Chromium without a screen keeps every tab visible, so the page is told what a hidden one would be.
	tab := func(hidden bool) {
		eval[any](w, ctx, "tab", fmt.Sprintf(`Object.defineProperty(document, "hidden", {value: %t, configurable: true});
			document.dispatchEvent(new Event("visibilitychange"))`, hidden))
	}
	before := w.changed(ctx)
	tab(true)
	w.signIn("otto")
	time.Sleep(3 * time.Second)
	if w.changed(ctx) != before {
		t.Error("a page that nobody sees keeps asking")
	}
	tab(false)
	w.until("the page is current", 5*time.Second, func() bool { return w.changed(ctx) > before })
	if seen := w.seen(ctx); !strings.Contains(seen, "Otto") {
		t.Errorf("the record does not show the sign-in: %.400s", seen)
	}
}

func TestTwoPressesAreOneVote(t *testing.T) {
	w := newWorld(t)
	code := w.waiting(w.signIn("ines"))
	w.settled(code)
	ctx := w.browser()
	w.signInBrowser(ctx, "bea", "/a/"+code)
	w.do(ctx, "the button", chromedp.WaitVisible(approveButton))
	eval[any](w, ctx, "press twice", fmt.Sprintf(`(() => { const b = document.querySelector(%q); b.click(); b.click(); })()`, approveButton))
	w.approvedBy(code, "Bea")
}
