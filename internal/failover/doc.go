// Package failover owns plans, policies, requests, decisions, runs and the rules that hold over them. It is pure: values
// in, values out. It never reads a clock, a database or the network.
package failover
