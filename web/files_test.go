package web_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"keyholder/internal/store"
	"keyholder/web/view"
)

const newThing = "kind: third-party\nslug: tax-office\nname: Tax office\n"

// trying is a portal, and an administrator on the page of files.
func trying(t *testing.T) (p *portal, ada visitor, form page) {
	t.Helper()
	p = newPortal(t)
	ada = p.someone(t, "Ada", "administrators")
	return p, ada, ada.get(t, view.FilesPath()).want(t, 200)
}

// put presses the button with files.
func (v visitor) put(t *testing.T, form page, button string, typed url.Values, files map[string]string) page {
	t.Helper()
	f, values := filled(t, form, button, typed)
	return v.upload(t, f.AttrOr("action", ""), values, files)
}

func TestFilesAreLookedAtBeforeTheyAreApplied(t *testing.T) {
	p, ada, form := trying(t)
	changed := strings.Replace(exported(t, ada), "name: Dublin\n", "name: Dublin West\n", 1)
	planned := ada.put(t, form, "Show what would change", url.Values{"why": {"We moved"}, "source": {"abc123"}}, map[string]string{"all.yaml": changed, "new.yaml": newThing}).want(t, 200)
	planned.says(t, "plan", "tax-office third party is added")
	planned.says(t, "plan", "dublin site is changed")
	planned.says(t, "plan", "Name: Dublin West, was Dublin")
	if before, err := p.Catalog(p.ctx); err != nil || before.SiteName("dublin") != "Dublin" {
		t.Fatalf("looking at files changed the catalogue: %v", err)
	}
	done := ada.submit(t, planned, "Apply this", nil).want(t, 303)
	if done.location != view.CatalogPath() {
		t.Errorf("then it leads to %s", done.location)
	}
	after, err := p.Catalog(p.ctx)
	if err != nil || after.SiteName("dublin") != "Dublin West" || after.By != "Ada" || after.Why != "We moved" || after.Source != "abc123" {
		t.Errorf("applied as %+v: %v", after.CatalogChange, err)
	}
	again := ada.put(t, form, "Show what would change", nil, map[string]string{"new.yaml": newThing}).want(t, 200)
	again.says(t, "plan", "Nothing: all of it is in force already.")
	again.hasButton(t, "Apply this", false)
}

func exported(t *testing.T, v visitor) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", view.ExportPath(), nil)
	v.enter(r)
	w := httptest.NewRecorder()
	v.portal.handler.ServeHTTP(w, r)
	if w.Code != 200 || !strings.Contains(w.Header().Get("Content-Disposition"), "catalogue.yaml") {
		t.Fatalf("the export answered %d: %s", w.Code, w.Header())
	}
	return w.Body.String()
}

func TestWhatIsWrongWithFilesIsSaidWithItsPlaceAndNothingIsLost(t *testing.T) {
	_, ada, form := trying(t)
	typed := newThing + "teir: 1\n"
	wrong := ada.put(t, form, "Show what would change", url.Values{"body": {typed}, "why": {"Trying"}, "lock": {"yes"}}, map[string]string{"other.yaml": "kind: site\nslug: x\n"}).want(t, 422)
	wrong.says(t, "errors", "typed.yaml:4:1")
	wrong.says(t, "errors", "teir")
	if got := wrong.Find("textarea").First().Text(); got != typed {
		t.Errorf("what was typed is now %q", got)
	}
	if wrong.Find("#lock[checked]").Length() != 1 || wrong.Find("#why").AttrOr("value", "") != "Trying" {
		t.Error("the rest of the form is lost")
	}
	mended := ada.submit(t, wrong, "Show what would change", url.Values{"body": {newThing, "kind: site\nslug: x\nname: X\n"}}).want(t, 200)
	mended.says(t, "plan", "tax-office")
	mended.says(t, "plan", "x site is added")
}

func TestWhatWasNotLookedAtIsNotApplied(t *testing.T) {
	p, ada, form := trying(t)
	planned := ada.put(t, form, "Show what would change", nil, map[string]string{"new.yaml": newThing}).want(t, 200)
	other := ada.submit(t, planned, "Apply this", url.Values{"body": {newThing + "owner: Bea\n"}}).want(t, 200)
	other.says(t, "plan", "tax-office")
	if _, ok := thirdParty(t, p, "tax-office"); ok {
		t.Fatal("a file was applied that was changed after it had been looked at")
	}
	bea := p.someone(t, "Bea", "business-owners")
	edit := bea.get(t, "/catalog/service/checkout/edit").want(t, 200)
	bea.submit(t, edit, "Save", url.Values{"business_owner": {"Bea"}}).want(t, 303)
	late := ada.submit(t, planned, "Apply this", nil).want(t, 409)
	late.says(t, "problem", store.RuleEditedMeanwhile)
	if _, ok := thirdParty(t, p, "tax-office"); ok {
		t.Fatal("files were applied to another catalogue than the one that was looked at")
	}
	ada.submit(t, late, "Apply this", nil).want(t, 303)
	if _, ok := thirdParty(t, p, "tax-office"); !ok {
		t.Error("it was not applied after it had been looked at again")
	}
}

