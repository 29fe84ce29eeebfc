package connector

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"keyholder/internal/fault"
)

// switchboard is a system of one value that a test bends.
type switchboard struct {
	state    string
	acts     int
	lookErr  error
	act      func(*switchboard) error
	appearIn int // looks until an act shows
	pending  string
}

func (s *switchboard) change(wait time.Duration) Change {
	return Change{
		Look: func(context.Context) (Observation, error) {
			if s.pending != "" {
				if s.appearIn--; s.appearIn <= 0 {
					s.state, s.pending = s.pending, ""
				}
			}
			o := seen(`{"state":"` + s.state + `"}`)
			return o, s.lookErr
		},
		Done: func(o Observation) (bool, string) {
			return Holds(o, []Expectation{{Pointer: "/state", Is: "eq", Value: "on"}})
		},
		Act: func(context.Context) (string, string, error) {
			s.acts++
			return "switched", "id", s.act(s)
		},
		Wait: wait,
	}
}

func TestNothingIsDoneWhereTheStateHolds(t *testing.T) {
	s := &switchboard{state: "on"}
	e, err := s.change(time.Second).Bring(t.Context())
	if err != nil || !e.Already || s.acts != 0 || e.Did != "" || string(e.After.Body) != string(e.Before.Body) {
		t.Errorf("%+v, %v, %d acts", e, err, s.acts)
	}
}

func TestNothingIsDoneWithoutLooking(t *testing.T) {
	s := &switchboard{state: "off", lookErr: errors.New("dark")}
	if _, err := s.change(time.Second).Bring(t.Context()); err == nil || s.acts != 0 {
		t.Errorf("%v, %d acts", err, s.acts)
	}
}

func TestNothingIsDoneFromAnUnknownState(t *testing.T) {
	s := &switchboard{state: "melted"}
	c := s.change(time.Second)
	c.Ready = func(Observation) error { return errors.New("unknown") }
	if _, err := c.Bring(t.Context()); err == nil || s.acts != 0 {
		t.Errorf("%v, %d acts", err, s.acts)
	}
}

func TestTheActIsOnceHoweverLongItsEffectTakes(t *testing.T) {
	s := &switchboard{state: "off", act: func(s *switchboard) error { s.pending, s.appearIn = "on", 4; return nil }}
	e, err := s.change(5 * time.Second).Bring(t.Context())
	if err != nil || s.acts != 1 || e.Already || e.Did != "switched" || e.RequestID != "id" {
		t.Errorf("%+v, %v, %d acts", e, err, s.acts)
	}
	if string(e.Before.Body) != `{"state":"off"}` || string(e.After.Body) != `{"state":"on"}` {
		t.Errorf("before %s, after %s", e.Before.Body, e.After.Body)
	}
}

func TestALostAnswerIsForgivenWhenTheEffectIsSeen(t *testing.T) {
	s := &switchboard{state: "off", act: func(s *switchboard) error {
		s.pending, s.appearIn = "on", 3
		return &fault.Error{Kind: fault.Unavailable, Message: "The line went dead."}
	}}
	e, err := s.change(5 * time.Second).Bring(t.Context())
	if err != nil || s.acts != 1 || e.Did != "switched; The line went dead. Its effect was seen nevertheless." {
		t.Errorf("%+v, %v, %d acts", e, err, s.acts)
	}
}

func TestAnActWithoutEffectSaysWhatWasSeen(t *testing.T) {
	s := &switchboard{state: "off", act: func(*switchboard) error { return nil }}
	e, err := s.change(250 * time.Millisecond).Bring(t.Context())
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "/state is off, wanted on") {
		t.Errorf("%v", err)
	}
	if s.acts != 1 || e.Did != "switched" || string(e.After.Body) != `{"state":"off"}` {
		t.Errorf("%+v, %d acts", e, s.acts)
	}
}

func TestACertainRefusalIsToldAtOnce(t *testing.T) {
	s := &switchboard{state: "off", act: func(*switchboard) error { return NotDone(errors.New("no")) }}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := s.change(time.Minute).Bring(ctx); err == nil || err.Error() != "no" {
		t.Errorf("%v", err)
	}
}

func TestCallingOffEndsTheWaitWithEvidence(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &switchboard{state: "off", act: func(*switchboard) error { cancel(); return nil }}
	e, err := s.change(time.Minute).Bring(ctx)
	if !errors.Is(err, context.Canceled) || e.Did != "switched" || s.acts != 1 {
		t.Errorf("%+v, %v", e, err)
	}
	cancelled := &switchboard{state: "off"}
	if _, err := cancelled.change(time.Minute).Bring(ctx); !errors.Is(err, context.Canceled) || cancelled.acts != 0 {
		t.Errorf("called off before: %v, %d acts", err, cancelled.acts)
	}
}

func TestWithoutADesiredStateTheAnswerIsTheProof(t *testing.T) {
	for _, want := range []error{nil, errors.New("no answer")} {
		s := &switchboard{state: "off", act: func(*switchboard) error { return want }}
		c := s.change(time.Minute)
		c.Done = nil
		e, err := c.Bring(t.Context())
		if !errors.Is(err, want) || s.acts != 1 || e.Already || e.After.Body == nil {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

func TestDecodeIsStrict(t *testing.T) {
	type target struct {
		URL  string   `json:"url"`
		Wait Duration `json:"wait"`
		In   struct {
			N int `json:"n"`
		} `json:"in"`
	}
	for in, says := range map[string]string{
		`{"uri":"x"}`:             "uri is not a known parameter",
		`{"in":{"m":1}}`:          "m is not a known parameter",
		`{"url":5}`:               "url must not be a number",
		`{"in":{"n":"x"}}`:        "in.n must not be a string",
		`[]`:                      "must be a mapping",
		`null`:                    "must be a mapping",
		``:                        "not valid JSON",
		`{"url":"a"} {"url":"b"}`: "not valid JSON",
		`{"url":"a","url":"b"}`:   "is there twice",
		`{"wait":2}`:              "wait must not be a number",
		"{\"url\":\"\xc3\x28\"}":  "not valid UTF-8",
	} {
		var got target
		err := Decode(json.RawMessage(in), &got)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want it to say %q", in, err, says)
		}
	}
	var got target
	if err := Decode(json.RawMessage(`{"wait":"1m30s"}`), &got); err != nil || got.Wait.Or(0) != 90*time.Second {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDurationsAreBounded(t *testing.T) {
	for d, good := range map[Duration]bool{
		"": true, "1ms": true, "10m": true, "soon": false, "-1s": false, "0s": false, "11m": false, "2": false, "\x00": false,
	} {
		wrong := fault.Wrong{}
		d.Check(wrong, "wait")
		if (wrong.Err() == nil) != good {
			t.Errorf("%q: %v", d, wrong)
		}
		if !good && d.Or(time.Hour) != time.Hour {
			t.Errorf("%q was taken as %s", d, d.Or(time.Hour))
		}
	}
}

func TestSetNamesItsKinds(t *testing.T) {
	set := Set{"http": nil, "dns": nil}
	if _, err := set.Get("http"); err != nil {
		t.Error(err)
	}
	if _, err := set.Get("smtp"); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "the kinds are: dns, http") {
		t.Errorf("%v", err)
	}
}
