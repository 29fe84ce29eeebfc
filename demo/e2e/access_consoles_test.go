package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	idsystem "keyholder/demo/identity"
)

// rosaThere is Rosa as the identity system knows her.
const rosaThere = "rosa@retailer.example"

// holding are those who have a role in the shop's consoles, as the identity system says.
func (w *world) holding(role string) (accounts []string) {
	w.t.Helper()
	var said struct{ Members []idsystem.Member }
	w.shop(http.MethodGet, "identity", "/members", nil, &said)
	for _, m := range said.Members {
		if m.Role == role {
			accounts = append(accounts, m.Account)
		}
	}
	return accounts
}

// kept is what the identity system has in its file, that too which has run out and which it refuses by itself.
func (w *world) kept() (all []idsystem.Member) {
	w.t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.dir, "identity", "members.json"))
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// consoles are a role in the shop's consoles, and those around it, at their browsers.
type consoles struct {
	grantee
	role             string
	rosa, ines, sven *person
	path             string
}

// asked has Rosa ask for a role on pages, and Ines approve it.
func (w *world) asked(role string) *consoles {
	w.t.Helper()
	c := &consoles{role: role, rosa: w.signIn("rosa"), ines: w.signIn("ines"), sven: w.signIn("sven"), grantee: grantee{w: w}}
	c.ask()
	return c
}

func (c *consoles) ask() {
	c.w.t.Helper()
	opened := c.ines.submit(c.ines.get("/incidents/new"), "Open", map[string]string{"title": "Prices", "services": "checkout", "cause": "unknown"})
	incident := strings.TrimPrefix(opened.url.Path, "/incidents/")
	asked := c.rosa.submit(c.rosa.get("/access/ask?eligibility=consoles-in-an-incident"), "Ask for access", map[string]string{
		"role": c.role, "incident": incident, "reason": "A price is wrong",
	})
	c.path = asked.url.Path
	c.code = strings.TrimPrefix(c.path, "/access/")
	waiting := c.rosa.get(c.path)
	if said := text(waiting.Find("main")); !strings.Contains(said, "still wanted: one security officer or one incident commander") {
		c.w.t.Errorf("it does not say who is wanted: %s", said)
	}
	if button := waiting.Find("button").Text(); strings.Contains(button, "Approve") || strings.Contains(button, "Begin") {
		c.w.t.Errorf("who asks may do more than wait: %s", button)
	}
	if c.ines.submit(c.ines.get(c.path), "Approve", nil).status != http.StatusOK {
		c.w.t.Errorf("%s is not approved", c.code)
	}
}

// begin has Rosa begin it, and waits until the identity system says that she has the role.
func (c *consoles) begin() {
	c.w.t.Helper()
	c.rosa.submit(c.rosa.get(c.path), "Begin", nil)
	c.w.until("it is given", slowly, func() bool { return c.grant().Given != nil })
	if has := c.w.holding(c.role); !slices.Equal(has, []string{rosaThere}) {
		c.w.t.Fatalf("it is said to be given, and %v have %s", has, c.role)
	}
}

// taken waits until the identity system does not have it any more, and that is on record.
func (c *consoles) taken(within time.Duration) {
	c.w.t.Helper()
	c.w.until("the identity system has it no more", within, func() bool { return len(c.w.holding(c.role)) == 0 })
	c.w.until("that it is gone is on record", slowly, func() bool { return c.grant().Confirmed != nil })
	c.w.t.Logf("seen to be gone %s after its end", c.grant().Confirmed.Sub(c.grant().End()))
}

// acts does something in the consoles, as somebody who signs in there, and is what they answered.
func (c *consoles) acts(account, role, what string) error {
	c.w.t.Helper()
	return c.w.tryShop(http.MethodPost, "identity", "/acts", map[string]string{"account": account, "role": role, "does": what}, nil)
}

// review has Sven sign it, once what the consoles wrote down is attached.
func (c *consoles) review(note string) {
	c.w.t.Helper()
	c.w.until("what was done is attached", slowly, func() bool { return !c.grant().ActivityDue() })
	if c.sven.submit(c.sven.get(c.path), "Sign the review", map[string]string{"note": note, "in_order": "yes"}); c.grant().Review == nil {
		c.w.t.Errorf("%s is not reviewed", c.code)
	}
}

// stand is where the page says that it stands.
func (c *consoles) stand(by *person) string {
	c.w.t.Helper()
	return by.get(c.path).Find("[data-field=stand] [data-stand]").AttrOr("data-stand", "")
}

