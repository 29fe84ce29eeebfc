package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/store"
)

// announcing has customers and the call centre told by one channel, outlets by another.
func announcing(r *catalog.DegradedModeRule) {
	scoped(r)
	r.Message, r.MessageChannel = "Your points come later.", "shop-front"
	r.OutletMessage, r.OutletChannel = "Enter no points by hand.", "stores"
	r.CallCentreMessage, r.CallCentreChannel = "Promise nothing else.", "shop-front"
	r.AllClear = "All is as before."
}

// posts are what is posted for all about a mode, in words.
func (w degradable) posts(t *testing.T, m degrade.Mode) (all []string) {
	t.Helper()
	messages, err := w.MessagesAbout(w.ctx, m.Code)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range messages {
		if one.Public() {
			all = append(all, fmt.Sprintf("%s %s by %s: %s", one.To.Name, one.Occasion, one.Address, one.Text))
		}
	}
	slices.Sort(all)
	return all
}

// due is what is to be posted by a channel on an occasion.
func (w degradable) due(t *testing.T, channel string, o approval.Occasion) []store.Message {
	t.Helper()
	due, err := w.MessagesDue(w.ctx, 50)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(due, func(m store.Message) bool { return m.Address != channel || m.Occasion != o })
}

// posted has what is due by a channel posted, or not.
func (w degradable) posted(t *testing.T, channel string, failed error, messages ...store.Message) {
	t.Helper()
	for _, m := range messages {
		if err := w.Sent(w.ctx, m, store.Delivery{Via: channel, Name: channel, Last: true, Failed: failed}); err != nil {
			t.Fatal(err)
		}
	}
}

func (w degradable) off(t *testing.T, m degrade.Mode) {
	t.Helper()
	if err := w.commands(t, m, w.ines, store.EndMode, "").Err(); err != nil {
		t.Fatal(err)
	}
	w.does(t, m, degrade.DoSwitchOff)
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("posted is\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var (
	toCallCentre = "Call centre announced by shop-front: Promise nothing else."
	toCustomers  = "Customers announced by shop-front: Your points come later."
	toOutlets    = "Outlets announced by stores: Enter no points by hand."
)

func TestPeopleOutsideAreToldOnceItIsReadBackAndOnceItIsOverWhereTheyWereTold(t *testing.T) {
	eachDegradable(t, announcing, func(t *testing.T, w degradable) {
		m := w.asks(t, w.ines)
		if err := w.votes(t, m, w.bea, approval.Approve).Err(); err != nil {
			t.Fatal(err)
		}
		a, err := w.BeginMode(w.ctx, m.Code, degrade.DoSwitchOn)
		if err != nil {
			t.Fatal(err)
		}
		want(t, w.posts(t, m))
		for range 2 { // the second time it is told that it is on already
			if _, err := w.ModeDone(w.ctx, a, "it is on", nil); err != nil {
				t.Fatal(err)
			}
		}
		want(t, w.posts(t, m), toCallCentre, toCustomers, toOutlets)
		w.posted(t, "shop-front", nil, w.due(t, "shop-front", approval.Announced)...)
		w.posted(t, "stores", errors.New("it is away"), w.due(t, "stores", approval.Announced)...)
		w.off(t, m)
		want(t, w.posts(t, m), toCallCentre, toCustomers, "Customers, Call centre all-clear by shop-front: All is as before.", toOutlets)
		w.clock.add(store.LongestRetry)
		if due := w.due(t, "stores", approval.Announced); len(due) > 0 {
			t.Errorf("what is over is still to be announced: %+v", due)
		}
		w.posted(t, "shop-front", nil, w.due(t, "shop-front", approval.AllClear)...)
		if due := w.due(t, "shop-front", approval.AllClear); len(due) > 0 {
			t.Errorf("the all-clear is posted again: %+v", due)
		}
	})
}

func TestWhatGoesOutWhileItIsSwitchedOffIsFollowedByTheAllClear(t *testing.T) {
	eachDegradable(t, announcing, func(t *testing.T, w degradable) {
		m := w.switchedOn(t, w.asks(t, w.ines))
		under := w.due(t, "stores", approval.Announced)
		w.off(t, m)
		want(t, w.posts(t, m), toCallCentre, toCustomers, toOutlets)
		w.posted(t, "stores", nil, under...)
		want(t, w.posts(t, m), toCallCentre, toCustomers, "Outlets all-clear by stores: All is as before.", toOutlets)
	})
}

func TestThatItIsOnAndThatPeopleOutsideAreToldIsOneTransaction(t *testing.T) {
	eachDegradable(t, announcing, func(t *testing.T, w degradable) {
		m := w.asks(t, w.ines)
		if err := w.votes(t, m, w.bea, approval.Approve).Err(); err != nil {
			t.Fatal(err)
		}
		a, err := w.BeginMode(w.ctx, m.Code, degrade.DoSwitchOn)
		if err != nil {
			t.Fatal(err)
		}
		show, err := w.HideMessages(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.ModeDone(w.ctx, a, "it is on", nil); err == nil {
			t.Error("it is on, though nobody can be told")
		}
		if m, err = w.Mode(w.ctx, m.Code); err != nil || m.Phase != degrade.SwitchingOn {
			t.Errorf("it is %s, %v", m.Phase, err)
		}
		if err := show(); err != nil {
			t.Fatal(err)
		}
		if m, err = w.ModeDone(w.ctx, a, "it is on", nil); err != nil || m.Phase != degrade.On {
			t.Errorf("it is %s, %v", m.Phase, err)
		}
		want(t, w.posts(t, m), toCallCentre, toCustomers, toOutlets)
	})
}

func TestNobodyOutsideHearsOfADrillNorOfWhatWasNeverOn(t *testing.T) {
	eachDegradable(t, announcing, func(t *testing.T, w degradable) {
		drill, err := w.FileMode(w.ctx, w.ines, store.ModeFile{ID: store.NewID(), Rule: "points-later", Drill: true})
		if err != nil {
			t.Fatal(err)
		}
		drill = w.switchedOn(t, drill)
		w.off(t, drill)
		want(t, w.posts(t, drill))
		m := w.asks(t, w.ines)
		if err := w.votes(t, m, w.bea, approval.Approve).Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.BeginMode(w.ctx, m.Code, degrade.DoSwitchOn); err != nil {
			t.Fatal(err)
		}
		w.off(t, m)
		want(t, w.posts(t, m))
	})
}
