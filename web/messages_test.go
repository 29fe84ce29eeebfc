package web_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
)

// tell keeps messages to somebody, and tries to send the first by mail.
func (p *portal) tell(t *testing.T, to visitor, about string, failed error) {
	t.Helper()
	m := store.Message{About: about, Occasion: approval.Asked, To: access.Person{ID: to.ID, Name: to.Name}, Address: "bea@example.com", Subject: "Decide: " + about, Text: "t"}
	if err := p.Tell(p.ctx, []store.Message{m}); err != nil {
		t.Fatal(err)
	}
	p.attempt(t, catalog.ByMail, failed)
}

// attempt notes what came of sending the next message that is due.
func (p *portal) attempt(t *testing.T, via string, failed error) store.Message {
	t.Helper()
	due, err := p.MessagesDue(p.ctx, 1)
	if err != nil || len(due) != 1 {
		t.Fatalf("%+v, %v", due, err)
	}
	if err := p.Sent(p.ctx, due[0], store.Delivery{Via: via, Name: "Mail", Last: true, Failed: failed}); err != nil {
		t.Fatal(err)
	}
	return due[0]
}

func TestAChannelThatFailsIsShownUntilItWorks(t *testing.T) {
	p := newPortal(t)
	ines, bea := p.someone(t, "Ines", "incident-commanders"), p.someone(t, "Bea", "business-owners")
	r := p.requested(t, ines)
	ines.get(t, "/messages").want(t, 200).says(t, "channels", "Mail never used")
	p.tell(t, bea, r.Code, errors.New("the box is full"))
	page := ines.get(t, "/messages?unsent=yes")
	page.says(t, "channels", "1 attempt: the box is full")
	page.says(t, "messages", "Mail: the box is full")
	if link := page.Find("[data-message] a").AttrOr("href", ""); link != "/a/"+r.Code {
		t.Errorf("it leads to %q", link)
	}
	p.clock.Add(time.Minute)
	p.attempt(t, catalog.ByMail, nil)
	after := ines.get(t, "/messages")
	after.says(t, "channels", "Mail works")
	after.says(t, "messages", "by Mail at")
	ines.get(t, "/messages?unsent=yes").says(t, "empty", "Everything has gone out")
	for _, action := range []string{"channel.fails", "channel.works"} {
		if lines, err := p.Record(p.ctx, store.Filter{Action: action, Limit: 5}); err != nil || len(lines) != 1 {
			t.Errorf("%s stands on record %d times, %v", action, len(lines), err)
		}
	}
}

func TestMessagesAreReadAPageAtATime(t *testing.T) {
	p := newPortal(t)
	ines := p.someone(t, "Ines", "incident-commanders")
	var all []store.Message
	for n := range 60 {
		all = append(all, store.Message{About: "FO-1", Occasion: approval.Reminded, Nth: n, To: ines.Person(), Address: "i@example.com", Subject: "s", Text: "t"})
	}
	if err := p.Tell(p.ctx, all); err != nil {
		t.Fatal(err)
	}
	first := ines.get(t, "/messages")
	older := first.Find("a").FilterFunction(func(_ int, s *selection) bool { return squeezed(s) == "Older messages" }).AttrOr("href", "")
	second := ines.get(t, older)
	seen := map[string]bool{}
	for _, page := range []page{first, second} {
		page.Find("[data-message]").Each(func(_ int, s *selection) { seen[s.AttrOr("data-message", "")] = true })
	}
	if len(seen) != 60 {
		t.Errorf("%d of 60 are shown, by %q", len(seen), older)
	}
}

func TestSomebodyChoosesHowTheyAreToldAndWhatIsWrongLosesNothing(t *testing.T) {
	p := newPortal(t)
	bea := p.someone(t, "Bea", "business-owners")
	const order = "Be told in this order"
	page := bea.get(t, "/me").want(t, 200)
	twice := bea.submit(t, page, order, url.Values{"first": {"operations-room"}, "second": {"operations-room"}}).want(t, 422)
	if got := twice.wrong("second"); !strings.Contains(got, "already") {
		t.Errorf("at the second place: %q", got)
	}
	if got := twice.Find("#first option[selected]").AttrOr("value", ""); got != "operations-room" {
		t.Errorf("the first choice is lost: %q", got)
	}
	bea.submit(t, page, order, url.Values{"first": {"pigeon"}}).want(t, 422)
	bea.submit(t, page, order, url.Values{"first": {"operations-room"}, "second": {"mail"}}).want(t, 303)
	if chosen, err := p.ChosenChannels(p.ctx, bea.ID); err != nil || strings.Join(chosen, " ") != "operations-room mail" {
		t.Errorf("%q, %v", chosen, err)
	}
	bea.get(t, "/me").says(t, "flash", "by Operations room, then by Mail")
	if lines, err := p.Record(p.ctx, store.Filter{Action: "channels.choose", Limit: 5}); err != nil || len(lines) != 1 {
		t.Errorf("%d lines of the record, %v", len(lines), err)
	}
}

func TestATestGoesByTheChannelThatIsTestedAndOnceAMinute(t *testing.T) {
	p := newPortal(t)
	bea := p.someone(t, "Bea", "business-owners")
	page := bea.get(t, "/messages")
	const button = "Send yourself a test by Operations room"
	bea.submit(t, page, button, nil).want(t, 303)
	bea.submit(t, page, button, nil).want(t, 303) // pressed twice
	due, err := p.MessagesDue(p.ctx, 10)
	if err != nil || len(due) != 1 {
		t.Fatalf("%+v, %v", due, err)
	}
	if via, only := due[0].OnlyVia(); via != "operations-room" || !only || due[0].To.ID != bea.ID {
		t.Errorf("it goes by %q to %s", via, due[0].To.Name)
	}
	bea.post(t, "/messages/test", url.Values{"channel": {"pigeon"}}).want(t, 404)
}
