package dnsc

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

func records(t *testing.T, o connector.Observation) body {
	t.Helper()
	var got body
	if err := json.Unmarshal(o.Body, &got); err != nil {
		t.Fatalf("%s: %v", o.Body, err)
	}
	return got
}

func mustSay(t *testing.T, err error, kind fault.Kind, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if fault.KindOf(err) != kind {
		t.Errorf("%v is %v, want %v", err, fault.KindOf(err), kind)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestMoveThereAndBack(t *testing.T) {
	b, c := newBind(t), connect()
	p := b.move(t, nil)
	e, err := c.Apply(t.Context(), "key", p)
	if err != nil {
		t.Fatal(err)
	}
	want := body{Records: []string{leeds}, TTL: 2, Serial: 1, Authoritative: true}
	if diff := cmp.Diff(want, records(t, e.Before)); diff != "" {
		t.Errorf("before: %s", diff)
	}
	want.Records, want.Serial = []string{dublin}, 2
	if diff := cmp.Diff(want, records(t, e.After)); diff != "" {
		t.Errorf("after: %s", diff)
	}
	did := fmt.Sprintf("UPDATE shop.demo. at %s: checkout.shop.demo. SRV from %s to %s answered NOERROR", b.addr, leeds, dublin)
	if e.Did != did || e.Already || e.RequestID == "" || e.After.Status != "NOERROR" {
		t.Errorf("%+v", e)
	}
	if e.After.Source != "SRV checkout.shop.demo. at "+b.addr || e.After.At.IsZero() {
		t.Errorf("after: %+v", e.After)
	}
	if _, err = c.Undo(t.Context(), "key-undo", p); err != nil {
		t.Fatal(err)
	}
	o, err := c.Observe(t.Context(), p)
	if err != nil || !cmp.Equal(records(t, o).Records, []string{leeds}) || records(t, o).Serial != 3 {
		t.Errorf("undone: %s, %v", o.Body, err)
	}
}

func TestMovingAgainChangesNothing(t *testing.T) {
	b, c := newBind(t), connect()
	for i := range 3 {
		e, err := c.Apply(t.Context(), "key", b.move(t, nil))
		if err != nil || e.Already != (i > 0) {
			t.Errorf("%d: %+v, %v", i, e, err)
		}
	}
	if n := b.serial(t); n != 2 {
		t.Errorf("serial is %d after one change", n)
	}
}

func TestManyMoversChangeOnce(t *testing.T) {
	b, c := newBind(t), connect()
	p := b.move(t, nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := c.Apply(t.Context(), "key", p); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := b.serial(t); n != 2 {
		t.Errorf("serial is %d after one change", n)
	}
}

func TestWhatThePlanDidNotKnowIsNeverOverwritten(t *testing.T) {
	b, c := newBind(t), connect()
	for _, there := range [][]string{{paris}, {leeds, paris}, {leeds, dublin}} {
		b.set(t, c, []string{leeds}, there)
		before := b.serial(t)
		e, err := c.Apply(t.Context(), "key", b.move(t, nil))
		mustSay(t, err, fault.Conflict, there[len(there)-1], "neither what the plan moves from ("+leeds+") nor to ("+dublin+")")
		if e.Did != "" || b.serial(t) != before {
			t.Errorf("%v: changed: %+v", there, e)
		}
		b.set(t, c, there, []string{leeds})
	}
	_, err := c.Apply(t.Context(), "key", b.move(t, map[string]any{"name": "till.shop.demo."}))
	mustSay(t, err, fault.Conflict, "till.shop.demo. SRV is not there")
}

// What changes between the look and the update is caught by the server.
func TestThePrerequisiteGuardsTheUpdateItself(t *testing.T) {
	b, c := newBind(t), connect()
	p, err := read(b.move(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	b.set(t, c, []string{leeds}, []string{paris})
	_, _, err = c.update(t.Context(), p, p.from, p.to)
	mustSay(t, err, fault.Conflict, "refused the update (NXRRSET)", "no longer those the plan moves from")
	b.set(t, c, []string{paris}, []string{leeds, paris})
	_, _, err = c.update(t.Context(), p, p.from, p.to)
	mustSay(t, err, fault.Conflict, "NXRRSET")
	o, err := c.Observe(t.Context(), b.move(t, nil))
	if err != nil || !cmp.Equal(records(t, o).Records, []string{leeds, paris}) {
		t.Errorf("%s, %v", o.Body, err)
	}
}

func TestSetsMoveWholeWhateverTheirOrder(t *testing.T) {
	b, c := newBind(t), connect()
	b.set(t, c, []string{leeds}, []string{paris, leeds})
	p := b.move(t, map[string]any{"from": []string{"0 100 8081 LEEDS.shop.demo.", paris}, "to": []string{dublin, paris}})
	e, err := c.Apply(t.Context(), "key", p)
	if err != nil || !cmp.Equal(records(t, e.After).Records, []string{dublin, paris}) {
		t.Errorf("%s, %v", e.After.Body, err)
	}
}

func TestOtherTypes(t *testing.T) {
	b, c := newBind(t), connect()
	for kind, values := range map[string][2]string{
		"A": {"127.0.0.1", "127.0.0.2"}, "TXT": {`"a \"b\"; c" "d"`, `"e"`}, "CNAME": {"leeds.shop.demo.", "dublin.shop.demo."},
	} {
		name := strings.ToLower(kind) + ".shop.demo."
		more := map[string]any{"name": name, "type": kind, "from": values[:1], "to": values[1:]}
		b.insert(t, name, kind, values[0])
		e, err := c.Apply(t.Context(), "key", b.move(t, more))
		if err != nil || !cmp.Equal(records(t, e.After).Records, values[1:]) {
			t.Errorf("%s: %s, %v", kind, e.After.Body, err)
		}
		if _, err := c.Undo(t.Context(), "key", b.move(t, more)); err != nil {
			t.Errorf("%s back: %v", kind, err)
		}
	}
}

func TestObserveNeedsNoKey(t *testing.T) {
	b, c := newBind(t), connect()
	p := b.move(t, map[string]any{"from": nil, "to": nil, "tsig": nil, "ttl": nil})
	o, err := c.Observe(t.Context(), p)
	if err != nil || string(o.Body) != `{"authoritative":true,"records":["`+leeds+`"],"serial":1,"ttl":2}` {
		t.Errorf("%s, %v", o.Body, err)
	}
	_, err = c.Apply(t.Context(), "key", p)
	mustSay(t, err, fault.Invalid, "can only observe")
	if _, err = c.Undo(t.Context(), "key", p); err != connector.ErrNoUndo { //nolint:errorlint // returned as it is
		t.Errorf("%v", err)
	}
	o, err = c.Observe(t.Context(), b.move(t, map[string]any{"name": "none.shop.demo."}))
	if err != nil || o.Status != "NXDOMAIN" || len(records(t, o).Records) != 0 || !records(t, o).Authoritative {
		t.Errorf("no such name: %+v, %v", o, err)
	}
}

func TestAnAnswerTooLargeForUDPComesWhole(t *testing.T) {
	b, c := newBind(t), connect()
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf("0 100 %d dublin.shop.demo.", 9000+i))
	}
	e, err := c.Apply(t.Context(), "key", b.move(t, map[string]any{"to": many}))
	if err != nil || len(records(t, e.After).Records) != 60 {
		t.Errorf("%s, %v", e.After.Body, err)
	}
}
