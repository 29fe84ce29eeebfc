// Package config owns the settings: it is the only reader of the environment. It never opens anything that they name.
package config
