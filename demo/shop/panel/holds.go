package panel

import (
	"net/http"

	"keyholder/demo/shop/control"
)

type holdOrder struct {
	ID    string `json:"id"`
	Match string `json:"match"`
	When  string `json:"when"`
}

func (p *Panel) hold(w http.ResponseWriter, r *http.Request) {
	var order holdOrder
	if err := control.ReadJSON(r, &order); err != nil {
		control.Refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if err := p.cfg.Holds.Set(order.ID, order.Match, order.When); err != nil {
		control.Refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusCreated, order)
}

func (p *Panel) held(w http.ResponseWriter, r *http.Request) {
	reached, found := p.cfg.Holds.Reached(r.PathValue("id"))
	if !found {
		control.Refuse(w, http.StatusNotFound, "there is no such hold")
		return
	}
	control.WriteJSON(w, http.StatusOK, map[string]bool{"reached": reached})
}

func (p *Panel) release(w http.ResponseWriter, r *http.Request) {
	var order struct {
		ID string `json:"id"`
	}
	if err := control.ReadJSON(r, &order); err != nil {
		control.Refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if !p.cfg.Holds.Release(order.ID) {
		control.Refuse(w, http.StatusNotFound, "there is no such hold")
		return
	}
	control.WriteJSON(w, http.StatusOK, map[string]string{"released": order.ID})
}
