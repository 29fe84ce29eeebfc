package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keyholder/demo/mailbox"
	"keyholder/internal/degrade"
)

// mailsSaying are the mails with some words in their subject, by whom they are for.
func (w *world) mailsSaying(words string) map[string][]mailbox.Message {
	w.t.Helper()
	var all []mailbox.Message
	w.shop(http.MethodGet, "mailbox", "/messages", nil, &all)
	found := map[string][]mailbox.Message{}
	for _, m := range all {
		if m.By == "mail" && strings.Contains(m.Subject, words) {
			found[m.To] = append(found[m.To], m)
		}
	}
	return found
}

// TestTheLimitNearsPeopleAreTold: whoever may end it, or have its limits widened, has a mail before the limit and another at it, one of
// each.
func TestTheLimitNearsPeopleAreTold(t *testing.T) {
	w := newWorld(t)
	const limit = 80 * time.Second
	w.ruleOfTwo("points-later", "limit_time", limit.String())
	ines := w.signIn("ines")
	code := w.switchOn(ines, "points-later")
	began := *w.mode(code, degrade.On).On
	told := []string{"ines@retailer.example", "bea@retailer.example", "hugo@retailer.example"}
	var near, at map[string][]mailbox.Message
	w.until("its limit is reached, and everybody has heard of it", limit+60*time.Second, func() bool {
		near, at = w.mailsSaying("("+code+"): its limit in time is reached in"), w.mailsSaying("("+code+"): its limit is reached: 1 min 20 s")
		return len(at) >= len(told)
	})
	for occasion, mails := range map[string]map[string][]mailbox.Message{"before": near, "at": at} {
		for _, to := range told {
			if len(mails[to]) != 1 || !strings.Contains(mails[to][0].Text, w.base+"/degraded/"+code) {
				t.Errorf("%s the limit %s was told %+v", occasion, to, mails[to])
			}
		}
		if len(mails) != len(told) {
			t.Errorf("%s the limit these were told: %v", occasion, mails)
		}
	}
	for to, mails := range near {
		if after := mails[0].At.Sub(began); after >= limit || after < limit*8/10 {
			t.Errorf("%s was told %s after it began, of %s", to, after, limit)
		}
	}
	w.mode(code, degrade.Over)
	if said := text(ines.get("/degraded/" + code).Find("main")); !strings.Contains(said, "nearing") || !strings.Contains(said, "sent by Mail") {
		t.Errorf("its page does not say who was told: %s", said)
	}
}
