// Package audit owns what one line of the record says and the bytes that prove it. It never stores anything and never
// decides who may do what.
package audit
