// Package web owns the portal: every URL with its permission, the handlers and the error pages. It never decides and
// never saves: the pure rules do the one, store and the engine the other.
package web
