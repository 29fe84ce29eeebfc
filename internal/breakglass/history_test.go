package breakglass_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
)

// history is a run of random acts on one person's access to one system, beside a model that knows only intervals.
type history struct {
	t      *testing.T
	random *rand.Rand
	clock  time.Time // of the machine, which jumps
	counts breakglass.Clock
	kept   time.Time // the highest that was ever kept
	grants []breakglass.Grant
	locks  []breakglass.Lock
	model  []interval
	frozen []interval // of locks; role is what they cover, or a star
	acts   []string
}

type interval struct {
	role        string
	from, until time.Time
}

var forEver = time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

func (h *history) now() time.Time { return h.counts.Now(h.clock, h.kept) }

func (h *history) holder() access.Principal {
	return access.Principal{ID: "pavel", Name: "Pavel", Mail: "pavel@shop.example"}.With([]access.Grant{{Role: access.SecurityOfficer}})
}

func (h *history) security() access.Principal {
	return access.Principal{ID: "sven", Name: "Sven"}.With([]access.Grant{{Role: access.SecurityOfficer}})
}

// pass lets time go by. Once in a while the clock jumps, back or ahead.
func (h *history) pass() {
	before, passes := h.now(), time.Duration(h.random.IntN(600))*time.Second
	h.clock = h.clock.Add(passes)
	if went := h.now().Sub(before); went != passes {
		h.t.Fatalf("%s passed, and the time that counts went on by %s", passes, went)
	}
	switch h.random.IntN(12) {
	case 0:
		h.clock = h.clock.Add(-time.Duration(h.random.IntN(7200)) * time.Second)
	case 1:
		h.clock = h.clock.Add(time.Duration(h.random.IntN(1800)) * time.Second)
	}
	h.kept = h.now()
}

func (h *history) act() {
	now := h.now()
	switch h.random.IntN(7) {
	case 0, 1:
		h.begin(now)
	case 2:
		if i, ok := h.any(now); ok {
			g, err := h.grants[i].Return(h.holder(), now)
			h.ended(i, g, err, now)
		}
	case 3:
		if i, ok := h.any(now); ok {
			g, err := h.grants[i].Revoke(h.holder(), "it is over", now)
			h.ended(i, g, err, now)
		}
	case 4:
		h.freeze(now)
	case 5:
		h.release(now)
	case 6: // the connector has given what was begun, later than it was begun
		for i, g := range h.grants {
			if g.Given == nil && !g.Ends(now) {
				h.grants[i] = h.attempt(i, now).ReadBack(true, "", now)
			}
		}
	}
}

func (h *history) begin(now time.Time) {
	role := []string{"reader", "writer"}[h.random.IntN(2)]
	n := len(h.grants)
	r := breakglass.Request{
		Question: approval.Question{ID: fmt.Sprint(n), Code: fmt.Sprint("AC-", n), State: approval.Approved, Requester: h.holder().Person(), DecidedAt: &now},
		Terms:    breakglass.Terms{Role: role, System: catalog.System{Slug: "db"}, Eligibility: catalog.Eligibility{ActivateWithin: catalog.Duration(time.Hour), Longest: catalog.Duration(100 * 24 * time.Hour)}},
		Allowed:  catalog.Duration(time.Duration(1+h.random.IntN(12)) * catalog.Step),
	}
	g, err := r.Begin(h.holder(), breakglass.Past{}, true, now)
	if err != nil {
		h.t.Fatal(err)
	}
	h.grants = append(h.grants, g)
	h.model = append(h.model, interval{role, now, now.Add(r.Allowed.D())})
	h.acts = append(h.acts, fmt.Sprintf("%s begin %s for %s", now.Format(time.TimeOnly), role, r.Allowed))
}

// attempt moves the clock of what was not given yet, in the model too.
func (h *history) attempt(i int, now time.Time) breakglass.Grant {
	g := h.grants[i].Attempt(h.grants, true, now)
	if g.Ended == nil {
		h.model[i].from, h.model[i].until = now, now.Add(g.Length.D())
	} else {
		h.model[i].until = now
	}
	return g
}

