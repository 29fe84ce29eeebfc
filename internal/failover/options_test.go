package failover

import (
	"strings"
	"testing"
	"time"

	"keyholder/internal/catalog"
)

func TestTheOptionsOfferToRunDegradedWhereARuleAnswersWhatIsDown(t *testing.T) {
	c := catalog.Catalog{Settings: catalog.Settings{Currency: "GBP"}, Rules: []catalog.DegradedModeRule{
		{Slug: "paper", Name: "Orders on paper", Trigger: []string{"checkout"}, CostPerMinute: 300, LimitTime: catalog.Duration(4 * time.Hour)},
		{Slug: "other", Name: "Something else", Trigger: []string{"loyalty"}},
		{Slug: "points-later", Name: "Sell without points", Trigger: []string{"loyalty"}, Services: []string{"checkout"}, Signals: []string{"loyalty-health"}},
	}}
	offered := func(bad bool) (names []string) {
		s := Situation{
			Catalog: c, Terms: Terms{Services: []string{"checkout"}, Mode: Emergency},
			Readings: Readings{SignalKey("loyalty-health"): {Key: SignalKey("loyalty-health"), Bad: bad}},
		}
		for _, o := range s.degrade() {
			names = append(names, o.Name+", "+o.Time+", "+o.Cost)
		}
		return names
	}
	if names := offered(false); len(names) != 1 || !strings.HasPrefix(names[0], "Run degraded: Orders on paper, up to 4 h, 300 GBP every minute") {
		t.Errorf("offered is %q", names)
	}
	if names := offered(true); len(names) != 2 || !strings.HasPrefix(names[1], "Run degraded: Sell without points") {
		t.Errorf("while loyalty is down, offered is %q", names)
	}
}
