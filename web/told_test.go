package web_test

import (
	"errors"
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
)

func TestARequestSaysWhoWasToldWhenAndWhatHasNotGoneOut(t *testing.T) {
	p := newPortal(t)
	ines, bea := p.someone(t, "Ines", "incident-commanders"), p.someone(t, "Bea", "business-owners")
	r := p.requested(t, ines)
	message := func(o approval.Occasion) store.Message {
		return store.Message{About: r.Code, Occasion: o, To: access.Person{ID: bea.ID, Name: bea.Name}, Address: "bea@example.com", Subject: "s", Text: "t"}
	}
	if err := p.Tell(p.ctx, []store.Message{message(approval.Asked), message(approval.Asked)}); err != nil {
		t.Fatal(err)
	}
	due, err := p.MessagesDue(p.ctx, 10)
	if err != nil || len(due) != 1 {
		t.Fatalf("%+v, %v", due, err)
	}
	ines.get(t, "/a/"+r.Code).says(t, "told", "Bea, asked")
	if err := p.Sent(p.ctx, due[0], store.Delivery{Via: catalog.ByMail, Name: "Mail", Last: true, Failed: errors.New("the box is full")}); err != nil {
		t.Fatal(err)
	}
	ines.get(t, "/a/"+r.Code).says(t, "told", "has not gone out after 1 attempt. Mail: the box is full")
	due[0].Attempts = 1
	if err := p.Sent(p.ctx, due[0], store.Delivery{Via: catalog.ByMail, Name: "Mail"}); err != nil {
		t.Fatal(err)
	}
	ines.get(t, "/a/"+r.Code).says(t, "told", "sent by Mail")
}
