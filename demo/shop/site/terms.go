package site

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/flags"
	"keyholder/demo/shop/loyalty"
	"keyholder/demo/shop/tax"
)

// needPatience is how long checkout waits for the tax engine and for loyalty together: less than a buyer waits.
const needPatience = 800 * time.Millisecond

// Why a purchase is refused although this site may write.
var (
	errNoTax    = errors.New("the tax cannot be computed")
	errNoPoints = errors.New("the points cannot be credited")
	errStopped  = errors.New("we take no orders at the moment; please come back later")
)

// terms are what is settled before a purchase is accepted.
type terms struct {
	taxMinor int64
	under    Under
	credited bool
}

// terms asks for tax and has points credited, or leaves it for later where a flag says so. Should the purchase not be
// accepted after that, its points stay credited; under the same key they are credited once, whichever site accepts it in
// the end. So a customer who goes away does not stop what has been begun.
func (s *Site) terms(ctx context.Context, key string, p Purchase) (t terms, err error) {
	if _, known, _, err := earlier(ctx, s.db, key, p); known || err != nil {
		return terms{}, err
	}
	if s.flags.Get(flags.SellingStopped).Covers(p.tenant()) {
		return terms{}, errStopped
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), needPatience)
	defer cancel()
	t.under = s.under(p)
	if t.under[flags.StandardTax] != 0 {
		t.taxMinor = tax.Standard(p.AmountMinor)
	} else if t.taxMinor, err = s.askTax(ctx, tax.Question{SKU: p.SKU, NetMinor: p.AmountMinor}); err != nil {
		return terms{}, fmt.Errorf("%w: %w", errNoTax, err)
	}
	if !p.Member || t.under[flags.LoyaltyDeferred] != 0 {
		return t, nil
	}
	t.credited = true
	if err := s.credit(ctx, key, p.AmountMinor); err != nil {
		return terms{}, fmt.Errorf("%w: %w", errNoPoints, err)
	}
	return t, nil
}

// under are the flags that make a difference to a purchase here; the outlets' flag makes none, and what is not sold runs under none.
func (s *Site) under(p Purchase) Under {
	u := Under{}
	for _, flag := range []string{flags.LoyaltyDeferred, flags.StandardTax, flags.ERPQueued} {
		f := s.flags.Get(flag)
		if f.Covers(p.tenant()) && (p.Member || flag != flags.LoyaltyDeferred) {
			u[flag] = f.Period
		}
	}
	return u
}

func (s *Site) askTax(ctx context.Context, q tax.Question) (int64, error) {
	if s.cfg.Needs.Tax == "" {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, needPatience)
	defer cancel()
	var answer tax.Answer
	if err := control.Call(ctx, s.client, http.MethodPost, "http://"+s.cfg.Needs.Tax+"/tax", q, &answer); err != nil {
		return 0, err
	}
	if err := tax.Implausible(answer.TaxMinor, q.NetMinor); err != nil {
		return 0, err
	}
	return *answer.TaxMinor, nil
}

// pointsFor is one for each whole pound.
func pointsFor(amountMinor int64) int64 { return amountMinor / 100 }

func (s *Site) credit(ctx context.Context, key string, amountMinor int64) error {
	if s.cfg.Needs.Loyalty == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, needPatience)
	defer cancel()
	var answer loyalty.Credit
	return control.Call(ctx, s.client, http.MethodPost, "http://"+s.cfg.Needs.Loyalty+"/points",
		loyalty.Credit{Order: key, Points: pointsFor(amountMinor)}, &answer)
}
