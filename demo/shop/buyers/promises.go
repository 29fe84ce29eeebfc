package buyers

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"keyholder/demo/shop/control"
)

const schema = `CREATE TABLE IF NOT EXISTS acknowledged (
	n INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, order_id TEXT NOT NULL, site TEXT NOT NULL,
	epoch INTEGER NOT NULL, seq INTEGER NOT NULL, acknowledged_at TEXT NOT NULL)`

// pageSize is how many acknowledged orders are answered at once.
const pageSize = 1000

// promise is an order that a site acknowledged to a buyer.
type promise struct {
	N              int64     `json:"n"`
	Key            string    `json:"key"`
	OrderID        string    `json:"order_id"`
	Site           string    `json:"site"`
	Epoch          int64     `json:"epoch"`
	Seq            int64     `json:"seq"`
	AcknowledgedAt time.Time `json:"acknowledged_at"`
}

// promises is a page of them: ask again after Next while More.
type promises struct {
	Orders []promise `json:"orders"`
	Next   int64     `json:"next"`
	More   bool      `json:"more"`
}

func (b *Buyers) keep(ctx context.Context, p purchase, site string, got receipt) error {
	_, err := b.db.ExecContext(ctx, `INSERT INTO acknowledged (key, order_id, site, epoch, seq, acknowledged_at)
		VALUES (?, ?, ?, ?, ?, ?)`, p.key, got.OrderID, site, got.Epoch, got.Seq, time.Now().UTC().Format(time.RFC3339Nano))
	if err != nil {
		return fmt.Errorf("keep acknowledged order %s: %w", got.OrderID, err)
	}
	return nil
}

func (b *Buyers) kept(ctx context.Context, after int64) (promises, error) {
	page := promises{Orders: []promise{}, Next: after}
	rows, err := b.db.QueryContext(ctx, `SELECT n, key, order_id, site, epoch, seq, acknowledged_at
		FROM acknowledged WHERE n > ? ORDER BY n LIMIT ?`, after, pageSize+1)
	if err != nil {
		return page, fmt.Errorf("read acknowledged orders: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if len(page.Orders) == pageSize {
			page.More = true
			break
		}
		var p promise
		var at string
		if err := rows.Scan(&p.N, &p.Key, &p.OrderID, &p.Site, &p.Epoch, &p.Seq, &at); err != nil {
			return page, fmt.Errorf("read an acknowledged order: %w", err)
		}
		if p.AcknowledgedAt, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return page, fmt.Errorf("read an acknowledged order: %w", err)
		}
		page.Orders, page.Next = append(page.Orders, p), p.N
	}
	return page, rows.Err()
}

// acknowledged answers GET /acknowledged?after=N.
func (b *Buyers) acknowledged(w http.ResponseWriter, r *http.Request) {
	var after int64
	if asked := r.FormValue("after"); asked != "" {
		number, err := strconv.ParseInt(asked, 10, 64)
		if err != nil || number < 0 {
			control.Refuse(w, http.StatusUnprocessableEntity, "after must be a number from 0")
			return
		}
		after = number
	}
	page, err := b.kept(r.Context(), after)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, page)
}