// TestTheStoryOfARoleInTheShopsConsoles: asked for on a page, approved by another, begun; given back; and, once that was reviewed, asked
// for anew and left to end by itself.
func TestTheStoryOfARoleInTheShopsConsoles(t *testing.T) {
	w := newWorld(t)
	c := w.asked("storefront-admin")
	if has := w.holding(c.role); len(has) > 0 {
		t.Errorf("approved and not begun, %v have it", has)
	}
	c.begin()
	if m := w.kept(); len(m) != 1 || m[0].Until == nil || m[0].Until.Sub(c.grant().End()).Abs() > time.Second {
		t.Errorf("it ends at %s, and the identity system was told %+v", c.grant().End(), m)
	}
	live := c.rosa.get(c.path)
	if said := text(live.Find("[data-field=sign-in]")); !strings.Contains(said, rosaThere) || !strings.Contains(said, "as you always do") || strings.Contains(said, "password") {
		t.Errorf("how she signs in: %s", said)
	}
	if said := text(c.rosa.get("/").Find("[data-field=holding]")); !strings.Contains(said, "You have storefront-admin on Shop consoles until") {
		t.Errorf("Now does not say what she has: %s", said)
	}
	const coats = 50 // more than one answer of the consoles has
	for i := range coats {
		if err := c.acts(rosaThere, c.role, fmt.Sprintf("set the price of coat %d to 49", i)); err != nil {
			t.Fatal(err)
		}
	}
	for account, role := range map[string]string{rosaThere: "payments-console", "mallory@retailer.example": c.role} {
		if err := c.acts(account, role, "repeat payment 7 of "+account); err == nil || !strings.Contains(err.Error(), "does not have "+role) {
			t.Errorf("%s acts as %s: %v", account, role, err)
		}
	}
	c.rosa.submit(live, "Give back", nil)
	c.taken(slowly)
	if left := w.kept(); len(left) > 0 {
		t.Errorf("nobody took it: %+v", left)
	}
	if err := c.acts(rosaThere, c.role, "set the price of a hat to 9"); err == nil {
		t.Error("it is taken, and she acts on")
	}
	c.rosa.submit(c.rosa.get(c.path), "Say what was done", map[string]string{"note": "I set the price of one coat"})
	c.review("The consoles' log says more than she does")
	ada := w.signIn("ada")
	if said := text(ada.get(c.path).Find("main")); !strings.Contains(said, "I set the price of one coat") {
		t.Errorf("the page does not say what was done: %s", said)
	}
	all := text(ada.get(c.path + "/activity").Selection)
	for i := range coats {
		if line := fmt.Sprintf("storefront-admin: set the price of coat %d to 49", i); strings.Count(all, line) != 1 {
			t.Errorf("%q stands %d times in what the consoles wrote down: %s", line, strings.Count(all, line), all)
		}
	}
	if !strings.Contains(all, "refused, payments-console: repeat payment 7 of "+rosaThere) || strings.Contains(all, "mallory") {
		t.Errorf("what she was refused is not there, or what others did is: %s", all)
	}

	c.ask()
	w.lasting(c.code, 20*time.Second)
	c.begin()
	c.taken(time.Until(c.grant().End()) + slowly)
	if early := c.grant().Confirmed.Before(c.grant().End()); early {
		t.Error("it was taken before its end")
	}
}

// TestWhoIsFrozenLosesARoleInTheConsolesAtOnce: in the middle of it, as long as nobody releases them.
func TestWhoIsFrozenLosesARoleInTheConsolesAtOnce(t *testing.T) {
	w := newWorld(t)
	c := w.asked("payments-console")
	c.begin()
	all := c.sven.get("/access")
	subject := all.Find("select[name=subject] option").FilterFunction(func(_ int, o *goquery.Selection) bool { return strings.Contains(o.Text(), "Rosa") })
	c.sven.submit(all, "Freeze what is chosen", map[string]string{"subject": subject.First().AttrOr("value", ""), "note": "Is it she?"})
	took := w.until("she has lost it", slowly, func() bool { return len(w.kept()) == 0 })
	t.Logf("lost %s after she was frozen", took)
	if stand := c.stand(c.rosa); stand != "frozen" {
		t.Errorf("her page says that it is %q", stand)
	}
	if page := c.rosa.get("/access/ask?eligibility=consoles-in-an-incident"); !strings.Contains(text(page.Find("main")), "frozen") {
		t.Errorf("she may ask for more: %s", text(page.Find("main")))
	}
	c.sven.submit(c.sven.get("/access"), "Release", map[string]string{"note": "It was she"})
	w.until("what is left of it holds again", slowly, func() bool { return slices.Equal(w.holding(c.role), []string{rosaThere}) })
	c.sven.submit(c.sven.get(c.path), "Take", map[string]string{"note": "That is enough"})
	c.taken(slowly)
}

