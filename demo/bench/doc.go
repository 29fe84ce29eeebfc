// Command bench measures the product against a peer or a limit in the same run: one line per figure, "name value unit
// limit ok|short". It exits with 1 if any falls short.
package main
