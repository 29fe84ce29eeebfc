package signin_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/signin"
	"keyholder/internal/store"
)

func TestTheIdentityIsIssuerAndSubject(t *testing.T) {
	r := newRig(t)
	one, other := r.browser(t), r.browser(t)
	r.Vouch(map[string]any{"sub": "7", "name": "Ines", "email": "ines@shop.example"})
	if told := one.open(t, "/sign-in?return=/a/FO-7Q4M"); told != "" || r.back != "/a/FO-7Q4M" {
		t.Fatalf("%q, back to %q", told, r.back)
	}
	r.Vouch(map[string]any{"sub": "8", "name": "Ines", "email": "ines@shop.example"})
	other.open(t, "/sign-in")
	first := one.who(t)
	if first.ID == "" || first.Name != "Ines" || first.ID == other.who(t).ID {
		t.Errorf("two subjects with one name and address: %+v, %+v", first, other.who(t))
	}
	r.Vouch(map[string]any{"sub": "7", "name": "Ines Renamed"})
	other.open(t, "/sign-in")
	if again := other.who(t); again.ID != first.ID || again.Name != "Ines Renamed" {
		t.Errorf("one subject came back as %+v, was %+v", again, first)
	}
}

func TestTheProviderIsAskedWithPKCEStateAndNonce(t *testing.T) {
	r := newRig(t)
	b := r.browser(t)
	b.open(t, "/sign-in")
	b.open(t, "/sign-in?anew=1")
	asked := r.Asked()
	if len(asked) != 2 {
		t.Fatalf("asked %d times", len(asked))
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(asked[0].Get(name)) < 20 || asked[0].Get(name) == asked[1].Get(name) {
			t.Errorf("%s: %q, then %q", name, asked[0].Get(name), asked[1].Get(name))
		}
	}
	if asked[0].Get("prompt") != "" || asked[1].Get("prompt") != "login" || asked[1].Get("max_age") != "0" {
		t.Errorf("usual: %v; anew: %v", asked[0], asked[1])
	}
}

func TestAnswersThatCannotBeTrustedSignNobodyIn(t *testing.T) {
	hour := time.Now().Add(-time.Hour).Unix()
	for name, lie := range map[string]func(*rig){
		"another nonce":    func(r *rig) { r.Vouch(map[string]any{"nonce": "not-ours"}) },
		"no nonce":         func(r *rig) { r.Vouch(map[string]any{"nonce": nil}) },
		"another audience": func(r *rig) { r.Vouch(map[string]any{"aud": "another-client"}) },
		"another issuer":   func(r *rig) { r.Vouch(map[string]any{"iss": "https://evil.example"}) },
		"a token run out":  func(r *rig) { r.Vouch(map[string]any{"exp": hour}) },
		"a forged token":   func(r *rig) { r.Forge(t) },
		"no subject":       func(r *rig) { r.Vouch(map[string]any{"sub": nil}) },
		"an empty subject": func(r *rig) { r.Vouch(map[string]any{"sub": ""}) },
		"a NUL in it":      func(r *rig) { r.Vouch(map[string]any{"sub": "a\x00b"}) },
		"a long subject":   func(r *rig) { r.Vouch(map[string]any{"sub": strings.Repeat("a", 300)}) },
		"a refused code":   func(r *rig) { r.Break(http.StatusBadRequest) },
		"a broken trade":   func(r *rig) { r.Break(http.StatusBadGateway) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			lie(r)
			b := r.browser(t)
			told := b.open(t, "/sign-in")
			if who := b.who(t); who.ID != "" {
				t.Errorf("signed in as %+v", who)
			}
			if told == "" || name == "a broken trade" != strings.HasPrefix(told, "unavailable:") || strings.HasPrefix(told, "internal:") {
				t.Errorf("told %q", told)
			}
		})
	}
}

func TestASignInThatWasNotBegunHereIsRefused(t *testing.T) {
	r := newRig(t)
	victim, attacker := r.browser(t), r.browser(t)
	there, err := url.Parse(attacker.to(t, "/sign-in"))
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"", "guess", there.Query().Get("state")} {
		if told := victim.open(t, signin.CallbackPath+"?code=x&state="+state); !strings.HasPrefix(told, "sign-in-state") {
			t.Errorf("state %q: %q", state, told)
		}
	}
	if who := victim.who(t); who.ID != "" {
		t.Errorf("signed in as %+v", who)
	}
}