func thirdParty(t *testing.T, p *portal, slug string) (name string, ok bool) {
	t.Helper()
	version, err := p.Catalog(p.ctx)
	if err != nil {
		t.Fatal(err)
	}
	found, ok := version.ThirdParty(slug)
	return found.Name, ok
}

func TestFilesThatBreakAReferenceSayWhich(t *testing.T) {
	_, ada, form := trying(t)
	all := exported(t, ada)
	begin := strings.Index(all, "kind: tier\nslug: tier-1\n")
	end := begin + strings.Index(all[begin:], "\n---\n") + len("\n---\n")
	less := all[:begin] + all[end:]
	broken := ada.put(t, form, "Show what would change", url.Values{"prune": {"yes"}}, map[string]string{"all.yaml": less})
	broken.want(t, 409).says(t, "problem", store.RuleStillReferred)
	broken.says(t, "problem", "service Checkout (tier)")
}

func TestHostileFilesAreRefusedWithAMessage(t *testing.T) {
	_, ada, form := trying(t)
	for name, c := range map[string]struct {
		body string
		want string
	}{
		"an encoding that is not UTF-8":  {"kind: site\nslug: x\nname: K\xf6ln\n", "UTF-8"},
		"a file of another editor":       {"\xff\xfek\x00i\x00n\x00d\x00", "UTF-8"},
		"an alias":                       {"kind: site\nslug: &a x\nname: *a\n", "aliases"},
		"a file that nests without end":  {"kind: site\nslug: " + strings.Repeat("[", 5000), "nests deeper"},
		"a record that stands twice":     {newThing + "---\n" + newThing, "stands twice"},
		"what leads nowhere":             {"kind: tenant\nslug: uk\nname: UK\nsegment: nowhere\n", "nowhere"},
		"a picture":                      {"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"},
		"ten thousand errors":            {strings.Repeat("kind: site\nslug: X Y\n---\n", 10000), "and 9"},
		"a site that lies within itself": {"kind: site\nslug: x\nname: X\nwithin: y\n---\nkind: site\nslug: y\nname: Y\nwithin: x\n", "lies within itself"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := ada.put(t, form, "Show what would change", nil, map[string]string{"bad.yaml": c.body})
			if answer.status != 422 || !strings.Contains(answer.field("errors"), c.want) || !strings.Contains(answer.field("errors"), "bad.yaml") {
				t.Errorf("answered %d: %.300s", answer.status, answer.field("errors"))
			}
			if got := answer.field("errors"); len(got) > 20000 {
				t.Errorf("the answer has %d characters of errors", len(got))
			}
		})
	}
	t.Run("more than is read", func(t *testing.T) {
		body := "kind: site\nslug: x\nname: " + strings.Repeat("x", 34<<20)
		if answer := ada.put(t, form, "Show what would change", nil, map[string]string{"bad.yaml": body}); answer.status != 413 {
			t.Errorf("answered %d", answer.status)
		}
	})
	t.Run("a record larger than is read", func(t *testing.T) {
		answer := ada.put(t, form, "Show what would change", nil, map[string]string{"bad.yaml": newThing + "contact: " + strings.Repeat("x", 2<<20)})
		answer.want(t, 422).says(t, "errors", "more than 1 MiB")
	})
	t.Run("nothing", func(t *testing.T) {
		answer := ada.put(t, form, "Show what would change", nil, nil).want(t, 422)
		if answer.wrong("body") == "" {
			t.Error("nobody says what is missing")
		}
	})
}

func TestOnlyAdministratorsApplyFiles(t *testing.T) {
	p, _, form := trying(t)
	for _, group := range []string{"business-owners", "platform-engineers", "auditors"} {
		who := p.someone(t, "Not Ada", group)
		who.get(t, view.FilesPath()).want(t, 200).hasButton(t, "Show what would change", false)
		who.put(t, form, "Show what would change", nil, map[string]string{"new.yaml": newThing}).want(t, 403)
		if !strings.Contains(exported(t, who), "kind: service") {
			t.Error("they cannot fetch what they may read")
		}
	}
}

func TestALargePlanStaysReadable(t *testing.T) {
	_, ada, form := trying(t)
	var all strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&all, "kind: third-party\nslug: p-%d\nname: P %d\nowner: %s\n---\n", i, i, strings.Repeat("somebody ", 10))
	}
	planned := ada.put(t, form, "Show what would change", nil, map[string]string{"big.yaml": all.String()}).want(t, 200)
	planned.says(t, "plan", "and 8800 more records")
	planned.says(t, "plan", "Choose the same files again")
	if planned.Find("textarea").Text() != "" {
		t.Error("a large file is sent back to be typed on")
	}
	ada.put(t, planned, "Apply this", nil, map[string]string{"big.yaml": all.String()}).want(t, 303)
}
