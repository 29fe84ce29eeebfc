package traffic

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"keyholder/demo/shop/control"
)

// TestHeldChangeWhoseCallerLeftDoesNotHappen and the next hold a change on either side of its effect.
func TestHeldChangeWhoseCallerLeftDoesNotHappen(t *testing.T) {
	s := open(t)
	s.start(t.TempDir())
	s.held(control.Before, `{"weights":{"leeds":100,"dublin":0},"version":1}`)
	s.want("GET", "/weights", "", "", 200, `{"weights":{"leeds":100,"dublin":0},"version":1}`)
	s.want("GET", "/effects", "", "", 200, `{"weight_changes":0}`)
}

func TestChangeHeldAfterItsEffectHasHappened(t *testing.T) {
	s := open(t)
	s.start(t.TempDir())
	s.held(control.After, `{"weights":{"leeds":0,"dublin":100},"version":2}`)
	if got := s.buy(2)["dublin"]; got != 2 {
		t.Errorf("%d of 2 customers came to Dublin", got)
	}
	s.want("GET", "/effects", "", "", 200, `{"weight_changes":1}`)
}

// held moves to Dublin, hangs up while the call is held, and releases it.
func (s *shop) held(when, meanwhile string) {
	s.t.Helper()
	if err := s.holds.Set("h", "PUT /weights", when); err != nil {
		s.t.Fatal(err)
	}
	ctx, hangUp := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.move(ctx) }()
	deadline := time.NewTimer(5 * time.Second)
	defer deadline.Stop()
	for reached := false; !reached; reached, _ = s.holds.Reached("h") {
		select {
		case err := <-ended:
			s.t.Fatalf("the call was not held: %v", err)
		case <-deadline.C:
			s.t.Fatal("the hold was not reached")
		case <-time.After(time.Millisecond):
		}
	}
	s.want("GET", "/weights", "", "", 200, meanwhile)
	hangUp()
	if err := <-ended; err == nil {
		s.t.Error("the call was answered")
	}
	s.stop() // waits for the held call
	s.start(s.dir)
	s.holds.Release("h")
}

func (s *shop) move(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+s.admin+"/weights", strings.NewReader(`{"only":"dublin"}`))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
