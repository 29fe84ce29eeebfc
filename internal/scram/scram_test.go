package scram

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
)

// The password and salt of RFC 7677, in the form that PostgreSQL keeps; worked out by another implementation.
func TestVerifierVector(t *testing.T) {
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Verifier("pencil", salt, 4096)
	want := "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
	if err != nil || got != want || !IsVerifier(got) {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestAWeakOrUnclearVerifierIsNotMade(t *testing.T) {
	salt := []byte("0123456789abcdef")
	for name, f := range map[string]func() (string, error){
		"empty":   func() (string, error) { return Verifier("", salt, 4096) },
		"accents": func() (string, error) { return Verifier("pässword", salt, 4096) },
		"control": func() (string, error) { return Verifier("a\x00b", salt, 4096) },
		"no salt": func() (string, error) { return Verifier("pencil", nil, 4096) },
		"cheap":   func() (string, error) { return Verifier("pencil", salt, 1) },
	} {
		if got, err := f(); err == nil || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestWhatIsNoVerifierIsTold(t *testing.T) {
	good, err := NewVerifier(NewPassword())
	if err != nil || !IsVerifier(good) {
		t.Fatalf("%q, %v", good, err)
	}
	for _, bad := range []string{
		"", "pencil", "SCRAM-SHA-256$", good + "\n", " " + good, good + "'", strings.Replace(good, "4096", "1", 1), strings.Replace(good, "4096", "1024", 1),
		strings.Replace(good, "SCRAM", "scram", 1), good[:len(good)-1], strings.Replace(good, "4096:", "4096:=", 1), "md5" + strings.Repeat("a", 32),
	} {
		if IsVerifier(bad) {
			t.Errorf("%q is taken for a verifier", bad)
		}
	}
}

func TestPasswordsAreLongPlainAndNeverTheSame(t *testing.T) {
	form := regexp.MustCompile(`^([abcdefghijkmnpqrstuvwxyz23456789]{4}-){5}[abcdefghijkmnpqrstuvwxyz23456789]{4}$`)
	seen := map[string]bool{}
	for range 1000 {
		p := NewPassword()
		if !form.MatchString(p) || seen[p] {
			t.Fatalf("%q", p)
		}
		seen[p] = true
	}
	if len(alphabet) != 32 {
		t.Errorf("%d letters: not each is as likely as another", len(alphabet))
	}
}
