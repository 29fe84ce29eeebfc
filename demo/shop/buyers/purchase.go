package buyers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/google/uuid"

	"keyholder/demo/shop/traffic"
)

// purchase is one wish of one buyer, tried under one key until it is acknowledged or its deadline has passed.
type purchase struct {
	key         string
	atTill      bool
	SKU         string `json:"sku"`
	Quantity    int    `json:"quantity"`
	AmountMinor int64  `json:"amount_minor"`
	Tenant      string `json:"tenant"`
	Member      bool   `json:"member"`
}

// The tenants that customers buy from: everyone from the shop, one purchase in testsEach is a test.
const (
	tenantShop = "shop"
	tenantTest = "test"
	testsEach  = 10
)

// goods are dealt out in turn, so that the revenue is steady: 15.00 on average.
func goods() []purchase {
	return []purchase{
		{SKU: "TEA-250", Quantity: 2, AmountMinor: 900},
		{SKU: "MUG-BLUE", Quantity: 1, AmountMinor: 1100},
		{SKU: "JAM-PLUM", Quantity: 3, AmountMinor: 1350},
		{SKU: "LAMP-DESK", Quantity: 1, AmountMinor: 2650},
	}
}

func (b *Buyers) wish(number int) purchase {
	list := goods()
	p := list[number%len(list)]
	p.key = uuid.NewString()
	p.atTill = number%b.cfg.Pace.Tills == 0
	p.Tenant, p.Member = tenantShop, number/len(list)%2 == 0 // every other round of the goods
	if number%testsEach == testsEach/2+1 {
		p.Tenant = tenantTest
	}
	return p
}

// receipt is what a site answers.
type receipt struct {
	OrderID   string `json:"order_id"`
	Epoch     int64  `json:"epoch"`
	Seq       int64  `json:"seq"`
	Duplicate bool   `json:"duplicate"`
}

// buy tries until the deadline and counts the outcome. An order counts as a success once it is on record as
// acknowledged. A purchase that is called off, because the buyers stop, is not counted.
func (b *Buyers) buy(ctx context.Context, p purchase) {
	deadline, cancel := context.WithTimeout(ctx, b.cfg.Pace.Deadline)
	defer cancel()
	for {
		site, got, err := b.try(deadline, p)
		if err == nil {
			if err = b.keep(context.WithoutCancel(ctx), p, site, got); err != nil {
				b.cfg.Log.Error("an acknowledged order was not kept", "key", p.key, "error", err)
			}
			b.purchases.Add(time.Now(), bought{
				ok: err == nil, duplicate: got.Duplicate, tenant: p.Tenant, amount: p.AmountMinor,
			})
			return
		}
		b.cfg.Log.Debug("an attempt to buy failed", "key", p.key, "till", p.atTill, "error", err)
		again := time.NewTimer(b.cfg.Pace.Retry)
		select {
		case <-again.C:
			continue
		case <-deadline.Done():
			again.Stop()
		}
		if ctx.Err() == nil {
			b.purchases.Add(time.Now(), bought{tenant: p.Tenant})
		}
		return
	}
}

// try makes one attempt.
func (b *Buyers) try(ctx context.Context, p purchase) (site string, got receipt, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Pace.Attempt)
	defer cancel()
	to := destination{address: b.cfg.Traffic}
	if p.atTill {
		if to, err = b.till.lookup(ctx); err != nil {
			return "", got, err
		}
	}
	reached := "" // the site that this attempt came to, or may have
	defer func() {
		if reached != "" {
			b.attempts.Add(time.Now(), attempt{site: reached, ok: err == nil})
		}
	}()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached = to.site }})
	r, err := p.request(ctx, to.address)
	if err != nil {
		return "", got, err
	}
	response, err := b.cfg.Client.Do(r)
	if err != nil {
		return "", got, fmt.Errorf("buy: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if !p.atTill {
		reached = response.Header.Get(traffic.SiteHeader)
	}
	got, err = read(response)
	return reached, got, err
}

func (p purchase) request(ctx context.Context, address string) (*http.Request, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write the purchase: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/checkout", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", p.key)
	return r, nil
}

func read(response *http.Response) (receipt, error) {
	var got receipt
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return got, fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode != http.StatusCreated && response.StatusCode != http.StatusOK {
		return got, fmt.Errorf("the shop answered %d", response.StatusCode)
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return got, fmt.Errorf("read the receipt: %w", err)
	}
	if got.OrderID == "" {
		return got, fmt.Errorf("the receipt names no order")
	}
	return got, nil
}
