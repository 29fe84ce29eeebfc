// Package erp owns the shop's back office: it books each order that is posted to it once. It never asks for an order.
package erp
