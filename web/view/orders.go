package view

import (
	"net/url"
	"strconv"
	"time"
)

// Order is what the page of a standing order says besides its record.
type Order struct {
	State    string // whether it would act by itself, and if not why
	Acts     bool
	Approved string // proposed by whom, approved by whom
	By       string // path of the change request by which it was; nothing where it was not approved
	Count    int
	Uses     []OrderUse
	Revoke   *OrderRevoke // for those who may
}

// OrderUse is one request that an order filed.
type OrderUse struct {
	Path, Code, What string
	At               time.Time
}

// OrderRevoke is the one click that takes an order back.
type OrderRevoke struct{ Path, Name string }

// OrderLine is a standing order where it may act: on a service, or on Now before it does.
type OrderLine struct {
	Path, Name string
	What       string    // what it does, in a sentence
	At         time.Time // when it acts, if its signals stay bad; zero where they are good
	Left       string    // until then
	Revoke     *OrderRevoke
}

// RevokeOrderPath takes a standing order back.
func RevokeOrderPath(slug string) string { return "/orders/" + url.PathEscape(slug) + "/revoke" }

// times says how often an order was used.
func times(n int) string {
	if n == 1 {
		return "It has been used once:"
	}
	return "It has been used " + strconv.Itoa(n) + " times, last:"
}
