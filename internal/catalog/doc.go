// Package catalog owns what the retailer has: sites, tiers, capabilities, services, data sets, dependencies, flows and
// the signals that tell how they are. It is pure: it never reads a clock, a file or a database.
package catalog
