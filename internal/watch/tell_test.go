package watch

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/bundle"
	"keyholder/internal/connector"
	"keyholder/internal/connector/dnsc"
	"keyholder/internal/connector/httpc"
	"keyholder/internal/failover"
	"keyholder/internal/notify"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// night is a request that waits, with people who can be told of it by a real mail server.
type night struct {
	*Watch
	box       *testkit.Mailbox
	clock     *testkit.Clock
	ines, bea access.Principal
	request   failover.Request
}

func newNight(t *testing.T) *night {
	t.Helper()
	n := &night{box: testkit.NewMailbox(t), clock: testkit.NewClock(time.Date(2026, 3, 1, 2, 11, 0, 0, time.UTC))}
	by, err := notify.NewMail("smtp://"+n.box.Address, "keyholder@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	n.Watch = &Watch{Store: testkit.NewStore(t, n.clock.Now), Mail: by, PublicURL: "https://keyholder.example.com"}
	body, err := os.ReadFile("../bundle/testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	secrets := connector.NewSecrets(os.LookupEnv)
	b, err := bundle.Read([]bundle.File{{Name: "shop.yaml", Body: body}}, bundle.Context{Kinds: connector.All{Acts: connector.NewSet(httpc.New(secrets), dnsc.New(secrets))}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Store.Apply(t.Context(), access.Person{ID: "cli", Name: "catalog apply"}, b, store.Manner{}); err != nil {
		t.Fatal(err)
	}
	n.ines, n.bea = n.someone(t, "ines", "incident-commanders"), n.someone(t, "bea", "business-owners")
	n.someone(t, "ada", "auditors")
	n.request = n.file(t)
	return n
}

func (n *night) someone(t *testing.T, name, group string) access.Principal {
	t.Helper()
	id, err := n.Store.SignIn(t.Context(), store.Identity{
		Issuer: "i", Subject: name, Name: name, Email: name + "@example.com", Verified: true, Groups: []string{group}, SignedInAt: n.clock.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := n.Store.Principal(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (n *night) file(t *testing.T) failover.Request {
	t.Helper()
	terms, err := n.Store.TermsNow(t.Context(), failover.Terms{
		Plan: "move-checkout", From: "leeds", To: "dublin", Mode: failover.Emergency, Cause: failover.CauseSite, Ceiling: failover.Ceiling{Kind: failover.CeilingUnknown},
	}, n.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	situation, err := n.Store.Situation(t.Context(), terms, n.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.Store.FileRequest(t.Context(), n.ines, store.File{
		ID: store.NewID(), Incident: "IN-TEST", Terms: terms, Reason: "Leeds is dark", Impact: n.clock.Now(), Sheet: situation.Facts(""),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// turn is one turn of both duties.
func (n *night) turn(t *testing.T) {
	t.Helper()
	if err := n.tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.sends(t)
}

// sends sends what is due, and waits for it.
func (n *night) sends(t *testing.T) {
	t.Helper()
	if err := n.send(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.out.all.Wait()
	if err := n.out.trouble(); err != nil {
		t.Fatal(err)
	}
}

func (n *night) came(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, l := range n.box.Letters() {
		subject, _, _ := strings.Cut(l.Header.Get("Subject"), ":")
		got = append(got, l.To+" "+subject)
	}
	slices.Sort(got)
	slices.Sort(want)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("came:\n%s\nnot:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhoeverCanDecideIsToldOnceAndWhatBecameOfIt(t *testing.T) {
	n := newNight(t)
	n.turn(t)
	n.turn(t)
	n.came(t, "bea@example.com Decide")
	first := n.box.Letters()[0]
	if !strings.Contains(first.Text, "https://keyholder.example.com/a/"+n.request.Code) || !strings.Contains(first.Text, "Leeds is dark") {
		t.Errorf("the letter says %s", first.Text)
	}
	out, err := n.Store.Withdraw(t.Context(), store.Amend{ID: store.NewID(), Code: n.request.Code, By: n.ines})
	if err != nil || out.Refusal != nil {
		t.Fatalf("%v, %+v", err, out.Refusal)
	}
	n.turn(t)
	n.turn(t)
	n.came(t, "bea@example.com Decide", "ines@example.com "+n.request.Code+" is withdrawn", "bea@example.com "+n.request.Code+" is withdrawn")
}

func TestAMailServerThatFailsHoldsNothingUpAndIsTriedAgainAndShown(t *testing.T) {
	n := newNight(t)
	n.box.Full(true)
	n.turn(t)
	if failing, err := n.Store.MessagesFailing(t.Context()); err != nil || failing != 1 {
		t.Errorf("%d fail, %v", failing, err)
	}
	kept, err := n.Store.MessagesAbout(t.Context(), n.request.Code)
	if err != nil || len(kept) != 1 || kept[0].Attempts != 1 || !strings.Contains(kept[0].Failure, "the box is full") || kept[0].SentAt != nil {
		t.Fatalf("%+v, %v", kept, err)
	}
	n.turn(t) // too early for another attempt
	n.box.Full(false)
	n.clock.Add(6 * time.Second)
	n.turn(t)
	n.came(t, "bea@example.com Decide")
	if kept, err = n.Store.MessagesAbout(t.Context(), n.request.Code); err != nil || kept[0].SentAt == nil || kept[0].Attempts != 2 || kept[0].Failure != "" {
		t.Errorf("%+v, %v", kept, err)
	}
}

func TestWhatCannotBeSentForADayIsGivenUpAndSaidSo(t *testing.T) {
	n := newNight(t)
	n.box.Full(true)
	n.turn(t)
	n.clock.Add(25 * time.Hour)
	n.sends(t)
	kept, err := n.Store.MessagesAbout(t.Context(), n.request.Code)
	if err != nil || !kept[0].GivenUp {
		t.Errorf("%+v, %v", kept, err)
	}
	n.box.Full(false)
	n.clock.Add(time.Hour)
	n.sends(t)
	n.came(t)
}

// hung is a mail server that never answers.
type hung struct{}

func (hung) Send(ctx context.Context, _ notify.Letter) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAMailServerThatHangsLosesNothing(t *testing.T) {
	n := newNight(t)
	real := n.Mail
	n.Mail = hung{}
	if err := n.tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	stopped, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := n.send(stopped); err != nil {
		t.Errorf("who sends waits for a server that hangs: %v", err)
	}
	n.out.all.Wait()
	n.Mail = real
	n.turn(t)
	n.came(t, "bea@example.com Decide")
}

func TestNobodyIsToldWhereThereIsNoWay(t *testing.T) {
	n := newNight(t)
	n.Mail = nil
	n.turn(t)
	if kept, err := n.Store.MessagesAbout(t.Context(), n.request.Code); err != nil || len(kept) != 0 {
		t.Errorf("%+v, %v", kept, err)
	}
}

// TestWhoPassesARequestHasTheOthersToldAtOnce: once, and is not asked again themselves.
func TestWhoPassesARequestHasTheOthersToldAtOnce(t *testing.T) {
	n := newNight(t)
	n.someone(t, "hugo", "business-owners")
	n.turn(t)
	out, err := n.Store.Pass(t.Context(), store.Amend{ID: store.NewID(), Code: n.request.Code, By: n.bea})
	if err != nil || out.Refusal != nil {
		t.Fatalf("%v, %+v", err, out.Refusal)
	}
	n.turn(t)
	n.turn(t)
	n.came(t, "bea@example.com Decide", "hugo@example.com Decide", "hugo@example.com Somebody cannot decide, and you can")
}
