// Package loyalty owns the members' points: it credits them once per order. It never knows who a member is.
package loyalty
