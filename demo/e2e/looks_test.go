package e2e_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"keyholder/internal/degrade"
	"keyholder/internal/failover"
)

//go:embed testdata/axe.min.js
var axe string

// violations are what axe finds on the page that is open.
func (w *world) violations(ctx context.Context) string {
	w.t.Helper()
	eval[any](w, ctx, "load axe", axe+"; null")
	found := eval[string](w, ctx, "axe", `axe.run(document, {runOnly: ["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa"]})
		.then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 200) + " " + n.failureSummary).join(" | "))))`, chromedp.EvalAwaitPromise)
	var list []string
	if err := json.Unmarshal([]byte(found), &list); err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(list, "\n")
}

// TestEveryPageIsSoundOnPhoneAndDesktopByDayAndNight: axe finds nothing, nothing is wider than the window, and no page
// asks for what its content security policy refuses.
func TestEveryPageIsSoundOnPhoneAndDesktopByDayAndNight(t *testing.T) {
	w := newWorld(t)
	ctx := w.browser()
	w.sound(ctx, "before anyone signs in", "/", "/signed-out", fmt.Sprintf("http://127.0.0.1:%d/?still=1", w.ports["panel"]))
	w.signInBrowser(ctx, "ines", "/")
	w.sound(ctx, "all is well", "/", "/incidents", "/incidents/new", "/plans", "/plans/move-checkout", "/plans/move-checkout/move", "/audit", "/me", "/nothing-here")
	w.sound(ctx, "what there is", "/catalog", "/catalog/service", "/catalog/service/checkout", "/catalog-changes", "/catalog-changes/2",
		"/change-requests", "/impact", "/impact?site=leeds", "/roles", "/who", "/who?action=move&service=checkout&site=leeds&site=dublin&cause=site&mode=emergency", "/findings", "/catalog-files", "/catalog/outlet/leeds-store")
	w.signInBrowserAs(ctx, "bea")
	w.sound(ctx, "describing", "/catalog/service/checkout", "/catalog/service/checkout/edit", "/catalog/capability/new", "/catalog/flow/customer-order/edit", "/findings")
	w.soundFiles(ctx)
}

// TestEveryPageOfAChangeIsSound looks at a change from the draft to its being in force.
func TestEveryPageOfAChangeIsSound(t *testing.T) {
	w := newWorld(t)
	ctx := w.browser()
	w.signInBrowser(ctx, "bea", "/")
	w.do(ctx, "what it earns", chromedp.Navigate(w.base+"/catalog/capability/checkout/edit"), typing("revenue_per_hour", "9"))
	w.pressing(ctx, "Save", "Your changes")
	w.sound(ctx, "with changes put together", "/change-requests/draft", "/change-requests", "/catalog/capability/checkout/edit")
	w.do(ctx, "why", chromedp.Navigate(w.base+"/change-requests/draft"), typing("why", "It earns more"))
	w.pressing(ctx, "Propose it", "waiting for approval")
	change := codeIn(t, w.seen(ctx))
	w.sound(ctx, "as who proposed it", "/change-requests/"+change, "/change-requests")
	w.signInBrowserAs(ctx, "hugo")
	w.sound(ctx, "as who may approve it", "/", "/change-requests/"+change)
	w.approveChange(change, w.signIn("hugo"))
	w.sound(ctx, "in force", "/change-requests/"+change, "/change-requests")
}

