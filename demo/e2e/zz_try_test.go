package e2e_test

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestZZTry(t *testing.T) {
	w := &world{t: t, base: os.Getenv("BASE")}
	ctx := w.browser()
	n := 0
	shot := func(name string) {
		for _, l := range []look{{390, 844, "light"}, {1280, 800, "dark"}} {
			w.do(ctx, "look", l.set())
			b, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			if err != nil {
				t.Fatal(err)
			}
			os.WriteFile("/tmp/shots/"+string(rune('a'+n))+name+"-"+l.scheme+".png", b, 0o600)
		}
		w.do(ctx, "phone", look{390, 844, "light"}.set())
		n++
	}
	w.do(ctx, "phone", noScripts(), look{390, 844, "light"}.set())
	w.signInBrowser(ctx, "otto", "/catalog/policy/tier-1-move/edit")
	shot("form")
	eval[any](w, ctx, "two", `(()=>{for (const n of ["needs[0].persons","needs[1].persons"]) document.getElementsByName(n)[0].value=2; return 1})()`)
	w.pressing(ctx, "Save", "Your changes")
	shot("draft")
	w.do(ctx, "go on", chromedp.Navigate(w.base+"/catalog/service/checkout/edit"), chromedp.WaitVisible("h1"))
	eval[any](w, ctx, "owner", `document.getElementsByName("business_owner")[0].value="Bea L"`)
	w.pressing(ctx, "Save", "Your changes")
	w.do(ctx, "why", typing("why", "Peak is near"))
	shot("draft2")
	w.pressing(ctx, "Propose it", "Change requests")
	shot("asked")
	two := w.browser()
	w.do(two, "phone", noScripts(), look{390, 844, "light"}.set())
	w.signInBrowser(two, "olga", "/")
	ctx = two
	shot("now")
	w.pressing(ctx, "Decide: ", "What would change")
	shot("decide")
	w.pressing(ctx, "Approve it", "in force")
	shot("made")
}