// any is the place of a grant that has not ended.
func (h *history) any(now time.Time) (int, bool) {
	for _, i := range h.random.Perm(len(h.grants)) {
		if now.Before(h.model[i].until) {
			return i, true
		}
	}
	return 0, false
}

func (h *history) ended(i int, g breakglass.Grant, err error, now time.Time) {
	if err != nil {
		h.t.Fatal(err)
	}
	h.grants[i], h.model[i].until = g, now
	h.acts = append(h.acts, fmt.Sprintf("%s %s %d", now.Format(time.TimeOnly), g.Ended.How, i))
}

func (h *history) freeze(now time.Time) {
	l := []breakglass.Lock{
		{Kind: breakglass.LockPerson, Subject: "pavel"}, {Kind: breakglass.LockSystem, Subject: "db"}, {Kind: breakglass.LockRole, Subject: "db/reader"},
	}[h.random.IntN(3)]
	l.Why = "strange queries"
	l, err := breakglass.Freeze(h.holder(), l, now)
	if err != nil {
		h.t.Fatal(err)
	}
	covers := "*"
	if l.Kind == breakglass.LockRole {
		covers = "reader"
	}
	h.locks, h.frozen = append(h.locks, l), append(h.frozen, interval{covers, now, forEver})
	h.acts = append(h.acts, fmt.Sprintf("%s freeze %s", now.Format(time.TimeOnly), covers))
}

func (h *history) release(now time.Time) {
	for i, l := range h.locks {
		if l.Lifted == nil {
			lifted, err := l.Lift(h.security(), "it was he", now)
			if err != nil {
				h.t.Fatal(err)
			}
			h.locks[i], h.frozen[i].until = lifted, now
			h.acts = append(h.acts, fmt.Sprintf("%s release", now.Format(time.TimeOnly)))
			return
		}
	}
}

// check compares what the rules say somebody has with the union of the model's intervals.
func (h *history) check() {
	now := h.now()
	within := func(i interval) bool { return !now.Before(i.from) && now.Before(i.until) }
	var want []string
	for _, m := range h.model {
		frozen := slices.ContainsFunc(h.frozen, func(f interval) bool { return within(f) && (f.role == "*" || f.role == m.role) })
		if within(m) && !frozen && !slices.Contains(want, m.role) {
			want = append(want, m.role)
		}
	}
	slices.Sort(want)
	var got []string
	for _, has := range breakglass.Effective(h.grants, h.locks, now) {
		got = append(got, has.Role)
		last := now
		for _, m := range h.model {
			if m.role == has.Role && within(m) && m.until.After(last) {
				last = m.until
			}
		}
		if !has.Until.Equal(last) {
			h.t.Fatalf("%s until %s rather than %s\n%v", has.Role, has.Until, last, h.acts)
		}
	}
	if !slices.Equal(got, want) {
		h.t.Fatalf("at %s somebody has %v rather than %v\n%v", now.Format(time.TimeOnly), got, want, h.acts)
	}
	for i, g := range h.grants {
		if !g.End().Equal(h.model[i].until) {
			h.t.Fatalf("grant %d ends at %s rather than %s\n%v", i, g.End(), h.model[i].until, h.acts)
		}
	}
}

func TestEffectiveAccessIsTheUnionOfTheIntervalsInTenThousandHistories(t *testing.T) {
	for seed := range uint64(10_000) {
		h := &history{t: t, random: rand.New(rand.NewPCG(seed, 7)), clock: time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC)}
		for range 30 {
			h.pass()
			h.check()
			h.act()
			h.check()
		}
		h.clock = h.now().Add(24 * time.Hour)
		if left := breakglass.Effective(h.grants, h.locks, h.now()); len(left) > 0 {
			t.Fatalf("history %d leaves %v\n%v", seed, left, h.acts)
		}
	}
}
