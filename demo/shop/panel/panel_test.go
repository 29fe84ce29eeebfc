package panel

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"keyholder/demo/shop/control"
)

const form = "application/x-www-form-urlencoded"

func TestPageShowsTheShopAsItIs(t *testing.T) {
	r := newRig(t)
	eventually(t, "sales at Leeds, a follower in Dublin", func() bool {
		s := r.state()
		dublin := s.Sites["dublin"].Status
		return s.Sales.SuccessRatio != nil && *s.Sales.SuccessRatio == 1 && s.Sales.PerSecond != nil &&
			dublin != nil && dublin.State == "follower" && s.Lease.Now != nil && s.Lease.Now.Holder == "leeds"
	})
	page := r.page("/")
	for selector, want := range map[string]string{
		"#success": "100 %", "#site-leeds .state": "writes", "#site-dublin .state": "follows leeds", "#lease": "leeds holds it",
		"#traffic": "dublin 0, leeds 100.", "#dns": "leeds.shop.demo.", "#effects": "never promoted, traffic never moved, record never moved.",
	} {
		if got := strings.TrimSpace(page.Find(selector).Text()); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q", selector, got, want)
		}
	}
	if page.Find("script, [style], style").Length() != 0 {
		t.Error("the page has a script or a style of its own")
	}
}

func TestPageRefreshesItselfUntilToldNotTo(t *testing.T) {
	r := newRig(t)
	response, _ := r.call(http.MethodGet, "/", "")
	if got := response.Header.Get("Refresh"); got != "2" {
		t.Errorf("Refresh = %q", got)
	}
	if got := response.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") {
		t.Errorf("Content-Security-Policy = %q", got)
	}
	response, text := r.call(http.MethodGet, "/?still=1", "")
	if got := response.Header.Get("Refresh"); got != "" || !strings.Contains(text, `name="still"`) {
		t.Errorf("Refresh = %q on the still page", got)
	}
	r.want(http.MethodGet, "/panel.css", "", 200, "color-scheme")
	r.want(http.MethodGet, "/other", "", 404, "")
}

func TestButtonsOfThePageBreakTheShop(t *testing.T) {
	r := newRig(t)
	page := r.page("/?still=1")
	action := page.Find("#site-leeds form")
	values := url.Values{}
	for _, input := range action.Find("input").EachIter() {
		values.Set(input.AttrOr("name", ""), input.AttrOr("value", ""))
	}
	values.Set("what", action.Find("button.danger").Eq(1).AttrOr("value", ""))
	response, _ := r.call(http.MethodPost, action.AttrOr("action", ""), values.Encode(), "Content-Type", form)
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/?still=1" {
		t.Errorf("answered %d to %q", response.StatusCode, response.Header.Get("Location"))
	}
	if got := r.levers.asked(); got != "partition leeds" {
		t.Errorf("the shop was asked to %q", got)
	}
	page = r.page("/")
	if got := page.Find("#site-leeds .broken").Text(); !strings.Contains(got, "partitioned") {
		t.Errorf("Leeds is broken: %q", got)
	}
	if got := page.Find("#site-leeds .state").Text(); got != "does not answer" {
		t.Errorf("Leeds %q", got)
	}
	if page.Find(`#site-leeds button[value="heal"]`).Length() != 1 {
		t.Error("there is no button to heal the partition")
	}
}

func TestBreakingByJSON(t *testing.T) {
	r := newRig(t)
	r.want(http.MethodPost, "/break", `{"what":"crash","site":"dublin"}`, 200, `"sites"`)
	r.want(http.MethodPost, "/break", `{"what":"lag","lag_ms":2000}`, 200, `"lag_ms":2000`)
	r.want(http.MethodPost, "/break", `{"what":"lease-stop"}`, 200, "")
	r.want(http.MethodPost, "/break", `{"what":"explode"}`, 422, "does not explode")
	r.want(http.MethodPost, "/break", `{"what":"stick"}`, 500, "stuck")
	r.want(http.MethodPost, "/break", `{"wat":"crash"}`, 400, "error")
	r.want(http.MethodPost, "/break", ``, 400, "error")
	if got := r.levers.asked(); got != "crash dublin, lag, lease-stop" {
		t.Errorf("the shop was asked to %q", got)
	}
	response, text := r.call(http.MethodPost, "/break", "what=explode", "Content-Type", form)
	if response.StatusCode != 422 || !strings.Contains(text, `role="alert"`) {
		t.Errorf("a wrong form answers %d", response.StatusCode)
	}
	response, _ = r.call(http.MethodPost, "/break", "what=lag&lag_ms=soon", "Content-Type", form)
	if response.StatusCode != 422 {
		t.Errorf("a lag that is no number answers %d", response.StatusCode)
	}
}

