// Package loopback owns finding ports for the servers that tests start.
package loopback
