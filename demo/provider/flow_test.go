package provider

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
)

func TestEveryPersonSignsInWithTheirGroups(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	for _, person := range People() {
		t.Run(person.Username, func(t *testing.T) {
			b, side := newBrowser(t, c), newPortalSide(t, c)
			before := time.Now().Unix()
			got, _ := side.redeem(b.choose(b.get(side.signInURL()), person.Username))
			want := claims{
				Subject: person.Subject(), Name: person.Name, Email: person.Email(), Username: person.Username,
				Groups: &person.Groups, AuthTime: got.AuthTime,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
			if got.AuthTime < before || got.AuthTime > time.Now().Unix() {
				t.Errorf("auth_time = %d, signed in between %d and now", got.AuthTime, before)
			}
		})
	}
}

func TestUserinfoSaysWhatTheTokenSays(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	answer := b.choose(b.get(side.signInURL()), "ines")
	token, err := side.oauth.Exchange(t.Context(), answer.sentTo.Query().Get("code"), oauth2.VerifierOption(side.pkce))
	if err != nil {
		t.Fatal(err)
	}
	info, err := side.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	if err != nil {
		t.Fatal(err)
	}
	var got claims
	if err := info.Claims(&got); err != nil {
		t.Fatal(err)
	}
	if got.Subject != "demo-ines" || got.Groups == nil || (*got.Groups)[0] != "incident-commanders" {
		t.Errorf("userinfo = %+v", got)
	}
}

func TestWrongVerifierIsRefusedAndSpendsTheCode(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	code := b.choose(b.get(side.signInURL()), "ines").sentTo.Query().Get("code")
	_, err := side.oauth.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier()))
	if err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("wrong verifier: %v", err)
	}
	if _, err := side.oauth.Exchange(t.Context(), code, oauth2.VerifierOption(side.pkce)); err == nil {
		t.Error("a code could be tried twice")
	}
}

func TestCodeIsGoodOnce(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	answer := b.choose(b.get(side.signInURL()), "ines")
	side.redeem(answer)
	_, err := side.oauth.Exchange(t.Context(), answer.sentTo.Query().Get("code"), oauth2.VerifierOption(side.pkce))
	if err == nil {
		t.Error("a code was redeemed twice")
	}
}

func TestWithoutPKCENothing(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	for name, address := range map[string]string{
		"none":  side.oauth.AuthCodeURL("s"),
		"plain": side.oauth.AuthCodeURL("s", oauth2.SetAuthURLParam("code_challenge", strings.Repeat("a", 43))),
	} {
		if got := b.get(address); got.sentTo == nil || got.sentTo.Query().Get("error") != "invalid_request" {
			t.Errorf("%s: status %d, sent to %v", name, got.status, got.sentTo)
		}
	}
}

func TestWrongSecretIsRefused(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	side.oauth.ClientSecret = "guess"
	code := b.choose(b.get(side.signInURL()), "ines").sentTo.Query().Get("code")
	if _, err := side.oauth.Exchange(t.Context(), code, oauth2.VerifierOption(side.pkce)); err == nil {
		t.Error("a wrong secret was accepted")
	}
}

func TestForeignRedirectIsRefusedOnThePage(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	side.oauth.RedirectURL = "http://evil.example/callback"
	if got := b.get(side.signInURL()); got.sentTo != nil || got.status != http.StatusBadRequest {
		t.Errorf("status %d, sent to %v", got.status, got.sentTo)
	}
}

func TestSecondSignInPassesSilently(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	first, _ := side.redeem(b.choose(b.get(side.signInURL()), "bea"))
	second, _ := side.redeem(b.get(side.signInURL()))
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("claims changed (-first +second):\n%s", diff)
	}
}

func TestFreshSignInMovesAuthTime(t *testing.T) {
	for name, option := range map[string]oauth2.AuthCodeOption{
		"prompt=login": oauth2.SetAuthURLParam("prompt", "login"),
		"max_age=0":    oauth2.SetAuthURLParam("max_age", "0"),
		"max_age=1":    oauth2.SetAuthURLParam("max_age", "1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(t)
			start(t, c)
			b, side := newBrowser(t, c), newPortalSide(t, c)
			first, _ := side.redeem(b.choose(b.get(side.signInURL()), "ines"))
			waitForNextSecond(t, first.AuthTime+1)
			asked := b.get(side.signInURL(option))
			if !asked.isLogin() {
				t.Fatal("was not asked again")
			}
			if got := asked.Find("button").First().AttrOr("value", ""); got != "ines" {
				t.Errorf("first button is %q, want the person who is signed in", got)
			}
			second, _ := side.redeem(b.choose(asked, "ines"))
			if second.AuthTime <= first.AuthTime {
				t.Errorf("auth_time stayed at %d", second.AuthTime)
			}
		})
	}
}

