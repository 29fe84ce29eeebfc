// Command generate writes static/vendor/tabler-dark.css: the rules that Tabler applies under [data-bs-theme=dark], for
// everybody whose system asks for a dark theme. An attribute would need a script before the first paint.
package main
