package outlets

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"keyholder/demo/shop/control"
)

func (o *Outlets) keepSelling(ctx context.Context, slug string, sold chan<- struct{}) {
	turn := time.NewTicker(o.pace.Every)
	defer turn.Stop()
	for number := 0; ; number++ {
		select {
		case <-turn.C:
		case <-ctx.Done():
			return
		}
		if err := o.ring(ctx, slug, number); err != nil && ctx.Err() == nil {
			o.cfg.Log.Error("an outlet did not sell", "outlet", slug, "error", err)
		}
		select {
		case sold <- struct{}{}:
		default:
		}
	}
}

// keepForwarding sends what is in the journal to checkout, one sale after the other. A sale that cannot be sent keeps back
// those behind it.
func (o *Outlets) keepForwarding(ctx context.Context, slug string, sold <-chan struct{}) {
	for {
		wait, idle, err := o.forward(ctx, slug)
		if err != nil && ctx.Err() == nil {
			o.missed("forwarding of " + slug)(err)
		}
		wake := sold
		if !idle {
			wake = nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// forward sends one sale, and tells how long to wait for the next; it is idle if there was none to send.
func (o *Outlets) forward(ctx context.Context, slug string) (wait time.Duration, idle bool, err error) {
	s, found, err := o.next(ctx, slug)
	if err != nil || !found {
		return o.pace.Every, err == nil, err
	}
	order, err := o.checkout(ctx, s)
	if err != nil {
		off := o.write(ctx, func(tx *sql.Tx) error { return goOffline(ctx, tx, slug, time.Now()) })
		return o.pace.Retry, false, errors.Join(err, off)
	}
	return o.pace.Forward, false, o.forwarded(ctx, slug, s, order)
}

func (o *Outlets) checkout(ctx context.Context, s sale) (order string, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.pace.Attempt)
	defer cancel()
	address, err := o.till.Address(ctx)
	if err != nil {
		return "", err
	}
	var receipt struct {
		OrderID string `json:"order_id"`
	}
	err = control.CallOnce(ctx, o.cfg.Client, http.MethodPost, "http://"+address+"/checkout", s.key, map[string]any{
		"sku": s.sku, "quantity": s.quantity, "amount_minor": s.amountMinor, "tenant": s.tenant,
	}, &receipt)
	if err == nil && receipt.OrderID == "" {
		err = fmt.Errorf("the receipt for %s names no order", s.key)
	}
	return receipt.OrderID, err
}
