package panel

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"time"

	"keyholder/demo/shop/control"
)

// breakPatience is how long a part may take to stop or start.
const breakPatience = 10 * time.Second

type breakOrder struct {
	What  string `json:"what"`
	Site  string `json:"site"`
	LagMS int64  `json:"lag_ms"`
}

// breakSomething takes the order as JSON, or from a button of the page, which it then shows again.
func (p *Panel) breakSomething(w http.ResponseWriter, r *http.Request) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/x-www-form-urlencoded" {
		p.breakByForm(w, r)
		return
	}
	var order breakOrder
	if err := control.ReadJSON(r, &order); err != nil {
		control.Refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if err := p.carryOut(r.Context(), order); err != nil {
		control.Refuse(w, status(err), err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, p.cfg.Breaker.Breaks())
}

func (p *Panel) breakByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		p.render(w, r, http.StatusBadRequest, "The form cannot be read.")
		return
	}
	order := breakOrder{What: r.PostForm.Get("what"), Site: r.PostForm.Get("site")}
	if text := r.PostForm.Get("lag_ms"); text != "" {
		lag, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			p.render(w, r, http.StatusUnprocessableEntity, "The lag must be a number of milliseconds.")
			return
		}
		order.LagMS = lag
	}
	if err := p.carryOut(r.Context(), order); err != nil {
		p.render(w, r, status(err), "That did not work: "+err.Error()+".")
		return
	}
	to := "/"
	if r.PostForm.Get("still") != "" {
		to = "/?still=1"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// carryOut does not stop half way if the caller leaves.
func (p *Panel) carryOut(ctx context.Context, order breakOrder) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), breakPatience)
	defer cancel()
	err := p.cfg.Breaker.Break(ctx, order.What, order.Site, lag(order.LagMS))
	if err != nil && !errors.Is(err, control.ErrBadOrder) {
		p.cfg.Log.Error("the shop was not broken or mended as asked", "what", order.What, "site", order.Site, "error", err)
	}
	return err
}

// lag does not let a number that is far too large come out as a small one.
func lag(ms int64) time.Duration {
	const most = int64(1<<62) / int64(time.Millisecond)
	return time.Duration(min(max(ms, -1), most)) * time.Millisecond
}

func status(err error) int {
	if errors.Is(err, control.ErrBadOrder) {
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}
