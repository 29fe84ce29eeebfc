package watch

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/notify"
	"keyholder/internal/store"
)

// announced is a night with a chat that customers read and one that outlets read.
func announced(t *testing.T) (n *night, m degrade.Mode, front, stores *room) {
	t.Helper()
	channel := func(slug, name, address string) catalog.Entry {
		return catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindChannel, Slug: slug}, Record: catalog.Channel{Slug: slug, Name: name, Address: address}}
	}
	n, _, m = runningBy(t, func(r *catalog.DegradedModeRule) {
		r.MessageChannel, r.OutletMessage, r.OutletChannel, r.AllClear = "shop-front", "Enter no points by hand.", "stores", "All is as before."
		r.CallCentreMessage = "Promise nothing else."
	}, channel("shop-front", "Shop front", "env:FRONT"), channel("stores", "Stores", "env:STORES"))
	front, stores = &room{}, &room{}
	addresses := map[string]string{"env:FRONT": hook(t, front), "env:STORES": hook(t, stores)}
	n.Channels = notify.Services{Resolve: func(reference string) (string, error) { return addresses[reference], nil }}
	return n, m, front, stores
}

// hook is the address of a room.
func hook(t *testing.T, r *room) string {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http://", "generic://", 1) + "/hook?disabletls=yes&template=json"
}

// said is what was posted for all in a room; people are told there too.
func (r *room) said(t *testing.T) []string {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	ids := map[string]bool{}
	for _, post := range r.posts {
		var body struct{ Message, ID string }
		if err := json.Unmarshal([]byte(post), &body); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(body.Message, "\n\nFor ") {
			continue
		}
		if body.ID == "" || ids[body.ID] {
			t.Errorf("a program cannot tell whether it had this: %s", post)
		}
		ids[body.ID] = true
		all = append(all, body.Message)
	}
	return all
}

// longestWait is how long a channel that fails is left in peace at most.
const longestWait = 10 * time.Minute

func hears(t *testing.T, who string, r *room, want ...string) {
	t.Helper()
	if got := r.said(t); strings.Join(got, " | ") != strings.Join(want, " | ") {
		t.Errorf("%s hear %q, not %q", who, got, want)
	}
}

func TestCustomersAndOutletsAreToldOnceEachOnTheirChannelAndOnceThatItIsOver(t *testing.T) {
	n, m, front, stores := announced(t)
	n.turn(t)
	hears(t, "customers, before it is on,", front)
	n.switchedOn(t, m)
	for range 3 {
		n.turn(t)
		n.clock.Add(sendPatience)
	}
	hears(t, "customers", front, "Your points come later.")
	hears(t, "outlets", stores, "Enter no points by hand.")
	all, err := n.Store.MessagesAbout(t.Context(), m.Code)
	if err != nil {
		t.Fatal(err)
	}
	var letters strings.Builder
	for _, one := range all {
		letters.WriteString(one.Text)
	}
	for _, want := range []string{"Posted for customers by Shop front: Your points come later.", "Tell the call centre: Promise nothing else."} {
		if !strings.Contains(letters.String(), want) {
			t.Errorf("those in command are not told %q", want)
		}
	}
	n.switchedOff(t, m)
	for range 3 {
		n.turn(t)
		n.clock.Add(sendPatience)
	}
	hears(t, "customers", front, "Your points come later.", "All is as before.")
	hears(t, "outlets", stores, "Enter no points by hand.", "All is as before.")
}

// TestAChannelForCustomersThatFailsIsTriedAgainAndAdministratorsAreTold: and it goes by no other channel meanwhile.
func TestAChannelForCustomersThatFailsIsTriedAgainAndAdministratorsAreTold(t *testing.T) {
	n, m, front, stores := announced(t)
	olga := n.someone(t, "olga", "administrators")
	front.close(true)
	n.switchedOn(t, m)
	for range 4 {
		n.turn(t)
		n.clock.Add(failingFor)
	}
	hears(t, "customers", front)
	hears(t, "outlets", stores, "Enter no points by hand.")
	if health, err := n.Store.ChannelHealth(t.Context()); err != nil || health["shop-front"].Failing == nil {
		t.Errorf("%+v, %v", health["shop-front"], err)
	}
	told := 0
	for _, l := range n.box.Letters() {
		if l.To == olga.Mail && strings.Contains(l.Header.Get("Subject"), "Shop front does not work") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("an administrator is told %d times", told)
	}
	front.close(false)
	n.clock.Add(longestWait)
	n.turn(t)
	hears(t, "customers", front, "Your points come later.")
	n.switchedOff(t, m)
	n.turn(t)
	hears(t, "customers", front, "Your points come later.", "All is as before.")
}

func TestWhatIsOverBeforeItCouldBePostedIsNotPosted(t *testing.T) {
	n, m, front, stores := announced(t)
	front.close(true)
	n.switchedOn(t, m)
	n.turn(t)
	n.switchedOff(t, m)
	front.close(false)
	n.clock.Add(longestWait)
	n.turn(t)
	hears(t, "customers", front)
	hears(t, "outlets", stores, "Enter no points by hand.", "All is as before.")
}

// TestWhatWasPostedAsTheWorkerStoppedIsPostedUnderTheSameID: nothing is forgotten, and a program can tell.
func TestWhatWasPostedAsTheWorkerStoppedIsPostedUnderTheSameID(t *testing.T) {
	n, m, front, _ := announced(t)
	n.switchedOn(t, m)
	due, err := n.Store.MessagesDue(t.Context(), 50)
	if err != nil {
		t.Fatal(err)
	}
	version, err := n.Store.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range due {
		if one.Address == "shop-front" {
			stopping, stop := context.WithCancel(t.Context())
			n.Channels = stops{n.Channels, stop}
			if err := n.deliver(stopping, version.Catalog, one, store.Delivery{Via: "shop-front", Last: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
	n.turn(t)
	front.mu.Lock()
	defer front.mu.Unlock()
	var posts []string
	for _, post := range front.posts {
		if strings.Contains(post, "Your points come later.") && strings.Contains(post, `"id"`) {
			posts = append(posts, post)
		}
	}
	if len(posts) != 2 || posts[0] != posts[1] {
		t.Errorf("posted %q", posts)
	}
}

// stops is a poster after whose post the worker is killed.
type stops struct {
	Poster
	stop context.CancelFunc
}

func (s stops) Post(ctx context.Context, reference string, l notify.Letter) error {
	defer s.stop()
	return s.Poster.Post(ctx, reference, l)
}

// TestAChannelThatIsRetiredIsSaidToFail: a mode goes by its rule as it was approved.
func TestAChannelThatIsRetiredIsSaidToFail(t *testing.T) {
	n, m, front, _ := announced(t)
	n.switchedOn(t, m)
	due, err := n.Store.MessagesDue(t.Context(), 50)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range due {
		if one.Address != "shop-front" {
			continue
		}
		if err := n.deliver(t.Context(), catalog.Catalog{}, one, store.Delivery{Via: "shop-front", Last: true}); err != nil {
			t.Fatal(err)
		}
	}
	hears(t, "customers", front)
	if health, err := n.Store.ChannelHealth(t.Context()); err != nil || !strings.Contains(health["shop-front"].Failure, "no such channel") {
		t.Errorf("%+v, %v", health["shop-front"], err)
	}
}
