package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
)

// describing is a portal with the shop's catalogue, and who may change it.
func describing(t *testing.T) (p *portal, bea, pat visitor) {
	t.Helper()
	p = newPortal(t)
	return p, p.someone(t, "Bea", "business-owners"), p.someone(t, "Pat", "platform-engineers")
}

func (p *portal) service(t *testing.T, slug string) catalog.Service {
	t.Helper()
	version, err := p.Catalog(p.ctx)
	if err != nil {
		t.Fatal(err)
	}
	service, ok := version.Service(slug)
	if !ok {
		t.Fatalf("there is no service %s", slug)
	}
	return service
}

func TestABusinessOwnerDescribesAServiceAndWhatItDependsOn(t *testing.T) {
	p, bea, _ := describing(t)
	list := bea.get(t, "/catalog/service").want(t, 200)
	add := list.Find("a").FilterFunction(func(_ int, a *selection) bool { return squeezed(a) == "Add a service" })
	form := bea.get(t, add.AttrOr("href", "")).want(t, 200)
	form = bea.submit(t, form, "More dependencies", nil).want(t, 200)
	saved := bea.submit(t, form, "Save", url.Values{
		"name": {"Gift cards"}, "tier": {"tier-1"}, "capability": {"fulfilment"}, "pattern": {"active-passive"},
		"business_owner": {"Bea"}, "deployments[0].site": {"leeds"}, "deployments[0].role": {"active"},
		"dependencies[1].on": {"checkout"}, "dependencies[1].coupling": {"synchronous"}, "why": {"We sell gift cards now"},
	}).want(t, 303)
	if saved.location != "/catalog/service/gift-cards" {
		t.Fatalf("saved as %s", saved.location)
	}
	got := p.service(t, "gift-cards")
	if len(got.Dependencies) != 1 || got.Dependencies[0].On != "checkout" || len(got.Deployments) != 1 || got.BusinessOwner != "Bea" {
		t.Errorf("saved %+v", got)
	}
	record := bea.get(t, saved.location).want(t, 200)
	text := squeezed(record.Find("main"))
	for _, want := range []string{"Gift cards", "Checkout, synchronous", "Leeds, active", "We sell gift cards now", "by Bea"} {
		if !strings.Contains(text, want) {
			t.Errorf("its page does not say %q: %s", want, text)
		}
	}
	needed := squeezed(bea.get(t, "/catalog/service/checkout").want(t, 200).Find("main"))
	if !strings.Contains(needed, "Service Gift cards (dependencies)") {
		t.Errorf("the page of what it needs does not lead back: %s", needed)
	}
}

func TestTwoEditsAtOnceLoseNothing(t *testing.T) {
	p, bea, pat := describing(t)
	first, second := bea.get(t, "/catalog/service/checkout/edit").want(t, 200), pat.get(t, "/catalog/service/checkout/edit").want(t, 200)
	bea.submit(t, first, "Save", url.Values{"business_owner": {"Bea herself"}}).want(t, 303)
	both := pat.submit(t, second, "Save", url.Values{"technical_owner": {"Pat himself"}}).want(t, 409)
	both.says(t, "problem", store.RuleEditedMeanwhile)
	both.says(t, "problem", "Bea changed this service")
	both.says(t, "meanwhile", "Business owner: Bea herself")
	if got := both.Find("#technical_owner").AttrOr("value", ""); got != "Pat himself" {
		t.Errorf("what the second typed is now %q", got)
	}
	if got := p.service(t, "checkout"); got.BusinessOwner != "Bea herself" || got.TechnicalOwner == "Pat himself" {
		t.Errorf("the second was saved over the first: %+v", got)
	}
	pat.submit(t, both, "Save", nil).want(t, 303) // what he left alone is as she has made it
	if got := p.service(t, "checkout"); got.BusinessOwner != "Bea herself" || got.TechnicalOwner != "Pat himself" {
		t.Errorf("after the second had seen both: %+v", got)
	}
}

func TestWhatCouldMeanTwoThingsIsNotSaved(t *testing.T) {
	_, bea, _ := describing(t)
	form := bea.get(t, "/catalog/capability/new").want(t, 200)
	thousands := bea.submit(t, form, "Save", url.Values{"name": {"Gift wrap"}, "revenue_per_hour": {"540.000"}}).want(t, 422)
	if got := thousands.wrong("revenue_per_hour"); !strings.Contains(got, "540 or 540000") {
		t.Errorf("at the revenue: %q", got)
	}
	reserved := bea.submit(t, form, "Save", url.Values{"name": {"New"}, "revenue_per_hour": {"540,000"}}).want(t, 422)
	if got := reserved.wrong("slug"); !strings.Contains(got, "where one is added") {
		t.Errorf("at the short name: %q", got)
	}
	bea.get(t, "/catalog/service?text=zzz").want(t, 200).says(t, "empty", "zzz")
}

