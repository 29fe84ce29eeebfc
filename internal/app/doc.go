// Package app owns putting the parts together. It holds no rule and no page of its own.
package app
