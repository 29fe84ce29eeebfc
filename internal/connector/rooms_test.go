package connector_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/connector/httpc"
)

var (
	flags  = connector.Params(`{"observe":{"url":"http://flags.example/flags/points"}}`)
	others = connector.Params(`{"observe":{"url":"http://queue.example/depth"}}`)
)

func TestNoMoreCallOneSystemAtOnceThanMay(t *testing.T) {
	kind, rooms := httpc.New(connector.NewSecrets(nil)), connector.NewRooms(3)
	var inside, most atomic.Int64
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			leave, err := rooms.Enter(t.Context(), kind, flags)
			if err != nil {
				t.Error(err)
				return
			}
			defer leave()
			n := inside.Add(1)
			for had := most.Load(); n > had && !most.CompareAndSwap(had, n); had = most.Load() {
			}
			time.Sleep(2 * time.Millisecond)
			inside.Add(-1)
		})
	}
	all.Wait()
	if most.Load() != 3 {
		t.Errorf("%d were inside at once", most.Load())
	}
}

func TestASystemThatHangsHoldsUpNoOther(t *testing.T) {
	kind, rooms := httpc.New(connector.NewSecrets(nil)), connector.NewRooms(1)
	if _, err := rooms.Enter(t.Context(), kind, flags); err != nil { // and stays
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := rooms.Enter(ctx, kind, flags); err == nil {
		t.Error("two are inside where one may be")
	}
	if _, err := rooms.Enter(t.Context(), kind, others); err != nil {
		t.Errorf("another system is held up: %v", err)
	}
}
