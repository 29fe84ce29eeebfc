package notify_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"keyholder/internal/notify"
	"keyholder/internal/testkit"
)

func letter() notify.Letter {
	return notify.Letter{
		ID: "0001", Name: "Béa \"the owner\" Holt", Address: "bea@example.com", Subject: "Decide: FO-7Q4M, move Café", Text: "Open https://keyholder.example.com/a/FO-7Q4M\n",
		At: time.Date(2026, 11, 23, 2, 11, 0, 0, time.UTC),
	}
}

func TestALetterReachesItsReceiverByARealServer(t *testing.T) {
	box := testkit.NewMailbox(t)
	m, err := notify.NewMail("smtp://"+box.Address, "keyholder@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	letters := box.Letters()
	if len(letters) != 1 {
		t.Fatalf("%d letters came", len(letters))
	}
	got := letters[0]
	if got.To != "bea@example.com" || got.Header.Get("Auto-Submitted") != "auto-generated" || !strings.Contains(got.Header.Get("Message-Id"), "0001@") ||
		!strings.Contains(got.Text, "/a/FO-7Q4M") {
		t.Errorf("to %s: %v\n%s", got.To, got.Header, got.Text)
	}
}

func TestAServerThatRefusesOrIsAwayIsSaid(t *testing.T) {
	box := testkit.NewMailbox(t)
	box.Full(true)
	full, err := notify.NewMail("smtp://"+box.Address, "keyholder@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := full.Send(t.Context(), letter()); err == nil || !strings.Contains(err.Error(), "the box is full") {
		t.Errorf("refused: %v", err)
	}
	away, err := notify.NewMail("smtp://127.0.0.1:1", "keyholder@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := away.Send(t.Context(), letter()); err == nil {
		t.Error("a server that is away took a letter")
	}
	late, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if err := full.Send(late, letter()); err == nil {
		t.Error("a letter was sent without time")
	}
}

func TestAnAddressOfALetterCannotBecomeAnother(t *testing.T) {
	box := testkit.NewMailbox(t)
	m, err := notify.NewMail("smtp://"+box.Address, "keyholder@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, hostile := range []string{"bea@example.com\r\nBcc: eve@example.com", "bea@example.com, eve@example.com", "", "bea"} {
		l := letter()
		l.Address = hostile
		if err := m.Send(t.Context(), l); err == nil {
			t.Errorf("%q was sent to", hostile)
		}
	}
	l := letter()
	l.Subject, l.Name = "Decide\r\nBcc: eve@example.com", "Bea\r\nBcc: eve@example.com"
	if err := m.Send(t.Context(), l); err == nil {
		for _, one := range box.Letters() {
			if one.Header.Get("Bcc") != "" || one.To != "bea@example.com" {
				t.Errorf("the letter has another receiver: %+v", one)
			}
		}
	}
}

func TestAMailServerIsNamedWithoutItsPassword(t *testing.T) {
	for _, wrong := range []string{"", "mail.example.com", "http://mail.example.com", "smtp://user:secret@mail.example.com"} {
		if _, err := notify.NewMail(wrong, "keyholder@example.com", nil); err == nil || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if _, err := notify.NewMail("smtp://mail.example.com", "nobody", nil); err == nil {
		t.Error("a sender without an address was taken")
	}
}
