package e2e_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/chromedp"

	"keyholder/internal/approval"
	"keyholder/internal/failover"
)

// keyholder runs the product's own program beside the portal that runs.
func (w *world) keyholder(args ...string) string {
	w.t.Helper()
	bin := filepath.Join(w.t.TempDir(), "keyholder")
	if out, err := exec.CommandContext(w.t.Context(), "go", "build", "-o", bin, "keyholder/cmd/keyholder").CombinedOutput(); err != nil {
		w.t.Fatalf("build keyholder: %v: %s", err, out)
	}
	cmd := exec.CommandContext(w.t.Context(), bin, args...)
	cmd.Env = append(os.Environ(), "KEYHOLDER_DATABASE="+filepath.Join(w.dir, "keyholder.db"))
	out, err := cmd.CombinedOutput()
	_, _ = w.said.Write(out) // into memory
	if err != nil {
		w.t.Fatalf("keyholder %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// apply puts the demo's catalogue in force, changed, by the command line and two administrators.
func (w *world) apply(changes ...string) {
	w.t.Helper()
	body, err := os.ReadFile(filepath.Join(w.dir, "catalog.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	text := string(body)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			w.t.Fatalf("the catalogue does not say %q", changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	file := filepath.Join(w.t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.approveChange(codeIn(w.t, w.keyholder("catalog", "apply", file)), w.signIn("otto"), w.signIn("olga"))
}

// codeIn finds the change request that a text speaks of.
func codeIn(t *testing.T, said string) string {
	t.Helper()
	code := regexp.MustCompile(`CH-[0-9A-Z]+`).FindString(said)
	if code == "" {
		t.Fatalf("no change request is named: %s", said)
	}
	return code
}

// approveChange has people approve a change request, after which it is in force.
func (w *world) approveChange(code string, people ...*person) {
	w.t.Helper()
	for _, p := range people {
		p.submit(p.get("/change-requests/"+code), "Approve it", nil)
	}
	if r, err := w.store.ChangeRequest(w.t.Context(), code); err != nil || r.State != approval.Approved {
		w.t.Fatalf("%s is %s: %v", code, r.State, err)
	}
}

// closedGate is a gate that never holds and may be overridden.
const closedGate = `  - slug: change-freeze
    name: No change freeze
    connector: http
    params: {observe: {url: "${to.url}/status"}}
    expect:
      - {pointer: /state, is: eq, value: thawed}
    override: true
`

func TestWhatIsPublishedWhilePeopleVoteIsShownAndTwoApproversAndASecondPersonDecide(t *testing.T) {
	w := newWorld(t)
	ines, bea, hugo := w.signIn("ines"), w.signIn("bea"), w.signIn("hugo")
	code := w.waiting(ines)
	w.settled(code)
	w.apply("role: business-owner, persons: 1", "role: business-owner, persons: 2", "steps:\n  - slug: drain\n", closedGate+"steps:\n  - slug: drain\n")
	w.until("the page says that votes are void", 10*time.Second, func() bool {
		return strings.Contains(text(bea.get("/a/"+code).Find("[data-field=change]")), "No change freeze")
	})
	if page := bea.get("/a/" + code); page.Find(approveButton).Length() != 0 {
		t.Error("somebody may vote before the requester has confirmed the difference")
	}
	ines.submit(ines.get("/a/"+code), "Confirm the difference", nil)
	w.until("the first vote", 20*time.Second, func() bool {
		bea.submit(bea.get("/a/"+code), "Approve", nil)
		r, err := w.store.Request(t.Context(), code)
		return err == nil && len(r.Votes()) == 1
	})
	if r, err := w.store.Request(t.Context(), code); err != nil || r.State != approval.Requested {
		t.Fatalf("after one of two votes: %s, %v", r.State, err)
	}
	w.approve(hugo, code)
	run := w.waitState(code, 30*time.Second, failover.Blocked)
	if !strings.Contains(run.Why, "No change freeze") || run.Times.Promoted != nil {
		t.Fatalf("blocked because %q", run.Why)
	}
	ines.submit(ines.get("/runs/"+code), "Propose: Override", map[string]string{"note": "The freeze is for releases"})
	x := w.run(code).Exceptions[0]
	if own := ines.get("/runs/" + code); strings.Contains(text(own.Find("button")), "Confirm as second person") {
		t.Error("the proposer is offered to confirm")
	}
	bea.submit(bea.get("/runs/"+code), "Confirm as second person", map[string]string{"code": x.Code()})
	run = w.waitState(code, 60*time.Second, failover.Recovered)
	if !run.WithExceptions() {
		t.Error("the run does not say that it had exceptions")
	}
	w.keepHistory("confirmed-anew-and-overridden", code)
}

// TestTierOneNeedsTwoApproversAtPeakOnceTwoAdministratorsSaidSo is the way by which who decides changes: on a phone, without scripts,
// proposed by one administrator, approved by another; a move then needs two, and the page of who may says why one of them may not.
func TestTierOneNeedsTwoApproversAtPeakOnceTwoAdministratorsSaidSo(t *testing.T) {
	w := newWorld(t)
	ctx := w.browser()
	w.do(ctx, "no scripts, on a phone", noScripts(), look{390, 844, "light"}.set())
	w.signInBrowser(ctx, "otto", "/catalog/policy/new")
	w.do(ctx, "the policy", typing("name", "Tier 1 at peak"), choosing("action", "Move"), chromedp.Click(`[name="tiers"][value="tier-1"]`), choosing("when", "Peak"))
	w.do(ctx, "who", choosing("needs[0].role", "Business owner"), typing("needs[0].persons", "2"), typing("recent_sign_in", "15m"), typing("lifetime", "30m"))
	w.pressing(ctx, "Save", "Your changes")
	w.do(ctx, "the peak", chromedp.Navigate(w.base+"/catalog/capability/checkout/edit"), chromedp.WaitVisible("h1"))
	w.do(ctx, "always", typing("peaks[0].name", "Today"), typing("peaks[0].times", "9"))
	w.pressing(ctx, "Save", "Your changes")
	if said := w.seen(ctx); !strings.Contains(said, "two business owners instead of one incident commander, or one business owner") {
		t.Errorf("the effect is not said: %s", said)
	}
	w.do(ctx, "why", typing("why", "November is near"))
	w.pressing(ctx, "Propose it", "waiting for approval")
	code := codeIn(t, w.seen(ctx))
	if own := w.seen(ctx); strings.Contains(own, "Approve it") {
		t.Error("the proposer is offered to approve")
	}

	olga := w.browser()
	w.do(olga, "no scripts, on a phone", noScripts(), look{390, 844, "dark"}.set(), chromedp.Navigate(w.base+"/sign-out"))
	w.signInBrowser(olga, "olga", "/change-requests/"+code)
	w.pressing(olga, "Approve it", "is approved, and in force")

	ines, carl, bea, hugo := w.signIn("ines"), w.signIn("carl"), w.signIn("bea"), w.signIn("hugo")
	asked := w.waiting(ines)
	w.settled(asked)
	option := carl.get("/who").Find("[name=person] option").FilterFunction(func(_ int, o *goquery.Selection) bool { return strings.HasPrefix(text(o), "Ines") })
	ask := url.Values{
		"action": {"move"}, "service": {"checkout"}, "site": {"leeds", "dublin"}, "cause": {"site"}, "mode": {"emergency"},
		"person": {option.AttrOr("value", "")}, "requester": {option.AttrOr("value", "")},
	}
	if said := text(carl.get("/who?" + ask.Encode()).Find("main")); !strings.Contains(said, "Nobody decides on their own request") || !strings.Contains(said, "Bea Lindqvist") {
		t.Errorf("the page of who may does not say why Ines may not, or who can: %s", said)
	}
	for n, voter := range []*person{carl, bea} { // a commander is enough for what moves along, one owner is not enough for Checkout
		voter.submit(voter.get("/a/"+asked), "Approve", nil)
		if r, err := w.store.Request(t.Context(), asked); err != nil || r.State != approval.Requested || len(r.Votes()) != n+1 {
			t.Fatalf("after %d votes: %s with %d votes, %v", n+1, r.State, len(r.Votes()), err)
		}
	}
	w.approve(hugo, asked)
	w.waitState(asked, 60*time.Second, failover.Recovered)
}

// TestAStandingOrderMovesTheShopByItself: put together by a business owner on a phone, without scripts, approved by a commander, shown
// on the service, counting down on Now, and followed when checkout collapses; its record reads like any other.
func TestAStandingOrderMovesTheShopByItself(t *testing.T) {
	w := newWorld(t)
	ctx := w.browser()
	w.do(ctx, "no scripts, on a phone", noScripts(), look{390, 844, "light"}.set())
	w.signInBrowser(ctx, "bea", "/catalog/standing-order/new")
	w.do(ctx, "what", typing("name", "Checkout collapses at Leeds"), typing("plan", "move-checkout"), typing("plan_version", "1"),
		chromedp.Click(`[name="services"][value="checkout"]`), chromedp.Click(`[name="services"][value="order-posting"]`),
		choosing("from", "Leeds"), choosing("to", "Dublin"), choosing("cause", "Site"))
	w.do(ctx, "when", chromedp.Click(`[name="signals"][value="checkout-success"]`), typing("bad_for", "8s"), choosing("ceiling_in", "Orders"),
		typing("ceiling", "500"), typing("apart", "2h"), typing("until", time.Now().AddDate(0, 1, 0).Format(time.DateOnly)))
	w.pressing(ctx, "Save", "Your changes")
	if said := w.seen(ctx); !strings.Contains(said, "by itself when Checkout success is bad for 8 s") {
		t.Errorf("the effect is not said: %s", said)
	}
	w.do(ctx, "why", typing("why", "Nobody is awake at three"))
	w.pressing(ctx, "Propose it", "waiting for approval")
	code := codeIn(t, w.seen(ctx))
	carl := w.signIn("carl")
	w.approveChange(code, carl)

	order := "/catalog/standing-order/checkout-collapses-at-leeds"
	w.until("the order would act", 15*time.Second, func() bool {
		return strings.Contains(text(carl.get(order).Find("[data-field=order-state]")), "It would act by itself, until")
	})
	if on := text(carl.get("/catalog/service/order-posting").Find("[data-field=orders]")); !strings.Contains(on, "Checkout collapses at Leeds") {
		t.Errorf("the service says %q", on)
	}
	w.breakIt("crash", "leeds")
	w.until("Now counts down", 30*time.Second, func() bool {
		called := carl.get("/").Find("[data-field=called-order]")
		return strings.Contains(text(called), "By itself: move") && strings.Contains(text(called.Find("button")), "Revoke")
	})
	var filed failover.Request
	w.until("it has acted", 40*time.Second, func() bool {
		approved, err := w.store.ApprovedSince(t.Context(), time.Now().Add(-time.Hour), 5)
		if err == nil && len(approved) == 1 {
			filed = approved[0]
		}
		return filed.Code != ""
	})
	run := w.waitState(filed.Code, 60*time.Second, failover.Recovered)
	if run.Requester.Name != "Standing order Checkout collapses at Leeds" {
		t.Errorf("it was requested by %q", run.Requester.Name)
	}
	page := text(carl.get("/a/" + filed.Code).Find("main"))
	for _, part := range []string{"approved in advance", "proposed by Bea Lindqvist and approved by Carl", "Leeds"} {
		if !strings.Contains(page, part) {
			t.Errorf("the request's page does not say %q: %s", part, page)
		}
	}
	if line := text(carl.get("/audit?object=" + filed.Code).Find("main")); !strings.Contains(line, "by itself") || !strings.Contains(line, "recovered") {
		t.Errorf("the record says %s", line)
	}
	carl.submit(carl.get(order), "Revoke", nil)
	if gone := text(carl.get(order).Find("main")); !strings.Contains(gone, "It is retired") {
		t.Errorf("one click does not revoke it: %s", gone)
	}
	w.timelineHasNoHoles(filed.Code)
}
