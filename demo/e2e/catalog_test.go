package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"keyholder/demo/provider"
)

// pressing clicks what says some words, and waits until the page that follows says others.
func (w *world) pressing(ctx context.Context, words, then string) {
	w.t.Helper()
	found := fmt.Sprintf(`//main//*[self::a or self::button][normalize-space()=%q]`, words)
	w.do(ctx, words, chromedp.Click(found))
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if eval[bool](w, ctx, words, fmt.Sprintf(`document.readyState === "complete" && document.body.innerText.includes(%q)`, then)) {
			return
		}
		if time.Since(began) > 10*time.Second {
			w.t.Fatalf("%q does not lead to %q: %.3000s", words, then, w.seen(ctx))
		}
	}
}

// choosing picks an option by the keyboard, which needs no script.
func choosing(name, option string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(fmt.Sprintf("select[name=%q]", name), option)
}

// typing types into a field, and looks whether it arrived: what is typed while a page is still being laid out does not always.
func typing(name, text string) chromedp.Action[chromedp.Void] {
	field := fmt.Sprintf("[name=%q]", name)
	value := chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q).value", field))
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := chromedp.WaitVisible(field)(ctx, t); err != nil {
			return err
		}
		before, err := value(ctx, t)
		for err == nil {
			if _, err = chromedp.SendKeys(field, text)(ctx, t); err != nil {
				break
			}
			var after string
			if after, err = value(ctx, t); err == nil && after != before {
				return nil
			}
		}
		return fmt.Errorf("type into %s: %w", name, err)
	})
}

// TestABusinessOwnerDescribesAServiceWithoutJavaScript goes the whole way on a phone: the service, what it needs, its place in a
// flow, the finding that it would raise, mended before a second owner approves all of it, and what its loss would stop.
func TestABusinessOwnerDescribesAServiceWithoutJavaScript(t *testing.T) {
	w := newWorld(t)
	ctx := w.browser()
	w.do(ctx, "no scripts, on a phone", noScripts(), look{390, 844, "light"}.set())
	w.signInBrowser(ctx, "bea", "/catalog")
	w.pressing(ctx, "Services", "Add a service")
	w.pressing(ctx, "Add a service", "Short name")
	w.do(ctx, "the form", typing("name", "Alterations"), choosing("tier", "Tier 1"), choosing("capability", "Checkout"),
		typing("business_owner", "Bea Lindqvist"), choosing("pattern", "Active-passive"))
	w.pressing(ctx, "Save", "Your changes")
	w.pressing(ctx, "Alterations", "Why")
	w.do(ctx, "what it needs", typing("dependencies[0].on", "checkout"), choosing("dependencies[0].coupling", "Asynchronous"))
	w.pressing(ctx, "Save", "through no queue")
	w.pressing(ctx, "Alterations", "Why")
	w.do(ctx, "the queue", chromedp.Click(`//details[.//input[@name="dependencies[0].queue"]]/summary`), typing("dependencies[0].queue", "alteration-orders"))
	w.pressing(ctx, "Save", "Your changes")
	if strings.Contains(w.seen(ctx), "through no queue") {
		t.Errorf("the finding still stands: %s", w.seen(ctx))
	}
	w.do(ctx, "the flow", chromedp.Navigate(w.base+"/catalog/flow/customer-order/edit"), chromedp.WaitVisible("h1"))
	w.pressing(ctx, "More steps", "New: steps 8")
	const row = "steps[6]."
	w.do(ctx, "the step", typing(row+"name", "Have it altered"), choosing(row+"service", "Alterations"), choosing(row+"criticality", "Critical"))
	w.pressing(ctx, "Save", "Your changes")
	w.do(ctx, "why", typing("why", "We alter what we sell"))
	w.pressing(ctx, "Propose it", "waiting for approval")
	w.approveChange(codeIn(t, w.seen(ctx)), w.signIn("hugo"))
	w.do(ctx, "back to it", chromedp.Navigate(w.base+"/catalog/service/alterations"), chromedp.WaitVisible("h1"))
	w.pressing(ctx, "What stops without it", "Customer order")
	if said := w.seen(ctx); !strings.Contains(said, "1 flow stops") {
		t.Errorf("its loss: %s", said)
	}
}

// calling asks the JSON API as a program does: with a token that it gets from the provider.
func (w *world) calling(program, method, path string, body any, headers ...string) (status int, said string) {
	w.t.Helper()
	found, err := oidc.NewProvider(w.t.Context(), fmt.Sprintf("http://127.0.0.1:%d", w.ports["provider"]))
	if err != nil {
		w.t.Fatal(err)
	}
	ask := clientcredentials.Config{ClientID: program, ClientSecret: provider.ProgramSecret, TokenURL: found.Endpoint().TokenURL}
	sent, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.base+path, bytes.NewReader(sent))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := ask.Client(context.WithValue(w.t.Context(), oauth2.HTTPClient, &http.Client{Transport: w})).Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, string(raw)
}

func TestProgramsUseTheAPIWithTokensOfTheProvider(t *testing.T) {
	w := newWorld(t)
	report := map[string]any{"queued_value": 1240, "queued_orders": 18, "synchronised_at": time.Now().Add(-time.Minute).UTC()}
	if status, said := w.calling("outlet-gateway", "PUT", "/api/v1/outlets/leeds-store/report", report); status != http.StatusNoContent {
		t.Fatalf("report: %d %s", status, said)
	}
	if said := text(w.signIn("bea").get("/catalog/outlet/leeds-store").Find("main")); !strings.Contains(said, "1,240 GBP in 18 orders") {
		t.Errorf("its page says %s", said)
	}
	if status, said := w.calling("outlet-gateway", "GET", "/api/v1/catalog", nil); status != http.StatusForbidden {
		t.Errorf("the gateway reads the catalogue: %d %s", status, said)
	}
	record := map[string]any{"record": map[string]any{"slug": "tax-office", "name": "Tax office"}}
	if status, said := w.calling("catalogue-pipeline", "PUT", "/api/v1/catalog/third-party/tax-office", record, "If-None-Match", "*"); status != http.StatusAccepted || !strings.Contains(said, "CH-") {
		t.Errorf("add a record: %d %s", status, said)
	} else {
		w.approveChange(codeIn(t, said), w.signIn("bea"))
	}
	if status, said := w.calling("catalogue-pipeline", "GET", "/api/v1/catalog/third-party/tax-office", nil); status != http.StatusOK {
		t.Errorf("read it: %d %s", status, said)
	}
	if status, said := w.calling("catalogue-pipeline", "GET", "/api/v1/impact?site=leeds", nil); status != http.StatusOK || !strings.Contains(said, `"revenue_per_minute"`) {
		t.Errorf("impact: %d %s", status, said)
	}
}