func waitForNextSecond(t *testing.T, after int64) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Unix() <= after; {
		if time.Now().After(deadline) {
			t.Fatal("the clock stands still")
		}
		<-time.After(20 * time.Millisecond)
	}
}

func TestYoungSignInSatisfiesMaxAge(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	first, _ := side.redeem(b.choose(b.get(side.signInURL()), "ines"))
	second, _ := side.redeem(b.get(side.signInURL(oauth2.SetAuthURLParam("max_age", "300"))))
	if first.AuthTime != second.AuthTime {
		t.Errorf("auth_time moved from %d to %d without a sign-in", first.AuthTime, second.AuthTime)
	}
}

func TestPromptNoneNeverAsks(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	got := b.get(side.signInURL(oauth2.SetAuthURLParam("prompt", "none")))
	if got.sentTo == nil || !strings.HasSuffix(got.sentTo.Query().Get("error"), "_required") {
		t.Errorf("status %d, sent to %v", got.status, got.sentTo)
	}
}

func TestSignOutEndsTheSession(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	_, idToken := side.redeem(b.choose(b.get(side.signInURL()), "ines"))
	q := url.Values{"id_token_hint": {idToken}, "post_logout_redirect_uri": {leftAt}, "state": {"bye"}}
	got := b.get(c.Issuer + "/end_session?" + q.Encode())
	if got.sentTo == nil || got.sentTo.String() != leftAt+"?state=bye" {
		t.Errorf("sent to %v", got.sentTo)
	}
	if !b.get(side.signInURL()).isLogin() {
		t.Error("still signed in at the provider")
	}
}

func TestSignOutWithoutAHintEndsOnAPage(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	side.redeem(b.choose(b.get(side.signInURL()), "ines"))
	if got := b.get(c.Issuer + "/end_session"); got.status != http.StatusOK || !strings.Contains(got.Text(), "signed out") {
		t.Errorf("status %d: %s", got.status, got.Text())
	}
	if !b.get(side.signInURL()).isLogin() {
		t.Error("still signed in at the provider")
	}
}

func TestSignOutSendsNobodyElsewhere(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	_, idToken := side.redeem(b.choose(b.get(side.signInURL()), "ines"))
	q := url.Values{"id_token_hint": {idToken}, "post_logout_redirect_uri": {"http://evil.example/"}}
	if got := b.get(c.Issuer + "/end_session?" + q.Encode()); got.sentTo != nil || got.status != http.StatusBadRequest {
		t.Errorf("status %d, sent to %v", got.status, got.sentTo)
	}
}

func TestRestartKeepsKeysAndSessions(t *testing.T) {
	c := testConfig(t)
	stop := start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	first, idToken := side.redeem(b.choose(b.get(side.signInURL()), "ines"))
	underWay := b.get(side.signInURL(oauth2.SetAuthURLParam("prompt", "login")))
	stop()
	start(t, c)

	after := newPortalSide(t, c) // fetches the keys anew
	if _, err := after.verifier.Verify(t.Context(), idToken); err != nil {
		t.Errorf("a token from before the restart: %v", err)
	}
	again, _ := after.redeem(b.get(after.signInURL()))
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("session changed (-before +after):\n%s", diff)
	}
	lapsed := b.choose(underWay, "ines")
	if lapsed.status != http.StatusBadRequest || lapsed.Find(`a[href="`+portal+`/"]`).Length() != 1 {
		t.Errorf("sign-in over the restart: status %d, %s", lapsed.status, lapsed.Text())
	}
	if got := b.get(c.Issuer + "/authorize/callback?id=gone"); got.Find(".go").Length() != 1 {
		t.Errorf("callback over the restart: status %d, %s", got.status, got.Text())
	}
}

func TestFilesAreForTheOwnerAlone(t *testing.T) {
	c := testConfig(t)
	start(t, c)
	b, side := newBrowser(t, c), newPortalSide(t, c)
	side.redeem(b.choose(b.get(side.signInURL()), "ines"))
	files, err := filepath.Glob(filepath.Join(c.Dir, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("files = %v, %v", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file, info.Mode())
		}
	}
}