func TestPageOfAnotherSiteCannotBreakTheShop(t *testing.T) {
	r := newRig(t)
	response, _ := r.call(http.MethodPost, "/break", "what=crash&site=leeds", "Content-Type", form, "Sec-Fetch-Site", "cross-site")
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("answered %d", response.StatusCode)
	}
	response, _ = r.call(http.MethodPost, "/break", "what=crash&site=leeds", "Content-Type", form, "Origin", "https://elsewhere.example")
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("answered %d", response.StatusCode)
	}
	if got := r.levers.asked(); got != "" {
		t.Errorf("the shop was asked to %q", got)
	}
}

func TestHoldsAreSetAndReleasedOverThePanel(t *testing.T) {
	r := newRig(t)
	r.want(http.MethodPost, "/hold", `{"id":"x","match":"POST /admin/grant","when":"before"}`, 201, "")
	r.want(http.MethodPost, "/hold", `{"id":"x","match":"POST /admin/grant","when":"before"}`, 422, "set already")
	r.want(http.MethodPost, "/hold", `{"id":"y","match":"POST /admin/grant","when":"sometime"}`, 422, "")
	r.want(http.MethodGet, "/hold/x", "", 200, `"reached":false`)
	r.want(http.MethodGet, "/hold/y", "", 404, "")
	if err := r.holds.Set("z", "a", "after"); err != nil {
		t.Fatal(err)
	}
	held := make(chan error, 1)
	go func() { held <- r.holds.Wait(t.Context(), "a", "after") }()
	eventually(t, "the hold is reached", func() bool {
		_, text := r.call(http.MethodGet, "/hold/z", "")
		return strings.Contains(text, `"reached":true`)
	})
	r.want(http.MethodPost, "/release", `{"id":"z"}`, 200, "z")
	if err := <-held; err != nil {
		t.Error(err)
	}
	r.want(http.MethodPost, "/release", `{"id":"z"}`, 404, "")
}

func TestPanelAnswersForBuyersAndZone(t *testing.T) {
	r := newRig(t)
	r.want(http.MethodGet, "/effects/dns", "", 200, `{"dns_changes":0}`)
	r.want(http.MethodGet, "/sales?window=3s", "", 200, `"window_seconds":3`)
	r.want(http.MethodGet, "/sales?window=x", "", 422, "error")
	eventually(t, "acknowledged orders", func() bool {
		_, text := r.call(http.MethodGet, "/acknowledged?after=0", "")
		return strings.Contains(text, `"site":"leeds"`)
	})
}

func TestPartsOfCheckoutAreShownWithTheirLevers(t *testing.T) {
	r := newRig(t)
	page := r.page("/?still=1")
	for selector, want := range map[string]string{
		"#part-flags .state": "answers", "#part-flags dl": "stores-offlineoff", "#part-tax .state": "answers",
		"#part-loyalty .bad": "does not answer",
	} {
		if got := page.Find(selector).Text(); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q", selector, got, want)
		}
	}
	if got := page.Find("#part-erp").Length(); got != 0 {
		t.Error("a part that is not there is shown")
	}
	button := page.Find(`#part-tax button[value="tax-garbage"]`)
	response, _ := r.call(http.MethodPost, "/break", "still=1&what="+button.AttrOr("value", ""), "Content-Type", form)
	if response.StatusCode != http.StatusSeeOther {
		t.Errorf("the button answers %d", response.StatusCode)
	}
	page = r.page("/")
	if got := page.Find("#part-tax .state.bad").Text(); got != "answers nonsense" {
		t.Errorf("the tax engine %q", got)
	}
	if page.Find(`#part-tax button[value="tax-sense"]`).Length() != 1 {
		t.Error("there is no button to have it answer sense")
	}
	if s := r.state(); s.Needs.Flags == nil || s.Needs.Tax != nil || s.Needs.Errors["tax"] == "" {
		t.Errorf("%+v", s.Needs)
	}
}

func TestEveryLeverHasItsWords(t *testing.T) {
	for _, part := range control.Parts() {
		for _, lever := range control.Levers(part) {
			words := map[string]bool{leverLabel(lever.Break, part): true, leverLabel(lever.Mend, part): true}
			if len(words) != 2 || words[""] || brokenWord(lever.Break) == "" {
				t.Errorf("%s-%s: %v", part, lever.Break, words)
			}
		}
	}
}

func TestPartsThatDoNotAnswerAreSaidSo(t *testing.T) {
	r := newRig(t)
	r.stopDNS()
	eventually(t, "the name server is missed", func() bool { return r.state().DNS.Error != "" })
	if got := r.page("/").Find("#dns.bad").Text(); got != "The name server does not answer." {
		t.Errorf("the page says %q", got)
	}
}
