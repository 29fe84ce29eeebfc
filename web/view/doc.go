// Package view owns how pages look: a model and a component for each. It draws; it decides nothing and asks nobody.
package view