// TestARoleGivenAroundKeyholderInTheConsolesIsFoundWithinAMinuteAndTakenBack: by the button, from whom no grant explains, and from nobody
// else.
func TestARoleGivenAroundKeyholderInTheConsolesIsFoundWithinAMinuteAndTakenBack(t *testing.T) {
	w := newWorld(t)
	c := w.asked("storefront-admin")
	c.begin()
	w.shop(http.MethodPut, "identity", "/members", idsystem.Member{Account: "mallory@retailer.example", Role: c.role}, nil)
	found := func() (all page, here []string) { // other systems may not have been there yet when they were first read
		all = c.sven.get("/access")
		all.Find("[data-finding]").Each(func(_ int, s *goquery.Selection) {
			if strings.Contains(s.Text(), "Shop consoles") {
				here = append(here, strings.ToLower(text(s.Find("strong"))))
			}
		})
		return all, here
	}
	took := w.until("it is found", time.Minute, func() bool { _, here := found(); return len(here) > 0 })
	t.Logf("found after %s", took)
	all, here := found()
	if want := []string{"mallory@retailer.example has storefront-admin, which no grant explains"}; !slices.Equal(here, want) {
		t.Errorf("found: %q", here)
	}
	if button := text(c.rosa.get("/access").Find("button")); strings.Contains(button, "mallory") {
		t.Errorf("a responder may take it: %s", button)
	}
	c.sven.submit(all, "Take storefront-admin from mallory@retailer.example", nil)
	w.until("it is taken", slowly, func() bool { return slices.Equal(w.holding(c.role), []string{rosaThere}) })
	w.until("nothing is found any more", time.Minute, func() bool { _, here := found(); return len(here) == 0 })
}

// TestAnIdentitySystemThatIsDownAcrossTheEndIsTriedUntilItHasTakenTheRole: shown in red, said to those in command, and done when it is
// there again; whether the time has run out, which it sees by itself, or the role was given back, which it does not.
func TestAnIdentitySystemThatIsDownAcrossTheEndIsTriedUntilItHasTakenTheRole(t *testing.T) {
	w := newWorld(t)
	c := w.asked("storefront-admin")
	c.begin()
	w.kill("identity")
	c.rosa.submit(c.rosa.get(c.path), "Give back", nil)
	c.red()
	w.identityIsBack()
	c.taken(slowly)
	if left := w.kept(); len(left) > 0 {
		t.Errorf("nobody took it: %+v", left)
	}
	c.notRed()
	c.review("Nothing was done")

	c.ask()
	w.lasting(c.code, 15*time.Second)
	c.begin()
	w.kill("identity")
	w.until("its end has come", time.Minute, func() bool { return time.Now().After(c.grant().End()) })
	if has, err := w.store.Holds(t.Context(), c.grant().Holder.ID, "consoles"); err != nil || len(has) > 0 {
		t.Errorf("by the record she has %v: %v", has, err)
	}
	c.red()
	w.identityIsBack()
	c.taken(slowly)
	c.notRed()
}

func (w *world) identityIsBack() {
	w.t.Helper()
	w.start("identity")
	w.until("the identity system is back", slowly, func() bool { return w.tryShop(http.MethodGet, "identity", "/members", nil, nil) == nil })
}

// red waits until what should be gone and is not is said in red, with the attempts so far: on its page, on Access, and on Now of those in
// command; and looks whether it is tried again.
func (c *consoles) red() {
	c.w.t.Helper()
	attempts := func() (n int) {
		account, err := c.w.store.AccountOf(c.w.t.Context(), "consoles", c.grant().Holder.ID)
		if err != nil {
			c.w.t.Fatal(err)
		}
		if account.Trouble != nil {
			n = account.Trouble.Attempts
		}
		return n
	}
	c.w.until("it is tried more than once", slowly, func() bool { return attempts() > 1 })
	card := ".card.border-danger[data-access=" + c.code + "]"
	c.w.until("Access says so in red", slowly, func() bool {
		return strings.Contains(text(c.ines.get("/access").Find(card+" .text-danger")), "It does not succeed")
	})
	c.w.until("Now says so in red", slowly, func() bool {
		return strings.Contains(text(c.ines.get("/").Find(card+" .text-danger")), "Should be gone and is not")
	})
	if stand := c.stand(c.sven); stand != "taking" || c.grant().Confirmed != nil {
		c.w.t.Errorf("it is %q and confirmed at %v", stand, c.grant().Confirmed)
	}
	before := attempts()
	c.w.until("it is tried again", slowly, func() bool { return attempts() > before })
}

func (c *consoles) notRed() {
	c.w.t.Helper()
	for _, path := range []string{"/", "/access"} {
		c.w.until("nothing is red on "+path, slowly, func() bool { return c.ines.get(path).Find(".card.border-danger").Length() == 0 })
	}
}
