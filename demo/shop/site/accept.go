package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"keyholder/demo/shop/control"
)

// Purchase is what POST /checkout takes.
type Purchase struct {
	SKU         string `json:"sku"`
	Quantity    int    `json:"quantity"`
	AmountMinor int64  `json:"amount_minor"`     // net of tax
	Tenant      string `json:"tenant,omitempty"` // ordinaryTenant if empty
	Member      bool   `json:"member,omitempty"` // of the loyalty scheme
}

// ordinaryTenant is whom customers buy from who name nobody.
const ordinaryTenant = "shop"

func (p Purchase) tenant() string {
	if p.Tenant == "" {
		return ordinaryTenant
	}
	return p.Tenant
}

// sameAs tells whether an order is of this purchase.
func (p Purchase) sameAs(o Order) bool {
	return o.SKU == p.SKU && o.Quantity == p.Quantity && o.AmountMinor == p.AmountMinor && o.Tenant == p.tenant() && o.Member == p.Member
}

// Receipt is what POST /checkout answers for an accepted purchase.
type Receipt struct {
	OrderID    string    `json:"order_id"`
	Epoch      int64     `json:"epoch"`
	Seq        int64     `json:"seq"`
	AcceptedAt time.Time `json:"accepted_at"`
	Duplicate  bool      `json:"duplicate,omitempty"`
}

// Why a purchase is refused.
var (
	errNoLease  = errors.New("no lease")
	errDraining = errors.New("draining")
	errOtherKey = errors.New("this key belongs to another purchase")
)

func (p Purchase) problem(key string) string {
	switch {
	case key == "" || len(key) > 200:
		return "an Idempotency-Key of at most 200 characters is needed"
	case p.SKU == "" || len(p.SKU) > 64:
		return "sku is needed, of at most 64 characters"
	case p.Quantity < 1 || p.Quantity > 1000:
		return "quantity must be between 1 and 1000"
	case p.AmountMinor < 1 || p.AmountMinor > 1_000_000_000:
		return "amount_minor must be between 1 and 1000000000"
	case len(p.Tenant) > 64:
		return "tenant may have at most 64 characters"
	}
	return ""
}

func (s *Site) checkout(w http.ResponseWriter, r *http.Request) {
	var purchase Purchase
	if err := control.ReadJSON(r, &purchase); err != nil {
		control.Refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if problem := purchase.problem(key); problem != "" {
		control.Refuse(w, http.StatusBadRequest, problem)
		return
	}
	receipt, err := s.accept(r.Context(), key, purchase)
	switch {
	case errors.Is(err, errOtherKey):
		control.Refuse(w, http.StatusUnprocessableEntity, err.Error())
	case err != nil:
		s.metrics.refused.Inc()
		control.Refuse(w, http.StatusServiceUnavailable, err.Error())
	case receipt.Duplicate:
		s.metrics.duplicates.Inc()
		control.WriteJSON(w, http.StatusOK, receipt)
	default:
		s.metrics.accepted.Inc()
		control.WriteJSON(w, http.StatusCreated, receipt)
	}
}

// accept appends the purchase to the log. What others have to say on it is asked for before, outside the transaction. The
// lease is looked at before anything is asked or written and as the last thing before the commit. Should the commit itself outlast the lease, the order is not acknowledged: a retry of its key settles
// whether it exists.
func (s *Site) accept(ctx context.Context, key string, p Purchase) (Receipt, error) {
	if _, live := s.lease.live(time.Now()); !live {
		return Receipt{}, errNoLease
	}
	t, err := s.terms(ctx, key, p)
	if err != nil {
		return Receipt{}, err
	}
	if t.credited {
		ctx = context.WithoutCancel(ctx)
	}
	var receipt Receipt
	err = s.write(ctx, func(tx *sql.Tx) (err error) {
		receipt, err = s.append(ctx, tx, key, p, t)
		if err != nil {
			return err
		}
		return s.checkLease(receipt.Epoch, receipt.Duplicate)
	})
	if err != nil {
		return Receipt{}, err
	}
	return receipt, s.checkLease(receipt.Epoch, receipt.Duplicate)
}

// checkLease wants a live lease, of the very epoch of the order if it is new.
func (s *Site) checkLease(orderEpoch int64, duplicate bool) error {
	epoch, live := s.lease.live(time.Now())
	if !live || (!duplicate && epoch != orderEpoch) {
		return errNoLease
	}
	return nil
}

// earlier is the order that the key has brought about already. Without one it is an error if this site takes no new orders.
func earlier(ctx context.Context, q querier, key string, p Purchase) (first Order, known bool, me self, err error) {
	first, err = scanOrder(q.QueryRowContext(ctx, `SELECT `+orderColumns+` FROM orders WHERE key = ?`, key).Scan)
	switch {
	case err == nil && p.sameAs(first):
		return first, true, me, nil
	case err == nil:
		return first, true, me, errOtherKey
	case !errors.Is(err, sql.ErrNoRows):
		return first, false, me, fmt.Errorf("look up the key: %w", err)
	}
	if me, err = readSelf(ctx, q); err == nil && me.draining {
		err = errDraining
	}
	return first, false, me, err
}

func (s *Site) append(ctx context.Context, tx *sql.Tx, key string, p Purchase, t terms) (Receipt, error) {
	first, known, me, err := earlier(ctx, tx, key, p)
	if err != nil {
		return Receipt{}, err
	}
	if known {
		return receiptOf(first, true), nil
	}
	last, err := head(ctx, tx)
	if err != nil {
		return Receipt{}, err
	}
	o := Order{
		Seq: last.seq + 1, Epoch: me.epoch, OrderID: fmt.Sprintf("%s-%d-%d", s.cfg.Slug, me.epoch, last.seq+1),
		Key: key, SKU: p.SKU, Quantity: p.Quantity, AmountMinor: p.AmountMinor,
		Site: s.cfg.Slug, AcceptedAt: time.Now().UTC(),
		Tenant: p.tenant(), Member: p.Member, TaxMinor: t.taxMinor, Under: t.under,
	}
	if err := insertOrder(ctx, tx, o); err != nil {
		return Receipt{}, err
	}
	return receiptOf(o, false), change(ctx, tx,
		`accepted = accepted + 1, first_accepted_ns = iif(accepted = 0, ?, first_accepted_ns)`, o.AcceptedAt.UnixNano())
}

func receiptOf(o Order, duplicate bool) Receipt {
	return Receipt{OrderID: o.OrderID, Epoch: o.Epoch, Seq: o.Seq, AcceptedAt: o.AcceptedAt, Duplicate: duplicate}
}