func TestASaveThatWouldBreakAReferenceSaysWhich(t *testing.T) {
	p, bea, _ := describing(t)
	page := bea.get(t, "/catalog/service/checkout").want(t, 200)
	refused := bea.submit(t, page, "Retire Checkout", url.Values{"why": {"Sold with the brand"}}).want(t, 409)
	if got := refused.Find("#why").AttrOr("value", ""); got != "Sold with the brand" {
		t.Errorf("the reason that was typed is now %q", got)
	}
	refused.says(t, "problem", store.RuleStillReferred)
	refused.says(t, "problem", "flow Customer order")
	p.service(t, "checkout")

	form := bea.get(t, "/catalog/service/checkout/edit").want(t, 200)
	wrong := bea.submit(t, form, "Save", url.Values{"dependencies[0].on": {"no-such"}, "dependencies[0].coupling": {"synchronous"}}).want(t, 422)
	if got := wrong.wrong("dependencies[0].on"); !strings.Contains(got, `"no-such"`) {
		t.Errorf("at the dependency: %q", got)
	}
}

func TestARecordIsRetiredAndItsHistoryStays(t *testing.T) {
	p, bea, _ := describing(t)
	form := bea.get(t, "/catalog/third-party/new").want(t, 200)
	bea.submit(t, form, "Save", url.Values{"name": {"Tax office"}}).want(t, 303)
	page := bea.get(t, "/catalog/third-party/tax-office").want(t, 200)
	bea.submit(t, page, "Retire Tax office", url.Values{"why": {"We do it ourselves"}}).want(t, 303)
	gone := bea.get(t, "/catalog/third-party/tax-office").want(t, 200)
	gone.says(t, "retired", "It is retired")
	if text := squeezed(gone.Find("main")); !strings.Contains(text, "We do it ourselves") || !strings.Contains(text, "Added") {
		t.Errorf("its history is %s", text)
	}
	if n := gone.Find("main form[method=post]").Length(); n != 0 {
		t.Errorf("a retired record has %d forms", n)
	}
	bea.submit(t, page, "Retire Tax office", nil).want(t, 409)
	if lines, err := p.Record(p.ctx, store.Filter{Action: "catalog.retire", Limit: 5}); err != nil || len(lines) != 2 {
		t.Errorf("the record has %+v, %v", lines, err)
	}
}

func TestAsItWasOnShowsTheCatalogueOfThatDay(t *testing.T) {
	p := newPortal(t)
	p.clock.Add(48 * time.Hour)
	bea := p.someone(t, "Bea", "business-owners")
	form := bea.get(t, "/catalog/service/checkout/edit").want(t, 200)
	bea.submit(t, form, "Save", url.Values{"name": {"Till"}}).want(t, 303)
	then := bea.get(t, "/catalog/service/checkout?on=2026-03-01").want(t, 200)
	if got := squeezed(then.Find("h1")); got != "Checkout" {
		t.Errorf("on the day before it was %q", got)
	}
	then.says(t, "as-of", "As it was on 2026-03-01")
	if then.Find("main form[method=post]").Length() != 0 {
		t.Error("the past can be edited")
	}
	if got := squeezed(bea.get(t, "/catalog/service/checkout").Find("h1")); got != "Till" {
		t.Errorf("now it is %q", got)
	}
	bea.get(t, "/catalog/service/checkout?on=1999-01-01").want(t, 404)
	bea.get(t, "/catalog/service/checkout?on=tomorrow").want(t, 422)
	bea.get(t, "/catalog?on=2026-03-01").want(t, 200).says(t, "as-of", "As it was on 2026-03-01")
}

func TestWrongInputToARecordIsShownAtItsFieldAndKept(t *testing.T) {
	p, bea, _ := describing(t)
	for name, tc := range map[string]struct {
		path  string
		typed url.Values
		field string
	}{
		"no name":           {"service/new", url.Values{"name": {" "}}, "name"},
		"no tier":           {"service/new", url.Values{"name": {"X"}}, "tier"},
		"a name that is":    {"service/new", url.Values{"name": {"Checkout"}}, "slug"},
		"bad short name":    {"service/new", url.Values{"slug": {"Not A Slug"}}, "slug"},
		"no span":           {"tier/new", url.Values{"name": {"X"}, "rto": {"soon"}, "rpo": {"1m"}}, "rto"},
		"empty span":        {"tier/new", url.Values{"name": {"X"}}, "rto"},
		"no number":         {"capability/new", url.Values{"name": {"X"}, "revenue_per_hour": {"a lot"}}, "revenue_per_hour"},
		"negative":          {"capability/new", url.Values{"name": {"X"}, "revenue_per_hour": {"-1"}}, "revenue_per_hour"},
		"unknown choice":    {"service/checkout/edit", url.Values{"pattern": {"<b>"}}, "pattern"},
		"unknown site":      {"service/checkout/edit", url.Values{"deployments[0].site": {"atlantis"}}, "deployments[0].site"},
		"not a web address": {"service/checkout/edit", url.Values{"links.runbook": {"javascript:alert(1)"}}, "links.runbook"},
		"endless":           {"service/checkout/edit", url.Values{"about": {strings.Repeat("x", 5000)}}, "about"},
	} {
		t.Run(name, func(t *testing.T) {
			form := bea.get(t, "/catalog/"+tc.path).want(t, 200)
			again := bea.submit(t, form, "Save", tc.typed).want(t, 422)
			if again.wrong(tc.field) == "" {
				t.Errorf("no message at %s: %s", tc.field, squeezed(again.Find("main")))
			}
			for field, typed := range tc.typed {
				field := again.Find("[name='" + field + "']")
				got := field.AttrOr("value", field.Find("option[selected]").AttrOr("value", field.Text()))
				if field.Is("textarea") {
					got = field.Text()
				}
				if strings.TrimSpace(got) != strings.TrimSpace(typed[0]) {
					t.Errorf("what was typed is now %q", got)
				}
			}
		})
	}
	changes, err := p.CatalogChanges(p.ctx, 0, 10)
	if err != nil || changes[0].By != "catalog apply" {
		t.Errorf("wrong input made %+v, %v", changes[0], err)
	}
}

