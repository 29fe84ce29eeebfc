package outlets

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/flags"
)

// Outlet is one store as GET /outlets tells it.
type Outlet struct {
	Slug          string     `json:"slug"`
	OfflineSince  *time.Time `json:"offline_since"` // null while it is online
	Queued        int64      `json:"queued"`        // sales in its journal that are no orders yet
	OldestSeconds float64    `json:"oldest_seconds"`
	MoneyMinor    int64      `json:"money_minor"` // of what is queued
	Forwarded     int64      `json:"forwarded"`   // sales that were made offline and have become orders
	Sold          int64      `json:"sold"`        // ever
	Refused       int64      `json:"refused"`     // sales, after the outlet had been offline for too long or while selling was stopped
}

// List is what GET /outlets answers.
type List struct {
	Outlets []Outlet `json:"outlets"`
}

func (o *Outlets) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /outlets", o.list)
	mux.HandleFunc("GET /outlets/{slug}/sales", o.sales)
	mux.HandleFunc("GET /exposure/"+flags.StoresOffline, o.exposure)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		control.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	return o.cfg.Holds.Middleware(control.Late(func() bool { return o.cfg.Broken().Slow }, mux))
}

func (o *Outlets) list(w http.ResponseWriter, r *http.Request) {
	all := List{Outlets: []Outlet{}}
	for _, slug := range Slugs() {
		one, err := o.outlet(r.Context(), slug)
		if err != nil {
			control.Refuse(w, http.StatusInternalServerError, err.Error())
			return
		}
		all.Outlets = append(all.Outlets, one)
	}
	control.WriteJSON(w, http.StatusOK, all)
}

func (o *Outlets) outlet(ctx context.Context, slug string) (Outlet, error) {
	one := Outlet{Slug: slug}
	var since, oldest int64
	err := o.db.QueryRowContext(ctx, `SELECT offline_ns, refused,
		(SELECT count(*) FROM sales WHERE outlet = ?1 AND order_id = ''),
		(SELECT coalesce(min(sold_ns), 0) FROM sales WHERE outlet = ?1 AND order_id = ''),
		(SELECT coalesce(sum(amount_minor), 0) FROM sales WHERE outlet = ?1 AND order_id = ''),
		(SELECT count(*) FROM sales WHERE outlet = ?1 AND offline = 1 AND order_id <> ''),
		(SELECT count(*) FROM sales WHERE outlet = ?1) FROM outlets WHERE slug = ?1`, slug).
		Scan(&since, &one.Refused, &one.Queued, &oldest, &one.MoneyMinor, &one.Forwarded, &one.Sold)
	if err != nil {
		return one, fmt.Errorf("read outlet %s: %w", slug, err)
	}
	if since > 0 {
		at := time.Unix(0, since).UTC()
		one.OfflineSince = &at
	}
	if oldest > 0 {
		one.OldestSeconds = max(0, time.Since(time.Unix(0, oldest)).Seconds())
	}
	return one, nil
}

// Sale is one line of a journal as it is shown.
type Sale struct {
	Key         string    `json:"key"`
	Tenant      string    `json:"tenant"`
	AmountMinor int64     `json:"amount_minor"`
	SoldAt      time.Time `json:"sold_at"`
	Offline     bool      `json:"offline"`
	OrderID     string    `json:"order_id"` // empty while it waits
}

// sales gives a whole journal, oldest first, so that it can be compared with the orders.
func (o *Outlets) sales(w http.ResponseWriter, r *http.Request) {
	all, err := o.journal(r.Context(), r.PathValue("slug"))
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, map[string][]Sale{"sales": all})
}

func (o *Outlets) journal(ctx context.Context, slug string) ([]Sale, error) {
	rows, err := o.db.QueryContext(ctx, `SELECT key, tenant, amount_minor, sold_ns, offline, order_id FROM sales
		WHERE outlet = ? ORDER BY n`, slug)
	if err != nil {
		return nil, fmt.Errorf("read the journal of %s: %w", slug, err)
	}
	defer func() { _ = rows.Close() }()
	all := []Sale{}
	for rows.Next() {
		var s Sale
		var at int64
		if err := rows.Scan(&s.Key, &s.Tenant, &s.AmountMinor, &at, &s.Offline, &s.OrderID); err != nil {
			return nil, fmt.Errorf("read a sale: %w", err)
		}
		s.SoldAt = time.Unix(0, at).UTC()
		all = append(all, s)
	}
	return all, rows.Err()
}

// exposure has the shape of a site's: what was sold under the flag since it was last switched on.
func (o *Outlets) exposure(w http.ResponseWriter, r *http.Request) {
	f := o.flags.Get(flags.StoresOffline)
	var orders, money, queued int64
	err := o.db.QueryRowContext(r.Context(), `SELECT count(*), coalesce(sum(amount_minor), 0), count(*) FILTER (WHERE order_id = '')
		FROM sales WHERE period = ? AND period > 0`, f.Period).Scan(&orders, &money, &queued)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, map[string]any{
		"flag": f.Name, "on": f.On, "scope": f.Scope, "since": f.OnSince, "orders": orders, "money_minor": money, "queued": queued,
	})
}
