package tax

import "testing"

func TestStandardRateRoundsToTheNearestPenny(t *testing.T) {
	for net, want := range map[int64]int64{0: 0, 1: 0, 2: 0, 3: 1, 100: 20, 1100: 220, 2650: 530} {
		if got := Standard(net); got != want {
			t.Errorf("Standard(%d) = %d, want %d", net, got, want)
		}
	}
}

func TestTaxNobodyCanMeanIsImplausible(t *testing.T) {
	tax := func(minor int64) *int64 { return &minor }
	for _, bad := range []*int64{nil, tax(-1), tax(301), tax(99999999999)} {
		if Implausible(bad, 1000) == nil {
			t.Errorf("%v on 1000 was believed", bad)
		}
	}
	for _, good := range []*int64{tax(0), tax(200), tax(300)} {
		if err := Implausible(good, 1000); err != nil {
			t.Error(err)
		}
	}
}
