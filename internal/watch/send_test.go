package watch

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/notify"
	"keyholder/internal/store"
)

// room is a chat at a real HTTP endpoint.
type room struct {
	mu     sync.Mutex
	posts  []string
	closed bool
}

func (r *room) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || r.closed {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.posts = append(r.posts, string(body))
}

func (r *room) heard() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.posts, "\n")
}

func (r *room) close(closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = closed
}

// withRoom is a night with a chat besides the mail server.
func withRoom(t *testing.T) (*night, *room) {
	t.Helper()
	n, r := newNight(t), &room{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	address := strings.Replace(server.URL, "http://", "generic://", 1) + "/hook?disabletls=yes&template=json"
	n.Channels = notify.Services{Resolve: func(string) (string, error) { return address, nil }}
	channel := catalog.Channel{Slug: "ops-room", Name: "Ops room", Address: "env:OPS"}
	b := store.Bundle{Records: []catalog.Entry{{Ref: catalog.Ref{Kind: catalog.KindChannel, Slug: channel.Slug}, Record: channel}}}
	if _, err := n.Store.Apply(t.Context(), access.Person{ID: "cli", Name: "catalog apply"}, b, store.Manner{}); err != nil {
		t.Fatal(err)
	}
	return n, r
}

func TestSomebodyIsToldByTheChannelsThatTheyChoseInTheirOrder(t *testing.T) {
	n, room := withRoom(t)
	if err := n.Store.ChooseChannels(t.Context(), n.bea, []string{"ops-room", catalog.ByMail}); err != nil {
		t.Fatal(err)
	}
	n.turn(t)
	n.came(t)
	if said := room.heard(); !strings.Contains(said, "Decide: "+n.request.Code) || !strings.Contains(said, "/a/"+n.request.Code) {
		t.Errorf("the room heard %q", said)
	}
}

// TestWhatOneChannelDoesNotTakeGoesByTheNextAtOnce: and administrators are told that it fails, once for each time that it does.
func TestWhatOneChannelDoesNotTakeGoesByTheNextAtOnce(t *testing.T) {
	n, room := withRoom(t)
	n.someone(t, "olga", "administrators")
	room.close(true)
	if err := n.Store.ChooseChannels(t.Context(), n.bea, []string{"ops-room", catalog.ByMail}); err != nil {
		t.Fatal(err)
	}
	n.turn(t)
	n.came(t)
	n.turn(t)
	n.came(t, "bea@example.com Decide")
	for range 3 {
		n.clock.Add(failingFor)
		n.turn(t)
	}
	n.came(t, "bea@example.com Decide", "olga@example.com Ops room does not work")
	health, err := n.Store.ChannelHealth(t.Context())
	if err != nil || health["ops-room"].Failing == nil || health[catalog.ByMail].SentAt == nil {
		t.Errorf("%+v, %v", health, err)
	}
	room.close(false)
	if err := n.Store.TestChannel(t.Context(), n.bea, "ops-room", "Ops room", "it works"); err != nil {
		t.Fatal(err)
	}
	n.turn(t)
	if health, err := n.Store.ChannelHealth(t.Context()); err != nil || health["ops-room"].Failing != nil || !strings.Contains(room.heard(), "Test of Ops room") {
		t.Errorf("%+v, %v", health["ops-room"], err)
	}
}

func TestAChannelThatHangsHoldsUpNoOther(t *testing.T) {
	n, room := withRoom(t)
	n.Mail = hung{}
	ben := n.someone(t, "ben", "business-owners")
	if err := n.Store.ChooseChannels(t.Context(), ben, []string{"ops-room"}); err != nil {
		t.Fatal(err)
	}
	if err := n.tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := n.send(ctx); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for !strings.Contains(room.heard(), "For ben") && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if !strings.Contains(room.heard(), "For ben") {
		t.Errorf("the room heard %q while mail hangs", room.heard())
	}
	cancel()
	n.out.all.Wait()
}