func TestRowsAreAddedTakenOutAndPutInOrder(t *testing.T) {
	p, bea, _ := describing(t)
	form := bea.get(t, "/catalog/flow/customer-order/edit").want(t, 200)
	full := url.Values{"steps[3].name": {"Pay"}, "steps[3].service": {"checkout"}, "steps[4].name": {"Ship"}, "steps[4].service": {"checkout"}}
	more := bea.submit(t, form, "More steps", full).want(t, 200)
	if before, after := form.Find("[name$='.service']").Length(), more.Find("[name$='.service']").Length(); after != before+2 {
		t.Errorf("more rows: %d, then %d", before, after)
	}
	if got := more.Find("[name='steps[4].name']").AttrOr("value", ""); got != "Ship" {
		t.Errorf("what was typed is now %q", got)
	}
	bea.submit(t, form, "Save", url.Values{"steps[0].place": {"9"}, "steps[1].remove": {"yes"}}).want(t, 303)
	version, err := p.Catalog(p.ctx)
	if err != nil {
		t.Fatal(err)
	}
	old, err := p.CatalogAt(p.ctx, version.Version-1)
	if err != nil {
		t.Fatal(err)
	}
	was, _ := old.Flow("customer-order")
	is, _ := version.Flow("customer-order")
	if len(is.Steps) != len(was.Steps)-1 || is.Steps[len(is.Steps)-1].Name != was.Steps[0].Name {
		t.Errorf("steps were %+v, are %+v", was.Steps, is.Steps)
	}
}

func TestWhoHasWhichRoleIsForAdministrators(t *testing.T) {
	p, bea, _ := describing(t)
	bea.get(t, "/catalog/settings/settings").want(t, 200)
	bea.get(t, "/catalog/settings/settings/edit").want(t, 403)
	bea.post(t, "/catalog/settings/settings/edit", url.Values{"currency": {"EUR"}}).want(t, 403)
	bea.post(t, "/catalog/settings/settings/retire", nil).want(t, 403)
	ada := p.someone(t, "Ada", "administrators")
	form := ada.get(t, "/catalog/settings/settings/edit").want(t, 200)
	ada.submit(t, form, "Save", url.Values{"currency": {"EUR"}}).want(t, 303)
}

func TestWhatIsLockedToFilesIsNotEditedInTheBrowser(t *testing.T) {
	p, bea, _ := describing(t)
	if _, err := p.Apply(p.ctx, access.Person{ID: "cli", Name: "catalog apply"}, p.bundle, store.Manner{Lock: true}); err != nil {
		t.Fatal(err)
	}
	page := bea.get(t, "/catalog/service/checkout").want(t, 200)
	if text := squeezed(page.Find("main")); !strings.Contains(text, "Kept in files and locked there") || page.Find("main form[method=post]").Length() != 0 {
		t.Errorf("its page: %s", text)
	}
	form := bea.get(t, "/catalog/service/checkout/edit").want(t, 200)
	bea.submit(t, form, "Save", nil).want(t, 403).says(t, "problem", store.RuleManagedByFiles)
}

func TestChangesOfTheCatalogueTellWhoWhenAndWhy(t *testing.T) {
	_, bea, pat := describing(t)
	form := bea.get(t, "/catalog/service/checkout/edit").want(t, 200)
	bea.submit(t, form, "Save", url.Values{"business_owner": {"Nina"}, "why": {"Nina took over"}}).want(t, 303)
	list := pat.get(t, "/catalog-changes").want(t, 200)
	link := list.Find(".list-group-item a").First()
	one := pat.get(t, link.AttrOr("href", "")).want(t, 200)
	text := squeezed(one.Find("main"))
	for _, want := range []string{"by Bea", "Nina took over", "Checkout", "Business owner: Nina"} {
		if !strings.Contains(text, want) {
			t.Errorf("the change does not say %q: %s", want, text)
		}
	}
	pat.get(t, "/catalog-changes/99").want(t, 404)
	pat.get(t, "/catalog-changes?before=x").want(t, 422)
}
