// Package flags owns the switches with which the shop is run degraded, and the way the other parts learn how they stand.
// It never knows what a switch does.
package flags