func TestASignInFinishesOnce(t *testing.T) {
	r := newRig(t)
	b := r.browser(t)
	there := b.to(t, "/sign-in")
	if told := b.follow(t, there); told != "" {
		t.Fatal(told)
	}
	first := b.session(t)
	state := r.Asked()[0].Get("state")
	if told := b.open(t, signin.CallbackPath+"?code=x&state="+state); !strings.HasPrefix(told, "sign-in-state") {
		t.Errorf("again: %q", told)
	}
	if b.session(t) != first || b.who(t).ID == "" {
		t.Error("the second attempt changed the session of the first")
	}
}

func TestTabsThatABrowserOpensTogetherAllSignIn(t *testing.T) {
	r := newRig(t)
	b := r.browser(t)
	one, two := b.to(t, "/sign-in?return=/one"), b.to(t, "/sign-in?return=/two")
	if told := b.follow(t, one); told != "" || r.back != "/one" {
		t.Errorf("%q, back to %q", told, r.back)
	}
	if told := b.follow(t, two); told != "" || r.back != "/two" {
		t.Errorf("%q, back to %q", told, r.back)
	}
}

func TestASignInThatTookTooLongIsBegunAgain(t *testing.T) {
	r := newRig(t)
	for name, b := range map[string]*browser{"signed in": r.browser(t), "a stranger": r.browser(t)} {
		if name == "signed in" {
			b.open(t, "/sign-in")
		}
		there := b.to(t, "/sign-in")
		r.clock.Add(16 * time.Minute)
		before := b.session(t)
		if told := b.follow(t, there); !strings.HasPrefix(told, "sign-in-state") || b.session(t) != before {
			t.Errorf("%s: %q", name, told)
		}
	}
}

func TestTheSessionGetsANewNameAtSignIn(t *testing.T) {
	r := newRig(t)
	b, thief := r.browser(t), r.browser(t)
	there := b.to(t, "/sign-in")
	before := b.session(t)
	thief.carry(t, before)
	b.follow(t, there)
	if after := b.session(t); after == "" || after == before {
		t.Errorf("the session was %q, then %q", before, after)
	}
	if who := thief.who(t); who.ID != "" {
		t.Errorf("whoever knew the session before is now %+v", who)
	}
}

func TestASignInWithoutAuthTimeIsNotRecent(t *testing.T) {
	r := newRig(t)
	for name, claim := range map[string]any{"none": nil, "text": "soon", "a list": []int{1}} {
		r.Vouch(map[string]any{"auth_time": claim})
		b := r.browser(t)
		b.open(t, "/sign-in")
		if who := b.who(t); who.ID == "" || who.Recent(r.clock.Now(), time.Hour) {
			t.Errorf("%s: %+v", name, who)
		}
	}
}

func TestAFreshSignInMustBeFresh(t *testing.T) {
	r := newRig(t)
	b := r.browser(t)
	old := r.clock.Now().Add(-time.Hour).Truncate(time.Second)
	for name, claim := range map[string]any{"an old one": old.Unix(), "one without a time": nil} {
		r.Vouch(map[string]any{"auth_time": old.Unix()})
		if told := b.open(t, "/sign-in"); told != "" {
			t.Fatal(told)
		}
		before := b.session(t)
		r.Vouch(map[string]any{"auth_time": claim})
		if told := b.open(t, "/sign-in?anew=1"); !strings.HasPrefix(told, "recent-sign-in") {
			t.Errorf("%s passed as fresh: %q", name, told)
		}
		if who := b.who(t); b.session(t) != before || !who.SignedInAt.Equal(old) {
			t.Errorf("%s changed the session: %+v", name, who)
		}
	}
	r.Vouch(nil)
	if told := b.open(t, "/sign-in?anew=1"); told != "" || !b.who(t).Recent(r.clock.Now(), time.Minute) {
		t.Errorf("a fresh one: %q, %+v", told, b.who(t))
	}
}

