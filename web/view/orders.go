package view

import (
	"net/url"
	"time"
)

// Order is what the page of a standing order says besides its record.
type Order struct {
	State    string // whether it would act by itself, and if not why
	Acts     bool
	Approved string // proposed by whom, approved by whom
	By       string // path of the change request by which it was; nothing where it was not approved
	Started  string // how often it did something by itself
	Filed    []OrderFiled
	Revoke   *OrderRevoke // for those who may
}

// OrderFiled is one request that an order filed, to start or to ask.
type OrderFiled struct {
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
	Yields     string    // why it does nothing at all, for now; nothing where it acts
	Revoke     *OrderRevoke
}

// RevokeOrderPath takes a standing order back.
func RevokeOrderPath(slug string) string { return "/orders/" + url.PathEscape(slug) + "/revoke" }
