package store_test

import (
	"strings"
	"testing"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// TestWhatAStandingOrderApprovedDoesNotStartOnceItIsTooLate: the worker was killed between the request and the run, and people are
// asked instead.
func TestWhatAStandingOrderApprovedDoesNotStartOnceItIsTooLate(t *testing.T) {
	for why, later := range map[string]func(*testing.T, ordered){
		"not seen any more": func(t *testing.T, w ordered) { w.clock.add(4 * time.Hour); w.good(t) },
		"is not seen any":   func(_ *testing.T, w ordered) { w.clock.add(4 * time.Minute) }, // the watch has not looked yet
		"good in between": func(t *testing.T, w ordered) {
			w.good(t)
			w.clock.add(time.Minute)
			w.bad(t)
		},
		"nobody was there to start it": func(t *testing.T, w ordered) { w.passes(t, 6*time.Minute) },
		"trading":                      func(t *testing.T, w ordered) { w.passes(t, 2*time.Minute) },
		"says: It is compromised":      func(t *testing.T, w ordered) { w.incident(t, failover.CauseCompromise) },
	} {
		t.Run(why, func(t *testing.T) {
			eachOrdered(t, func(t *testing.T, w ordered) {
				if why == "trading" {
					o := collapse(t, w.world)
					o.Forbidden = []catalog.Window{{Name: "trading", From: "02:13"}}
					w.approved(t, o)
				}
				w.bad(t)
				r := w.the(t, w.follow(t, 31*time.Second), approval.Approved)
				later(t, w)
				for range 2 { // the engine asks again where it did not hear the answer
					if next, err := w.Claim(w.ctx, r.Code); err != nil || next.Do != failover.DoEnd {
						t.Fatalf("it starts: %+v, %v", next, err)
					}
				}
				filed := w.follow(t, 0)
				if len(filed) != 2 || filed[0].State != approval.Withdrawn || filed[1].State != approval.Requested || !strings.Contains(filed[1].Reason, why) {
					t.Fatalf("people are not asked: %+v", filed)
				}
				if !filed[1].ExpiresAt.After(w.Now()) {
					t.Errorf("people have until %s", filed[1].ExpiresAt)
				}
				if said := w.record(t, store.Filter{Action: "order.late"}); len(said) != 1 || said[0].Object != r.Code || !strings.Contains(said[0].Text, filed[1].Code) {
					t.Errorf("on record: %+v", said)
				}
			})
		})
	}
}

func TestWhatAStandingOrderApprovedStartsWhenTheWorkerIsBackInTime(t *testing.T) {
	eachOrdered(t, func(t *testing.T, w ordered) {
		w.bad(t)
		r := w.the(t, w.follow(t, 31*time.Second), approval.Approved)
		w.passes(t, 4*time.Minute)
		if next, err := w.Claim(w.ctx, r.Code); err != nil || next.Do != failover.DoCheckGates {
			t.Errorf("it does not start: %+v, %v", next, err)
		}
	})
}
