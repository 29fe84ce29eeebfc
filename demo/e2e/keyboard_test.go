package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"keyholder/internal/approval"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// keyboard is somebody at a browser who has nothing but keys. They can type an address, too.
type keyboard struct {
	w   *world
	ctx context.Context
}

// goes types an address and waits for its page.
func (k keyboard) goes(path string) {
	k.w.t.Helper()
	k.w.do(k.ctx, path, chromedp.Navigate(k.w.base+path), chromedp.WaitReady("body"))
}

// to presses Tab, or Shift and Tab, until something has the focus: e is what has it. It must be seen that it has.
func (k keyboard) to(what, is string, with ...chromedp.KeyOption) {
	k.w.t.Helper()
	for range 200 {
		k.w.do(k.ctx, "tab", chromedp.KeyEvent("\t", with...))
		if eval[bool](k.w, k.ctx, what, `(e => Boolean(`+is+`))(document.activeElement)`) {
			if hidden := eval[string](k.w, k.ctx, "whether the focus is seen", focusHidden); hidden != "" {
				k.w.t.Errorf("%s has the focus, and %s", what, hidden)
			}
			return
		}
	}
	k.w.t.Fatalf("the keyboard does not get to %s: %s", what, k.w.seen(k.ctx))
}

// focusHidden says why nobody would see what has the focus.
const focusHidden = `(e => {
	const r = e.getBoundingClientRect(), s = getComputedStyle(e);
	if (r.bottom <= 0 || r.top >= innerHeight || r.right <= 0 || r.left >= innerWidth) return "it is outside the window";
	if (s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 2) return "nothing shows that";
	const x = r.left + r.width / 2, y = Math.min(Math.max(r.top + r.height / 2, 1), innerHeight - 1), top = document.elementFromPoint(x, y);
	return top === null || e.contains(top) || top.contains(e) ? "" : "a " + top.tagName + " covers it";
})(document.activeElement)`

// press gets to the button or link whose words begin so, presses Enter, and waits for what the page says after it.
func (k keyboard) press(words, then string) {
	k.w.t.Helper()
	k.to(words, fmt.Sprintf(`e.matches("main a, main button") && e.innerText.trim().startsWith(%q)`, words))
	k.w.do(k.ctx, words, chromedp.KeyEvent("\r"))
	k.w.says(k.ctx, fmt.Sprintf("after %q: %q", words, then), 20*time.Second, fmt.Sprintf(`document.body.innerText.includes(%q)`, then))
}

// types gets to a field and types into it.
func (k keyboard) types(name, text string, with ...chromedp.KeyOption) {
	k.w.t.Helper()
	k.to(name, fmt.Sprintf(`e.name === %q`, name), with...)
	k.w.do(k.ctx, name, chromedp.KeyEvent(text))
}

// is looks what a field holds.
func (k keyboard) is(field, want string) {
	k.w.t.Helper()
	if value := eval[string](k.w, k.ctx, field, fmt.Sprintf(`document.querySelector(%q).value`, field)); value != want {
		k.w.t.Errorf("%s is %q, want %q", field, value, want)
	}
}

// signIn signs somebody in who wants to see a page.
func (k keyboard) signIn(user, path string) {
	k.w.t.Helper()
	k.goes(path)
	k.to("the button of "+user, fmt.Sprintf(`e.matches("button") && e.value === %q`, user))
	k.w.do(k.ctx, "sign in", chromedp.KeyEvent("\r"), chromedp.WaitReady("main#page"))
	k.w.says(k.ctx, "the page that was wanted", 20*time.Second, fmt.Sprintf(`location.pathname === %q`, path))
}

func (k keyboard) signOut() {
	k.w.t.Helper()
	k.goes("/me")
	k.press("Sign out", "signed out")
}

// TestAccessIsAskedForGivenAndGivenBackByKeyboardAloneWithoutJavaScript: on a phone's window, by Tab, Space, Enter and what is typed, from
// the wish for access to the word of what was done with it.
func TestAccessIsAskedForGivenAndGivenBackByKeyboardAloneWithoutJavaScript(t *testing.T) {
	w := newWorld(t)
	in := store.Incident{ID: store.NewID(), Title: "Reports", Cause: failover.CauseUnknown, Services: []string{"checkout"}, ImpactAt: w.store.Now()}
	if _, err := w.store.OpenIncident(t.Context(), w.known("ines"), in); err != nil {
		t.Fatal(err)
	}
	k := keyboard{w, w.browser()}
	w.do(k.ctx, "no scripts, on a phone", noScripts(), look{390, 844, "light"}.set())

	k.signIn("rosa", "/access")
	if eval[bool](w, k.ctx, "scripts", `"htmx" in window`) {
		t.Fatal("scripts run: the test does not test it")
	}
	k.press("Ask for access", "Ask for: Reporting database in an incident")
	k.press("Ask for: Reporting database in an incident", "What you need it for")
	k.types("length", "10 min")
	k.is("select[name=length]", "10m")
	k.types("reason", "The sums are wrong")
	k.is("textarea[name=reason]", "The sums are wrong")
	k.types("role", " ", chromedp.KeyModifiers(chromedp.ModifierShift)) // back, past the incident, which is the only one
	k.is("input[name=role]:checked", "reporting_reader")
	k.press("Ask for access to Reporting database", "waits for approval")
	path := eval[string](w, k.ctx, "where it is", `location.pathname`)
	g := grantee{w: w, code: strings.TrimPrefix(path, "/access/")}
	k.signOut()

	k.signIn("ines", path)
	k.press("Approve: reporting_reader on Reporting database for Rosa Jimenez, 10 min", "Approved by Ines Calder")
	if r, err := w.store.Access(t.Context(), g.code); err != nil || r.State != approval.Approved {
		t.Errorf("it is %s: %v", r.State, err)
	}
	k.signOut()

	k.signIn("rosa", path)
	k.press("Begin: reporting_reader on Reporting database, 10 min", "Give back")
	w.until("it is given", slowly, func() bool { return g.grant().Given != nil })
	k.goes(path)
	k.press("Show a new password", "It is shown this once")
	g.account = eval[string](w, k.ctx, "the account", `document.querySelector("[data-field=account]").innerText.trim()`)
	g.password = eval[string](w, k.ctx, "the password", `document.querySelector("[data-field=password]").innerText.trim()`)
	k.press("I have it: go back", "The password that was shown")
	w.until("the password is in force", slowly, func() bool {
		conn, err := g.connect()
		return err == nil && conn.Close(t.Context()) == nil
	})
	admin, session := w.reporting(), g.session()
	k.press("Give back", g.code)
	g.gone(slowly, admin, session)
	k.goes(path)
	k.types("note", "I read the sums of Friday")
	k.press("Say what was done with "+g.code, "What was done, in the words of Rosa Jimenez")
	if said := w.seen(k.ctx); !strings.Contains(said, "“I read the sums of Friday”") {
		t.Errorf("the page does not say what was done: %s", said)
	}
}