func TestOnlyAListOfNamesGivesRoles(t *testing.T) {
	r := newRig(t)
	if _, err := r.store.Apply(t.Context(), access.Person{ID: "cli", Name: "cli"}, store.Bundle{Records: slices.Collect(catalog.New(catalog.Catalog{
		Settings:    catalog.Settings{Currency: "GBP"},
		Assignments: []catalog.Assignment{{Slug: "auditors", Name: "Auditors", Role: access.Auditor, Group: "auditors"}},
	}).Entries())}, store.Manner{}); err != nil {
		t.Fatal(err)
	}
	many := slices.Repeat([]string{"auditors"}, 201)
	for name, c := range map[string]struct {
		claim any
		roles int
	}{
		"a list": {[]string{"x", "auditors"}, 1}, "one name": {"auditors", 1}, "none": {nil, 0}, "an empty list": {[]string{}, 0},
		"an object": {map[string]any{"auditors": true}, 0}, "a number": {1, 0}, "a mixed list": {[]any{"auditors", 1}, 0},
		"201 names": {many, 0}, "a name too long": {[]string{"auditors", strings.Repeat("a", 201)}, 0}, "another case": {"Auditors", 0},
	} {
		r.Vouch(map[string]any{"groups": c.claim})
		b := r.browser(t)
		b.open(t, "/sign-in")
		if who := b.who(t); who.ID == "" || len(who.Roles) != c.roles {
			t.Errorf("%s: %+v", name, who)
		}
	}
}

func TestWhatTheProviderSaysIsShownWithoutControlCharacters(t *testing.T) {
	r := newRig(t)
	b := r.browser(t)
	there, err := url.Parse(b.to(t, "/sign-in"))
	if err != nil {
		t.Fatal(err)
	}
	said := url.Values{"state": {there.Query().Get("state")}, "error": {"access_denied"}, "error_description": {"no\x1b[31m" + strings.Repeat("x", 5000)}}
	told := b.open(t, signin.CallbackPath+"?"+said.Encode())
	if !strings.HasPrefix(told, "sign-in:") || strings.ContainsRune(told, 0x1b) || len(told) > 600 {
		t.Errorf("told %q", told)
	}
}

func TestSignInsAndSignOutsAreOnRecord(t *testing.T) {
	r := newRig(t)
	r.Vouch(map[string]any{"name": "Ines"})
	b := r.browser(t)
	b.open(t, "/sign-in")
	kept := b.session(t)
	there := b.to(t, "/leave")
	if !strings.HasPrefix(there, r.URL+"/leave?") || !strings.Contains(there, url.QueryEscape(r.site.URL+"/left")) {
		t.Errorf("sent to %q", there)
	}
	if who := b.who(t); who.ID != "" {
		t.Errorf("still signed in as %+v", who)
	}
	b.carry(t, kept)
	if who := b.who(t); who.ID != "" {
		t.Errorf("the session that was left still works: %+v", who)
	}
	lines, err := r.store.Record(t.Context(), store.Filter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, l := range lines {
		texts = append(texts, l.Text)
	}
	if want := []string{"Ines signed out.", "Ines signed in."}; !slices.Equal(texts, want) {
		t.Errorf("on record: %q", texts)
	}
}

func TestTheProviderMayBeAwayForWhoeverIsSignedIn(t *testing.T) {
	r := newRig(t)
	b := r.browser(t)
	b.open(t, "/sign-in")
	r.Close()
	if b.who(t).ID == "" {
		t.Error("signed out because the provider is away")
	}
	if b.to(t, "/leave"); b.who(t).ID != "" {
		t.Error("could not sign out while the provider was away")
	}
}

func TestAProviderThatComesLaterIsFound(t *testing.T) {
	r := newRig(t)
	r.Away(true)
	b := r.browser(t)
	for range 2 {
		if told := b.open(t, "/sign-in"); !strings.HasPrefix(told, "unavailable:") {
			t.Errorf("while it is away: %q", told)
		}
	}
	if b.session(t) != "" {
		t.Error("a session was kept for a sign-in that never began")
	}
	r.Away(false)
	if told := b.open(t, "/sign-in"); told != "" || b.who(t).ID == "" {
		t.Errorf("after it came: %q", told)
	}
}