// TestEveryPageOfAFailoverIsSound looks at a failover from the outage to the closed run.
func TestEveryPageOfAFailoverIsSound(t *testing.T) {
	w := newWorld(t)
	ctx := w.browser()
	ines := w.signIn("ines")
	w.signInBrowser(ctx, "ines", "/")
	w.breakIt("lease-stop", "")
	code := w.waiting(ines)
	w.settled(code)
	request, err := w.store.Request(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	w.sound(ctx, "outage, as the requester", "/", "/a/"+code, "/incidents/"+request.Incident, "/incidents/"+request.Incident+"/recover")
	w.soundCheck(ctx, request.Incident)
	w.signInBrowserAs(ctx, "bea")
	w.sound(ctx, "outage, as an approver", "/", "/a/"+code)
	w.approve(w.signIn("bea"), code)
	w.waitState(code, 60*time.Second, failover.Paused)
	w.sound(ctx, "paused, as who does not steer", "/runs/"+code)
	w.signInBrowserAs(ctx, "ines")
	w.sound(ctx, "paused, as who steers", "/", "/runs/"+code)
	w.breakIt("lease-start", "")
	ines.submit(ines.get("/runs/"+code), "Retry", nil)
	w.waitState(code, 60*time.Second, failover.Recovered)
	w.sound(ctx, "recovered", "/", "/a/"+code, "/runs/"+code)
	w.settle(w.signIn("ines"), w.signIn("bea"), code)
	w.sound(ctx, "closed", "/", "/runs/"+code, "/audit?object="+code)
}

// signInBrowserAs makes the browser another person's.
func (w *world) signInBrowserAs(ctx context.Context, user string) {
	w.t.Helper()
	const leave = "main form[action='/sign-out'] button"
	w.do(ctx, "leave", look{1280, 800, "light"}.set(), chromedp.Navigate(w.base+"/me"), chromedp.WaitVisible(leave), chromedp.Click(leave))
	w.says(ctx, "signed out", 10*time.Second, `location.pathname.includes("signed-out")`)
	w.signInBrowser(ctx, user, "/")
}

// soundCheck fills in a request and looks at the page that shows what it would do.
func (w *world) soundCheck(ctx context.Context, incident string) {
	w.t.Helper()
	const reason, check = "textarea[name=reason]", "main form button[type=submit]"
	w.do(ctx, "the start page", chromedp.Navigate(w.base+"/incidents/"+incident+"/recover"), chromedp.WaitVisible(reason),
		chromedp.Click("input[name=mode][value=emergency]"), chromedp.SendKeys(reason, "It is dark"),
		chromedp.Click("input[name=ceiling][value=unknown]"), chromedp.Click(check))
	w.says(ctx, "the check page", 10*time.Second, `document.body.innerText.includes("Request approval")`)
	for _, l := range looks() {
		w.do(ctx, "look", l.set())
		w.soundHere(ctx, "what a request would do", l)
	}
}

// soundFiles looks at what applying files would change, and at files that are wrong.
func (w *world) soundFiles(ctx context.Context) {
	w.t.Helper()
	w.signInBrowserAs(ctx, "otto")
	for typed, want := range map[string]string{
		"kind: third-party\nslug: tax-office\nname: Tax office\n": "Propose this", "kind: third-party\nslug: tax-office\n": "name: is missing",
	} {
		w.do(ctx, "type a record", chromedp.Navigate(w.base+"/catalog-files"), chromedp.SendKeys("textarea[name=body]", typed),
			chromedp.Click("main form button.btn-primary"))
		w.says(ctx, want, 10*time.Second, fmt.Sprintf(`document.body.innerText.includes(%q)`, want))
		for _, l := range looks() {
			w.do(ctx, "look", l.set())
			w.soundHere(ctx, "files", l)
		}
	}
}

// sound opens pages in every look.
func (w *world) sound(ctx context.Context, when string, addresses ...string) {
	w.t.Helper()
	for _, l := range looks() {
		for _, address := range addresses {
			if strings.HasPrefix(address, "/") {
				address = w.base + address
			}
			w.do(ctx, address, l.set(), chromedp.Navigate(address), chromedp.WaitReady("body"))
			w.soundHere(ctx, when, l)
		}
	}
}

func (w *world) soundHere(ctx context.Context, when string, l look) {
	w.t.Helper()
	here := when + ", " + l.String() + ", " + eval[string](w, ctx, "where it is", `location.pathname`)
	if wide := eval[int64](w, ctx, "how wide it is", `document.documentElement.scrollWidth`); wide > l.width {
		w.t.Errorf("%s: %d wide", here, wide)
	}
	if refused := eval[[]string](w, ctx, "what was refused", `window.refused`); len(refused) > 0 {
		w.t.Errorf("%s: the content security policy refused %v", here, refused)
	}
	if found := w.violations(ctx); found != "" {
		w.t.Errorf("%s: %s", here, found)
	}
}

// TestPagesOfRunningDegradedAreSound looks at a degraded mode from the wish for it to the end.
func TestPagesOfRunningDegradedAreSound(t *testing.T) {
	w := newWorld(t)
	ctx := w.browser()
	ines, bea := w.signIn("ines"), w.signIn("bea")
	w.signInBrowser(ctx, "ines", "/")
	w.breakPart("tax-stop") // else it would end by itself while it is looked at
	w.sound(ctx, "before", "/messages", "/degraded", "/degraded/new?rule=tax-by-table", "/catalog/degraded-mode-rule/points-later")
	path := ines.submit(ines.get("/degraded/new?rule=tax-by-table"), "Ask for approval", map[string]string{"reason": "A rehearsal"}).url.Path
	code := strings.TrimPrefix(path, "/degraded/")
	w.signInBrowserAs(ctx, "bea")
	w.sound(ctx, "asked for, as an approver", path)
	bea.submit(bea.get(path), "Approve", nil)
	w.mode(code, degrade.On)
	bea.submit(bea.get(path), "Ask for wider limits", map[string]string{"limit_time": "13h", "reason": "It takes longer"})
	w.signInBrowserAs(ctx, "ines")
	w.sound(ctx, "on, with wider limits wanted", "/", path)
	ines.submit(ines.get(path), "End", nil)
	w.breakPart("tax-start")
	w.mode(code, degrade.Over)
	w.signInBrowserAs(ctx, "bea")
	w.sound(ctx, "over, to be signed", path, "/messages")
}
