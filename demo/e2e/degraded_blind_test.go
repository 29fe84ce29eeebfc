package e2e_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyholder/internal/degrade"
)

var ageSaid = regexp.MustCompile(`What runs on it cannot be read since .*; the numbers are (\d+) s old\. .+`)

// numbersAge is how old the numbers of a mode are by a page, with what it says; -1 where it does not say so.
func numbersAge(on page, code string) (age time.Duration, said string) {
	where := on.Find("[data-mode='" + code + "'] [data-field=alert]")
	if strings.HasSuffix(on.url.Path, code) {
		where = on.Find("main [data-field=alert]")
	}
	said = text(where)
	found := ageSaid.FindStringSubmatch(said)
	if found == nil {
		return -1, said
	}
	seconds, err := strconv.Atoi(found[1])
	if err != nil {
		return -1, said
	}
	return time.Duration(seconds) * time.Second, said
}

// TestTheExposureSourceIsAwayTheLastValueStaysWithItsAgeAndTheTimeLimitHolds: what the outlets sell offline is counted by the outlets'
// own service. Without it the pages show what was read last, how old that is and that nobody answers; the limit in time is kept.
func TestTheExposureSourceIsAwayTheLastValueStaysWithItsAgeAndTheTimeLimitHolds(t *testing.T) {
	w := newWorld(t)
	const limit = 40 * time.Second
	w.ruleOfTwo("stores-offline", "limit_time", limit.String())
	ines := w.signIn("ines")
	code := w.switchOn(ines, "stores-offline")
	path := "/degraded/" + code
	w.mode(code, degrade.On)
	w.until("what they sell is read", limit, func() bool {
		m, err := w.store.Mode(t.Context(), code)
		return err == nil && m.Exposure != nil && m.Exposure.Orders > 3 && m.Exposure.Money > 0
	})
	if age, said := numbersAge(ines.get(path), code); age >= 0 {
		t.Errorf("while its source answers its page says %q", said)
	}

	most := w.soldOffline().Orders + int64(len(w.outlets())) // each may sell one more before it is stopped
	w.breakPart("outlets-stop")
	gone := time.Now()
	for _, where := range []string{path, "/"} {
		var first time.Duration
		w.until(where+" says how old the numbers are", 10*time.Second, func() bool { first, _ = numbersAge(ines.get(where), code); return first >= 0 })
		w.until(where+" says that they grow older", 10*time.Second, func() bool { age, _ := numbersAge(ines.get(where), code); return age >= first+2*time.Second })
		asked := ines.get(where)
		age, said := numbersAge(asked, code)
		if real := time.Since(gone); age < real-2*time.Second || age > real+10*time.Second || !strings.Contains(said, "exposure/stores-offline") {
			t.Errorf("%s after its source went away %s says %q", real, where, said)
		}
	}
	m := w.mode(code, degrade.On)
	if e := m.Exposure; e.Orders < 4 || e.Orders > float64(most) || e.Failing == nil || e.At.After(gone.Add(time.Second)) {
		t.Errorf("at most %d were sold, until %s, and what is kept is %+v", most, gone, e)
	}
	shown := fmt.Sprintf("Orders%.0f of 20000 Money%.0f GBP", m.Exposure.Orders, m.Exposure.Money)
	if bars := text(ines.get(path).Find("dl.facts")); !strings.Contains(bars, shown) {
		t.Errorf("its page does not show what was read last, %q: %s", shown, bars)
	}

	w.until("its limit in time is acted on", limit+20*time.Second, func() bool { return !w.flag("stores-offline") })
	off := w.flagIs("stores-offline")
	if after := off.ChangedAt.Sub(*m.Effect); after < limit || after > limit+10*time.Second || off.ChangedBy != code {
		t.Errorf("it was switched off %s after it began: %+v", after, off)
	}
	w.mode(code, degrade.Draining) // which it does not end while nobody can see what waits
	page := ines.get(path)
	if said := text(page.Find("[data-field=ending]")); !strings.Contains(said, "its limit was reached: 40 s") {
		t.Errorf("its page says %q", said)
	}
	if bars := text(page.Find("dl.facts")); !strings.Contains(bars, shown) {
		t.Errorf("after its limit its page does not show what was read last, %q: %s", shown, bars)
	}

	w.breakPart("outlets-start")
	w.mode(code, degrade.Over)
	if forwarded := w.forwardedOnce(*off.ChangedAt); float64(forwarded) < m.Exposure.Orders {
		t.Errorf("%d were forwarded of the %g that had been read", forwarded, m.Exposure.Orders)
	}
	if times := w.switched()["stores-offline"]; times != 2 {
		t.Errorf("it was switched %d times", times)
	}
}
