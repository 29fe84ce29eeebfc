package site_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"keyholder/demo/shop/control"
)

// older is what a site's file looked like before orders had a tenant.
const older = `
CREATE TABLE orders (
	seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, order_id TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
	sku TEXT NOT NULL, quantity INTEGER NOT NULL, amount_minor INTEGER NOT NULL,
	site TEXT NOT NULL, accepted_ns INTEGER NOT NULL, posted INTEGER NOT NULL DEFAULT 0);
INSERT INTO orders VALUES (1, 1, 'leeds-1-1', 'k', 'tea', 1, 499, 'leeds', 1, 0);
CREATE TABLE set_aside (
	id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, epoch INTEGER NOT NULL, order_id TEXT NOT NULL, key TEXT NOT NULL,
	sku TEXT NOT NULL, quantity INTEGER NOT NULL, amount_minor INTEGER NOT NULL,
	site TEXT NOT NULL, accepted_ns INTEGER NOT NULL, posted INTEGER NOT NULL,
	fork_seq INTEGER NOT NULL, set_aside_ns INTEGER NOT NULL);
INSERT INTO set_aside VALUES (1, 1, 1, 'leeds-1-1', 'j', 'tea', 1, 499, 'leeds', 1, 0, 0, 1);`

func TestSiteOpensTheFileOfAnOlderShop(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	db, err := control.OpenFile(t.Context(), filepath.Join(r.dir, leeds+".db"), older)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	r.run()
	if code, receipt := r.served(leeds, "k"); code != http.StatusOK || receipt.OrderID != "leeds-1-1" {
		t.Errorf("an order from before is %d %+v", code, receipt)
	}
	r.mustBuy(leeds, "new")
	r.until("both have everything", r.converged)
	if got := r.orders(dublin, "/orders"); len(got) != 2 || got[0].Tenant != "shop" || got[0].Under != nil {
		t.Errorf("%+v", got)
	}
	if got := r.orders(leeds, "/set-aside"); len(got) != 1 || got[0].Key != "j" {
		t.Errorf("%+v", got)
	}
	r.turn(r.sites[leeds], false)
	r.turn(r.sites[leeds], true)
	r.until("leeds writes again", func() bool { return r.status(leeds).HoldsLease })
}
